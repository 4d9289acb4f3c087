"""One agent in the bank: its detectors, the signals that stand, and what it remembers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import inf
from operator import length_hint
from typing import Any

import msgspec

from detectors.detector import (
    STALE_S,
    Detector,
    Finding,
    Showing,
    State,
    Unworded,
    lacking,
    outlives,
    showing,
)
from detectors.failure_modes import FailureModes
from detectors.memory import MOST_CHANGES, Identities
from detectors.prices import Prices
from detectors.rhythms.intake import SILENCE, Missed
from detectors.settings import Settings
from detectors.standing import REASSERT_S, About, Found, Signals, Standing, Why, about, because
from schemas.event import Event
from schemas.record import UNREADABLE, Saved
from schemas.signal import Signal
from schemas.wire import moment

VERSION = 1
_RELEASE = "agent.release.v1"

Taken = tuple[Event, float]
"""An event, and `now` when it came."""


class Body(msgspec.Struct, array_like=True):
    """The moving part of an agent's state."""

    detectors: dict[str, tuple[int, bytes]]
    standing: list[Standing]
    digests: bytes
    ages: list[tuple[float, int]]
    env: str
    changes: list[str]
    last_event: float
    duplicates: int
    woken_at: float | None


class Heard(msgspec.Struct, array_like=True):
    """The same but for what stands behind `last_event`; what stands before it is not looked at."""

    detectors: msgspec.Raw
    standing: msgspec.Raw
    digests: msgspec.Raw
    ages: msgspec.Raw
    env: msgspec.Raw
    changes: msgspec.Raw
    last_event: float


_heard = msgspec.msgpack.Decoder(Heard)


class AgentState:
    """Everything the bank knows of one agent. Times in POSIX seconds of event time."""

    __slots__ = (
        "_changes", "_duplicates", "_env", "_faults", "_ids", "_kinds", "_last_event", "_lasting", "_modes",
        "_prices", "_settings", "_showings", "_signals", "_watched", "applied", "detectors", "missed", "name",
        "noted", "woken_at",
    )  # fmt: skip

    def __init__(self, name: str, kinds: Mapping[str, type[Detector]], settings: Settings) -> None:
        """`kinds`: the detectors by name."""
        self.name = name
        self.noted = False
        self.missed: Missed = ""
        self.applied = -1
        self.woken_at: float | None = None
        self._kinds = kinds
        self._faults: list[str] = []
        self._ids = Identities()
        self._signals = Signals()
        self._changes: list[str] = []
        self._env = ""
        self._last_event = 0.0
        self._duplicates = 0
        self._settings = settings
        self._prices = Prices(settings.prices)
        self._modes = FailureModes(settings.errors)
        watch = settings.watch(name)
        on = [(each, kind) for each, kind in kinds.items() if settings.on(each)]
        self._hold({each: kind(watch, settings.options(each, name)) for each, kind in on})

    def _hold(self, detectors: dict[str, Detector]) -> None:
        self.detectors = detectors
        self._watched = tuple(dict.fromkeys(each.watches for each in detectors.values()))
        self._showings: tuple[tuple[Detector, Showing, int], ...] = tuple(
            (each, showing(each), self._watched.index(each.watches)) for each in detectors.values()
        )
        spans = {name: outlives(detector) for name, detector in detectors.items()}
        self._lasting = {name: span for name, span in spans.items() if span > STALE_S}

    def configure(self, settings: Settings) -> None:
        """Follows other settings; a detector that is switched off forgets, one switched on starts anew."""
        self._settings = settings
        self._prices = Prices(settings.prices)
        self._modes = FailureModes(settings.errors)
        watch = settings.watch(self.name)
        held: dict[str, Detector] = {}
        for name, kind in self._kinds.items():
            if not settings.on(name):
                continue
            options = settings.options(name, self.name)
            if name not in self.detectors:
                held[name] = kind(watch, options)
                continue
            held[name] = self.detectors[name]
            try:
                held[name].configure(watch, options)
            except Exception as fault:  # noqa: BLE001 - the others still follow
                self._faults.append(_fault(held[name].configure, fault))
        self._hold(held)

    def rebase(self, detector: str, now: float) -> None:
        """What one detector sees now is the new normal."""
        if detector not in self.detectors:
            return
        try:
            self.detectors[detector].rebase(now)
        except Exception as fault:  # noqa: BLE001 - told with the next answer
            self._faults.append(_fault(self.detectors[detector].rebase, fault))

    def _complaints(self) -> list[str]:
        """What raised since the last answer, outside of it."""
        faults, self._faults = self._faults, []
        return faults

    def take(self, events: Sequence[Taken]) -> Iterator[tuple[int, str]]:
        """Shows events to every detector that watches their types; yields what raised, by the event's place.

        No point of the grid lies between them. A duplicate is shown to nobody.
        """
        places, fresh = self._fresh(events)
        if not fresh:
            return
        if self._faults:
            yield from ((places[0], fault) for fault in self._complaints())
        if self._prices or self._modes:
            fresh, faults = self._completed(fresh, places)
            yield from faults
        types = {event.type for event, _ in fresh}
        if _RELEASE in types:
            self._changed(event for event, _ in fresh if event.type == _RELEASE)
        chosen = self._chosen(fresh, types)
        for detector, show, watched in self._showings:
            shown = chosen[watched]
            if not shown:
                continue
            coming = iter(shown)
            try:
                show(coming)
            except Exception as fault:  # noqa: BLE001 - it, and the others, still see the rest
                watches = detector.watches
                where = [
                    place for place, (event, _) in zip(places, fresh, strict=True) if event.type in watches
                ]
                yield from _resumed(detector, show, (coming, where), fault)

    def _chosen(self, events: Sequence[Taken], types: AbstractSet[str]) -> list[Sequence[Taken]]:
        """For each set of types that is watched: the events of these types."""
        found: dict[frozenset[str], Sequence[Taken]] = {frozenset(types): events, frozenset(): ()}
        chosen: list[Sequence[Taken]] = []
        for watches in self._watched:
            some = watches & types
            if some not in found:
                found[some] = [taken for taken in events if taken[0].type in some]
            chosen.append(found[some])
        return chosen

    def _fresh(self, events: Sequence[Taken]) -> tuple[Sequence[int], Sequence[Taken]]:
        """Those that are no duplicates, and their places."""
        repeated = self._ids.repeated(events)
        places: Sequence[int] = range(len(events))
        if repeated:
            self._duplicates += len(repeated)
            places = [at for at in places if at not in repeated]
            events = [events[at] for at in places]
        if events:
            self._last_event = events[-1][1]
        for event, _ in reversed(events):
            deployment = event.data.deployment
            if deployment is not None and deployment.environment_name:
                self._env = deployment.environment_name
                break
        return places, events

    def _completed(
        self, events: Sequence[Taken], places: Sequence[int]
    ) -> tuple[Sequence[Taken], list[tuple[int, str]]]:
        """Events with what the team knows of them, and what raised: such an event goes on as it came."""
        completed: list[Taken] = []
        faults: list[tuple[int, str]] = []
        for place, (event, now) in zip(places, events, strict=True):
            known = event
            try:
                known = self._modes.classed(self._prices.priced(event))
            except Exception as fault:  # noqa: BLE001 - the detectors still see it
                faults.append((place, _fault(self._completed, fault)))
            completed.append((known, now))
        return completed, faults

    def _changed(self, releases: Iterable[Event]) -> None:
        for event in releases:
            release, version = event.data.release, event.data.agent.version
            words = [event.time.strftime("%Y-%m-%d %H:%M UTC"), event.data.operation.name]
            if release is not None:
                share = f"at {release.share:.0%}" if release.share is not None else ""
                words += [release.kind or "", version or release.id or "", share, release.summary or ""]
            self._changes = [" ".join(word for word in words if word), *self._changes][:MOST_CHANGES]

    def ask(self, at: float, known: float = inf) -> tuple[list[Signal], list[str]]:
        """The signals that a point of the grid brings: opened, re-asserted, resolved; and what raised.

        `known`: until when an event of the agent would have come here. Later silence says nothing of it.
        """
        self._ids.age(at)
        self.missed = ""
        speaking = self._speaking(at)
        ended = self._signals.end(at, speaking, self._lasting) if self._stale(at) else []
        found = self._found(at, speaking)
        if not found.holding and not self._signals:
            return ended, found.faults
        if at > known:
            found = self._withhold(found)
        of = About(self.name, self._env, self._changes)
        return [*ended, *self._signals.settle(found, of, at, self._why(at))], found.faults

    def _why(self, at: float) -> Why:
        """For what reason that ends at `at` of which a detector says no more that it holds."""
        if self._stale(at):
            return because("stale")

        def why(ended: Standing) -> str:
            unheard = getattr(self.detectors.get(ended.detector), "unheard", None)
            return "stale" if unheard is not None and unheard(ended.labels, at) else "recovered"

        return why

    def _withhold(self, found: Found) -> Found:
        """Of what lasting detectors find only what stands: it may be otherwise, were the agent seen."""
        standing = self._signals.standing(found, self._lasting)
        if SILENCE in {name for name, _ in standing.holding.values()}:
            self.missed = "told"
        elif SILENCE in {name for name, _ in found.holding.values()}:
            self.missed = "withheld"
        elif len(standing.holding) < len(found.holding):
            self.missed = "unseen"
        return standing

    def confine(self, detector: str) -> list[str]:
        """Of what stands only what one detector found is kept; gives the ids of its signals."""
        kept = [each for each in self._signals.saved() if each.detector == detector]
        self._signals = Signals(kept)
        return [each.id for each in kept]

    def let_go(self) -> None:
        """What has begun and not ended is waited for no more: nobody will see how it ends."""
        for detector in self.detectors.values():
            getattr(detector, "let_go", _nothing)()

    def over(self, at: float) -> list[Signal]:
        """Nothing is looked at any more: what stands ends."""
        return self._signals.over(at)

    def _stale(self, at: float) -> bool:
        return at - self._last_event > STALE_S

    def rests(self, since: float) -> bool:
        """Whether nothing was heard of it since then, nothing stands, and it waits for nothing."""
        return self._last_event < since and self.woken_at is None and not self.noted

    def _speaking(self, at: float) -> Mapping[str, Detector]:
        """Who has a say: all detectors, or while nothing is heard of the agent those that outlive it."""
        if not self._stale(at):
            return self.detectors
        silent = at - self._last_event
        return {name: self.detectors[name] for name, span in self._lasting.items() if silent <= span}

    def _found(self, at: float, speaking: Mapping[str, Detector]) -> Found:
        holding: dict[str, tuple[str, Finding | Unworded]] = {}
        mute: list[str] = []
        faults = self._complaints()
        for name, detector in speaking.items():
            try:
                for finding in detector.findings(at):
                    what = about(name, finding)
                    if finding.opens or what in self._signals:
                        holding[what] = name, finding
            except Exception as fault:  # noqa: BLE001 - the other detectors still speak
                mute.append(name)
                faults.append(_fault(detector.findings, fault))
        return Found(holding, mute, faults)

    def wake_at(self, at: float, next_grid: float) -> float | None:
        """When to ask again though no event comes: soon while something stands, else as detectors wish."""
        speaking = self._speaking(at).values()
        # What was damaged may wish for a time that is none.
        wishes = [wish for detector in speaking if (wish := self._wish(detector)) is not None and wish < inf]
        if self._signals or self.missed:
            wishes.append(at + REASSERT_S if self._stale(at) or not self._signals else next_grid)
        self.woken_at = max(min(wishes), next_grid) if wishes else None
        return self.woken_at

    def _wish(self, detector: Detector) -> float | None:
        try:
            return detector.wake_at
        except Exception as fault:  # noqa: BLE001 - told with the next answer
            self._faults.append(_fault(detector.findings, fault))
            return None

    def save(self, applied: int, wake_at: float | None) -> Saved:
        """The state after everything up to the offset `applied`."""
        bodies: dict[str, tuple[int, bytes]] = {}
        parts: dict[str, bytes] = {}
        for name, kind in self.detectors.items():
            state = self._saved(name)
            bodies[name] = (kind.version, state.body)
            parts |= {f"{name}/{part}": piece for part, piece in state.parts.items()}
        digests, ages = self._ids.saved()
        body = Body(
            bodies, self._signals.saved(), digests, ages, self._env, self._changes, self._last_event,
            self._duplicates, wake_at,
        )  # fmt: skip
        return Saved(applied, msgspec.msgpack.encode(body), VERSION, wake_at, parts)

    def _saved(self, name: str) -> State:
        """The state of a detector; one that cannot say it was damaged, and begins anew."""
        try:
            return self.detectors[name].save()
        except Exception as fault:  # noqa: BLE001 - told with the next answer; the others are saved
            self._faults.append(_fault(self.detectors[name].save, fault))
            settings = self._settings
            anew = self._kinds[name](settings.watch(self.name), settings.options(name, self.name))
            self._hold({**self.detectors, name: anew})
            return anew.save()

    @classmethod
    def load(
        cls,
        name: str,
        kinds: Mapping[str, type[Detector]],
        settings: Settings,
        saved: Saved,
        forgotten: Mapping[str, int],
    ) -> "AgentState":
        """Continues from a saved state, but for detectors that were switched off after it was saved.

        `forgotten`: the offset at which a detector was last switched off. A piece of state that its detector
        cannot read makes that one start anew, and is told with the next answer; the others go on. So does
        an agent whose state cannot be read at all.
        """
        state = cls(name, kinds, settings)
        state.applied = saved.applied
        try:
            body = msgspec.msgpack.decode(saved.body, type=Body)
            ids, signals = Identities(body.digests, body.ages), Signals(_dated(body.standing))
            moment(body.last_event)
        except (ValueError, OverflowError, *UNREADABLE) as fault:
            state._faults.append(_fault(cls.load, fault))
            return state
        state.woken_at = body.woken_at
        state._ids, state._signals = ids, signals
        state._env, state._changes = body.env, body.changes
        state._last_event, state._duplicates = body.last_event, body.duplicates
        for each, (version, piece) in body.detectors.items():
            if each in state.detectors and forgotten.get(each, -1) <= saved.applied:
                state._restore(settings, each, State(piece, _parts(saved.parts, each)), version)
        state._hold(state.detectors)
        return state

    @property
    def warming(self) -> dict[str, tuple[str, ...]]:
        """What its detectors have not yet seen enough of, of those that are silent for it."""
        lacks = {name: tuple(lacking(detector)) for name, detector in self.detectors.items()}
        return {name: words for name, words in lacks.items() if words}

    def _restore(self, settings: Settings, detector: str, piece: State, version: int) -> None:
        kind = self._kinds[detector]
        try:
            watch, options = settings.watch(self.name), settings.options(detector, self.name)
            self.detectors[detector] = kind.load(watch, options, piece, version)
        except Exception as fault:  # noqa: BLE001 - the others still continue
            self._faults.append(_fault(kind.load, fault))


def last_event(saved: Saved) -> float:
    """When an agent was last heard of, by its saved state; POSIX seconds of event time.

    0 where it cannot be read: nothing of it is of any use.
    """
    try:
        heard = _heard.decode(saved.body).last_event
        moment(heard)
    except (ValueError, OverflowError, *UNREADABLE):
        return 0.0
    return heard


def _resumed(
    detector: Detector, show: Showing, coming: tuple[Iterator[Taken], Sequence[int]], fault: Exception
) -> Iterator[tuple[int, str]]:
    """A detector that raised goes on after the event that it took last; yields what raised, by its place."""
    events, places = coming
    left = len(places)
    while True:
        if length_hint(events) == left:
            next(events)
        left = length_hint(events)
        yield places[len(places) - left - 1], _fault(detector.observe, fault)
        if not left:
            return
        try:
            show(events)
        except Exception as again:  # noqa: BLE001 - it still sees the rest
            fault = again
        else:
            return


def _nothing() -> None:
    """What detectors let go that wait for nothing."""


def _dated(standing: Sequence[Standing]) -> Sequence[Standing]:
    """What stands, looked at for its times.

    Raises:
        ValueError, OverflowError: one of them is none.
    """
    for each in standing:
        moment(each.onset)
        moment(each.asserted)
    return standing


def _parts(parts: Mapping[str, bytes], detector: str) -> dict[str, bytes]:
    """The parts of one detector, by its own names for them."""
    mine = f"{detector}/"
    return {name.removeprefix(mine): piece for name, piece in parts.items() if name.startswith(mine)}


def _fault(where: Any, fault: Exception) -> str:
    return f"{where.__qualname__}: {reason(fault)}"


def reason(fault: Exception) -> str:
    """What raised, in words."""
    return f"{type(fault).__name__}: {fault}"
