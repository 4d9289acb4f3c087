"""An agent that stops sending, by its own habits: how long it is usually silent, and in which hours.

Bursts, nights and weekends are learnt (`rhythms/`): what has often been silent for hours is left alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded, short_of
from detectors.durations import duration
from detectors.rhythms.clock import DAY_S
from detectors.rhythms.pulse import LONGEST_S, Heard, Pulse
from detectors.rhythms.silence_finding import silent
from detectors.settings import Watch
from schemas.event import EVENT_TYPES, Event
from schemas.signal import Sample

LEAST = "5m"
PATIENCE_S = DAY_S
"""What is hardly heard for so long, after a silence, is normal."""


class Remembered(Struct, array_like=True):
    """The whole state. `last`: an event of the last seconds, to look at. `looking`: the next one is kept."""

    heard: Heard = field(default_factory=Heard)
    last: Sample | None = None
    looking: bool = True


class Silence:
    """Finding `agent_down`: nothing is heard of the agent for longer than its habits explain.

    Options: `least`, the shortest silence that is told (default 5m).
    """

    name: ClassVar[str] = "silence"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "Three days of an agent that never rests; a week of its longest silences; two to five of its rhythm; "
        "four of its days."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset(EVENT_TYPES)
    takes: ClassVar[frozenset[str]] = frozenset({"least"})
    outlives_s: ClassVar[float] = LONGEST_S + DAY_S

    __slots__ = ("_heard", "_last", "_pulse", "_state")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Raises ValueError where an option does not hold."""
        self._restore(Remembered(), _least_s(options))

    def _restore(self, state: Remembered, least_s: float) -> None:
        self._state, self._heard = state, state.heard
        self._pulse = Pulse(state.heard, least_s, PATIENCE_S)
        self._last: Event | None = None

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Follows other options; what was learnt stays."""
        self._pulse.least_s = _least_s(options)

    def observe(self, event: Event, now: float) -> None:
        """Takes one event, whatever it is."""
        heard = self._heard
        if now >= heard.closes_at:
            self._pulse.turn(now)
        heard.last = now
        heard.count += 1
        if self._state.looking:
            # The first after each look at what holds: if every event were kept, no memory would stay warm.
            self._last, self._state.looking = event, False

    def observe_many(self, coming: Coming) -> None:
        """Takes several; whatever they are."""
        heard, state = self._heard, self._state
        for event, now in coming:
            if now >= heard.closes_at or state.looking:
                self.observe(event, now)
            else:
                heard.last = now
                heard.count += 1

    @property
    def lacks(self) -> Sequence[str]:
        """Days, until one of the clocks may speak."""
        return () if self._pulse.speaks else short_of(self._pulse.days, 7, "days; 3 of one that never rests")

    @property
    def wake_at(self) -> float | None:
        """Until when the agent must be heard of."""
        return self._heard.due

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds: nothing, while the agent is heard of in time."""
        self._state.looking = True
        if not self._pulse.is_silent(now):
            return ()
        self._note()
        return (silent(self._pulse, now, self._state.last),)

    def _note(self) -> None:
        """Keeps of that event what is told of it."""
        event = self._last
        if event is not None:
            data = event.data
            self._state.last = Sample(
                event=f"{event.source}/{event.id}",
                time=event.time,
                text=" ".join(
                    word for word in ("last seen:", data.operation.name, data.agent.version) if word
                ),
                conversation=data.conversation.id if data.conversation else None,
                trace=event.traceparent[3:35] if event.traceparent else None,
            )
            self._last = None

    def rebase(self, now: float) -> None:
        """The present silence is usual, however long it gets; its end is no news."""
        self._pulse.accept(now)

    def save(self) -> State:
        """The whole state, one to two kilobytes of msgpack."""
        self._note()
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Remembered), _least_s(options))
        return loaded


def _least_s(options: Mapping[str, Any]) -> float:
    return duration(options.get("least", LEAST)).total_seconds()
