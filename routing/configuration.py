"""Reading a configuration: texts in, a policy or all its faults out."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from routing.matchers import MatcherSyntax, read_matchers
from routing.policy import Policy
from routing.rules.calendars import Rosters, rosters, split
from routing.rules.channels import channel_faults
from routing.rules.compiling import compiled
from routing.rules.consistency import consistency_faults
from routing.rules.document.document import Document
from routing.rules.document.scalars import is_calendar
from routing.rules.faults import ConfigFaults, Fault
from routing.rules.literals import Variable, literals
from routing.rules.merging import merge
from routing.rules.references import names_in, reference_faults
from routing.rules.shape import shaped
from routing.rules.validated import validated_texts
from routing.rules.yaml_source import parse
from routing.rules.yaml_tree import Node
from schemas.cause import ConfigFile

__all__ = ["ConfigFaults", "Examined", "Fault", "calendars_in", "examine", "load"]
MATCHERS = ("matchers", "source_matchers", "target_matchers")


class Examined(Struct, frozen=True):
    """A configuration, read as far as it can be. `policy` is None exactly where there are faults.

    `variables`: what it refers to in the environment. `root`: its tree, for the places of things.
    """

    policy: Policy | None
    document: Document | None
    root: Node | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    variables: tuple[Variable, ...] = ()


def load(files: Sequence[ConfigFile]) -> Policy:
    """The policy that one file or several make together.

    Raises:
        ConfigFaults: with all faults, each at its place.
    """
    found = examine(files)
    if found.policy is None:
        raise ConfigFaults(found.faults)
    return found.policy


def calendars_in(files: Sequence[ConfigFile]) -> tuple[str, ...]:
    """Where schedules say that their calendars are, each once; whatever else is wrong with the files."""
    rules = (file for file in split(files)[0] if file.holds == "rules")
    roots = (each.root for each in map(parse, rules))
    schedules = (
        root.nearest("schedules").fields if root and root.child("schedules") else {} for root in roots
    )
    named = (node.nearest("ical").text for each in schedules for node in each.values() if node.child("ical"))
    return tuple(dict.fromkeys(name for name in named if is_calendar(name)))


def examine(files: Sequence[ConfigFile]) -> Examined:
    """Reads a configuration; faults do not end it before all of them are found.

    Calendars stand among the files, named as their schedules name them.
    """
    rules, calendars = split(files)
    rules = [file for file in rules if file.holds == "rules"]
    parsed = [parse(file) for file in rules]
    faults = [fault for each in parsed for fault in each.faults]
    roots = [each.root for each in parsed if each.root is not None]
    if not roots:
        return Examined(None, None, None, tuple(faults) or (Fault("", 0, 0, "no configuration was given"),))
    merged = merge(roots)
    root, raw, names = merged.root, merged.root.plain(), names_in(merged.root)
    found = literals(root)
    warnings = (*found.warnings, *_doubts(root))
    is_whole = len(roots) == len(rules)
    shape = shaped(root)
    faults += [*merged.faults, *found.faults, *(each for each in shape.faults if is_whole or _is_sure(each))]
    if shape.document is None:
        return Examined(None, None, root, tuple(faults), warnings, found.variables)
    validated = validated_texts(shape.document, root, files)
    faults += validated.faults
    if is_whole:
        faults += reference_faults(shape.document, root, names)
        faults += consistency_faults(shape.document, root)
        faults += channel_faults(shape.document, root)
    people = rosters(shape.document, root, calendars) if not faults else Rosters()
    faults += people.faults
    if faults:
        return Examined(None, shape.document, root, tuple(faults), warnings, found.variables)
    policy = compiled(shape.document, raw, people.by_schedule, validated.texts)
    return Examined(policy, shape.document, root, (), warnings, found.variables)


def _is_sure(fault: Fault) -> bool:
    """Whether a fault of shape is one although another file could not be read."""
    return not fault.message.startswith("missing field")


def _doubts(node: Node) -> Iterator[Fault]:
    """Matchers that the two grammars read differently."""
    for key, child in node.fields.items():
        if key in MATCHERS:
            yield from _doubtful(child)
        else:
            yield from _doubts(child)
    for child in node.entries:
        yield from _doubts(child)


def _doubtful(node: Node) -> Iterator[Fault]:
    for each in node.entries:
        try:
            warning = read_matchers(each.text).warning
        except MatcherSyntax:
            continue  # told with the faults of shape
        if warning:
            yield each.place.fault(warning)
