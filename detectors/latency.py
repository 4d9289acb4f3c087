"""Parts of an agent that got slower, and limits that are full or run out.

Durations of operations, the time to the first chunk of an answer and waits in queues are watched apart for
each operation with its tool or model, as percentiles of five minutes against their own history. Operations
that contain others (`invoke_agent`, …) are not: their parts are.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import floor
from typing import Any, ClassVar, Self

from msgspec import Struct

from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded, short_of
from detectors.latencies.earlier import migrated
from detectors.latencies.latency_finding import slower, tight
from detectors.latencies.part import Part
from detectors.latencies.percentile import WARM_UP
from detectors.latencies.saturation import Saturation, concurrency_used, rate_used
from detectors.latencies.slow_series import SlowSeries
from detectors.settings import Watch
from schemas.event import Data, Event, Limits

MINUTE_S = 60.0
STALE_S = 900.0
MOST_PARTS = 8
"""Parts at once; what comes later shares one, labelled `(other)`."""
MOST_LIMITS = 8
OTHER = "(other)"
BRIEF_S = 0.05
"""A part of which no operation ever took so long is not followed."""
LONGEST_NAME = 64
_OTHERS = frozenset({"invoke_agent", "invoke_workflow", "create_agent", "receive_input", "handoff"})
"""Operations that contain others, or are no work of the agent."""


class Remembered(Struct, array_like=True):
    """The whole state. `limits`: by resource, then by provider or model."""

    parts: list[Part] = []
    limits: dict[str, dict[str, Saturation]] = {}
    closes_at: float = 0.0
    last: float = 0.0


class Latency:
    """Findings `slow`, `first_chunk`, `queue_wait` (labels `operation`, `tool` or `model`), `saturation`.

    It has no options.
    """

    name: ClassVar[str] = "latency"
    version: ClassVar[int] = 2
    warm_up: ClassVar[str] = (
        "Half an hour with 16 operations of a part in five minutes; limits: five minutes."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1"})
    takes: ClassVar[frozenset[str]] = frozenset()

    __slots__ = ("_closes_at", "_last", "_limits", "_parts", "_telling")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Raises nothing: there is nothing to configure."""
        self._restore(Remembered())

    def _restore(self, state: Remembered) -> None:
        self._parts = {(part.operation, part.name): part for part in state.parts}
        self._limits = state.limits
        self._closes_at, self._last = state.closes_at, state.last
        self._telling = any(each.is_told for each in self._everything())

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """There is nothing to follow."""

    def observe(self, event: Event, now: float) -> None:
        """Takes one operation."""
        if now >= self._closes_at:
            self._turn(now)
        self._last = now
        data = event.data
        operation = data.operation
        if data.limits is not None:
            self._fill(data, data.limits, event)
        seconds = operation.duration
        if seconds is not None and operation.name not in _OTHERS:
            self._timed(event, data, seconds)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; of a part that is known, how long an operation took is noted at once."""
        parts = self._parts
        for event, now in coming:
            data = event.data
            operation, tool, response = data.operation, data.tool, data.response
            name = _model(data) if tool is None else tool.name or ""
            part = parts.get((operation.name, name))
            seconds = operation.duration
            if (
                seconds is None
                or part is None
                or data.error is not None
                or data.limits is not None
                or (response is not None and response.time_to_first_chunk is not None)
                or now >= self._closes_at
            ):
                self.observe(event, now)
                continue
            self._last = now
            series = part.slow
            if len(series.fresh) < series.free:
                series.fresh.append(seconds)
                if series.room:
                    series.look(event, seconds)

    def _timed(self, event: Event, data: Data, seconds: float) -> None:
        operation = data.operation
        kind, name = _whose(data)
        part = self._parts.get((operation.name, name))
        if part is None:
            if seconds < BRIEF_S:
                return
            part = self._new(operation.name, kind, name)
        series = part.slow
        if data.error is not None and seconds < series.usual_s:
            return  # what fails at once is not fast
        if len(series.fresh) < series.free:
            series.fresh.append(seconds)
            if series.room:
                series.look(event, seconds)
        if data.response is not None or data.limits is not None:
            _details(part, data, event)

    def _new(self, operation: str, kind: str, name: str) -> Part:
        key = operation[:LONGEST_NAME], name[:LONGEST_NAME]
        if key not in self._parts and len(self._parts) >= MOST_PARTS:
            key = OTHER, ""
        return self._parts.setdefault(key, Part(key[0], kind, key[1]))

    def _fill(self, data: Data, limits: Limits, event: Event) -> None:
        """How full the limits are that an operation told of."""
        for resource, used in (("concurrency", concurrency_used(limits)), ("rate", rate_used(limits))):
            if used is not None:
                named = self._limits.setdefault(resource, {})
                name = (data.provider.name if data.provider else None) or _whose(data)[1]
                name = name[:LONGEST_NAME]
                name = name if name in named or len(named) < MOST_LIMITS else OTHER
                named.setdefault(name, Saturation()).take(used, event)

    def _turn(self, now: float) -> None:
        """Closes the minute that is over. An agent that was silent for long begins anew."""
        stale = now - self._last > STALE_S
        for each in self._everything():
            if isinstance(each, SlowSeries):
                each.close(self._closes_at - MINUTE_S, self._closes_at)
            else:
                each.close(self._closes_at)
            if stale:
                each.forget()
        self._telling = any(each.is_told for each in self._everything())
        self._closes_at = floor(now / MINUTE_S) * MINUTE_S + MINUTE_S

    def _everything(self) -> Iterable[SlowSeries | Saturation]:
        for part in self._parts.values():
            yield part.slow
            if part.first_chunk is not None:
                yield part.first_chunk
            if part.queue_wait is not None:
                yield part.queue_wait
        for named in self._limits.values():
            yield from named.values()

    @property
    def lacks(self) -> Sequence[str]:
        """Spans of the part that is known best."""
        halves = (part.slow.percentiles.get("p50") for part in self._parts.values())
        known = max((each.quiet.count for each in halves if each is not None), default=0)
        return short_of(known, WARM_UP, "spans of five minutes with 16 operations of a part")

    @property
    def wake_at(self) -> float | None:
        """The end of the open minute, while something was heard in it or something holds."""
        for each in self._everything():
            if each.is_open:
                return self._closes_at
        return None

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds, as of the last closed minute."""
        if now >= self._closes_at:
            self._turn(now)
        if not self._telling:
            return []
        found = [
            slower(part, measure, series, series.slowdown, now)
            for part in self._parts.values()
            for measure, series in part.all()
            if series.slowdown is not None
        ]
        found += [
            tight(resource, name, limit, limit.tight, now)
            for resource, named in self._limits.items()
            for name, limit in named.items()
            if limit.tight is not None
        ]
        return found

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """Learns what is usual anew; what holds ends."""
        for each in self._everything():
            each.adopt()
        self._telling = False

    def save(self) -> State:
        """The whole state, a few kilobytes a part of msgpack."""
        for part in self._parts.values():
            for _, series in part.all():
                series.settle()
        state = Remembered(list(self._parts.values()), self._limits, self._closes_at, self._last)
        return State(encoded(state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        if version == 1:
            loaded._restore(decoded(cls, State(migrated(state.body)), cls.version, Remembered))
            for part in loaded._parts.values():
                for _, series in part.all():
                    series.draw()
        else:
            loaded._restore(decoded(cls, state, version, Remembered))
        return loaded


def _whose(data: Data) -> tuple[str, str]:
    """The tool of an operation, or its model."""
    if data.tool is not None:
        return "tool", data.tool.name or ""
    return "model", _model(data)


def _model(data: Data) -> str:
    response, request = data.response, data.request
    return (response.model if response else None) or (request.model if request else None) or ""


def _add(series: SlowSeries, event: Event, seconds: float) -> None:
    if len(series.fresh) < series.free:
        series.fresh.append(seconds)
        if series.room:
            series.look(event, seconds)


def _details(part: Part, data: Data, event: Event) -> None:
    """What an operation says of its course: the first chunk, the queue."""
    response, limits = data.response, data.limits
    first = response.time_to_first_chunk if response is not None else None
    waited = limits.queue_wait if limits is not None else None
    if first is not None:
        part.first_chunk = part.first_chunk or SlowSeries(suspicious=False)
        _add(part.first_chunk, event, first)
    if waited is not None:
        part.queue_wait = part.queue_wait or SlowSeries(suspicious=False)
        _add(part.queue_wait, event, waited)
