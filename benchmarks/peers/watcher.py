"""What every peer keeps of an agent: the same detectors, shown the same events, asked at the same times.

This is the state that its framework is to keep. It knows nothing of Kafka, of duplicates, of partitions, of
routing: a peer does less than the worker does, which tells duplicates apart, re-asserts and routes.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from msgspec import Struct, msgpack

from detectors.detector import Detector, State, showing
from detectors.grid import GRID_S, after
from detectors.registry import discover
from detectors.settings import Settings
from detectors.standing import about
from schemas.event import Event
from schemas.identity import derived
from schemas.wire import moment

THREE = ("cost", "error_rate", "input_shift")
SETS = {"three": THREE, "all": tuple(discover())}
"""The detectors that are compared: those of the first figures, and all there are."""


class Told(NamedTuple):
    """Something that was found: its signal's id, and when, in POSIX seconds of event time."""

    id: str
    at_s: float


class Kept(Struct, array_like=True):
    """The whole state of a watcher."""

    agent: str
    detectors: dict[str, tuple[int, State]]
    now_s: float
    ask_s: float
    standing: list[str]


_decoder = msgpack.Decoder(Kept)


class Watcher:
    """Detectors of one agent. `kinds`: by name. Times in POSIX seconds of event time."""

    def __init__(self, agent: str, kinds: Mapping[str, type[Detector]]) -> None:
        self.agent = agent
        self._now_s, self._ask_s = -inf, inf
        self._standing: set[str] = set()
        watch = Settings().watch(agent)
        self._detectors = {name: kind(watch, {}) for name, kind in kinds.items()}
        self._observing: dict[str, list[Detector]] = {}

    @classmethod
    def load(cls, saved: bytes, kinds: Mapping[str, type[Detector]]) -> "Watcher":
        """Continues from what `save` gave."""
        kept = _decoder.decode(saved)
        watcher, watch = cls(kept.agent, {}), Settings().watch(kept.agent)
        watcher._now_s, watcher._ask_s, watcher._standing = kept.now_s, kept.ask_s, set(kept.standing)
        watcher._detectors = {
            name: kinds[name].load(watch, {}, state, version)
            for name, (version, state) in kept.detectors.items()
        }
        return watcher

    def save(self) -> bytes:
        """What `load` takes."""
        states = {name: (each.version, each.save()) for name, each in self._detectors.items()}
        return msgpack.encode(Kept(self.agent, states, self._now_s, self._ask_s, sorted(self._standing)))

    def see(self, event: Event) -> Sequence[Told]:
        """Takes one event; what is found by the times that it passes."""
        time_s = event.time.timestamp()
        told = self._ask(time_s) if time_s >= self._ask_s else ()
        if time_s > self._now_s:
            self._now_s = time_s
            self._ask_s = min(self._ask_s, after(time_s))
        for detector in self._concerned(event.type):
            detector.observe(event, self._now_s)
        return told

    def see_many(self, events: Iterable[Event], until_s: float = -inf) -> Sequence[Told]:
        """The same for several events, shown together where no time to ask lies between them.

        `until_s`: no other will come before this time.
        """
        told: list[Told] = []
        coming: list[tuple[Event, float]] = []
        for event in events:
            time_s = event.time.timestamp()
            if time_s >= self._ask_s:
                self._show(coming)
                coming = []
                told += self._ask(time_s)
            if time_s > self._now_s:
                self._now_s = time_s
                self._ask_s = min(self._ask_s, after(time_s))
            coming.append((event, self._now_s))
        self._show(coming)
        return [*told, *self._ask(until_s)]

    def _concerned(self, kind: str) -> list[Detector]:
        found = self._observing.get(kind)
        if found is None:
            found = self._observing[kind] = [d for d in self._detectors.values() if kind in d.watches]
        return found

    def _show(self, coming: Sequence[tuple[Event, float]]) -> None:
        chosen: dict[frozenset[str], list[tuple[Event, float]]] = {}
        for detector in self._detectors.values() if coming else ():
            watches = detector.watches
            if watches not in chosen:
                chosen[watches] = [each for each in coming if each[0].type in watches]
            if chosen[watches]:
                showing(detector)(iter(chosen[watches]))

    def _ask(self, until_s: float) -> list[Told]:
        told: list[Told] = []
        while self._ask_s <= until_s:
            told += self._found(self._ask_s)
            self._ask_s = self._wish(self._ask_s)
        return told

    def _found(self, at_s: float) -> Iterable[Told]:
        holding = {
            about(name, finding): finding
            for name, detector in self._detectors.items()
            for finding in detector.findings(at_s)
        }
        new = [what for what in holding if what not in self._standing]
        self._standing = set(holding)
        for what in new:
            onset = moment(holding[what].told().onset).isoformat()
            yield Told(derived("sig", self.agent, what, onset), at_s)

    def _wish(self, at_s: float) -> float:
        """When to ask again though no event comes: at once while something stands, else as detectors wish."""
        wishes = [each.wake_at for each in self._detectors.values()]
        wish_s = min((each for each in wishes if each is not None), default=inf)
        next_s = at_s + GRID_S
        if self._standing or wish_s <= next_s:
            return next_s
        return -(-wish_s // GRID_S) * GRID_S if wish_s < inf else inf


def kinds_of(name: str) -> Mapping[str, type[Detector]]:
    """The detectors of a set."""
    return {each: kind for each, kind in discover().items() if each in SETS[name]}
