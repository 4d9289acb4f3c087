"""Failures above what an agent's objectives allow: sessions lost, tool and model calls failing, escalations.

Session outcomes and operations are separate streams with separate objectives, because a real outage of
sessions drowns among operations. Per stream, classes are kept apart: what is lost (non-retryable, and
retryable once no retry follows) breaks the objective; what is retried is told under `class="retryable"`;
escalations are their own stream, and so are sessions that begin and never end.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Struct, field, structs

from detectors.dense import encoded
from detectors.detector import Coming, State, Unworded, decoded
from detectors.durations import duration
from detectors.failures.burn_rate import PAIRS
from detectors.failures.failure_finding import Words, unworded
from detectors.failures.failure_stream import CELL_S, RETRIED, FailureStream, Kind
from detectors.failures.gauge import Terms
from detectors.failures.patience import LEAST_S, MOST_S, endurance, forbearance, lapsed
from detectors.failures.unended import HIGHEST, Unended
from detectors.failures.windows import MINUTE_S
from detectors.options import texts
from detectors.saying import span
from detectors.settings import Watch
from schemas.event import Conversation, Event, Failure
from schemas.failures import error_class

OUTLIVES_S = MOST_S + 600.0
"""What is silent for longer than a stream is waited for (`patience`) has ended by then."""
OBJECTIVES = {"sessions": 0.99, "tools": 0.90, "models": 0.95, "escalations": 0.90}
OF_CALLS = frozenset({"tools", "models"})
NEVER_ENDED = "abandoned"
STREAMS = (*OBJECTIVES, NEVER_ENDED)
LAST_ATTEMPT = 3
"""A retryable failure that does not say whether a retry follows is lost from this attempt on."""
MOST_OWED = 1000

_STREAMS = {
    "chat": "models",
    "text_completion": "models",
    "generate_content": "models",
    "embeddings": "models",
    "execute_tool": "tools",
    "handoff": "escalations",
}
_WORDS = {
    "sessions": Words("sessions", "sessions", "failed"),
    "tools": Words("tools", "tool calls", "failed"),
    "models": Words("models", "model calls", "failed"),
    "escalations": Words("escalations", "sessions", "went to a person", unit="ratio"),
}
_RETRIES = {
    "tools": Words("tools", "tool calls", "failed and are retried", RETRIED, "ratio"),
    "models": Words("models", "model calls", "failed and are retried", RETRIED, "ratio"),
}


ENDS_TOLD_S = 7 * 86400.0
"""An agent of which no session ended for so long does not tell when they end."""


class Remembered(Struct, array_like=True):
    """The whole state. `owed`: escalations whose session has not ended; each takes the place of one end.

    `last`: the place of what older states kept; nothing reads it. `ended`: when a session ended last.
    """

    streams: dict[str, FailureStream] = field(
        default_factory=lambda: {name: FailureStream() for name in STREAMS}
    )
    closes_at: float = 0.0
    last: float = 0.0
    owed: int = 0
    ended: float = 0.0
    unended: Unended = field(default_factory=Unended)


class ErrorRate:
    """Findings `sessions`, `tools`, `models`, `escalations` and `abandoned`.

    Options: `arl`, the span in which a quiet agent may page falsely once in expectation (default 30d),
    shared by the streams; `redact`, further patterns. `magnitude` of the three with an objective is a burn
    rate: failures over trials over budget since the onset, at most five minutes back. It tells harm from
    drift at the third failure, long before a pair of windows holds; `burn_rates` has the windows whose pair
    holds.
    """

    name: ClassVar[str] = "error_rate"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "None: objectives hold from the first event; what is usual is learnt by day. Sessions that never end:"
        " a day, and 50 that began and ended."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    outlives_s: ClassVar[float] = OUTLIVES_S
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1", "agent.session.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"arl", "redact"})

    __slots__ = (
        "_begun",
        "_busy",
        "_closes_at",
        "_escalations",
        "_operations",
        "_patterns",
        "_sessions",
        "_state",
        "_terms",
        "_trials",
        "_unended",
    )

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self._unended = Unended()
        self.configure(watch, options)
        self._restore(Remembered())

    def _restore(self, state: Remembered) -> None:
        self._state = state
        state.streams.setdefault(NEVER_ENDED, FailureStream())
        self._unended, self._begun = state.unended, state.unended.open
        self._allow()
        self._closes_at = state.closes_at
        self._operations = {operation: state.streams[name] for operation, name in _STREAMS.items()}
        self._sessions = state.streams["sessions"]
        self._escalations = state.streams["escalations"]
        self._trials = {
            operation: stream
            for operation, stream in self._operations.items()
            if stream is not self._escalations
        }
        self._busy = any(each.busy for each in state.streams.values())

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Follows other objectives and options; what was learnt stays."""
        span_s = duration(options.get("arl", f"{self.quiet_arl_days:.0f}d")).total_seconds()
        threshold_s = span_s * (len(STREAMS) + len(_RETRIES))
        objectives = {**OBJECTIVES, **watch.slo}
        self._terms = {
            name: Terms(
                _budget(objectives[name]), threshold_s, PAIRS, endurance if name in OF_CALLS else forbearance
            )
            for name in OBJECTIVES
        }
        self._patterns: Sequence[str] = texts(options, "redact")
        self._allow()

    def _allow(self) -> None:
        """A session that never ends is a lost one; where some usually do not, so many are allowed."""
        terms = self._terms["sessions"]
        allowed = max(terms.budget, min(HIGHEST, self._unended.usual))
        self._terms[NEVER_ENDED] = structs.replace(terms, budget=allowed)

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: operations that ended, and ends of sessions."""
        if now >= self._closes_at:
            self._turn(now)
        data = event.data
        operation, conversation = data.operation, data.conversation
        stream = self._operations.get(operation.name)
        if self._begun and conversation is not None:
            self._hear(conversation, operation.name, now)
        if stream is None:
            if conversation is not None and conversation.state is not None:
                self._edge(event, conversation.state, now)
        elif operation.state != "started":
            if data.error is not None:
                self._failed(_STREAMS[operation.name], event, data.error, now)
            elif stream is not self._escalations:
                stream.well(data)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; of operations of a session that went well, there is little to note."""
        begun, trials = self._begun, self._trials
        for event, now in coming:
            data = event.data
            operation, conversation = data.operation, data.conversation
            if (
                conversation is None
                or conversation.state is not None
                or data.error is not None
                or operation.state is not None
                or now >= self._closes_at
            ):
                self.observe(event, now)
                continue
            if begun and (lived := begun.get(conversation.id or "")) is not None:
                lived.hear(operation.name, now)
            stream = trials.get(operation.name)
            if stream is not None:
                stream.total += 1
                if stream.room:
                    stream.compare(data)

    def _hear(self, conversation: Conversation, operation: str, now: float) -> None:
        """A sign of life of a session that began."""
        begun = self._begun.get(conversation.id or "")
        if begun is not None:
            begun.hear(operation if conversation.state is None else "", now)

    def _edge(self, event: Event, state: str, now: float) -> None:
        """A session begins, ends, or says that it runs."""
        if state == "ended":
            self._session(event, now)
        if state != "running" and (state == "started" or self._unended.first):
            self._follow(event, state, now)

    def _follow(self, event: Event, state: str, now: float) -> None:
        """What begins is waited for; what has not ended though nothing is heard of it any more, is lost.

        What was open when the agent fell silent for longer than usual is let go: nobody saw how it went on.
        """
        unended, stream = self._unended, self._state.streams[NEVER_ENDED]
        quiet = now - unended.heard >= LEAST_S
        if quiet and lapsed(self._sessions.windows, now - unended.quiet(now), now):
            unended.let_go()
        unended.heard = now
        if stream.failed.hold is not None:
            unended.unusual()
        if unended.due_at(now):
            self._give_up(event, now)
        if state == "started":
            unended.begin(event, now)
        elif unended.end(event, now):
            stream.compare(event.data)

    def _give_up(self, event: Event, now: float) -> None:
        """What is decided by now of sessions that began. `event`: one of the same agent."""
        well, lost = self._unended.given_up(event, now)
        self._state.streams[NEVER_ENDED].total += well
        for each in lost:
            self._fail(NEVER_ENDED, each, now, "non_retryable")
        self._allow()

    def _session(self, event: Event, now: float) -> None:
        """A session's end. Where it escalated, that was counted when it did, or is counted now."""
        escalated = self._state.owed > 0
        self._state.owed -= escalated
        self._state.ended = now
        error = event.data.error
        kind = None if error is None else _kind(error)
        if kind is None or kind == "escalation":
            self._sessions.well(event.data)
        else:
            self._fail("sessions", event, now, "exhausted" if kind == "retried" else kind)
        if kind == "escalation" and not escalated:
            self._fail("escalations", event, now, "escalation")
        elif not escalated:
            self._escalations.well(event.data)

    def _failed(self, name: str, event: Event, error: Failure, now: float) -> None:
        """An operation that failed. An escalation is no failure of what escalates: it counts on its own.

        It counts among sessions, so only where it is told when they end.
        """
        kind = _kind(error)
        if kind == "escalation" and now - self._state.ended < ENDS_TOLD_S:
            self._state.owed = min(self._state.owed + 1, MOST_OWED)
            self._fail("escalations", event, now, kind)
        if name == "escalations":
            return
        if kind == "escalation":
            self._state.streams[name].total += 1
        else:
            self._fail(name, event, now, kind)

    def _fail(self, name: str, event: Event, now: float, kind: Kind) -> None:
        stream = self._state.streams[name]
        if stream.total and stream.first_failed is None:
            stream.close(self._closes_at - CELL_S, now, self._terms[name])
        stream.fail(event, now, kind, self._patterns)
        self._busy = True

    def _turn(self, now: float) -> None:
        """Closes the cells that are over: all with the minute, those with failures with five seconds."""
        grid = now // CELL_S * CELL_S
        began = self._closes_at - CELL_S
        self._closes_at = grid + CELL_S
        over = grid // MINUTE_S > began // MINUTE_S
        if not (over or self._busy):
            return
        for name, stream in self._state.streams.items():
            if stream.total and (over or stream.busy):
                stream.close(began, began + CELL_S, self._terms[name])
            stream.settle(grid, self._terms[name])
        self._busy = any(each.busy for each in self._state.streams.values())

    @property
    def wake_at(self) -> float | None:
        """The end of the open cell, while something failed in it; else when what holds may end."""
        due = (
            each.due(self._closes_at, self._terms[name].waits)
            for name, each in self._state.streams.items()
            if each.busy
        )
        return min(due, default=None) if self._busy else None

    def findings(self, now: float) -> Sequence[Unworded]:
        """What holds, as of the last closed cell."""
        if now >= self._closes_at:
            self._turn(now)
        if not self._busy:
            return []
        found = []
        for name, stream in self._state.streams.items():
            terms = self._terms[name]
            if stream.failed.hold is not None:
                words = _WORDS.get(name) or self._never_ended
                found.append(unworded(stream, stream.failed.hold, now, terms, words))
            if stream.retrying.hold is not None:
                found.append(unworded(stream, stream.retrying.hold, now, terms, _RETRIES[name]))
        return found

    @property
    def _never_ended(self) -> Words:
        return Words(NEVER_ENDED, "sessions", f"never ended (silent for {span(self._unended.wait_s)})")

    def unheard(self, found: Mapping[str, str], at: float) -> bool:
        """Whether a finding that ended at `at` did so only because none of its trials came any more."""
        return self._state.streams[found["finding"]].unheard(at)

    def rebase(self, now: float) -> None:
        """The rates of the last hour are normal from here on; what holds ends."""
        for stream in self._state.streams.values():
            stream.accept(now)
        self._unended.forget()
        self._allow()
        self._busy = any(each.busy for each in self._state.streams.values())

    def let_go(self) -> None:
        """No session that began is waited for."""
        self._unended.let_go()

    def save(self) -> State:
        """The whole state, some kilobytes of msgpack."""
        self._state.closes_at = self._closes_at
        for stream in self._state.streams.values():
            stream.others.settle()
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Remembered))
        return loaded


def _budget(objective: float) -> float:
    """1 - objective, kept away from 0 and 1, where no rate can be told from another."""
    return min(0.99, max(1e-4, 1 - objective))


def _kind(failure: Failure) -> Kind:
    """How the failure of an operation counts; that of a session is never retried."""
    name = error_class(failure)
    if name != "retryable":
        return name
    retried = failure.attempt is not None and failure.attempt < LAST_ATTEMPT
    return "retried" if failure.final is False or (failure.final is None and retried) else "exhausted"
