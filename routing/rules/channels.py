"""Channels as they are written: options that their kind does not know, targets that cannot be right."""

from collections.abc import Iterator, Mapping

from routing.addressing import channel_key
from routing.notifiers.registry import discover
from routing.rules.document.document import Document
from routing.rules.document.notify import ChannelPart
from routing.rules.document.people import TELLING
from routing.rules.document.scalars import reference
from routing.rules.faults import Fault
from routing.rules.literals import Variable
from routing.rules.suggestions import meant
from routing.rules.yaml_tree import Node, Place
from schemas.page import Channel

NOTIFIERS = discover()
Path = tuple[str | int, ...]


def channel_faults(document: Document, root: Node) -> Iterator[Fault]:
    """Faults of receivers, of escalations' steps, of handoff notices and of people's contacts."""
    for path, part in _entries(document):
        yield from _of_targets(part.channels, root.nearest(*path))
        yield from _of_options(next(iter(part.channels), ""), part.options, root.nearest(*path))
    yield from _of_digests(document, root)
    for name, schedule in document.schedules.items():
        if schedule.handoff:
            yield from _of_targets(schedule.handoff.channels, root.nearest("schedules", name, "handoff"))
    for name, user in document.users.items():
        for kind, contact in user.contacts.items():
            node = root.nearest("users", name, kind)
            yield from _of_targets({kind: contact.to}, node if node.fields else root.nearest("users", name))
            yield from _of_options(kind, contact.options, node)


def implied(document: Document, root: Node) -> Iterator[Variable]:
    """Variables that channels in use cannot do without, though no rule names them.

    A person's contact counts where a step may use it.
    """
    for path, part in _entries(document):
        for kind in part.channels:
            yield from _needed(kind, part.options, root.nearest(*path, kind).place)
    for name, escalation in document.escalations.items():
        for at, step in enumerate(escalation.steps):
            place = root.nearest("escalations", name, "steps", at, "via").place
            for kind in step.via:
                yield from _needed(kind, {}, place)


def _needed(kind: str, options: Mapping[str, str], place: Place) -> Iterator[Variable]:
    for option, variable in NOTIFIERS[kind].needs.items():
        if option not in options:
            yield Variable(variable, place)


def _entries(document: Document) -> Iterator[tuple[Path, ChannelPart]]:
    for at, receiver in enumerate(document.receivers):
        for number, entry in enumerate(receiver.notify):
            yield ("receivers", at, "notify", number), entry
    for at, drill in enumerate(document.drills):
        if drill.channel:
            yield ("drills", at, "channel"), drill.channel
    for name, escalation in document.escalations.items():
        for at, step in enumerate(escalation.steps):
            for number, party in enumerate(step.notify):
                yield ("escalations", name, "steps", at, "notify", number), party


def _of_digests(document: Document, root: Node) -> Iterator[Fault]:
    """Digests on channels that wake somebody, or that the receiver tells at once too."""
    for at, receiver in enumerate(document.receivers):
        plain = [each for each in receiver.notify if not each.digest]
        at_once = {_key(kind, target, each) for each in plain for kind, target in each.channels.items()}
        for number, entry in enumerate(receiver.notify):
            kind, target = next(iter(entry.channels.items()), ("", ""))
            place = root.nearest("receivers", at, "notify", number, "digest").place
            if entry.digest and kind not in TELLING:
                yield place.fault(
                    f"{kind} wakes people, and a digest does not: expected one of {', '.join(TELLING)}"
                )
            elif entry.digest and _key(kind, target, entry) in at_once:
                yield place.fault(
                    f"{receiver.name} tells {kind} {target} at once too: expected one of the two"
                )


def _key(kind: str, target: str, entry: ChannelPart) -> str:
    return channel_key(Channel(kind=kind, target=target, options=entry.options))


def _of_targets(targets: Mapping[str, str], node: Node) -> Iterator[Fault]:
    for kind, target in targets.items():
        if kind in NOTIFIERS:
            yield from _of_text(kind, target, node.child(kind) or node.nearest("to"))


def _of_options(kind: str, options: Mapping[str, str], node: Node) -> Iterator[Fault]:
    """`kind`: of the channel, empty where the entry has none; of a contact perhaps one that is no channel."""
    known = NOTIFIERS[kind].options if kind in NOTIFIERS else ()
    for name, text in options.items():
        if name in known:
            yield from _of_text(kind, text, node.nearest(name), name)
        else:
            takes = (
                f"{kind} takes {', '.join(known) or 'none'}"
                if kind in NOTIFIERS
                else "only channels take options"
            )
            yield node.keys[name].fault(f'no option "{name}" here: {takes}{meant(name, known)}')


def _of_text(kind: str, text: str, node: Node, option: str = "") -> Iterator[Fault]:
    """A target or an option that is written out; what a variable holds is not known yet."""
    fault = "" if reference(text) else NOTIFIERS[kind].fault(text, option)
    if fault:
        yield node.place.fault(fault)
