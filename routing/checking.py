"""What `oversight check` says: faults, doubts, and whether the configuration's own tests hold."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from routing.configuration import examine
from routing.planned_drills import skipped
from routing.policy import Policy
from routing.rules.burning import left_out
from routing.rules.channels import implied
from routing.rules.document.document import Document, TestPart
from routing.rules.explaining import Answer, explain
from routing.rules.faults import Fault
from routing.rules.literals import Variable
from routing.rules.newer_names import newer
from routing.rules.pending import not_yet, unheard
from routing.rules.rota_faults import Doubt, rota_faults
from routing.rules.vain import doubts_of
from routing.rules.yaml_tree import Node, Place
from routing.schedule import schedules_in
from schemas.cause import ConfigFile

__all__ = ["Answer", "Report", "Tested", "check", "explain"]


AHEAD_DAYS = 366
"""So far ahead drills are looked for whose time is skipped by a change of clocks."""


class Tested(Struct, frozen=True):
    """One entry of `tests:`. `differences`: one line each; none where it passed."""

    name: str
    place: Place
    differences: tuple[str, ...] = ()


class Report(Struct, frozen=True):
    """What is to be said of a configuration.

    `variables`: what it refers to in the environment, by name or by its channels. `not_yet`: what is checked
    but not acted on yet. `left_out`: burn rates that an objective leaves out. `policy`, `root`: what it says
    and where, None where there are faults of its shape.
    """

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    variables: tuple[Variable, ...]
    tests: tuple[Tested, ...] = ()
    not_yet: tuple[Fault, ...] = ()
    left_out: tuple[Fault, ...] = ()
    policy: Policy | None = None
    root: Node | None = None

    @property
    def failed(self) -> tuple[Fault, ...]:
        """What keeps it from being followed: faults, and tests that do not hold, each at its place."""
        tests = (test.place.fault(f"{test.name}: {line}") for test in self.tests for line in test.differences)
        return (*self.faults, *tests)


def check(files: Sequence[ConfigFile], now: datetime | None = None) -> Report:
    """Examines a configuration and runs its own tests.

    `now`: from when schedules are searched for gaps and overlaps, 90 days ahead; without it they are not.
    """
    found = examine(files)
    policy, document, root = found.policy, found.document, found.root
    if policy is None or document is None or root is None:
        return Report(tuple(sorted(set(found.faults))), tuple(sorted(set(found.warnings))), found.variables)
    doubts = tuple(_doubts(policy, root, now)) if now else ()
    return Report(
        faults=tuple(doubt.fault for doubt in doubts if doubt.level == "error"),
        warnings=(
            *sorted({*found.warnings, *doubts_of(document, root), *unheard(document, root), *newer(root)}),
            *(doubt.fault for doubt in doubts if doubt.level == "warning"),
        ),
        variables=(*found.variables, *implied(document, root)),
        tests=tuple(_tests(policy, document, root)),
        not_yet=tuple(not_yet(document, root)),
        left_out=tuple(left_out(document, root)),
        policy=policy,
        root=root,
    )


def _tests(policy: Policy, document: Document, root: Node) -> Iterator[Tested]:
    for number, test in enumerate(document.tests):
        answer = explain(policy, test.labels, test.at, test.firing)
        place = root.nearest("tests", number).place
        yield Tested(test.name or f"test {number + 1}", place, tuple(_differences(test, answer)))


def _differences(test: TestPart, answer: Answer) -> Iterator[str]:
    expect = test.expect
    if expect.severity not in (None, answer.severity):
        yield f"expected severity {expect.severity}, found {answer.severity} (score {answer.score})"
    for what, wanted, given in (
        ("receivers", expect.receivers, answer.receivers),
        ("told", expect.told, answer.told),
        ("on_call", expect.on_call, answer.on_call),
    ):
        if wanted is not None and sorted(wanted) != sorted(given):
            yield f"expected {what} {_listed(wanted)}, found {_listed(given)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"


def _doubts(policy: Policy, root: Node, now: datetime) -> Iterator[Doubt]:
    for name, schedule in schedules_in(policy.schedules).items():
        yield from rota_faults(schedule, root.nearest("schedules", name), now)
    for number, silence in enumerate(policy.silences):
        if silence.end and silence.end <= now:
            place = root.nearest("silences", number, "end").place
            over = (
                f'silence "{silence.name}" ended at {silence.end:%Y-%m-%dT%H:%MZ}: it mutes nothing any more'
            )
            yield Doubt("warning", place.fault(over))
    for number, drill in enumerate(policy.drills):
        for shown in skipped(drill, now, AHEAD_DAYS):
            place = root.nearest("drills", number, "every", "time").place
            words = f"{shown:%H:%M} never comes on {shown:%Y-%m-%d} in {drill.location}: it begins later then"
            yield Doubt("warning", place.fault(words))
