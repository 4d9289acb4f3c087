"""What may be heard, told independently of the router: silences, hours and inhibition, without any index."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from routing.hours import silence_holds, sleeping
from routing.incidents.incident import Case, Member
from routing.incidents.state import State
from routing.matchers import matches_all
from routing.policy import InhibitRule, Policy, Route
from routing.tree import nodes


def heard(state: State, policy: Policy, case: Case, at: datetime) -> list[Member]:
    """The signals of an incident that fire and that nothing mutes."""
    route = next((each for each in _routes(policy, case)), policy.route)
    if sleeping(policy, route, at):
        return []
    firing = [member for other in state.cases.values() for member in other.members.values() if member.fires]
    return [
        member
        for member in case.members.values()
        if member.fires
        and not silenced(state, policy, member, at)
        and not any(_mutes(rule, member, firing) for rule in policy.inhibit_rules)
    ]


def silenced(state: State, policy: Policy, member: Member, at: datetime) -> bool:
    """Whether a silence, somebody's or a planned one, holds for a signal."""
    said = (each.matchers for each in state.core.silences.values() if each.since <= at < each.until)
    planned = (each.matchers for each in policy.silences if silence_holds(each, at))
    return any(matches_all(matchers, member.labels) for matchers in (*said, *planned))


def _routes(policy: Policy, case: Case) -> Iterator[Route]:
    return (each for each in nodes(policy.route) if (each.id, each.receiver) == (case.route, case.receiver))


def _mutes(rule: InhibitRule, target: Member, firing: Iterable[Member]) -> bool:
    if not matches_all(rule.target, target.labels):
        return False
    is_source = matches_all(rule.source, target.labels)
    return any(
        matches_all(rule.source, each.labels)
        and all(each.labels.get(name, "") == target.labels.get(name, "") for name in rule.equal)
        and not (is_source and matches_all(rule.target, each.labels))
        for each in firing
    )
