"""Who is told of a label set: of the receivers that take it, those that nothing mutes at that time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from routing.hours import silence_holds, sleeping
from routing.incidents.inhibition import Sources
from routing.matchers import matches_all
from routing.policy import Policy, Route


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


def _silences(policy: Policy, labels: Mapping[str, str], at: datetime) -> Iterator[str]:
    for silence in policy.silences:
        if silence_holds(silence, at) and matches_all(silence.matchers, labels):
            yield f"muted: silence {silence.name}"


def _sources(policy: Policy, labels: Mapping[str, str], firing: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for source in firing:
        alone = Sources(policy.inhibit_rules)
        alone.add(source, "source")
        if alone.muting(labels):
            yield f"muted: inhibited by {' '.join(f'{name}={source[name]}' for name in sorted(source))}"
