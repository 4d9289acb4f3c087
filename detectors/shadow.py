"""A fire drill's copy of an agent: it is shown the drill's events, and the agent itself is shown none.

The copy is made of the agent's own state as the drill begins, and holds the one detector that the drill
exercises. It sees none of the agent's real events: the drill alone makes what it finds, however busy the
agent is, and a real event costs nothing more for a drill. What stood when it was made is the agent's own
affair, and not told again; what had begun and not ended is not waited for, as its end would not be seen. The
drill's events tell it what time it is, where that is later than its partition knows: a quiet one knows it
late. It ends soon after the drill's last event.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from detectors.agent import AgentState
from detectors.detector import Detector
from detectors.grid import after
from detectors.settings import Settings
from schemas.event import Event
from schemas.identity import derived
from schemas.record import Saved
from schemas.signal import DRILL, DRILL_HEAD, Signal

SHADOW = "(drill)".ljust(257)
"""Before the name of an agent: who is asked of the drill's copy of it; longer than the name of any agent."""
LINGERS_S = 120.0
"""Without a further event of its drill for so long, the copy ends, and what it found with it."""
BY_ABSENCE = frozenset({"silence"})
"""Detectors to which it is trouble that nothing comes: they are shown nothing; the drill only goes on."""
PART = "(drill)"
"""The part of its agent's state in which a copy is kept: both are saved together, or neither."""


class Kept(Struct, array_like=True):
    """What is saved of a copy. `stood`: ids of the agent's own signals, which are not told again."""

    drill: str
    stood: tuple[str, ...]
    last_event: float
    wake_at: float | None
    applied: int
    version: int
    body: bytes
    parts: dict[str, bytes]


_kept = msgspec.msgpack.Decoder(Kept)


class Shadow:
    """The copy, as of the drill's events so far. `wanted_at`: when it is to be asked though nothing comes."""

    __slots__ = ("_is_deaf", "_now", "_state", "_stood", "drill", "wanted_at")

    def __init__(self, drill: str, state: AgentState, stood: Iterable[str], now: float) -> None:
        """`now`: when it was shown an event last, or made."""
        self.drill = drill
        self.wanted_at: float | None = None
        self._state = state
        self._stood = frozenset(stood)
        self._now = now
        self._is_deaf = drill.partition("/")[0] in BY_ABSENCE

    def take(self, event: Event, now: float) -> Sequence[str]:
        """Shows it an event of its drill; returns what raised."""
        self._now = max(self._now, now)
        if self._is_deaf:
            return []
        return [fault for _, fault in self._state.take([(event, self._now)])]

    def ask(self, at: float) -> tuple[list[Signal], list[str]]:
        """The signals of the drill that a point of the grid brings, and what raised.

        The partition may be behind: then it is asked as of the drill's last event.
        """
        if self.is_over(at):
            return self._told(self._state.over(at)), []
        signals, faults = self._state.ask(max(at, self._now))
        return self._told(signals), faults

    def is_over(self, at: float) -> bool:
        """Whether its drill has sent nothing for long enough."""
        return at - self._now >= LINGERS_S

    def wake_at(self, at: float, next_grid: float) -> float:
        """When to ask again though no event comes: its end at the latest."""
        if at < self._now:  # the partition's grid need not bring every point until then
            self.wanted_at = after(self._now)
            return self.wanted_at
        wish = self._state.wake_at(at, next_grid)
        ends = max(self._now + LINGERS_S, next_grid)
        self.wanted_at = ends if wish is None else min(wish, ends)
        return self.wanted_at

    def configure(self, settings: Settings) -> None:
        """Follows other settings, as its agent does."""
        self._state.configure(settings)

    def _told(self, signals: Iterable[Signal]) -> list[Signal]:
        """Under ids, labels and words of the drill; without what the agent's own state had found."""
        return [
            msgspec.structs.replace(
                each,
                id=derived("sig", self.drill, each.id),
                labels={**each.labels, DRILL: self.drill},
                summary=f"{DRILL_HEAD}{each.summary}",
            )
            for each in signals
            if each.id not in self._stood
        ]

    def save(self, applied: int, wake_at: float | None) -> bytes:
        """Everything, as one piece of its agent's state."""
        saved = self._state.save(applied, None)
        return msgspec.msgpack.encode(
            Kept(
                self.drill, tuple(sorted(self._stood)), self._now, wake_at, saved.applied,
                saved.version, saved.body, dict(saved.parts),
            )
        )  # fmt: skip


def begun(event: Event, real: AgentState, settings: Settings, applied: int, now: float) -> "Shadow | str":
    """The copy of an agent with which a drill begins; or why there can be none."""
    drill = event.drill or ""
    name = drill.partition("/")[0]
    if name not in real.detectors:
        return f"drill {drill}: {real.name} has no detector {name}: it is not known or switched off"
    saved = real.save(applied, None)
    state = AgentState.load(real.name, {name: type(real.detectors[name])}, settings, saved, {})
    stood = state.confine(name)
    state.let_go()
    return Shadow(drill, state, stood, now)


def wished(saved: Saved) -> float | None:
    """When the copy within an agent's saved state wants to be asked; None where there is none."""
    return _kept.decode(saved.parts[PART]).wake_at if PART in saved.parts else None


def restored(
    saved: Saved,
    name: str,
    kinds: Mapping[str, type[Detector]],
    settings: Settings,
    forgotten: Mapping[str, int],
) -> Shadow | None:
    """The copy that is kept within an agent's saved state, if any; `forgotten`: as the agent's own has it."""
    if PART not in saved.parts:
        return None
    kept = _kept.decode(saved.parts[PART])
    detector = kept.drill.partition("/")[0]
    known = {each: kind for each, kind in kinds.items() if each == detector}
    inner = Saved(kept.applied, kept.body, kept.version, None, kept.parts)
    state = AgentState.load(name, known, settings, inner, forgotten)
    shadow = Shadow(kept.drill, state, kept.stood, kept.last_event)
    shadow.wanted_at = kept.wake_at
    return shadow
