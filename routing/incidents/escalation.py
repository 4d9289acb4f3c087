"""Escalations: who is paged next while nobody answers, and who when a channel is dead."""

from datetime import datetime, timedelta
from typing import NamedTuple, cast

from routing.incidents.briefing import voice_of
from routing.incidents.folding import unanswered
from routing.incidents.grid import flush_on_grid
from routing.incidents.handoffs import tally
from routing.incidents.incident import Case, Climb, Folded, Sent, Withheld
from routing.incidents.muting import audible
from routing.incidents.paging import OVER, Address, send
from routing.incidents.rationing import drop, elsewhere, entry_of, is_at, moved, page, stands_still
from routing.incidents.telling import loudest, note, tell
from routing.incidents.turn import Turn
from routing.oncall.responders import Responder, chosen, person, responders
from routing.policy import Escalation, EscalationTarget
from routing.severity import RANK
from schemas.page import PageReason

LEAST_PAUSE = timedelta(minutes=1)
HANDED = "handed over"
"""The climb of an incident that was handed to somebody."""
HANDED_WAIT = timedelta(minutes=5)
"""How long somebody to whom an incident was handed has, where no escalation says it."""
FIRST = -1


class Place(NamedTuple):
    """Where on a climb a page belongs; or its target alone."""

    target: str
    step: int
    sequence: int


def begin(turn: Turn, case: Case, key: str, target: EscalationTarget, reason: PageReason) -> None:
    """Starts to climb, or to climb anew. A rise in severity pages the present step once more."""
    if key in case.climbs:
        begin_again(turn, case, key, reason)
        return
    note(turn, case, key)
    case.climbs[key] = Climb(escalation=meant(turn, case, target), began=turn.now)
    _page_step(turn, case, key, reason)


def meant(turn: Turn, case: Case, target: EscalationTarget) -> str:
    """The name of the escalation that a target means for an incident, or nothing."""
    escalation = chosen(target, {**case.worst().labels, **case.labels}, turn.policy)
    return escalation.name if escalation else ""


def begin_again(turn: Turn, case: Case, key: str, reason: PageReason = "repeated") -> None:
    """Climbs anew what was climbed before; `repeated`: an acknowledgement lapsed, or nobody answered."""
    note(turn, case, key)
    _restart(turn, case.climbs[key], reason)
    _page_step(turn, case, key, reason)


def hand_over(turn: Turn, case: Case, user: str, escalation: str) -> None:
    """Pages a person, and after them an escalation from its first step; all other climbs end."""
    sequence = case.climbs[HANDED].sequence if HANDED in case.climbs else 0
    for key, climb in case.climbs.items():
        climb.finished = True
        turn.disarm(case, climb_timer(key))
        case.told[key].paged = turn.now
    for entry in [entry for entry, each in case.withheld.items() if each.target in case.climbs]:
        drop(turn, case, entry)
    case.climbs[HANDED] = Climb(escalation=escalation, began=turn.now, first=user, sequence=sequence)
    note(turn, case, HANDED).severity = voice_of(turn, case).severity
    _restart(turn, case.climbs[HANDED], "reassigned")
    case.climbs[HANDED].since = case.climbs[HANDED].sequence
    _page_step(turn, case, HANDED, "reassigned")


def climb_due(turn: Turn, case: Case, key: str) -> None:
    """The wait of a step is over and nobody answered. While all is muted the climb stands still."""
    if not audible(turn, case):
        turn.arm(case, climb_timer(key), LEAST_PAUSE)
        return
    if stands_still(turn, case, key, case.climbs[key]):
        turn.arm(case, climb_timer(key), wait_of(turn, case.climbs[key]))
        return
    case.climbs[key].step += 1
    told = case.told[key]
    told.paged = turn.now
    # A rise pages the present step: these pages show it.
    told.severity = max(told.severity, loudest(turn, case), key=RANK.__getitem__)
    _page_step(turn, case, key, "escalated")


def stop(turn: Turn, case: Case) -> None:
    """Nobody is paged further."""
    for key in case.climbs:
        turn.disarm(case, climb_timer(key))


def wait_of(turn: Turn, climb: Climb) -> timedelta:
    """How long the present step of a climb waits for an answer."""
    escalation = turn.policy.escalations.get(climb.escalation)
    steps = escalation.steps[max(climb.step, 0) :] if escalation else ()
    return steps[0].wait if steps else HANDED_WAIT


def climb_timer(key: str) -> str:
    """The name of a climb's timer."""
    return f"climb {key}"


def is_answered(case: Case, sent: Sent) -> bool:
    """Whether somebody acknowledged the incident after this page was sent, or handed it to somebody else.

    Clocks that disagree hold the time: a page and its answer may have the same.
    """
    if case.acknowledged is not None and (sent.at < case.acknowledged or sent.takes < case.takes):
        return True
    handed = case.climbs.get(HANDED)
    if handed is None or sent.target not in case.climbs:
        return False
    return sent.sequence < handed.since if sent.target == HANDED else sent.at <= handed.began


def is_overtaken(case: Case, sent: Sent) -> bool:
    """Whether the same recipient was sent a later page of the incident: one of them is enough."""
    later = next(
        each for each in reversed(case.pages.values()) if (each.target, each.to) == (sent.target, sent.to)
    )
    return later is not sent


def fall_through(turn: Turn, case: Case, sent: Sent) -> None:
    """A page did not get through: the recipient's next channel, the next step, the root receiver."""
    rest = unanswered(turn, sent)
    own = case.open and not is_answered(case, sent)
    if not (own or rest):
        return
    if sent.rest:
        if rest or not is_overtaken(case, sent):
            _pass_on(turn, case, sent)
        return
    if own:
        _fall_further(turn, case, Place(sent.target, sent.step, sent.sequence), sent.at)
    for each in rest:
        _unfold(turn, each, sent)


def _pass_on(turn: Turn, case: Case, sent: Sent) -> None:
    """Tries a page over its recipient's next channel."""
    # A channel is among those that are left of one page only: nothing was sent over it yet.
    moved(turn, sent, cast("Sent", send(turn, case, _onward(sent), "fallback")))


def _unfold(turn: Turn, case: Case, sent: Sent) -> None:
    """The page that spoke for an incident did not get through."""
    for folded in [each for each in case.folded.values() if each.page == sent.id and not each.over]:
        folded.over = True
        turn.state.touch(case)
        _fall_further(turn, case, Place(folded.target, folded.step, folded.sequence), sent.at)


def _fall_further(turn: Turn, case: Case, place: Place, since: datetime) -> None:
    """No channel is left for a page: the next step, or the root receiver."""
    climb = case.climbs.get(place.target)
    if climb is None:
        tell(turn, case, turn.policy.route.receiver, "fallback", since)
    elif _is_stuck(case, climb, place):
        climb.step += 1
        _page_step(turn, case, place.target, "fallback")


def ask_again(turn: Turn, case: Case, held: Withheld) -> bool:
    """Asks the step of a page that waits again; whether it still goes to whom it waits for.

    If not, it waits no more: whom the step reaches now is paged instead.
    """
    climb = case.climbs.get(held.target)
    if climb is None:
        return True
    found = dict(_meant_now(turn, case, climb, held.step))
    if held.to in found:
        held.channels = found[held.to]
        turn.state.touch(case)
        return True
    place = Place(held.target, held.step, held.sequence)
    drop(turn, case, entry_of(held.target, held.to))
    heard: list[Sent | Withheld | Folded] = [
        *case.pages.values(),
        *case.folded.values(),
        *case.withheld.values(),
    ]
    known = {each.to for each in heard if Place(each.target, each.step, each.sequence) == place}
    goes_on = is_at(held, held.target, climb)
    meant = tuple((who, channels) for who, channels in found.items() if goes_on and who not in known)
    _send_all(turn, case, held.target, meant, held.reason)
    _fall_further(turn, case, place, held.since)
    return False


def _meant_now(turn: Turn, case: Case, climb: Climb, number: int) -> tuple[Responder, ...]:
    """Whom a step of a climb reaches now."""
    escalation = turn.policy.escalations.get(climb.escalation)
    steps = escalation.steps if escalation else ()
    if number == FIRST:
        return person(climb.first, steps[0].via if steps else (), turn.policy)
    severity = voice_of(turn, case).severity
    meant = [responders(each, turn.policy, turn.now, severity) for each in steps[number : number + 1]]
    return meant[0] if meant else ()


def _restart(turn: Turn, climb: Climb, reason: PageReason) -> None:
    if reason != "joined" or climb.finished:
        climb.step, climb.round = FIRST if climb.first else 0, 0
    climb.began, climb.finished = turn.now, False
    climb.sequence += 1


def _page_step(turn: Turn, case: Case, key: str, reason: PageReason) -> None:
    """Pages the present step, or the next that reaches somebody; while somebody has it, only that one."""
    climb = case.climbs[key]
    escalation = turn.policy.escalations.get(climb.escalation)
    if climb.step != FIRST or not _page_first(turn, case, key, escalation, reason):
        _page_next(turn, case, key, escalation, reason)
    if case.status != "triggered":
        stop(turn, case)


def _page_next(turn: Turn, case: Case, key: str, escalation: Escalation | None, reason: PageReason) -> None:
    """Pages the first step from here on that reaches somebody; after the last, another round or the end."""
    climb = case.climbs[key]
    while escalation is not None and not climb.finished:
        if climb.step >= len(escalation.steps):
            _next_round(turn, case, key, escalation, reason)
            continue
        step = escalation.steps[climb.step]
        found = responders(step, turn.policy, turn.now, voice_of(turn, case).severity)
        if found or not escalation.skip_empty:
            _send_all(turn, case, key, found, reason)
            names = [to for to, _ in found]
            held = [to for to in names if entry_of(key, to) in case.withheld]
            tally(turn, case, step, names, held)
            turn.arm(case, climb_timer(key), step.wait)
            break
        climb.step += 1
    if escalation is None:
        _finish(turn, case, key, "", reason)


def _page_first(turn: Turn, case: Case, key: str, escalation: Escalation | None, reason: PageReason) -> bool:
    """Pages the person to whom the incident was handed, if a contact reaches them."""
    climb = case.climbs[key]
    steps = escalation.steps if escalation else ()
    preferred = steps[0].via if steps else ()
    wait = steps[0].wait if steps else HANDED_WAIT
    found = person(climb.first, preferred, turn.policy)
    if not found:
        climb.step = 0
        return False
    _send_all(turn, case, key, found, reason)
    turn.arm(case, climb_timer(key), wait)
    return True


def _send_all(turn: Turn, case: Case, key: str, found: tuple[Responder, ...], reason: PageReason) -> None:
    climb = case.climbs[key]
    for to, channels in found:
        address = Address(target=key, to=to, channels=channels, step=climb.step, sequence=climb.sequence)
        page(turn, case, address, reason)
    turn.state.touch(case)


def _next_round(turn: Turn, case: Case, key: str, escalation: Escalation, reason: PageReason) -> None:
    """Another round, if one is left and this one reached somebody; else the receiver for the end is told."""
    climb = case.climbs[key]
    if climb.round < escalation.repeat and _reached(case, key, climb.sequence):
        climb.round += 1
        climb.sequence += 1
        climb.step = 0
    else:
        _finish(turn, case, key, escalation.exhausted, reason)


def _finish(turn: Turn, case: Case, key: str, exhausted: str, reason: PageReason) -> None:
    climb = case.climbs[key]
    climb.finished = True
    turn.disarm(case, climb_timer(key))
    why: PageReason = "fallback" if reason == "fallback" else "escalated"
    tell(turn, case, exhausted or turn.policy.route.receiver, why, climb.began)
    flush_on_grid(turn, case, case.told[key].paged + turn.route(case).repeat_interval)


def _onward(sent: Sent) -> Address:
    return Address(
        target=sent.target,
        to=sent.to,
        channels=sent.rest,
        step=sent.step,
        sequence=sent.sequence,
        template=sent.template,
        quiet=sent.quiet,
        budget=sent.budget,
        speaks=sent.speaks,
        ended=sent.ended,
    )


def _is_stuck(case: Case, climb: Climb, sent: Place) -> bool:
    """Whether the page was the last hope of the step at which the climb is."""
    alive = [
        (each.target, each.step, each.sequence) for each in case.pages.values() if each.state not in OVER
    ]
    here = not climb.finished and (sent.step, sent.sequence) == (climb.step, climb.sequence)
    return here and sent not in (*alive, *elsewhere(case))


def _reached(case: Case, key: str, sequence: int) -> bool:
    """Whether any page of a round arrived, or may yet."""
    told = any((target, number) == (key, sequence) for target, _, number in elsewhere(case))
    return told or any(
        each.target == key and each.sequence == sequence and each.state not in OVER
        for each in case.pages.values()
    )
