"""What people do to incidents: take them, close them, put them off, silence what they know about."""

from datetime import timedelta

from routing.incidents.advice import approved
from routing.incidents.closing import ACK, resolve
from routing.incidents.deeds import first_time, first_time_open, note_deed, who
from routing.incidents.escalation import HANDED, begin_again, stop
from routing.incidents.flapping import CALM
from routing.incidents.flushing import arm_repeat, targets
from routing.incidents.folding import unanswered
from routing.incidents.grid import flush_on_grid
from routing.incidents.incident import Case, Member
from routing.incidents.lapsing import arm_lapse, let_go
from routing.incidents.muting import audible
from routing.incidents.paging import edit_latest
from routing.incidents.rationing import drop_all
from routing.incidents.silencing import keep
from routing.incidents.state import SILENCE_CAP
from routing.incidents.telling import target_key, tell_channel
from routing.incidents.turn import Turn
from routing.matchers import Matcher, MatcherSyntax, matches_anything, parse_matchers
from routing.oncall.instants import utc
from routing.policy import ChannelTarget
from schemas.cause import Acknowledged, Approved, Hand, Resolved, Silenced, Snoozed
from schemas.identity import canonical

LEAST_PAUSE = timedelta(minutes=1)
MOST_SNOOZE = timedelta(days=7)
"""Nobody puts an incident off for longer."""
LIKENESS = ("agent", "env", "detector", "finding")
"""Labels by which what is like an incident is silenced, where its signals agree; and those of its group."""


def acknowledged(turn: Turn, cause: Acknowledged) -> None:
    """Somebody takes an incident: nobody else is paged, until the acknowledgement lapses."""
    case = first_time(turn, cause)
    if case is None:
        return
    if case.open:
        note_deed(turn, case, cause, "acknowledged")
        _take(turn, case, cause)
    answer_others(turn, case, cause)


def _take(turn: Turn, case: Case, cause: Hand) -> None:
    """The incident is somebody's, until their acknowledgement lapses."""
    _taken(turn, case, who(turn, cause))
    arm_lapse(turn, case)
    edit_latest(turn, case, case.told, "acknowledged")


def answer_others(turn: Turn, case: Case, cause: Hand) -> None:
    """Who answers a page that speaks for several incidents has them all, though the first is over.

    Another person's page they have not seen: whoever answers another alert, or is not known by that name,
    takes the first incident alone.
    """
    me, is_news = who(turn, cause), case.open
    for sent in tuple(case.pages.values()):
        is_others = sent.to in turn.policy.users and me != sent.to
        if (cause.alert != (sent.alert or case.id)) if cause.alert else is_others:
            continue
        for each in unanswered(turn, sent):
            note_deed(turn, each, cause, "acknowledged", f"by the page of {case.id}")
            _take(turn, each, cause)
            is_news = True
    if not is_news:
        turn.state.count("words about incidents that are not open")


def snoozed(turn: Turn, cause: Snoozed) -> None:
    """Somebody puts an incident off: it is theirs until then, and pages anew if it still holds."""
    case = first_time(turn, cause)
    if case is None:
        return
    until = min(utc(cause.until), turn.now + MOST_SNOOZE)
    if until <= turn.now:
        turn.complain(f"snooze {cause.id}: it was over before it came", cause.id)
        return
    if case.open:
        note_deed(turn, case, cause, "snoozed", f"until {until.isoformat()}")
        _taken(turn, case, who(turn, cause))
        case.snoozed = until
        arm_lapse(turn, case)
    answer_others(turn, case, cause)
    if case.open:
        edit_latest(turn, case, case.told, "acknowledged")


def ack_due(turn: Turn, case: Case) -> None:
    """The acknowledgement lapses, or the snooze is over: people are paged again, unless all is muted.

    An escalation that the incident's receiver no longer means is not climbed again; where the incident was
    handed to somebody, they are paged first.
    """
    if case.ended is not None and CALM in case.timers:
        # It is quiet, perhaps for good: once that is believed, it is over.
        turn.arm_at(case, ACK, case.timers[CALM] + LEAST_PAUSE)
        return
    if not audible(turn, case):
        turn.arm(case, ACK, LEAST_PAUSE)
        return
    was_snoozed = case.snoozed is not None
    let_go(turn, case)
    edit_latest(turn, case, case.told, "updated")
    if HANDED in case.climbs:
        begin_again(turn, case, HANDED)
    else:
        _page_again(turn, case, was_snoozed=was_snoozed)
    flush_on_grid(turn, case, turn.now)
    arm_repeat(turn, case)
    turn.changed(case)


def resolved(turn: Turn, cause: Resolved) -> None:
    """Somebody closes an incident. Signals that still fire stay closed with it, unless they get worse."""
    case = first_time(turn, cause)
    if case is None:
        return
    if case.open:
        note_deed(turn, case, cause, "resolved")
        case.closed_by = who(turn, cause)
    answer_others(turn, case, cause)
    if case.open:
        resolve(turn, case)
        turn.state.release(case)


def ruled(turn: Turn, cause: Approved) -> None:
    """Somebody grants or refuses advice that waits for a person."""
    case = first_time_open(turn, cause)
    if case is not None:
        approved(turn, case, cause)


def silenced(turn: Turn, cause: Silenced) -> None:
    """Somebody silences what matches, or what is like an incident; the same id again replaces it.

    Where it says nothing but an id that is known, as when somebody ends it, it silences what it did.
    """
    case = first_time_open(turn, cause) if cause.incident else None
    if (cause.incident and case is None) or not _has_room(turn, cause.id):
        return
    matchers = _matchers(turn, cause, case)
    if matchers is None:
        return
    keep(turn, cause, matchers)
    if case is not None:
        note_deed(turn, case, cause, "silenced", f"until {utc(cause.until).isoformat()}")
        edit_latest(turn, case, case.told, "updated")


def _has_room(turn: Turn, name: str) -> bool:
    """Whether one more silence can be kept; those that are over are let go."""
    silences = turn.state.core.silences
    for each in [each for each in silences.values() if each.until <= turn.now]:
        del silences[each.id]
    if len(silences) < SILENCE_CAP or name in silences:
        return True
    turn.state.count("silences refused at the cap")
    turn.complain(f"silence {name}: {SILENCE_CAP} silences hold already", name)
    return False


def _matchers(turn: Turn, cause: Silenced, case: Case | None) -> tuple[Matcher, ...] | None:
    """What is to be silenced; None, with a complaint, where that cannot be."""
    texts = cause.matchers or (_likeness(case) if case else ())
    known = turn.state.core.silences.get(cause.id)
    if not texts and known is not None:
        return known.matchers
    if not texts:
        turn.complain(f"silence {cause.id}: it says nothing of what is to be silenced", cause.id)
        return None
    try:
        matchers = tuple(one for text in texts for one in parse_matchers(text))
    except MatcherSyntax as fault:
        turn.complain(f"silence {cause.id}: {fault}", cause.id)
        return None
    if matches_anything(matchers):
        turn.complain(f"silence {cause.id}: it would silence everything", cause.id)
        return None
    return matchers


def _likeness(case: Case) -> tuple[str, ...]:
    """Matchers of what is like an incident: the labels of its group, and those on which its signals agree."""
    firing: list[Member] = case.firing()
    first = firing[0].labels
    agreed = {
        name: first[name]
        for name in LIKENESS
        if first.get(name) and all(each.labels.get(name) == first[name] for each in firing)
    }
    labels = agreed | case.labels
    return (canonical(labels),) if labels else ()


def _taken(turn: Turn, case: Case, by: str) -> None:
    case.status = "acknowledged"
    case.acknowledged_by = by
    case.acknowledged = turn.now
    case.taken = case.severity
    case.takes += 1
    case.snoozed = None
    stop(turn, case)
    drop_all(turn, case)


def _page_again(turn: Turn, case: Case, *, was_snoozed: bool) -> None:
    """Climbs again; channels hear of it again after a snooze, else when they are due."""
    for target in targets(turn, case):
        key = target_key(target)
        if key in case.climbs:
            begin_again(turn, case, key)
        elif was_snoozed and key in case.told and isinstance(target, ChannelTarget) and not target.digest:
            tell_channel(turn, case, case.receiver, target, "repeated")
