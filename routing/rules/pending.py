"""What a configuration may say though nothing acts on it, and receivers that tell nobody for it."""

from collections.abc import Iterator

from routing.rules.document.alertmanager import ReceiverPart, RoutePart
from routing.rules.document.document import Document
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node

KEPT = ("templates", "tracing")
EXPECTED = "expected notify, such as notify: [{slack: '#oncall'}]"


def not_yet(document: Document, root: Node) -> Iterator[Fault]:
    """What is written and only kept for Alertmanager, each at its place."""
    for name in KEPT:
        if getattr(document, name):
            yield root.keys[name].fault(f"{name}: kept for projection")
    for at, receiver in enumerate(document.receivers):
        for name in _integrations(receiver) if receiver.notify else ():
            place = root.nearest("receivers", at).keys[name]
            yield place.fault(f"{name} of receiver {receiver.name}: kept for projection")


def unheard(document: Document, root: Node) -> Iterator[Fault]:
    """Receivers that routes lead to and that tell nobody.

    One without any integration is meant so: what it gets is to be heard by nobody.
    """
    used = set(_receivers(document.route))
    for at, receiver in enumerate(document.receivers):
        written = _integrations(receiver)
        if written and not receiver.notify and receiver.name in used:
            kept = f"{' and '.join(written)} {'is' if len(written) == 1 else 'are'} only kept for projection"
            place = root.nearest("receivers", at).keys[written[0]]
            yield place.fault(f'receiver "{receiver.name}" tells nobody: {kept}; {EXPECTED}')


def _integrations(receiver: ReceiverPart) -> tuple[str, ...]:
    return tuple(name for name, entries in receiver.integrations.items() if entries)


def _receivers(route: RoutePart) -> Iterator[str]:
    if route.receiver:
        yield route.receiver
    for child in route.routes:
        yield from _receivers(child)
