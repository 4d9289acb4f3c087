"""What is well-formed, refers to what exists, and is in vain: it can never match, fire, or be used."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from routing.addressing import channel_key
from routing.matchers import Matcher, matches_anything
from routing.policy import BANDS
from routing.rules.burning import untold
from routing.rules.detectors_named import DETECTORS, strange_scores
from routing.rules.document.alertmanager import RoutePart
from routing.rules.document.document import Document
from routing.rules.faults import Fault
from routing.rules.first_match import behind
from routing.rules.inheritance import combined, matchers_of
from routing.rules.masking import blanking
from routing.rules.suggestions import meant
from routing.rules.yaml_tree import Node, Place
from schemas.page import Channel

Path = tuple[str | int, ...]
LABELS = (
    "agent", "approver", "class", "confidence", "consequence", "dependency", "detector", "env", "fault",
    "drill", "feature", "field", "finding", "kind", "metric", "model", "partition", "provider", "release",
    "resource", "session", "severity", "team", "tenant", "tool",
)  # fmt: skip
"""Labels that findings have; teams may add others, so only what is nearly one of them is doubted."""
VALUES: Mapping[str, Sequence[str]] = {"detector": DETECTORS, "severity": tuple(BANDS)}


def doubts_of(document: Document, root: Node) -> Iterator[Fault]:
    """What is in vain, each at its place."""
    for path, matchers in _conditions(document):
        yield from _impossible(matchers, root.nearest(*path).place)
    yield from _shadowed(document.route, root.nearest("route"), ())
    yield from _mute_each_other(document, root)
    yield from _of_everything(document, root)
    yield from _named_twice(document, root)
    yield from _unused(document, root)
    yield from untold(document, root)
    yield from _of_nobody(document, root)
    yield from strange_scores(document, root)
    yield from blanking(document, root)
    yield from behind(document, root)


# -- matchers --------------------------------------------------------------------------------------------


def _conditions(document: Document) -> Iterator[tuple[Path, Sequence[Matcher]]]:
    yield from _of_routes(document.route, ("route",))
    for at, rule in enumerate(document.inhibit_rules):
        source = combined(rule.source_match, rule.source_match_re, rule.source_matchers)
        target = combined(rule.target_match, rule.target_match_re, rule.target_matchers)
        yield ("inhibit_rules", at, "source_matchers"), source
        yield ("inhibit_rules", at, "target_matchers"), target
    for at, silence in enumerate(document.silences):
        yield ("silences", at, "matchers"), combined({}, {}, silence.matchers)
    for at, advice in enumerate(document.decisions):
        yield ("decisions", at, "matchers"), combined({}, {}, advice.matchers)
    for at, scored in enumerate(document.severity.rules):
        yield ("severity", "rules", at, "matchers"), combined({}, {}, scored.matchers)


def _of_routes(part: RoutePart, path: Path) -> Iterator[tuple[Path, Sequence[Matcher]]]:
    yield (*path, "matchers"), matchers_of(part)
    for at, child in enumerate(part.routes):
        yield from _of_routes(child, (*path, "routes", at))


def _impossible(matchers: Sequence[Matcher], place: Place) -> Iterator[Fault]:
    for each in matchers:
        if each.name not in LABELS and (hint := meant(each.name, LABELS)):
            yield place.fault(f'{each} may never match: no finding has a label "{each.name}"{hint}')
        known = VALUES.get(each.name, ())
        if each.op in ("=", "=~") and known and not _fits(each, known):
            hint = meant(each.value, known)
            yield place.fault(f"{each} never matches: {each.name} is one of {', '.join(known)}{hint}")
    for name in dict.fromkeys(each.name for each in matchers):
        wanted = {each.value for each in matchers if each.name == name and each.op == "="}
        if len(wanted) > 1:
            said = " and ".join(f'"{value}"' for value in sorted(wanted))
            yield place.fault(f"never matches: {name} cannot be {said} at once")


def _fits(matcher: Matcher, known: Sequence[str]) -> bool:
    return any(matcher.matches({matcher.name: value}) for value in ("", *known))


def _shadowed(part: RoutePart, node: Node, above: tuple[Matcher, ...]) -> Iterator[Fault]:
    """Routes that an earlier sibling takes everything from, or that contradict the routes above them."""
    earlier: list[tuple[frozenset[Matcher], Place]] = []
    for at, child in enumerate(part.routes):
        below, own = node.nearest("routes", at), matchers_of(child)
        first = next((place for taken, place in earlier if taken <= frozenset(own)), None)
        if first is not None:
            yield below.place.fault(
                f"never reached: the route at {first.file}:{first.line} takes all of it and does not continue"
            )
        for matcher in own:
            clash = next((each for each in above if _contradict(each, matcher)), None)
            if clash is not None:
                yield below.place.fault(f"never reached: {matcher} contradicts {clash} above it")
        if not child.continues:
            earlier.append((frozenset(own), below.place))
        yield from _shadowed(child, below, (*above, *own))


def _contradict(one: Matcher, other: Matcher) -> bool:
    """Whether no value of a label fulfils both, as far as an equation tells."""
    if one.name != other.name:
        return False
    return any(
        first.op == "=" and not second.matches({first.name: first.value})
        for first, second in ((one, other), (other, one))
    )


def _mute_each_other(document: Document, root: Node) -> Iterator[Fault]:
    """Two rules of which each mutes what the other mutes by: where both fire, nobody is told of either."""
    earlier: dict[tuple[frozenset[Matcher], ...], Place] = {}
    for at, rule in enumerate(document.inhibit_rules):
        source = frozenset(combined(rule.source_match, rule.source_match_re, rule.source_matchers))
        target = frozenset(combined(rule.target_match, rule.target_match_re, rule.target_matchers))
        place = root.nearest("inhibit_rules", at).place
        if (other := earlier.get((target, source))) is not None and source != target:
            where = f"{other.file}:{other.line}"
            yield place.fault(f"mutes what the rule at {where} mutes by: where both fire, both are muted")
        earlier.setdefault((source, target), place)


def _of_everything(document: Document, root: Node) -> Iterator[Fault]:
    for at, silence in enumerate(document.silences):
        if matches_anything(combined({}, {}, silence.matchers)):
            place = root.nearest("silences", at, "matchers").place
            yield place.fault("silences everything: while it holds nobody is paged of anything")


# -- names -------------------------------------------------------------------------------------------------


def _named_twice(document: Document, root: Node) -> Iterator[Fault]:
    for at, receiver in enumerate(document.receivers):
        known: set[str] = set()
        for number, entry in enumerate(receiver.notify):
            for kind, target in entry.channels.items():
                key = channel_key(Channel(kind=kind, target=target, options=entry.options))
                if key in known:
                    place = root.nearest("receivers", at, "notify", number).place
                    yield place.fault(f"{receiver.name} tells {kind} {target} once, as it is written first")
                known.add(key)


def _unused(document: Document, root: Node) -> Iterator[Fault]:
    used = _used(document)
    for at, receiver in enumerate(document.receivers):
        if receiver.name not in used["receivers"]:
            yield root.nearest("receivers", at).place.fault(f'nothing leads to receiver "{receiver.name}"')
    for at, interval in enumerate(document.time_intervals):
        if interval.name not in used["time_intervals"]:
            place = root.nearest("time_intervals", at).place
            yield place.fault(f'no route uses time interval "{interval.name}"')
    for name in document.messages:
        if name not in used["messages"]:
            yield root.nearest("messages").keys[name].fault(f'nothing uses message "{name}"')


def _used(document: Document) -> Mapping[str, set[str]]:
    routes = list(_routes(document.route))
    exhausted = [each.exhausted.receiver for each in document.escalations.values() if each.exhausted]
    entries = [entry for receiver in document.receivers for entry in receiver.notify]
    return {
        "receivers": {each.receiver for each in routes if each.receiver} | set(exhausted),
        "time_intervals": {
            name for each in routes for name in (*each.mute_time_intervals, *each.active_time_intervals)
        },
        "messages": {each.template for each in entries if each.template},
    }


def _routes(part: RoutePart) -> Iterator[RoutePart]:
    yield part
    for child in part.routes:
        yield from _routes(child)


# -- drills ------------------------------------------------------------------------------------------------


def _of_nobody(document: Document, root: Node) -> Iterator[Fault]:
    """Drills of agents that no entry of `agents:` is about."""
    globs = [each.name for each in document.agents]
    for at, drill in enumerate(document.drills):
        if globs and not any(fnmatchcase(drill.agent, each) for each in globs):
            place = root.nearest("drills", at, "agent").place
            hint = meant(drill.agent, globs)
            yield place.fault(
                f'no entry of agents is about "{drill.agent}"{hint}: nobody owns what is drilled'
            )
