"""What is told badly: events that come late, lack what they used to have, or use tokens at no known price.

Whose events they are is told by `source` and service. What cannot be read at all has no agent: the bank tells
of it (`misfits`), as it does of agents beyond its cap and of signals beyond theirs.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, ClassVar, Self

from msgspec import Struct

from detectors.course import trend
from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded, short_of
from detectors.producers.share import BLOCK, FEWEST_BLOCKS, Raised, Share, blamed
from detectors.saying import clock
from detectors.settings import Watch
from schemas.event import Event
from schemas.signal import Blast

MINUTE_S = 60.0
EXAMINED_A_MINUTE = 64
LATE_S = 60.0
LONGEST = 64
ANSWERS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
LEAST = {"late": 0.05, "unpriced": 0.05, "conversation": 0.2, "tenant": 0.2, "model": 0.2}
"""Smaller shares are never told."""


class Remembered(Struct, array_like=True):
    """The whole state. `room`: how many more events of the minute are examined; `lag`: the longest, in s."""

    shares: dict[str, Share] = {}
    closes_at: float = 0.0
    room: int = EXAMINED_A_MINUTE
    lag: float = 0.0


class Telemetry:
    """Findings `late`, `unpriced`, and `missing` (label `field`: conversation, tenant, model). No options."""

    name: ClassVar[str] = "telemetry"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = "500 events of a kind: what is usual of them."
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1"})
    takes: ClassVar[frozenset[str]] = frozenset()

    __slots__ = ("_state",)

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Nothing can be set."""
        self._state = Remembered({name: Share() for name in LEAST})

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Nothing can be set."""

    def observe(self, event: Event, now: float) -> None:
        """Takes one operation; the first of each minute are examined."""
        state = self._state
        if now >= state.closes_at:
            state.closes_at, state.room = floor(now / MINUTE_S) * MINUTE_S + MINUTE_S, EXAMINED_A_MINUTE
        if not state.room:
            return
        state.room -= 1
        data, shares = event.data, state.shares
        service = data.service.name if data.service is not None else None
        producer = (f"{event.source} {service}" if service else event.source)[:LONGEST]
        lag = now - event.time.timestamp()
        late, conversations, tenants = shares["late"], shares["conversation"], shares["tenant"]
        late.take(producer)
        if lag > LATE_S:
            late.blame(producer, event, now)
            state.lag = max(state.lag, lag)
        conversations.take(producer)
        if data.conversation is None or not data.conversation.id:
            conversations.blame(producer, event, now)
        tenants.take(producer)
        if data.tenant is None or not data.tenant.id:
            tenants.blame(producer, event, now)
        if data.operation.name in ANSWERS:
            self._answer(event, producer, now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; of a busy agent only the first of a minute are looked at."""
        state = self._state
        for event, now in coming:
            if now >= state.closes_at or state.room:
                self.observe(event, now)

    def _answer(self, event: Event, producer: str, now: float) -> None:
        """A call of a model: which one, and what it cost."""
        data = event.data
        model = data.request.model if data.request is not None else None
        if model is None and data.response is not None:
            model = data.response.model
        models, unpriced = self._state.shares["model"], self._state.shares["unpriced"]
        models.take(producer)
        if not model:
            models.blame(producer, event, now)
        usage = data.usage
        if usage is not None and (usage.input_tokens or usage.output_tokens):
            unpriced.take(producer)
            if usage.cost_amount is None:
                unpriced.blame(producer, event, now)

    @property
    def lacks(self) -> Sequence[str]:
        """Operations."""
        known = self._state.shares["late"].blocks * BLOCK
        return short_of(known, FEWEST_BLOCKS * BLOCK, "operations")

    @property
    def wake_at(self) -> float | None:
        """Nothing happens by itself."""
        return None

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds, as of the last hundred events of each kind."""
        found = []
        for name, share in self._state.shares.items():
            share.settle(now, LEAST[name])
            if share.raised is not None:
                found.append(self._told(name, share, share.raised, now))
        if self._state.shares["late"].raised is None and not self._state.shares["late"].wrong:
            self._state.lag = 0.0
        return found

    def _told(self, name: str, share: Share, raised: Raised, now: float) -> Finding:
        known = blamed(raised)
        of = f", mostly of {known[0].value}"
        usual = f"since {clock(raised.onset, now)} (usually {share.usual:.1%})"
        words = {
            "late": f"{raised.share:.0%} of events come over a minute late, up to {self._state.lag:,.0f} s, "
            f"{usual}{of}: their clock is behind, or they are held up",
            "unpriced": f"{raised.share:.0%} of calls with tokens have no cost {usual}{of}: "
            "what is spent is underestimated",
        }
        is_field = name not in words
        return Finding(
            finding="missing" if is_field else name,
            labels={"field": name} if is_field else {},
            onset=raised.onset,
            summary=words.get(name, f"{raised.share:.0%} of events lack their {name} {usual}{of}"),
            observed=round(raised.share, 4),
            baseline=round(share.usual, 4),
            unit="share",
            magnitude=round(raised.share / max(share.usual, 0.01), 2),
            magnitude_unit="ratio",
            trend=trend(share.course),
            blast=Blast(share=round(raised.share, 4)),
            contributors=known,
            samples=tuple(raised.samples),
            history=tuple(share.course),
        )

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """What holds is usual from here on."""
        for share in self._state.shares.values():
            if share.raised is not None:
                share.adopt()

    def save(self) -> State:
        """The whole state, about a kilobyte of msgpack."""
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._state = decoded(cls, state, version, Remembered)
        return loaded
