"""Shifts that change hands: a notice before, and at the handoff a summary of the shift that ends.

Due times are state like all timers. A notice is no page: it asks nobody to act, and nothing climbs. After a
pause only the last handoff of a schedule is told, and channels have the time to answer from then on.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.incidents.briefing import title
from routing.incidents.digests import digests_due, follow_digests
from routing.incidents.incident import Case
from routing.incidents.posting import Word, arm, post, post_again
from routing.incidents.state import Handover
from routing.incidents.turn import Turn
from routing.policy import Policy, Step
from routing.schedule import Handoff, Schedule, schedules_in
from routing.words.wording import counted, duration
from schemas.page import Channel, PageReason

LOOK = timedelta(days=35)
"""How far ahead a change is looked for; without one it is looked for again then."""
SEEN_CAP = 256
"""Incidents of a shift that are told apart; beyond, one may be counted again."""
FEW = 5


class Words(NamedTuple):
    """What a notice says: one sentence, and facts by label."""

    title: str
    facts: tuple[tuple[str, str], ...]


def follow(turn: Turn) -> None:
    """Follows the schedules that the policy has now. A shift that goes on keeps what was counted."""
    core = turn.state.core
    schedules = dict(_minded(turn.policy))
    core.handovers = {name: _present(turn, schedules[name], core.handovers.get(name)) for name in schedules}
    core.unheard = {
        each: one for each, one in core.unheard.items() if not one.schedule or one.schedule in schedules
    }
    follow_digests(turn)
    arm(core)


def due(turn: Turn) -> None:
    """What is due now: notices, handoffs, another look, another attempt."""
    core, minded = turn.state.core, dict(_minded(turn.policy))
    if minded.keys() != core.handovers.keys():
        # What was saved was followed by a configuration that can no longer be read.
        follow(turn)
        return
    for name, (schedule, handoff) in minded.items():
        if core.handovers[name].due <= turn.now:
            core.handovers[name] = _step(turn, schedule, handoff, core.handovers[name])
    digests_due(turn)
    post_again(turn)
    arm(core)


def tally(turn: Turn, case: Case, step: Step, reached: Iterable[str], held: Iterable[str] = ()) -> None:
    """Counts pages to those on call in the shifts through which they were reached; not those of drills.

    `held`: those of them whose page waits: the incident counts, a page does not.
    """
    names = set() if case.drill else set(reached)
    paged = names.difference(held)
    for party in step.parties:
        shift = turn.state.core.handovers.get(party.name) if party.kind == "schedule" else None
        count = len(names.intersection(shift.on_call)) if shift else 0
        if shift and count:
            shift.pages += len(paged.intersection(shift.on_call))
            if case.id not in shift.seen:
                shift.incidents += 1
                shift.seen = (*shift.seen, case.id)[-SEEN_CAP:]


def _minded(policy: Policy) -> Iterator[tuple[str, tuple[Schedule, Handoff]]]:
    """Schedules whose handoffs are told, in order of their names."""
    for name, schedule in sorted(schedules_in(policy.schedules).items()):
        if schedule.handoff is not None:
            yield name, (schedule, schedule.handoff)


def _present(turn: Turn, minded: tuple[Schedule, Handoff], before: Handover | None) -> Handover:
    schedule, handoff = minded
    on_call = schedule.on_call(turn.now)
    shift = before
    if shift is None or shift.on_call != on_call:
        shift = Handover(on_call=on_call, since=turn.now, due=turn.now)
    at = shift.at
    _plan(schedule, handoff, shift, turn.now)
    if shift.noticed and shift.at != at:
        shift.noticed = False
        _plan(schedule, handoff, shift, turn.now)
    return shift


def _plan(schedule: Schedule, handoff: Handoff, shift: Handover, now: datetime) -> None:
    """When the shift ends, and what is due before."""
    shift.at = schedule.next_change(now, now + LOOK)
    if shift.at is None:
        shift.due = now + LOOK
    else:
        shift.due = shift.at if shift.noticed else max(now, shift.at - handoff.notice)


def _step(turn: Turn, schedule: Schedule, handoff: Handoff, shift: Handover) -> Handover:
    if shift.at is None:
        _plan(schedule, handoff, shift, turn.now)
        return shift
    if turn.now < shift.at:
        shift.noticed, shift.due = True, shift.at
        if not _is_past(turn, shift):
            _tell(turn, schedule, handoff, "handoff_soon", _soon(turn, schedule, shift, shift.at))
        return shift
    fresh = Handover(on_call=schedule.on_call(turn.now), since=turn.now, due=turn.now)
    _plan(schedule, handoff, fresh, turn.now)
    if fresh.at is not None and fresh.at - handoff.notice <= turn.now:
        # The summary says when this short shift ends: a notice at once would say it again.
        fresh.noticed, fresh.due = True, fresh.at
    if not _is_past(turn, fresh):
        _tell(turn, schedule, handoff, "handoff", _summary(turn, schedule, shift, fresh))
    return fresh


def _is_past(turn: Turn, shift: Handover) -> bool:
    """Whether a shift is over too: nobody heard in time how it began, and another handoff is told."""
    return turn.state.core.clock == "wall" and shift.at is not None and shift.at <= turn.until


def _soon(turn: Turn, schedule: Schedule, shift: Handover, at: datetime) -> Words:
    """Who takes over, and what is open."""
    heir = _who(schedule.on_call(at))
    said = f"{heir} takes over {schedule.name} from {_who(shift.on_call)} in {duration(at - turn.now)}"
    return Words(f"{said} ({_wall(at, schedule)})", (("Open", _open(turn, shift)),))


def _summary(turn: Turn, schedule: Schedule, shift: Handover, fresh: Handover) -> Words:
    """Who is on call now, and what the shift before was like."""
    until = f" until {_wall(fresh.at, schedule)}" if fresh.at else ""
    heir = f"; then {_who(schedule.on_call(fresh.at))}" if fresh.at else ""
    counts = f"{counted(shift.incidents, 'incident')}, {counted(shift.pages, 'page')}"
    return Words(
        f"{_who(fresh.on_call)} is on call for {schedule.name}{until}{heir}",
        (
            ("Shift", f"{_who(shift.on_call)} since {_wall(shift.since, schedule)}: {counts}"),
            ("Open", _open(turn, shift)),
        ),
    )


def _open(turn: Turn, shift: Handover) -> str:
    """The incidents of a shift that are open, the latest first."""
    cases = (turn.state.cases.get(each) for each in reversed(shift.seen))
    lines = [_line(case) for case in cases if case is not None and case.open]
    more = [f"and {len(lines) - FEW} more"] if len(lines) > FEW else []
    return "\n".join([*lines[:FEW], *more]) or "nothing"


def _line(case: Case) -> str:
    taken = f" (acknowledged by {case.acknowledged_by})" if case.acknowledged_by else ""
    return f"{case.severity}: {title(case)}{taken}"


def _who(names: tuple[str, ...]) -> str:
    return " and ".join(names) or "nobody"


def _wall(at: datetime, schedule: Schedule) -> str:
    return f"{at.astimezone(schedule.place):%a %Y-%m-%d %H:%M} {schedule.place.key}"


def _tell(turn: Turn, schedule: Schedule, handoff: Handoff, reason: PageReason, words: Words) -> None:
    """One notice to each channel."""
    word = Word(
        kind="handoff",
        name=schedule.name,
        reason=reason,
        title=words.title,
        facts=words.facts,
        schedule=schedule.name,
    )
    channels = (Channel(kind=kind, target=target) for kind, target in handoff.channels)
    post(turn, word, ((schedule.name, each) for each in channels))
