"""The fold that joins spans by trace: what an agent's spans leave out is said by those around them.

Children end before what they are part of, so a span waits: two seconds where nothing more is to be learnt
from above it, ten where something may be. Then it goes out with what is known. What is remembered of a
trace is small, and is forgotten a minute after its last span.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

import msgspec
from msgspec import Struct

from bridge.clock import advanced
from bridge.homes import Homes
from bridge.joining import Link, is_known_to_the_root, joined, mark_around, who
from bridge.losses import Losses
from bridge.names import MODEL_CALLS
from schemas.event import Event
from schemas.record import Output, Record, Saved
from schemas.span import AnySpan, Span, Tick

SETTLE_S = 2.0
"""A call within a call is exported before it, or with it, seldom later."""
WAIT_S = 10.0
KEEP_S = 60.0
MOST_TRACES = 10_000
MOST_SPANS = 2_000
"""Of one trace at once; what comes beyond is remembered no more, and goes out after ten seconds."""
MOST_WAITING, MOST_LINKS = 50_000, 500_000
"""What agents did that waits, and spans that are remembered, of all traces at once."""

MOST_ASKED = 64
"""Of those that wait; the others are asked when these are told."""


class Waiting(Struct, array_like=True):
    """What an agent did, not yet told. `since`: by the log's clock."""

    span: str
    service: str
    event: Event
    since: float


class Trace(Struct):
    """What is known of a trace, times by the log's clock.

    `last`: when a span of it came; `planned`: when to look at it. `rooted`: its root has come; before,
    something may always be learnt from above. `around`: spans that a call of a model lies within.
    """

    applied: int
    last: float
    planned: float = 0.0
    rooted: bool = False
    links: dict[str, Link] = {}
    around: dict[str, bool] = {}
    waiting: list[Waiting] = []

    def take(self, span: Span, now: float) -> bool:
        """Takes a span that is new; whether there was room to remember it."""
        self.last = now
        self.rooted = self.rooted or not span.parent
        event = span.event
        remembered = len(self.links) < MOST_SPANS
        if remembered:
            calls = event is not None and event.data.operation.name in MODEL_CALLS
            self.links[span.id] = Link(span.parent, span.who)
            if calls or span.id in self.around:
                mark_around(self.around, self.links, span.id)
        if event is not None:
            self.waiting.append(Waiting(span.id, span.service, event, now))
        return remembered

    def due(self, each: Waiting) -> float:
        """When it goes out, as things are known."""
        settled = self.rooted and is_known_to_the_root(self.links, each.span)
        return each.since + (SETTLE_S if settled else WAIT_S)

    def wanted(self) -> float:
        """When something is to be done: the first goes out, or all is forgotten."""
        if not self.waiting:
            return self.last + KEEP_S
        return (
            min(map(self.due, self.waiting[:MOST_ASKED])) if self.rooted else self.waiting[0].since + WAIT_S
        )


class Mark(Struct, array_like=True):
    """The partition's own state."""

    now: float
    homes: Sequence[tuple[str, Sequence[str]]]
    early: int
    capped: Losses = msgspec.field(default_factory=Losses)


class Traces:
    """Agent events from the spans of a partition.

    Time is that of the log: of each record the time it was appended, never backwards.
    """

    version = 1

    def __init__(
        self,
        most_traces: int = MOST_TRACES,
        where: str = "oversight.spans",
        *,
        most_waiting: int = MOST_WAITING,
        most_links: int = MOST_LINKS,
    ) -> None:
        """`most_…`: remembered at once; beyond, the trace that is due first goes out early.

        `where`: the topic and the partition, as signals say it.
        """
        self._most = most_traces
        self._most_waiting, self._most_links = most_waiting, most_links
        self._waiting = self._links = 0
        self._where = where
        self._capped = Losses()
        self._now = 0.0
        self._homes = Homes()
        self._traces: dict[str, Trace] = {}
        self._plans: list[tuple[float, str]] = []
        self._unsaved: dict[str, int] = {}
        self._saved: set[str] = set()
        self.early = 0
        """Traces that were let go early, because there were too many."""

    # -- spans in, events out --------------------------------------------------------------------------

    def apply(self, record: Record) -> Sequence[Output]:
        """Takes a span, or the time; gives the events that are due.

        Raises:
            msgspec.MsgspecError: it is neither.
        """
        said = _decode(record.value)
        at = said.at if isinstance(said, Tick) else record.time_s
        self._now = advanced(self._now, at)
        if isinstance(said, Span):
            self._take(said, record.offset)
        outputs = list(self._told(record.offset))
        if self._capped.is_due(self._now, 1, 0.0):
            words = (
                f"traces or spans of {self._where} were more than are remembered: what they did may be told \
without agent or conversation"
            )
            outputs.append(self._capped.signal(self._now, "traces_capped", self._where, words))
        return outputs

    def drain(self, offset: int) -> Sequence[Output]:
        """Nothing more comes: all that waits goes out, and all is forgotten."""
        self._now += WAIT_S + KEEP_S
        return list(self._told(offset))

    def _take(self, span: Span, offset: int) -> None:
        trace = self._traces.get(span.trace)
        if trace is None:
            trace = self._traces[span.trace] = Trace(-1, self._now)
        if offset <= trace.applied or span.id in trace.links:  # folded again, or exported again
            return
        trace.applied = offset
        if trace.take(span, self._now):
            self._links += 1
        else:
            self._cap(span.service, f"over {MOST_SPANS:,} spans of one trace")
        self._waiting += span.event is not None
        self._homes.learn(span.service, span.who.agent)
        self._unsaved.setdefault(span.trace, offset)
        self._plan(span.trace, trace)

    def _cap(self, service: str, why: str) -> None:
        self._capped.see(self._now)
        self._capped.lose(self._now, service, why)

    def _plan(self, name: str, trace: Trace) -> None:
        trace.planned = trace.wanted()
        heappush(self._plans, (trace.planned, name))

    def _told(self, offset: int) -> Iterator[Output]:
        """What is due; and, while there are too many traces, what is due first."""
        while self._next() <= self._now or self._beyond():
            _, name = heappop(self._plans)
            trace = self._traces[name]
            full = self._beyond()
            if full:
                self.early += 1
                service = trace.waiting[0].service if trace.waiting else ""
                self._cap(service, full)
            out: list[Waiting] = []
            left: list[Waiting] = []
            for each in trace.waiting:
                (out if full or trace.due(each) <= self._now else left).append(each)
            trace.waiting = left
            self._waiting -= len(out)
            for each in out:
                if not (each.event.data.operation.name in MODEL_CALLS and each.span in trace.around):
                    yield self._event(trace, each)
            self._unsaved.setdefault(name, offset)
            if full or not (out or trace.waiting):
                self._forget(name)
            else:
                self._plan(name, trace)

    def _beyond(self) -> str:
        """Of what there is more than may be; empty where there is not."""
        if len(self._traces) > self._most:
            return f"over {self._most:,} traces at once"
        if self._waiting > self._most_waiting:
            return f"over {self._most_waiting:,} operations that wait at once"
        return f"over {self._most_links:,} spans at once" if self._links > self._most_links else ""

    def _next(self) -> float:
        """When the next plan is due; plans that were changed are put away."""
        while self._plans:
            at, name = self._plans[0]
            trace = self._traces.get(name)
            if trace is not None and trace.planned == at:
                return at
            heappop(self._plans)
        return float("inf")

    def _event(self, trace: Trace, each: Waiting) -> Output:
        event = joined(each.event, who(trace.links, each.span), self._homes.agent(each.service))
        return Output("events", event.data.agent.name, event, event.time.timestamp())

    def _forget(self, name: str) -> None:
        self._links -= len(self._traces.pop(name).links)
        if name not in self._saved:
            self._unsaved.pop(name)

    @property
    def wake_at(self) -> float | None:
        """When the next is due, or None where nothing waits."""
        at = self._next()
        return None if at == float("inf") else at

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        """The record that says that it is so late."""
        return b"", msgspec.json.encode(Tick(at=at_s))

    # -- state: a key a trace --------------------------------------------------------------------------

    def unsaved(self) -> Mapping[str, int]:
        """Traces that changed since they were saved."""
        return dict(self._unsaved)

    def save(self, key: str) -> Saved | None:
        """A trace; None where it is over."""
        self._unsaved.pop(key, None)
        trace = self._traces.get(key)
        if trace is None:
            self._saved.discard(key)
            return None
        self._saved.add(key)
        return Saved(trace.applied, _encode(trace), self.version)

    def load(self, key: str, saved: Saved) -> None:
        """Goes on with a trace.

        Raises:
            msgspec.MsgspecError: it cannot be read.
        """
        trace = msgspec.msgpack.decode(saved.body, type=Trace)
        self._traces[key] = trace
        self._waiting += len(trace.waiting)
        self._links += len(trace.links)
        self._saved.add(key)
        heappush(self._plans, (trace.planned, key))

    def mark(self) -> bytes:
        """The partition's own state."""
        return _encode(Mark(self._now, self._homes.saved(), self.early, self._capped))

    def resume(self, mark: bytes) -> None:
        """Goes on from it."""
        kept = msgspec.msgpack.decode(mark, type=Mark)
        self._now, self._homes, self.early = kept.now, Homes(kept.homes), kept.early
        self._capped = kept.capped


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.json.Decoder(AnySpan).decode
