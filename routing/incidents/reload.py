"""Another policy: open incidents are matched again. They keep their ids; who was told is not told again."""

from collections.abc import Iterable

from routing.incidents.closing import watch
from routing.incidents.escalation import HANDED, ask_again
from routing.incidents.flushing import arm_repeat, stop_unmeant, targets
from routing.incidents.grid import flush_on_grid, flush_soon
from routing.incidents.grouping import Group, groups_of
from routing.incidents.incident import Case, Member, weight
from routing.incidents.joining import case_for, join, lacking, weighed
from routing.incidents.muting import audible
from routing.incidents.rationing import drop, storm_timer
from routing.incidents.telling import target_key
from routing.incidents.turn import Turn
from routing.severity import RANK


def rematch(turn: Turn) -> None:
    """Gives every open incident its place in the new tree, then every signal the incidents it now lacks."""
    every = [turn.state.cases[case_id] for case_id in sorted(turn.state.cases)]
    cases = [case for case in every if case.open]
    cooling = [case for case in every if not case.open and case.joinable and case.members]
    for case in cooling:
        turn.state.release(case)
    for case in cases:
        turn.state.release(case)
        _reweigh(turn, case)
    for case in sorted(cases, key=_matters):
        _move(turn, case)
    for case in cooling:
        _keep_warm(turn, case)
    for case in cases:
        for member in case.firing():
            _complete(turn, member)


def _matters(case: Case) -> tuple[int, bool, str]:
    """Where several are one group by now the worst goes on, of equals one that nobody has."""
    return -RANK[case.severity], case.status != "triggered", case.id


def _reweigh(turn: Turn, case: Case) -> None:
    """The new policy's labels and scores; what was the highest before no longer counts."""
    for member in case.firing():
        fresh = weighed(turn, member.signal)
        fresh.asserted = member.asserted
        turn.state.renew(case, fresh)
    case.weigh()
    watch(turn, case)
    turn.changed(case)


def _move(turn: Turn, case: Case) -> None:
    """The route it had, if that still takes its worst signal; else one of the same receiver; else the first.

    An incident for which no place is left that another has not taken keeps its pages up to date and pages
    nobody any more.
    """
    worst = case.worst()
    if not _settle(turn, case, worst):
        case.receiver = ""
    stop_unmeant(turn, case)
    _ask_again(turn, case)
    _tell_the_new(turn, case, worst)


def _keep_warm(turn: Turn, case: Case) -> None:
    """What is over may fire again: then it is the same incident, if the same signals still make a group."""
    worst = max(case.members.values(), key=weight)
    _settle(turn, case, weighed(turn, worst.signal))
    turn.state.touch(case)


def _settle(turn: Turn, case: Case, worst: Member) -> bool:
    """Whether a place was found that no other incident has."""
    places = groups_of(turn.policy.route, worst.labels)
    place = _best(case, [each for each in places if each.key not in turn.state.groups])
    if place is None:
        return False
    case.key, case.labels = place.key, place.labels
    case.route, case.receiver = place.route.id, place.route.receiver
    turn.state.claim(case)
    return True


def _best(case: Case, free: Iterable[Group]) -> Group | None:
    def fitness(place: Group) -> tuple[bool, bool]:
        return (place.route.id == case.route, place.route.receiver == case.receiver)

    return max(free, key=fitness, default=None)


def _ask_again(turn: Turn, case: Case) -> None:
    """Pages that wait: some have nobody to go to any more, for the others there may be another limit.

    What is muted by now waits on, whoever it goes to.
    """
    keys = {HANDED, *(target_key(target) for target in targets(turn, case))}
    is_heard = bool(audible(turn, case))
    for entry, held in tuple(case.withheld.items()):
        if held.target not in keys:
            drop(turn, case, entry)
            _unsay(case, held.target)
        elif not is_heard or ask_again(turn, case, held):
            turn.arm_at(case, storm_timer(held.budget), turn.now)


def _unsay(case: Case, key: str) -> None:
    """What nobody sent a target, it does not know: should it be meant again, it is told then."""
    kept = (each.target for each in case.pages.values())
    waiting = (each.target for each in case.withheld.values())
    folded = (each.target for each in case.folded.values())
    if key not in (*kept, *waiting, *folded):
        case.told.pop(key, None)
        case.climbs.pop(key, None)


def _tell_the_new(turn: Turn, case: Case, worst: Member) -> None:
    keys = [target_key(target) for target in targets(turn, case)]
    if case.grid is not None and any(key not in case.told for key in keys):
        flush_soon(turn, case, worst)
    elif case.grid is not None:
        flush_on_grid(turn, case, turn.now)
    arm_repeat(turn, case)


def _complete(turn: Turn, member: Member) -> None:
    """Incidents for the groups of a signal that none of its incidents stands for."""
    cases = [turn.state.cases[case_id] for case_id in turn.state.by_signal.all(member.signal.id)]
    for place in lacking(cases, groups_of(turn.policy.route, member.labels)):
        join(turn, case_for(turn, place, member), member)
