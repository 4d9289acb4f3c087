"""What `oversight check` says: faults, doubts, and whether the configuration's own tests hold."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from routing.configuration import examine
from routing.policy import Policy
from routing.rules.document.document import Document, TestPart
from routing.rules.explaining import Answer, explain
from routing.rules.faults import Fault
from routing.rules.literals import Variable
from routing.rules.pending import not_yet
from routing.rules.yaml_tree import Node, Place
from routing.schedule import Schedule
from schemas.cause import ConfigFile

__all__ = ["Answer", "Report", "Tested", "check", "explain", "not_yet"]
AHEAD = timedelta(days=90)
SHOWN = 3


class Tested(Struct, frozen=True):
    """One entry of `tests:`. `differences`: one line each; none where it passed."""

    name: str
    place: Place
    differences: tuple[str, ...] = ()


class Report(Struct, frozen=True):
    """What is to be said of a configuration.

    `variables`: what it refers to in the environment. `not_yet`: what is checked but not acted on yet.
    """

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    variables: tuple[Variable, ...]
    tests: tuple[Tested, ...] = ()
    not_yet: tuple[str, ...] = ()
    policy: Policy | None = None

    @property
    def failed(self) -> tuple[Fault, ...]:
        """What keeps it from being followed: faults, and tests that do not hold, each at its place."""
        tests = (test.place.fault(f"{test.name}: {line}") for test in self.tests for line in test.differences)
        return (*self.faults, *tests)


def check(files: Sequence[ConfigFile], now: datetime | None = None) -> Report:
    """Examines a configuration and runs its own tests.

    `now`: from when schedules are searched for gaps, 90 days ahead; without it they are not.
    """
    found = examine(files)
    policy, document, root = found.policy, found.document, found.root
    if policy is None or document is None or root is None:
        return Report(tuple(sorted(set(found.faults))), tuple(sorted(set(found.warnings))), found.variables)
    gaps = tuple(_gaps(policy, root, now)) if now else ()
    errors = tuple(fault for level, fault in gaps if level == "error")
    doubts = tuple(fault for level, fault in gaps if level == "warn")
    return Report(
        faults=errors,
        warnings=(*sorted(set(found.warnings)), *doubts),
        variables=found.variables,
        tests=tuple(_tests(policy, document, root)),
        not_yet=tuple(not_yet(policy)),
        policy=policy,
    )


def _tests(policy: Policy, document: Document, root: Node) -> Iterator[Tested]:
    for number, test in enumerate(document.tests):
        answer = explain(policy, test.labels, test.at)
        place = root.nearest("tests", number).place
        yield Tested(test.name or f"test {number + 1}", place, tuple(_differences(test, answer)))


def _differences(test: TestPart, answer: Answer) -> Iterator[str]:
    expect = test.expect
    if expect.severity not in (None, answer.severity):
        yield f"expected severity {expect.severity}, found {answer.severity} (score {answer.score})"
    for what, wanted, given in (
        ("receivers", expect.receivers, answer.receivers),
        ("on_call", expect.on_call, answer.on_call),
    ):
        if wanted is not None and sorted(wanted) != sorted(given):
            yield f"expected {what} {_listed(wanted)}, found {_listed(given)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"


def _gaps(policy: Policy, root: Node, now: datetime) -> Iterator[tuple[str, Fault]]:
    """Layers that have not begun, and times in the next 90 days in which nobody is on call."""
    for schedule in (each for each in policy.schedules.values() if isinstance(each, Schedule)):
        place = root.nearest("schedules", schedule.name).place
        yield from (("warn", place.fault(line)) for line in _late_lines(schedule, now))
        if schedule.gaps != "ignore" and not schedule.calendar:
            yield from ((schedule.gaps, place.fault(line)) for line in _gap_lines(schedule, now))


def _late_lines(schedule: Schedule, now: datetime) -> Iterator[str]:
    for layer in schedule.layers:
        first = layer.handoff(0)
        if first > now:
            yield f'schedule "{schedule.name}": layer {layer.name} starts only at {first:%Y-%m-%dT%H:%MZ}'


def _gap_lines(schedule: Schedule, now: datetime) -> Iterator[str]:
    gaps = schedule.uncovered(now, now + AHEAD)
    more = f" (first {SHOWN} of {len(gaps)} gaps in 90 days)" if len(gaps) > SHOWN else ""
    for gap in gaps[:SHOWN]:
        time = f"from {gap.start:%Y-%m-%dT%H:%MZ} to {gap.end:%Y-%m-%dT%H:%MZ}"
        yield f'schedule "{schedule.name}": nobody is on call {time}{more}'
