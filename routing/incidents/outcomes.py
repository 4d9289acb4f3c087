"""What became of pages and updates: delivered, deferred, undeliverable, or nothing heard."""

from datetime import datetime, timedelta
from typing import cast

from routing.incidents.alerts import is_replaced, is_shut, may_be_replaced, may_be_there
from routing.incidents.closing import forget_if_settled
from routing.incidents.escalation import fall_through, is_answered, is_overtaken
from routing.incidents.folding import unanswered
from routing.incidents.incident import Case, Edit, Sent
from routing.incidents.paging import (
    MERE,
    OVER,
    PATIENCE,
    attempt,
    attempt_edit,
    begin_edit,
    edit,
    edit_timer,
    had_instead,
    page_timer,
)
from routing.incidents.posting import heard
from routing.incidents.refusals import note
from routing.incidents.turn import Turn
from routing.oncall.instants import utc
from schemas.cause import Reported
from schemas.outcome import Deferred, Delivered, Outcome

BACKOFF = timedelta(seconds=15)
MOST_BACKOFF = timedelta(minutes=5)
MOST_RETRY = timedelta(hours=1)
"""The router waits no longer than this, whatever a channel asks for."""


def reported(turn: Turn, cause: Reported) -> None:
    """Takes an outcome. One that is unknown, old or doubled changes nothing."""
    found = turn.state.messages.get(cause.page)
    if found is None:
        if not heard(turn, cause):
            turn.state.count("outcomes of unknown pages")
        return
    case = turn.state.cases[found[0]]
    sent = case.pages[found[1]]
    if isinstance(cause.outcome, Delivered) or (sent.id == cause.page and not case.drill):
        note(turn, sent.to, sent.channel, cause.outcome)
    if sent.edit is not None and sent.edit.id == cause.page:
        _edit_outcome(turn, case, sent, sent.edit, cause)
    elif isinstance(cause.outcome, Delivered):
        _delivered(turn, case, sent, cause.outcome)
    elif sent.state == "waiting" and cause.attempt == sent.attempt:
        _failed(turn, case, sent, cause.outcome)
    else:
        turn.state.count("outcomes repeated")
    turn.state.touch(case)
    forget_if_settled(turn, case)


def page_due(turn: Turn, case: Case, page_id: str) -> None:
    """The timer of a page: nothing was heard of an attempt, or it is time for the next one.

    A page of a resolved incident is not sent again, but its outcome is still waited for; its alert is
    closed in any case.
    """
    sent = case.pages[page_id]
    if sent.state == "waiting":
        sent.unheard = True
        _failed(turn, case, sent, Deferred(reason="no outcome was reported", retry_at=turn.now))
    if sent.state == "deferred":
        _again(turn, case, sent)
    forget_if_settled(turn, case)


def edit_due(turn: Turn, case: Case, page_id: str) -> None:
    """The timer of an update: the next attempt. It is set only while there is one that is not settled."""
    sent = case.pages[page_id]
    update = cast("Edit", sent.edit)
    if update.reason in MERE and is_shut(case, sent):
        update.settled = True
        turn.state.touch(case)
        return
    update.attempt += 1
    attempt_edit(turn, case, sent, update)


def _delivered(turn: Turn, case: Case, sent: Sent, outcome: Delivered) -> None:
    """However late it is: what was delivered is kept up to date."""
    if sent.state == "delivered":
        turn.state.count("outcomes repeated")
        return
    sent.state = "delivered"
    sent.unheard = False
    sent.reference = outcome.reference
    turn.disarm(case, page_timer(sent))
    wanted = "resolved" if not case.open else sent.wanted
    if sent.closed or is_replaced(case, sent):
        # It may have arrived after its alert was closed.
        begin_edit(turn, case, sent, "resolved")
    elif wanted is not None:
        edit(turn, case, sent, wanted)


def _failed(turn: Turn, case: Case, sent: Sent, outcome: Outcome) -> None:
    turn.disarm(case, page_timer(sent))
    if not isinstance(outcome, Deferred):
        sent.state = "dead"
        fall_through(turn, case, sent)
    elif sent.rest and sent.attempt >= PATIENCE:
        sent.state = "withdrawn"
        fall_through(turn, case, sent)
    else:
        sent.state = "deferred"
        turn.arm_at(case, page_timer(sent), _retry_at(turn, sent.attempt, outcome))
        if sent.attempt == PATIENCE and sent.target not in case.climbs:
            fall_through(turn, case, sent)
    _end(turn, case, sent)


def _again(turn: Turn, case: Case, sent: Sent) -> None:
    """The next attempt, while somebody still waits for the page.

    While a page that takes the place of its alert is on its way, that one rings; this one counts as failed
    again.
    """
    answered = sent.target in case.climbs and is_answered(case, sent)
    lapsed = not case.open or answered or is_overtaken(case, sent) or is_replaced(case, sent)
    if lapsed and not unanswered(turn, sent):
        sent.state = "withdrawn"
        _end(turn, case, sent)
    else:
        sent.attempt += 1
        if may_be_replaced(case, sent):
            _failed(turn, case, sent, Deferred(reason="another page is on its way in its place"))
        else:
            attempt(turn, case, sent)
    turn.state.touch(case)


def _end(turn: Turn, case: Case, sent: Sent) -> None:
    """Closes the alert that may be there of a page that failed after the end of its incident.

    Before it, the page that its recipient has instead shows what this one was to show.
    """
    if not case.open and may_be_there(sent):
        edit(turn, case, sent, "resolved")
    elif case.open and (sent.state in OVER or sent.attempt == PATIENCE):
        for each in had_instead(case, sent, "updated"):
            edit(turn, case, each, "updated")


def _retry_at(turn: Turn, attempt_no: int, outcome: Deferred) -> datetime:
    """When the channel asks for it, or after 15 s doubled by each attempt, at most 5 minutes.

    Where the clock is the events', the channel's wall time means nothing here.
    """
    if outcome.retry_at is not None and turn.state.core.clock == "wall":
        return min(max(utc(outcome.retry_at), turn.now), turn.now + MOST_RETRY)
    return turn.now + min(BACKOFF * (1 << min(attempt_no - 1, 10)), MOST_BACKOFF)


def _edit_outcome(turn: Turn, case: Case, sent: Sent, update: Edit, cause: Reported) -> None:
    if update.settled or cause.attempt != update.attempt:
        turn.state.count("outcomes repeated")
        return
    turn.disarm(case, edit_timer(sent))
    if isinstance(cause.outcome, Deferred):
        turn.arm_at(case, edit_timer(sent), _retry_at(turn, update.attempt, cause.outcome))
    else:
        update.settled = True
