"""The route tree: what a route as written inherits, and what it is called."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from msgspec import Struct

from routing.matchers import Matcher
from routing.policy import Route
from routing.rules.document.alertmanager import ALL, RoutePart
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node


class Inherited(Struct, frozen=True):
    """What a route passes on to those below it."""

    receiver: str
    group_by: tuple[str, ...] | None = ()
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)


def compile_tree(root: RoutePart) -> Route:
    """The tree with inheritance applied. A route's id is the path of its matchers from the root.

    Matchers are sorted in the id, so that their order in the file does not matter; siblings with the same
    matchers are numbered.
    """
    return _compiled(root, Inherited(root.receiver or ""), "{}")


def _compiled(part: RoutePart, above: Inherited, path: str) -> Route:
    own = Inherited(
        receiver=part.receiver or above.receiver,
        group_by=above.group_by if part.group_by is None else _group_by(part.group_by),
        group_wait=above.group_wait if part.group_wait is None else part.group_wait,
        group_interval=part.group_interval or above.group_interval,
        repeat_interval=part.repeat_interval or above.repeat_interval,
    )
    below = [(child, matchers_of(child)) for child in part.routes]
    paths = _numbered([f"{path}/{_canonical(matchers)}" for _, matchers in below])
    return Route(
        id=path,
        receiver=own.receiver,
        matchers=matchers_of(part),
        group_by=own.group_by,
        group_wait=own.group_wait,
        group_interval=own.group_interval,
        repeat_interval=own.repeat_interval,
        mute_time_intervals=part.mute_time_intervals,
        active_time_intervals=part.active_time_intervals,
        continues=part.continues,
        routes=tuple(_compiled(child, own, name) for (child, _), name in zip(below, paths, strict=True)),
    )


def matchers_of(part: RoutePart) -> tuple[Matcher, ...]:
    """`match`, `match_re` and `matchers` together."""
    return combined(part.match, part.match_re, part.matchers)


def combined(
    equal: Mapping[str, str], expressions: Mapping[str, str], matchers: tuple[tuple[Matcher, ...], ...]
) -> tuple[Matcher, ...]:
    """All conditions of the three ways to write them."""
    texts = (Matcher(name, "=", value) for name, value in equal.items())
    fits = (Matcher(name, "=~", value) for name, value in expressions.items())
    return (*texts, *fits, *(each for group in matchers for each in group))


def route_faults(part: RoutePart, node: Node, depth: int = 0) -> Iterator[Fault]:
    """What Alertmanager would refuse: conditions at the root, labels twice in group_by."""
    if depth == 0:
        yield from _root_faults(part, node)
    labels = part.group_by or ()
    for at, label in enumerate(labels):
        place = node.nearest("group_by", at).place
        if label in labels[:at]:
            yield place.fault(f'"{label}" stands twice in group_by')
        elif label == ALL and len(labels) > 1:
            yield place.fault('"..." groups by all labels: it stands alone in group_by')
    for at, child in enumerate(part.routes):
        yield from route_faults(child, node.nearest("routes", at), depth + 1)


def _root_faults(part: RoutePart, node: Node) -> Iterator[Fault]:
    if part.receiver is None:
        yield node.place.fault('missing field "receiver": the root route needs one')
    for word in ("match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals", "continue"):
        found = node.child(word)
        if found is not None and found.value not in (None, [], {}, "false"):
            yield node.keys[word].fault(f"the root route takes everything, always: it cannot have {word}")


def _group_by(labels: tuple[str, ...]) -> tuple[str, ...] | None:
    return None if ALL in labels else labels


def _canonical(matchers: tuple[Matcher, ...]) -> str:
    return "{" + ",".join(sorted(str(each) for each in matchers)) + "}"


def _numbered(paths: list[str]) -> list[str]:
    """Paths that occur again get a number: `{…}#2`."""
    seen: Counter[str] = Counter()
    numbered = []
    for path in paths:
        seen[path] += 1
        numbered.append(path if seen[path] == 1 else f"{path}#{seen[path]}")
    return numbered
