"""The signals of one agent that stand: opened, asserted again and resolved by what its detectors find."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

from msgspec import Struct, convert, to_builtins

from detectors.detector import Finding, Unworded
from schemas.identity import canonical, derived
from schemas.signal import Signal
from schemas.wire import moment

REASSERT_S = 60.0
"""A signal that holds is put out again this often."""
MOST_STANDING = 64
"""Signals per agent at once; further findings wait until one ends, and a signal of its own says so."""
TELEMETRY = "telemetry"
CAPPED = "signals_capped"

Holding = Mapping[str, tuple[str, Finding | Unworded]]
"""What holds, by what it is about: the detector and its finding."""


class Standing(Struct):
    """A finding that holds: its signal's id and labels; since when, and last asserted, in POSIX seconds.

    `what`: detector, finding and the finding's own labels, which tell it from others of the agent.
    """

    id: str
    what: str
    detector: str
    finding: str
    labels: dict[str, str]
    onset: float
    asserted: float
    summary: str


class Found(Struct):
    """What an agent's detectors say at one time.

    `mute`: those that raised, of whom nothing is known. `faults`: what raised, to be told.
    """

    holding: Holding
    mute: Sequence[str]
    faults: list[str]


Why = Callable[[Standing], str]
"""For what reason something that stood has ended."""


class About(Struct):
    """What signals say of their agent besides the finding. `changes`: the newest first."""

    agent: str
    env: str
    changes: Sequence[str]


def because(reason: str) -> Why:
    """The same reason for all."""
    return lambda _: reason


def about(detector: str, finding: Finding | Unworded) -> str:
    """What a finding is about: equal for a finding that still holds."""
    return f"{detector}/{finding.finding}{canonical(finding.labels)}"


class Signals:
    """Those of one agent that stand. Times in POSIX seconds of event time."""

    def __init__(self, standing: Sequence[Standing] = ()) -> None:
        self._standing = {each.what: each for each in standing}

    def __bool__(self) -> bool:
        return bool(self._standing)

    def __contains__(self, what: str) -> bool:
        return what in self._standing

    def saved(self) -> list[Standing]:
        """What the constructor takes."""
        return list(self._standing.values())

    def end(self, at: float, speaking: Collection[str], lasting: Collection[str]) -> list[Signal]:
        """Nothing is heard of the agent: those end that are of no detector that still speaks.

        They end as `stale`, those of detectors that outlived it as `gone`: it is given up.
        """
        over = [each for each in self._standing.values() if each.detector not in speaking]
        gone = [each for each in over if each.detector in lasting]
        stale = [each for each in over if each.detector not in lasting]
        return [*self._ended(stale, at, because("stale")), *self._ended(gone, at, because("gone"))]

    def over(self, at: float) -> list[Signal]:
        """What was looked at is over, and so is all that stands."""
        return list(self._ended(list(self._standing.values()), at, because("over")))

    def standing(self, found: Found, lasting: Collection[str]) -> Found:
        """Of what some detectors find, only what stands already."""
        holding = {
            what: each
            for what, each in found.holding.items()
            if each[0] not in lasting or what in self._standing
        }
        return Found(holding, found.mute, found.faults)

    def settle(self, found: Found, of: About, at: float, why: Why) -> list[Signal]:
        """What changes: ended by evidence, opened, or asserted again."""
        kept = self._capped(found, of, at)
        ended = [
            each
            for what, each in self._standing.items()
            if what not in kept and each.detector not in found.mute
        ]
        return [*self._ended(ended, at, why), *self._asserted(kept, found.faults, of, at)]

    def _capped(self, found: Found, of: About, at: float) -> Holding:
        """As many as may stand, those that stand already first; and, where some are left out, that."""
        stays = [
            what
            for what, each in self._standing.items()
            if what in found.holding or each.detector in found.mute
        ]
        new = [what for what in found.holding if what not in self._standing]
        left_out = frozenset(new[MOST_STANDING - len(stays) :])
        if not left_out:
            return found.holding
        kept = {what: each for what, each in found.holding.items() if what not in left_out}
        finding = Finding(
            finding=CAPPED,
            onset=at,
            summary=f"{of.agent} has more than {MOST_STANDING} signals: {len(left_out)} left out",
            observed=float(len(left_out)),
            unit="signals",
        )
        return {**kept, about(TELEMETRY, finding): (TELEMETRY, finding)}

    def _ended(self, ended: Sequence[Standing], at: float, why: Why) -> Iterator[Signal]:
        for each in ended:
            del self._standing[each.what]
            yield Signal(
                id=each.id,
                detector=each.detector,
                finding=each.finding,
                state="resolved",
                labels=each.labels,
                time=moment(at),
                onset=moment(each.onset),
                summary=each.summary,
                reason=why(each),
            )

    def _asserted(self, holding: Holding, faults: list[str], of: About, at: float) -> Iterator[Signal]:
        for what, (detector, held) in holding.items():
            standing = self._standing.get(what)
            if standing is not None and at - standing.asserted < REASSERT_S:
                continue
            try:
                finding = held.told()
            except Exception as fault:  # noqa: BLE001 - the other findings are still told
                faults.append(f"{what}: {type(fault).__name__}: {fault}")
                continue
            if standing is None:
                standing = self._standing[what] = _opened(what, detector, finding, of)
            standing.asserted = at
            standing.summary = finding.summary
            yield _signal(standing, finding, of, at)


def _opened(what: str, detector: str, finding: Finding, of: About) -> Standing:
    labels = {**finding.labels, "agent": of.agent, "detector": detector, "finding": finding.finding}
    if of.env:
        labels["env"] = of.env
    name = derived("sig", of.agent, what, moment(finding.onset).isoformat())
    return Standing(name, what, detector, finding.finding, labels, finding.onset, 0.0, finding.summary)


def _signal(standing: Standing, finding: Finding, of: About, at: float) -> Signal:
    told = Signal(
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
        exhausted_in_s=finding.exhausted_in_s,
        blast=finding.blast,
        contributors=tuple(finding.contributors),
        samples=tuple(finding.samples),
        changes=tuple(of.changes),
        history=tuple(finding.history),
    )
    return convert(to_builtins(told, builtin_types=(datetime,)), Signal)  # floats, however they were kept
