"""Providers and tools that fail, limit the rate, are slow, never answer, or fail unseen: each watched apart.

What is the fault of the request, and not of the dependency, is an answer like any other; `error_rate` counts
it. Labels `dependency` and `kind` let routing make one incident of a dependency over all agents.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from detectors.dense import encoded
from detectors.dependencies.blame import blame
from detectors.dependencies.dependency_finding import findings_of
from detectors.dependencies.dependency_streams import ALL_FAIL, ENDED_BEFORE, STRICTER, WARM_UP, Streams
from detectors.dependencies.open_calls import Call, OpenCalls, Place, Required, slim
from detectors.detector import STALE_S, Coming, Finding, State, decoded, short_of
from detectors.durations import duration
from detectors.error_rate import OBJECTIVES, OUTLIVES_S
from detectors.failures.failure_stream import CELL_S, FailureStream, Kind
from detectors.failures.gauge import LEARNT_S, Terms
from detectors.failures.patience import endurance
from detectors.options import texts
from detectors.settings import Watch
from schemas.event import Event, Failure

MOST_TOOLS = 16
MOST_PROVIDERS = 8
"""Watched apart; those beyond share one place, labelled `(other)`."""
OTHER = "(other)"
LONGEST_NAME = 64
UNUSED_S = 86400.0
"""A dependency that was not called for this long makes room for another."""
CHANCES = 60
"""Chances of a false alarm that share the span: a dozen dependencies, five findings each."""
OPERATION = "agent.operation.v1"
NEVER = Failure(type="never answered", class_="retryable")
SLOW = Failure(type="slow", class_="retryable")
Where = tuple[str, Streams]
"""Kind and streams of a dependency."""
_MOST = {"tool": MOST_TOOLS, "provider": MOST_PROVIDERS}
_OBJECTIVE = {"tool": "tools", "provider": "models"}


class Remembered(Struct, array_like=True):
    """The whole state. `busy`: whether any stream cannot wait for the end of the ten minutes."""

    tool: dict[str, Streams] = {}
    provider: dict[str, Streams] = {}
    calls: OpenCalls = field(default_factory=OpenCalls)
    required: Required = field(default_factory=Required)
    closes_at: float = 0.0
    last: float = 0.0
    busy: int = 0


class Dependency:
    """Findings `failing`, `rate_limited`, `slow`, `hanging` and `unseen`.

    Options: `arl`, the span in which a quiet agent may be told of falsely once in expectation (default 30d),
    shared by all dependencies and findings; `redact`, further patterns. Objectives are the agent's for
    `tools` and `models`.
    """

    name: ClassVar[str] = "dependency"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "None for failures and limits; 100 durations for slowness; 20 calls that began and ended for hanging."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    outlives_s: ClassVar[float] = OUTLIVES_S
    watches: ClassVar[frozenset[str]] = frozenset({OPERATION, "agent.session.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"arl", "redact"})

    __slots__ = ("_closes_at", "_last", "_patterns", "_providers", "_state", "_terms", "_tools")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self.configure(watch, options)
        self._restore(Remembered())

    def _restore(self, state: Remembered) -> None:
        self._state, self._tools, self._providers = state, state.tool, state.provider
        self._closes_at, self._last = state.closes_at, state.last

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Follows other objectives and options; what was learnt stays."""
        span_s = duration(options.get("arl", f"{self.quiet_arl_days:.0f}d")).total_seconds()
        objectives = {**OBJECTIVES, **watch.slo}
        self._terms = {
            kind: Terms(
                min(0.99, max(1e-4, STRICTER * (1 - objectives[name]))), span_s * CHANCES, waits=endurance
            )
            for kind, name in _OBJECTIVE.items()
        }
        self._patterns: Sequence[str] = texts(options, "redact")

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: calls of tools and models that begin or end, and ends of sessions."""
        data = event.data
        operation = data.operation
        if operation.name == "execute_tool":
            name = data.tool.name if data.tool else None
            kind, known = "tool", self._tools
        else:
            name = data.provider.name if data.provider else None
            kind, known = "provider", self._providers
        if not name or event.type != OPERATION:
            if data.conversation is not None and data.conversation.state == "ended":
                self._end(event, now)
            return
        if now >= self._closes_at:
            self._turn(now)
        self._last = now
        streams = known.get(name)
        if streams is None:
            name, streams = self._new(kind, name, now)
        streams.last = now
        if operation.state == "started":
            self._begin((kind, name), streams, event, now)
        else:
            self._ended((kind, name), streams, event, now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; calls that went well, within the time that is usual, are counted at once."""
        tools, providers = self._tools, self._providers
        for event, now in coming:
            data = event.data
            operation, conversation = data.operation, data.conversation
            called, known = (
                (data.tool, tools) if operation.name == "execute_tool" else (data.provider, providers)
            )
            streams = known.get(called.name or "") if called is not None else None
            if streams is None:
                if called is not None or (conversation is not None and conversation.state == "ended"):
                    self.observe(event, now)
                continue
            seconds = operation.duration
            if (
                now >= self._closes_at
                or seconds is None
                or seconds > streams.slow_s
                or data.error is not None
                or operation.id is not None
                or operation.state is not None
                or operation.required
                or event.type != OPERATION
            ):
                self.observe(event, now)
                continue
            self._last = streams.last = now
            streams.row = 0
            for stream in (streams.answers, streams.waits):
                stream.total += 1
                if stream.room:
                    stream.compare(data)
            if streams.room:
                streams.learn(seconds)

    def _new(self, kind: str, name: str, now: float) -> tuple[str, Streams]:
        """The place of a dependency that has none by this name: its own, or the one that many share."""
        known = self._tools if kind == "tool" else self._providers
        name = name[:LONGEST_NAME]
        if name not in known and len(known) >= _MOST[kind]:
            unused = min(known, key=lambda each: known[each].last)
            if now - known[unused].last < UNUSED_S or known[unused].busy:
                name = OTHER
            else:
                del known[unused]
        return name, known.setdefault(name, Streams())

    def _begin(self, place: Place, streams: Streams, event: Event, now: float) -> None:
        """A call begins: it is waited for, where this dependency's calls are known to end."""
        name = event.data.operation.id
        if name:
            self._state.calls.begin(name, Call(place, now + streams.hanging_s, slim(event, NEVER)))

    def _ended(self, place: Place, streams: Streams, event: Event, now: float) -> None:
        """A call that ended, well or not."""
        data = event.data
        operation, error = data.operation, data.error
        if operation.id:
            streams.ended += self._state.calls.end(operation.id)
        if error is None:
            streams.row = 0
            streams.answers.well(data)
        else:
            self._failed(place, streams, event, error, now)
        seconds = operation.duration
        if seconds is not None:
            if seconds > streams.slow_s:
                self._fail((place[0], streams), streams.waits, slim(event, SLOW), now, "retried")
            else:
                streams.waits.well(data)
            if streams.room and error is None:
                streams.learn(seconds)
        if operation.required:
            self._require(place, event)

    def _failed(self, place: Place, streams: Streams, event: Event, error: Failure, now: float) -> None:
        """A call that failed; one whose request was wrong was answered, unless nothing else is for long."""
        whose = blame(error)
        if whose == "person":
            streams.answers.well(event.data)
            return
        streams.row += 1
        if whose == "request" and streams.row < ALL_FAIL:
            streams.answers.well(event.data)
            return
        kind: Kind = "retried" if whose == "limited" else "exhausted" if whose == "down" else "non_retryable"
        self._fail((place[0], streams), streams.answers, event, now, kind)

    def _require(self, place: Place, event: Event) -> None:
        """Remembers how a required call ended until its session does."""
        conversation, error = event.data.conversation, event.data.error
        if conversation is not None and conversation.id:
            failed = None if error is None else slim(event, error)
            self._state.required.note(conversation.id, place, failed)

    def _end(self, event: Event, now: float) -> None:
        """A session's end: where it ended well, failures of its required calls went unseen."""
        conversation = event.data.conversation
        calls = self._state.required.sessions.pop((conversation.id if conversation else None) or "", None)
        if calls is None or event.data.error is not None:
            return
        if now >= self._closes_at:
            self._turn(now)
        for place, failed in calls.values():
            streams = (self._tools if place[0] == "tool" else self._providers).get(place[1])
            if streams is None:
                continue
            if streams.unseen is None:
                streams.unseen = FailureStream()
            if failed is None:
                streams.unseen.well(event.data)
            else:
                self._fail((place[0], streams), streams.unseen, failed, now, "exhausted")

    def _fail(self, where: Where, stream: FailureStream, event: Event, now: float, how: Kind) -> None:
        kind, streams = where
        if stream.total and stream.first_failed is None:
            stream.close(self._closes_at - CELL_S, now, streams.terms(stream, self._terms[kind]))
        stream.fail(event, now, how, self._patterns)
        self._state.busy = 1

    def _turn(self, now: float) -> None:
        """Closes the cells that are over: all with the ten minutes, those with failures with five seconds."""
        began = self._closes_at - CELL_S
        grid = now // CELL_S * CELL_S
        over = grid // LEARNT_S > began // LEARNT_S
        if over:
            for kind, _, streams in self._all():
                streams.turn(self._closes_at, self._terms[kind])
        elif self._state.busy:
            for kind, _, streams in self._all():
                streams.close(self._closes_at, self._terms[kind])
        if now - self._last > STALE_S:
            self._state.calls = OpenCalls()
        if over or self._state.busy:
            self._settle(grid)
        self._closes_at = grid + CELL_S
        if now >= self._state.calls.due:
            self._overdue(now)

    def _overdue(self, now: float) -> None:
        """Calls that should have ended by now count as calls that never will."""
        for call in self._state.calls.overdue(now):
            kind, name = call.place
            streams = (self._tools if kind == "tool" else self._providers).get(name)
            if streams is not None and streams.ended >= ENDED_BEFORE:
                self._fail((kind, streams), streams.waits, call.event, now, "exhausted")

    def _settle(self, grid: float) -> None:
        """Ends the incidents that are over; after a silence too long what comes next is something new."""
        busy = False
        for kind, _, streams in self._all():
            streams.settle(grid, self._terms[kind])
            busy |= streams.busy
        self._state.busy = int(busy)

    def _all(self) -> list[tuple[str, str, Streams]]:
        """Kind, name and streams of every dependency."""
        return [
            (kind, name, streams)
            for kind, known in (("provider", self._providers), ("tool", self._tools))
            for name, streams in known.items()
        ]

    @property
    def lacks(self) -> Sequence[str]:
        """Durations of the dependency that is known best."""
        known = max((streams.durations.count for _, _, streams in self._all()), default=WARM_UP)
        return short_of(known, WARM_UP, "durations, for slowness")

    @property
    def wake_at(self) -> float | None:
        """While something failed or holds, when that may change; and when the next call should have ended."""
        due = self._state.calls.due
        if self._state.busy:
            return min(due, *(streams.due(self._closes_at) for _, _, streams in self._all()))
        return None if due == inf else due

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds, as of the last closed cell."""
        if now >= self._closes_at and (self._state.busy or now >= self._state.calls.due):
            self._turn(now)
        if not self._state.busy:
            return ()
        return [
            finding
            for kind, name, streams in self._all()
            if streams.busy
            for finding in findings_of((kind, name), streams, self._terms[kind], now)
        ]

    def unheard(self, found: Mapping[str, str], at: float) -> bool:
        """Whether a finding that ended at `at` did so only because none of its trials came any more."""
        known = self._tools if found["kind"] == "tool" else self._providers
        streams = known.get(found["dependency"])
        return streams is not None and streams.unheard(found["finding"], at)

    def rebase(self, now: float) -> None:
        """What the last hour was like is normal from here on; what holds ends."""
        for _, _, streams in self._all():
            streams.accept(now)
        self._state.busy = 0

    def let_go(self) -> None:
        """No call that began is waited for."""
        self._state.calls = OpenCalls()

    def save(self) -> State:
        """The whole state: about a kilobyte a dependency."""
        self._state.closes_at, self._state.last = self._closes_at, self._last
        for _, _, streams in self._all():
            for stream in streams.all():
                stream.others.settle()
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Remembered))
        return loaded
