"""Shifts that change hands: a notice before, and at the handoff a summary of the shift that ends.

Due times are state like all timers. A notice is no page: it asks nobody to act, and nothing climbs. After a
pause only the last handoff of a schedule is told, and channels have the time to answer from then on.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from routing.incidents.briefing import title
from routing.incidents.incident import Case
from routing.incidents.state import Core, Handover, Unheard
from routing.incidents.turn import Turn
from routing.policy import Policy, Step
from routing.schedule import Handoff, Schedule, schedules_in
from routing.words.wording import counted, duration
from schemas.cause import Reported
from schemas.identity import derived
from schemas.outcome import Deferred, Delivered
from schemas.page import Channel, Content, Notice, PageReason

LOOK = timedelta(days=35)
"""How far ahead a change is looked for; without one it is looked for again then."""
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
PATIENCE = 4
"""Attempts at a notice."""
PAUSE = timedelta(minutes=1)
UNKNOWN_AFTER = timedelta(minutes=2)
SEEN_CAP = 256
"""Incidents of a shift that are told apart; beyond, one may be counted again."""
UNHEARD_CAP = 256
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
    core.unheard = {each: one for each, one in core.unheard.items() if one.schedule in schedules}
    _arm(core)


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
    for unheard in [each for each in core.unheard.values() if each.due <= turn.now]:
        _again(turn, unheard)
    _arm(core)


def tally(turn: Turn, case: Case, step: Step, paged: Iterable[str]) -> None:
    """Counts pages to those on call in the shifts through which they were reached; not those of drills."""
    names = set() if case.drill else set(paged)
    for party in step.parties:
        shift = turn.state.core.handovers.get(party.name) if party.kind == "schedule" else None
        count = len(names.intersection(shift.on_call)) if shift else 0
        if shift and count:
            shift.pages += count
            if case.id not in shift.seen:
                shift.incidents += 1
                shift.seen = (*shift.seen, case.id)[-SEEN_CAP:]


def heard(turn: Turn, cause: Reported) -> bool:
    """Takes an outcome, if it is a notice's."""
    unheard = turn.state.core.unheard.get(cause.page)
    if unheard is None:
        return False
    if cause.attempt != unheard.notice.attempt:
        turn.state.count("outcomes repeated")
    elif isinstance(cause.outcome, Delivered):
        del turn.state.core.unheard[cause.page]
    elif isinstance(cause.outcome, Deferred) and cause.attempt < PATIENCE:
        unheard.due = turn.now + cause.attempt * PAUSE
    else:
        _give_up(turn, unheard, cause.outcome.reason)
    _arm(turn.state.core)
    return True


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
    core = turn.state.core
    for kind, target in handoff.channels:
        notice = Notice(
            id=derived("notice", schedule.name, reason, turn.now.isoformat(), kind, target),
            time=turn.now,
            incident=f"handoff:{schedule.name}",
            severity="info",
            to=schedule.name,
            channel=Channel(kind=kind, target=target),
            reason=reason,
            summary=words.title,
            content=_content(turn, words.title),
            facts=words.facts,
        )
        while len(core.unheard) >= UNHEARD_CAP:
            del core.unheard[next(iter(core.unheard))]
            turn.state.count("notices dropped at the cap")
        core.unheard[notice.id] = Unheard(notice=notice, schedule=schedule.name, due=turn.now)
        _send(turn, core.unheard[notice.id])


def _content(turn: Turn, summary: str) -> Content:
    """Of no incident: nothing to acknowledge, nothing that fires."""
    return Content(
        title=summary, severity="info", score=0, score_parts=(), status="resolved", since=turn.now, labels={},
        signals=(), firing=0, resolved=0,
    )  # fmt: skip


def _send(turn: Turn, unheard: Unheard) -> None:
    unheard.due = turn.until + UNKNOWN_AFTER if turn.state.core.clock == "wall" else NEVER
    turn.emit("pages", unheard.notice.incident, unheard.notice)


def _again(turn: Turn, unheard: Unheard) -> None:
    """The next attempt; nothing was heard of the last, or it is time."""
    notice = unheard.notice
    if notice.attempt >= PATIENCE:
        _give_up(turn, unheard, "no outcome was reported")
        return
    unheard.notice = replace(
        notice, time=turn.now, attempt=notice.attempt + 1, began=notice.began or notice.time
    )
    _send(turn, unheard)


def _give_up(turn: Turn, unheard: Unheard, reason: str) -> None:
    notice = unheard.notice
    del turn.state.core.unheard[notice.id]
    where = f"{notice.channel.kind} {notice.channel.target}"
    turn.complain(f"schedule {unheard.schedule}: a notice did not reach {where}: {reason}", notice.id)


def _arm(core: Core) -> None:
    waits = [each.due for each in core.handovers.values()] + [each.due for each in core.unheard.values()]
    core.handoff_at = min(waits, default=NEVER)
