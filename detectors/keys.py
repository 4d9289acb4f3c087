"""The agents of one partition: awake, or asleep as the bytes that a snapshot kept of them."""

from msgspec import structs

from detectors.agent import VERSION, AgentState, last_event
from detectors.crowd import OVERFLOW
from detectors.following import Following
from detectors.mark import Mark
from detectors.shadow import PART, SHADOW, Shadow, begun, restored, wished
from schemas.event import Event
from schemas.record import Saved

SILENT_S = 35 * 86400.0
"""An agent silent for longer is forgotten: later than one that works once a month comes back."""


class Keys:
    """`most`: agents at once; further ones share the key `(overflow)`."""

    def __init__(self, following: Following, most: int) -> None:
        self.awake: dict[str, AgentState] = {}
        self.asleep: dict[str, Saved] = {}
        self.unsaved: dict[str, int] = {}
        """Agents that changed since they were saved, with the first offset that is not saved."""
        self.shadows: dict[str, Shadow] = {}
        """Copies for fire drills, of agents that are awake: one each at most."""
        self.mark = Mark()
        self.most = most
        self._following = following

    def __contains__(self, name: str) -> bool:
        return name in self.awake or name in self.asleep

    def __len__(self) -> int:
        return len(self.awake) + len(self.asleep)

    def state(self, name: str, offset: int) -> AgentState | None:
        """The state of an agent, or None while its saved state already contains the offset."""
        return self.awake.get(name) or self._waken(name, offset)

    def _waken(self, name: str, offset: int) -> AgentState | None:
        following = self._following
        saved = self.asleep.get(name)
        if saved is None:
            state = AgentState(name, following.kinds, following.settings)
        elif offset <= saved.applied:
            return None
        else:
            state = AgentState.load(name, following.kinds, following.settings, saved, self.mark.forgotten)
            shadow = restored(saved, name, following.kinds, following.settings, self.mark.forgotten)
            if shadow is not None:
                self.shadows[name] = shadow
            del self.asleep[name]
        self.awake[name] = state
        return state

    def drilled(self, state: AgentState, event: Event, offset: int) -> Shadow | str:
        """The copy of an agent for the drill of an event, which begins with it; or why there is none."""
        shadow = self.shadows.get(state.name)
        if shadow is None:
            found = begun(event, state, self._following.settings, offset, self.mark.watermark)
            if isinstance(found, Shadow):
                self.shadows[state.name] = found
            return found
        if shadow.drill != event.drill:
            return f"drill {event.drill}: drill {shadow.drill} of {state.name} is not over yet"
        return shadow

    def on(self, detector: str) -> bool:
        """Whether a detector is wanted."""
        return self._following.settings.on(detector)

    def housed(self, name: str, offset: int) -> AgentState | None:
        """The same of an agent that may be new: where there is no more room, the state that they share."""
        if name not in self and name != OVERFLOW and len(self) - (OVERFLOW in self) >= self.most:
            self.mark.crowd.grow(self.mark.watermark)
            name = OVERFLOW
        return self.state(name, offset)

    def wanted(self, name: str) -> float | None:
        """When an agent wants to be asked though no event comes; None of one that is forgotten.

        A drill's copy of an agent has its name with `SHADOW` before it.
        """
        if name.startswith(SHADOW):
            return self._wanted_of_shadow(name.removeprefix(SHADOW))
        state = self.awake.get(name)
        if state is not None:
            return state.woken_at
        saved = self.asleep.get(name)
        return None if saved is None else saved.wake_at

    def _wanted_of_shadow(self, agent: str) -> float | None:
        saved = self.asleep.get(agent)
        if saved is not None:
            return wished(saved)
        shadow = self.shadows.get(agent)
        return None if shadow is None else shadow.wanted_at

    def forget(self, now: float, offset: int) -> None:
        """Forgets agents that were silent for long; what was saved of them is to be removed.

        One of which a drill has a copy is kept until that is over.
        One whose saved state already contains the offset has been heard of later in the log.
        """
        since = now - SILENT_S
        asleep = [
            name
            for name, saved in self.asleep.items()
            if saved.wake_at is None
            and PART not in saved.parts
            and saved.applied < offset
            and last_event(saved) < since
        ]
        awake = [
            name for name, state in self.awake.items() if name not in self.shadows and state.rests(since)
        ]
        for name in (*asleep, *awake):
            self.asleep.pop(name, None)
            self.awake.pop(name, None)
            self.unsaved.setdefault(name, offset)

    def configure(self) -> None:
        """All that are awake follow what is followed now."""
        for state in self.awake.values():
            state.configure(self._following.settings)
        for shadow in self.shadows.values():
            shadow.configure(self._following.settings)

    def save(
        self, name: str, offset: int, wake_at: float | None, shadow_at: float | None = None
    ) -> Saved | None:
        """The state of an agent, containing everything up to an offset; None if it is forgotten.

        `shadow_at`: when its copy is to be asked, if a drill has one.
        """
        self.unsaved.pop(name, None)
        state = self.awake.get(name)
        if state is None:
            return None
        state.noted = False
        saved = state.save(offset, wake_at)
        shadow = self.shadows.get(name)
        if shadow is None:
            return saved
        return structs.replace(saved, parts={**saved.parts, PART: shadow.save(offset, shadow_at)})

    def load(self, name: str, saved: Saved) -> None:
        """Restores an agent; it stays bytes until its first event or tick.

        Raises:
            ValueError: it is of a version that is not known.
        """
        if saved.version != VERSION:
            raise ValueError(f"state of {name} has version {saved.version}, expected {VERSION}")
        self.asleep[name] = saved
