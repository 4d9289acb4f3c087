"""Who is told of a label set: of the receivers that take it, those that nothing mutes at that time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from routing.hours import holds, silence_holds, sleeping
from routing.incidents.inhibition import Sources
from routing.matchers import matches_all
from routing.policy import InhibitRule, Policy, Route


def told(policy: Policy, routes: Iterable[Route], at: datetime, muted: Sequence[str]) -> tuple[str, ...]:
    """The receivers that are told. `muted`: what mutes the labels on every route."""
    if muted:
        return ()
    return tuple(route.receiver for route in routes if not sleeping(policy, route, at))


def muting(
    policy: Policy, labels: Mapping[str, str], at: datetime, firing: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    """What mutes a label set on every route while `firing` fires too: planned silences, another signal."""
    return (*_silences(policy, labels, at), *_sources(policy, labels, firing))


def asleep(policy: Policy, routes: Iterable[Route], at: datetime) -> Iterator[str]:
    """Routes that say nothing at this instant, and why."""
    for route in routes:
        if muted := sleeping(policy, route, at):
            yield f"{route.id} is muted: {muted}"


def hours(policy: Policy, routes: Iterable[Route], at: datetime) -> Iterator[str]:
    """The time intervals of routes, and whether they hold at an instant."""
    for route in routes:
        for what, names in (("muted", route.mute_time_intervals), ("active", route.active_time_intervals)):
            for name in names:
                said = "holds" if holds(policy.time_intervals[name], at) else "does not hold"
                yield f"{route.id}: {what} in {name}, which {said}"


def silences(policy: Policy, labels: Mapping[str, str], at: datetime) -> Iterator[str]:
    """The planned silences that match a label set, and whether they hold at an instant."""
    for silence in policy.silences:
        if matches_all(silence.matchers, labels):
            yield f"silence {silence.name}: {'holds' if silence_holds(silence, at) else 'does not hold'}"


def inhibition(
    policy: Policy, labels: Mapping[str, str], firing: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    """What mutes a label set, or would if it fired: by each rule of which it is a target."""
    for number, rule in enumerate(policy.inhibit_rules, 1):
        if matches_all(rule.target, labels):
            found = any(_mutes((rule,), each, labels) for each in firing)
            equal = [f"{name}={labels.get(name, '')}" for name in rule.equal]
            source = ", ".join([*map(str, rule.source), *equal])
            yield f"rule {number}: {'inhibited by' if found else 'would be inhibited by'} {source}"


def _silences(policy: Policy, labels: Mapping[str, str], at: datetime) -> Iterator[str]:
    for silence in policy.silences:
        if silence_holds(silence, at) and matches_all(silence.matchers, labels):
            yield f"muted: silence {silence.name}"


def _sources(policy: Policy, labels: Mapping[str, str], firing: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for source in firing:
        if _mutes(policy.inhibit_rules, source, labels):
            yield f"muted: inhibited by {' '.join(f'{name}={source[name]}' for name in sorted(source))}"


def _mutes(rules: Iterable[InhibitRule], source: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a signal that fires mutes a label set by one of the rules."""
    alone = Sources(rules)
    alone.add(source, "source")
    return bool(alone.muting(labels))
