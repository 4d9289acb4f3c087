"""One simulated session: what a person asks, what the agent does about it, what it costs, and how it ends."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from schemas.event import (
    Agent,
    Conversation,
    Data,
    Deployment,
    Event,
    EventType,
    Failure,
    Identified,
    Input,
    Named,
    Operation,
    Release,
    Request,
    Response,
    Tool,
    Usage,
)
from streams.demonstration.cast import Profile

SOURCE = "fleet"
VERSION = "2.4.1"
PRODUCTION = Deployment(environment_name="prod")
ATTEMPTS = 3
MOST_TURNS = 3
MOST_TOOLS = 2
SPREAD = 0.35
"""Standard deviation of the logarithm of tokens and durations."""
GAVE_UP = 0.002
"""Share of everyday sessions that fail."""
HANDED_OVER = 0.02
"""Share of everyday sessions that end at a person."""
TOOL_FAILURES = ("timeout", "not_found", "validation_failed")
TOOL_CLASSES: dict[str, Literal["retryable", "non_retryable"]] = {
    "timeout": "retryable",
    "not_found": "non_retryable",
    "validation_failed": "non_retryable",
}
MILLION = 1_000_000


class Session:
    """A session of `profile`, the `number`th, that begins at `at`; drawn from `rng`."""

    def __init__(self, rng: Random, profile: Profile, number: int, at: datetime) -> None:
        self.profile = profile
        self._rng = rng
        self._at = at
        self._id = f"{profile.name}-{number}"
        self._began = at
        self._step = 0
        self._version = VERSION
        self._dearer = 1.0
        self._failing: tuple[datetime, datetime, float] | None = None
        self._asker = profile
        self._tenant = Identified(id=f"t-{rng.randrange(24)}")
        self._user = Identified(id=f"u-{rng.randrange(900)}")

    def dearer(self, factor: float, version: str) -> None:
        """Calls need `factor` times the tokens, since release `version`."""
        self._dearer, self._version = factor, version

    def failing(self, start: datetime, end: datetime, share: float) -> None:
        """From `start` until before `end` this share of calls to the provider fails."""
        self._failing = (start, end, share)

    def strange(self, other: Profile, share: float) -> None:
        """With this probability somebody asks what is `other`'s business."""
        if self._rng.random() < share:
            self._asker = other

    def play(self) -> Iterator[Event]:
        """The session's events in order."""
        yield self._edge("started")
        for _ in range(self._rng.randint(1, MOST_TURNS)):
            yield self._ask()
            for event in self._work():
                yield event
                if event.data.error and event.data.error.final:
                    yield self._edge("ended", Failure(type="provider_unavailable", class_="retryable"))
                    return
            self._pass(self._rng.uniform(4, 40))
        yield from self._ending()

    def _ending(self) -> Iterator[Event]:
        luck = self._rng.random()
        if luck < HANDED_OVER:
            yield self._operation("handoff", 0.0, error=Failure(type="handoff_to_human", class_="escalation"))
        failed = luck > 1 - GAVE_UP
        yield self._edge("ended", Failure(type="max_steps", class_="non_retryable") if failed else None)

    def _work(self) -> Iterator[Event]:
        """What the agent does about one question: calls, with tools between them."""
        yield from self._chat("tool_calls")
        for _ in range(self._rng.randint(0, MOST_TOOLS)):
            yield self._use()
            yield from self._chat("stop")

    def _ask(self) -> Event:
        return self._operation("receive_input", 0.0, input=Input(text=sentence(self._rng, self._asker)))

    def _chat(self, finish: str) -> Iterator[Event]:
        """One call of the model; where the provider is down, the attempts at it, the last of them final."""
        for attempt in range(1, ATTEMPTS + 1):
            if not self._is_down():
                yield self._answer(finish)
                return
            failure = Failure(
                type="503",
                class_="retryable",
                http_status_code=503,
                attempt=attempt,
                final=attempt == ATTEMPTS,
                message=f"{self.profile.model.provider}: service unavailable",
            )
            yield self._call(self._rng.uniform(0.2, 4), error=failure)

    def _is_down(self) -> bool:
        if self._failing is None:
            return False
        start, end, share = self._failing
        return start <= self._at < end and self._rng.random() < share

    def _answer(self, finish: str) -> Event:
        model = self.profile.model
        tokens_in = int(self._around(self.profile.input_tokens) * self._dearer)
        tokens_out = int(self._around(self.profile.output_tokens))
        cost = (tokens_in * model.input_usd + tokens_out * model.output_usd) / MILLION
        usage = Usage(
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost_amount=round(cost, 7),
            cost_currency="USD",
            cost_source="local",
        )
        return self._call(
            self._around(model.seconds), usage=usage, response=Response(finish_reasons=(finish,))
        )

    def _call(self, seconds: float, **more: object) -> Event:
        model = self.profile.model
        return self._operation(
            "chat", seconds, provider=Named(name=model.provider), request=Request(model=model.name), **more
        )

    def _use(self) -> Event:
        error = None
        if self._rng.random() < self.profile.tool_errors:
            kind = self._rng.choice(TOOL_FAILURES)
            error = Failure(type=kind, class_=TOOL_CLASSES[kind])
        tool = Tool(name=self._rng.choice(self.profile.tools))
        return self._operation("execute_tool", self._around(0.3), tool=tool, error=error)

    def _edge(self, state: Literal["started", "ended"], error: Failure | None = None) -> Event:
        seconds = (self._at - self._began).total_seconds() if state == "ended" else None
        operation = Operation(name="invoke_agent", duration=seconds)
        return self._event("agent.session.v1", operation, Conversation(id=self._id, state=state), error=error)

    def _operation(self, name: str, seconds: float, **more: object) -> Event:
        self._pass(seconds)
        operation = Operation(name=name, duration=round(seconds, 4), step=self._step)
        return self._event("agent.operation.v1", operation, Conversation(id=self._id), **more)

    def _event(
        self, kind: EventType, operation: Operation, conversation: Conversation, **more: object
    ) -> Event:
        self._step += 1
        data = Data(
            operation=operation,
            agent=Agent(name=self.profile.name, version=self._version),
            deployment=PRODUCTION,
            conversation=conversation,
            tenant=self._tenant,
            user=self._user,
            **more,  # type: ignore[arg-type] # parts of Data, named by the callers above
        )
        return Event(
            specversion="1.0",
            id=f"{self._id}-{self._step}",
            source=SOURCE,
            type=kind,
            time=self._at,
            data=data,
        )

    def _around(self, median: float) -> float:
        return median * self._rng.lognormvariate(0, SPREAD)

    def _pass(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


def sentence(rng: Random, profile: Profile) -> str:
    """One question as people ask it of this agent."""
    asked = rng.choice(profile.asks)
    fills = {slot: rng.choice(choices) for slot, choices in profile.fills.items()}
    return asked.format(id=rng.randrange(10_000, 99_999), **fills)


def release(profile: Profile, at: datetime, version: str, previous: str, summary: str) -> Event:
    """A deployment of a new version of the agent."""
    data = Data(
        operation=Operation(name="deploy"),
        agent=Agent(name=profile.name, version=version),
        deployment=PRODUCTION,
        release=Release(id=version, kind="deploy", previous=previous, summary=summary),
    )
    name = f"{profile.name}-release-{at.isoformat()}"
    return Event(specversion="1.0", id=name, source=SOURCE, type="agent.release.v1", time=at, data=data)
