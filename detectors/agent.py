"""One agent in the bank: its detectors, the signals that stand, and what it remembers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import msgspec

from detectors.detector import Detector, Finding, State
from detectors.memory import MOST_CHANGES, Identities, Standing
from detectors.settings import Settings
from schemas.event import Event
from schemas.identity import canonical, derived
from schemas.record import Saved
from schemas.signal import Signal
from schemas.wire import moment

REASSERT_S = 60.0
"""A signal that holds is put out again this often."""
STALE_S = 900.0
"""Without any event for this long a signal resolves as stale."""
MOST_STANDING = 64
"""Signals per agent at once; further findings wait until one ends."""
VERSION = 1
_RELEASE = "agent.release.v1"
ADDED = frozenset({"agent", "detector", "finding", "env"})
"""Labels that the bank adds to those of a finding."""


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


class AgentState:
    """Everything the bank knows of one agent. Times in POSIX seconds of event time."""

    __slots__ = (
        "_changes", "_duplicates", "_env", "_ids", "_kinds", "_last_event", "_settings", "_standing",
        "applied", "detectors", "name", "observers", "woken_at",
    )  # fmt: skip

    def __init__(self, name: str, kinds: Mapping[str, type[Detector]], settings: Settings) -> None:
        """`kinds`: the detectors by name."""
        self.name = name
        self.applied = -1
        self.woken_at: float | None = None
        self._kinds = kinds
        self._settings = settings
        self._ids = Identities()
        self._standing: dict[str, Standing] = {}
        self._changes: list[str] = []
        self._env = ""
        self._last_event = 0.0
        self._duplicates = 0
        watch = settings.watch(name)
        self._hold(
            {
                each: kind(watch, _options(settings, each))
                for each, kind in kinds.items()
                if _on(settings, each)
            }
        )

    def _hold(self, detectors: dict[str, Detector]) -> None:
        self.detectors = detectors
        self.observers = [detector.observe for detector in detectors.values()]

    def configure(self, settings: Settings) -> None:
        """Follows other settings; a detector that is switched off forgets, one switched on starts anew."""
        self._settings = settings
        watch = settings.watch(self.name)
        held: dict[str, Detector] = {}
        for name, kind in self._kinds.items():
            if not _on(settings, name):
                continue
            detector = self.detectors.get(name)
            if detector is None:
                detector = kind(watch, _options(settings, name))
            else:
                detector.configure(watch, _options(settings, name))
            held[name] = detector
        self._hold(held)

    def rebase(self, detector: str, now: float) -> None:
        """What one detector sees now is the new normal."""
        if detector in self.detectors:
            self.detectors[detector].rebase(now)

    def take(self, event: Event, now: float) -> Sequence[str]:
        """Shows an event to every detector; returns what raised. A duplicate is shown to none."""
        if self._ids.repeats(event.source, event.id):
            self._duplicates += 1
            return ()
        self._last_event = now
        deployment = event.data.deployment
        if deployment is not None and deployment.environment_name:
            self._env = deployment.environment_name
        if event.type == _RELEASE:
            self._changed(event)
        faults: Sequence[str] = ()
        for observe in self.observers:
            try:
                observe(event, now)
            except Exception as fault:  # noqa: BLE001 - the other detectors still see the event
                faults = [*faults, _fault(observe, fault)]
        return faults

    def _changed(self, event: Event) -> None:
        release, version = event.data.release, event.data.agent.version
        words = [event.time.strftime("%Y-%m-%d %H:%M UTC"), event.data.operation.name]
        if release is not None:
            share = f"at {release.share:.0%}" if release.share is not None else ""
            words += [release.kind or "", version or release.id or "", share, release.summary or ""]
        self._changes = [" ".join(word for word in words if word), *self._changes][:MOST_CHANGES]

    def ask(self, at: float) -> tuple[list[Signal], list[str]]:
        """The signals that a point of the grid brings: opened, re-asserted, resolved; and what raised."""
        self._ids.age(at)
        holding, faults = ({}, []) if self._stale(at) else self._holding(at)
        signals = [*self._ended(holding, at), *self._holds(holding, at)]
        return signals, faults

    def _stale(self, at: float) -> bool:
        return at - self._last_event > STALE_S

    def _holding(self, at: float) -> tuple[dict[str, tuple[str, Finding]], list[str]]:
        found: dict[str, tuple[str, Finding]] = {}
        faults: list[str] = []
        for name, detector in self.detectors.items():
            try:
                for finding in detector.findings(at):
                    found[f"{name}/{finding.finding}{canonical(finding.labels)}"] = (name, finding)
            except Exception as fault:  # noqa: BLE001 - the other detectors still speak
                faults.append(_fault(detector.findings, fault))
        return found, faults

    def _ended(self, holding: Mapping[str, Any], at: float) -> Iterator[Signal]:
        reason = "stale" if self._stale(at) else "recovered"
        for what in [what for what in self._standing if what not in holding]:
            ended = self._standing.pop(what)
            yield Signal(
                id=ended.id,
                detector=ended.detector,
                finding=ended.finding,
                state="resolved",
                labels=ended.labels,
                time=moment(at),
                onset=moment(ended.onset),
                summary=ended.summary,
                reason=reason,
            )

    def _holds(self, holding: Mapping[str, tuple[str, Finding]], at: float) -> Iterator[Signal]:
        for what, (detector, finding) in holding.items():
            standing = self._standing.get(what)
            if standing is None:
                if len(self._standing) >= MOST_STANDING:
                    continue
                standing = self._standing[what] = self._opened(what, detector, finding)
            elif at - standing.asserted < REASSERT_S:
                continue
            standing.asserted = at
            standing.summary = finding.summary
            yield self._signal(standing, finding, at)

    def _opened(self, what: str, detector: str, finding: Finding) -> Standing:
        labels = {**finding.labels, "agent": self.name, "detector": detector, "finding": finding.finding}
        if self._env:
            labels["env"] = self._env
        name = derived("sig", self.name, what, moment(finding.onset).isoformat())
        return Standing(name, detector, finding.finding, labels, finding.onset, 0.0, finding.summary)

    def _signal(self, standing: Standing, finding: Finding, at: float) -> Signal:
        return Signal(
            id=standing.id,
            detector=standing.detector,
            finding=standing.finding,
            state="firing",
            labels=standing.labels,
            time=moment(at),
            onset=moment(standing.onset),
            summary=finding.summary,
            observed=finding.observed,
            baseline=finding.baseline,
            unit=finding.unit,
            magnitude=finding.magnitude,
            magnitude_unit=cast("Literal['ratio', 'sigma', 'burn_rate', '']", finding.magnitude_unit),
            confidence=finding.confidence,
            trend=cast("Literal['rising', 'falling', 'steady', '']", finding.trend),
            burn_rates=dict(finding.burn_rates),
            blast=finding.blast,
            contributors=tuple(finding.contributors),
            samples=tuple(finding.samples),
            changes=tuple(self._changes),
            history=tuple(finding.history),
        )

    def wake_at(self, at: float, next_grid: float) -> float | None:
        """When to ask again though no event comes: soon while something stands, else as detectors wish."""
        wishes = [wish for detector in self.detectors.values() if (wish := detector.wake_at) is not None]
        if self._standing:
            wishes.append(next_grid)
        if self._stale(at) and not self._standing:
            wishes = []
        self.woken_at = max(min(wishes), next_grid) if wishes else None
        return self.woken_at

    def save(self, applied: int, wake_at: float | None) -> Saved:
        """The state after everything up to the offset `applied`."""
        bodies: dict[str, tuple[int, bytes]] = {}
        parts: dict[str, bytes] = {}
        for name, detector in self.detectors.items():
            state = detector.save()
            bodies[name] = (detector.version, state.body)
            parts |= {f"{name}/{part}": piece for part, piece in state.parts.items()}
        digests, ages = self._ids.saved()
        body = Body(
            bodies, list(self._standing.values()), digests, ages, self._env, self._changes, self._last_event,
            self._duplicates, wake_at,
        )  # fmt: skip
        return Saved(applied, msgspec.msgpack.encode(body), VERSION, wake_at, parts)

    @classmethod
    def load(
        cls, name: str, kinds: Mapping[str, type[Detector]], settings: Settings, saved: Saved
    ) -> "AgentState":
        """Continues from a saved state."""
        body = msgspec.msgpack.decode(saved.body, type=Body)
        state = cls(name, kinds, settings)
        state.applied = saved.applied
        state.woken_at = body.woken_at
        state._ids = Identities(body.digests, body.ages)
        state._standing = {_what(each): each for each in body.standing}
        state._env, state._changes = body.env, body.changes
        state._last_event, state._duplicates = body.last_event, body.duplicates
        watch = settings.watch(name)
        held = state.detectors
        for each, (version, piece) in body.detectors.items():
            if each in held:
                parts = {
                    key.partition("/")[2]: value
                    for key, value in saved.parts.items()
                    if key.startswith(f"{each}/")
                }
                held[each] = kinds[each].load(watch, _options(settings, each), State(piece, parts), version)
        state._hold(held)
        return state


def _what(standing: Standing) -> str:
    """What a standing signal is about; the labels that the bank added are taken off again."""
    own = {
        key: text
        for key, text in standing.labels.items()
        if key not in {"agent", "detector", "finding", "env"}
    }
    return f"{standing.detector}/{standing.finding}{canonical(own)}"


def _parts(parts: Mapping[str, bytes], detector: str) -> dict[str, bytes]:
    """The parts of one detector, by its own names for them."""
    mine = f"{detector}/"
    return {name.removeprefix(mine): piece for name, piece in parts.items() if name.startswith(mine)}


def _on(settings: Settings, detector: str) -> bool:
    return str(_options(settings, detector).get("enabled", True)).lower() != "false"


def _options(settings: Settings, detector: str) -> Mapping[str, Any]:
    return settings.detectors.get(detector, {})


def _fault(where: object, fault: Exception) -> str:
    return f"{getattr(where, '__qualname__', where)}: {type(fault).__name__}: {fault}"
