"""Pages and their updates: sending, sending again, and keeping what was delivered up to date."""

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from routing.addressing import channel_key
from routing.incidents.alerts import (
    KEYED,
    give_key,
    is_gone,
    is_replaced,
    is_shut,
    may_be_there,
    replacing,
    stands_in,
)
from routing.incidents.briefing import content
from routing.incidents.crowding import least_needed, rings_on, shares, to_close
from routing.incidents.drills import room_of
from routing.incidents.folding import LASTING, reason_of, show_elsewhere, with_others
from routing.incidents.incident import Case, Edit, Sent
from routing.incidents.turn import Turn
from schemas.identity import derived
from schemas.page import Channel, Content, Page, PageReason, Update, UpdateReason

PAGE_CAP = 128
"""Pages kept of an incident; beyond, the one that is missed least is dropped, so it is no longer edited."""
CROWDED = 96
"""From so many on, alerts that others took the place of are closed for sure before they are dropped."""
UNKNOWN_AFTER = timedelta(minutes=2)
"""A page without an outcome for so long counts as deferred, where the clock is the wall's."""
OVER = ("dead", "withdrawn")
"""States of a page that will not arrive."""
PATIENCE = 4
"""Attempts after which a page does not get through for now: the next channel is tried, or the same one on."""
MERE: tuple[UpdateReason, ...] = ("updated", "commented")
"""Updates that change nothing about who has it."""


class Address(Struct, frozen=True, kw_only=True):
    """Where a page goes: to whom, over the first of `channels`; the others are tried when it is dead."""

    target: str
    to: str
    channels: tuple[Channel, ...]
    step: int = 0
    sequence: int = 0
    template: str = ""
    quiet: bool = False
    budget: str = ""
    speaks: tuple[str, ...] = ()
    ended: int = 0


def send(turn: Turn, case: Case, address: Address, reason: PageReason) -> Sent | None:
    """Sends a page, once: the same incident, target, step, recipient, sequence and channel is one page.

    None: it was sent before.
    """
    first, *rest = address.channels
    room, instead = room_of(turn, case), ""
    if room is not None:
        first, rest, instead = room, [], f"{address.to} ({first.kind})"
    # What a target's or recipient's name says of options need not be said twice.
    where = f"{first.kind}:{first.target}"
    parts = (address.target, str(address.step), address.to, str(address.sequence), where)
    page_id = derived("page", case.id, *parts)
    if page_id in case.pages:
        return None
    _make_room(turn, case)
    sent = Sent(
        id=page_id,
        target=address.target,
        to=address.to,
        channel=first,
        reason=reason,
        at=turn.now,
        rest=tuple(rest),
        step=address.step,
        sequence=address.sequence,
        takes=case.takes,
        opening=case.opening,
        template=address.template,
        quiet=address.quiet,
        instead=instead,
        budget=address.budget,
        speaks=address.speaks,
        ended=address.ended,
    )
    give_key(case, sent)
    case.pages[page_id] = sent
    turn.state.sent(case, sent)
    if address.to not in case.paged:
        case.paged = (*case.paged, address.to)[-PAGE_CAP:]
    attempt(turn, case, sent)
    turn.changed(case)
    return sent


def attempt(turn: Turn, case: Case, sent: Sent) -> None:
    """Gives a page to its notifier, for the first time or again."""
    sent.state = "waiting"
    shown = _shown(turn, case, sent)
    page = Page(
        id=sent.id,
        time=turn.now,
        incident=case.id,
        severity=shown.severity,
        to=sent.to,
        channel=sent.channel,
        reason=sent.reason,
        summary=shown.title,
        content=shown,
        attempt=sent.attempt,
        began=sent.at if sent.attempt > 1 else None,
        alert=sent.alert,
        replaces=sent.replaces,
    )
    turn.emit("pages", case.id, page)
    if turn.state.core.clock == "wall":
        turn.arm(case, page_timer(sent), UNKNOWN_AFTER)
    turn.state.touch(case)


def edit(turn: Turn, case: Case, sent: Sent, reason: UpdateReason) -> None:
    """Brings a page up to date, as soon as it is known to be delivered."""
    reason = reason_of(turn, case, sent, reason)
    if reason == "resolved" and sent.quiet:
        return
    if reason in MERE and is_shut(case, sent):
        return
    if sent.state == "delivered" or (reason == "resolved" and may_be_there(sent)):
        if not _was_ended(case, sent, reason):
            begin_edit(turn, case, sent, reason)
    elif sent.wanted != "resolved" or sent.channel.kind not in KEYED:
        # An alert that is late is closed, for what fires again has one of its own.
        sent.wanted = reason
    turn.state.touch(case)


def edit_latest(turn: Turn, case: Case, targets: Iterable[str], reason: UpdateReason) -> None:
    """Brings the last page to each recipient of the targets up to date."""
    names = dict.fromkeys(targets)
    # What did not get through shows nothing: the page before it does.
    pages = sorted(case.pages.values(), key=is_gone, reverse=True)
    # A page for several is an alert by itself, beside the incident's own.
    latest = {
        (
            sent.to,
            sent.target,
            channel_key(sent.channel),
            sent.channel.kind in KEYED and bool(sent.speaks),
        ): sent
        for sent in pages
    }
    done: dict[str, Sent] = {}
    for sent in [each for each in latest.values() if each.target in names]:
        done |= {each.id: each for each in (sent, *had_instead(case, sent, reason))}
    if reason not in MERE:
        done |= {
            each.id: each for each in case.pages.values() if each.target in names and _rings_still(case, each)
        }
    for sent in done.values():
        edit(turn, case, sent, reason)
    show_elsewhere(turn, case)


def had_instead(case: Case, sent: Sent, reason: UpdateReason) -> list[Sent]:
    """What its recipients have while a page is on its way: an alert that nobody answers rings on.

    A mere update goes to the last of it, once the page does not get through for now; but not where what was
    sent stays as it is.
    """
    if sent.state == "delivered":
        return []
    found = [each for each in stands_in(case, sent) if not (each.closed or is_replaced(case, each))]
    if reason not in MERE:
        return found
    given_up = sent.state in OVER or sent.attempt >= PATIENCE
    return found[-1:] if given_up and sent.channel.kind not in LASTING else []


def _rings_still(case: Case, sent: Sent) -> bool:
    """Whether an alert is still open, as far as is known: whoever takes its incident answers it."""
    is_kept = sent.channel.kind in KEYED and sent.state == "delivered" and not sent.closed
    return is_kept and not any(each.state == "delivered" for each in replacing(case, sent))


def attempt_edit(turn: Turn, case: Case, sent: Sent, update: Edit) -> None:
    """Gives an update to its notifier, for the first time or again."""
    shown = _shown(turn, case, sent)
    message = Update(
        id=update.id,
        time=turn.now,
        incident=case.id,
        severity=shown.severity,
        to=sent.to,
        channel=sent.channel,
        reason=update.reason,
        summary=shown.title,
        content=shown,
        page=sent.id,
        reference=sent.reference or sent.alert,
        attempt=update.attempt,
    )
    turn.emit("pages", case.id, message)
    if turn.state.core.clock == "wall":
        turn.arm(case, edit_timer(sent), UNKNOWN_AFTER)


def page_timer(sent: Sent) -> str:
    """The name of the timer of a page's next attempt."""
    return f"page {sent.id}"


def edit_timer(sent: Sent) -> str:
    """The name of the timer of the next attempt at a page's update."""
    return f"edit {sent.id}"


def begin_edit(turn: Turn, case: Case, sent: Sent, reason: UpdateReason) -> None:
    """Brings a page up to date now, in place of what was on its way."""
    sent.wanted = None
    sent.closed = sent.closed or (reason == "resolved" and sent.channel.kind in KEYED)
    turn.disarm(case, edit_timer(sent))
    if sent.edit is not None:
        turn.state.messages.pop(sent.edit.id, None)
    sent.edits += 1
    sent.edit = Edit(id=derived("upd", sent.id, reason, str(sent.edits)), reason=reason, opening=case.opening)
    turn.state.messages[sent.edit.id] = (case.id, sent.id)
    attempt_edit(turn, case, sent, sent.edit)


def _was_ended(case: Case, sent: Sent, reason: UpdateReason) -> bool:
    """Whether the end that is to be said was said last; alerts are told each end of an incident."""
    if sent.edit is None or (sent.edit.reason, reason) != ("resolved", "resolved"):
        return False
    return sent.channel.kind not in KEYED or sent.edit.opening == case.opening


def _shown(turn: Turn, case: Case, sent: Sent) -> Content:
    """What a page shows now, for the first time or by an edit."""
    shown = with_others(turn, case, sent, content(turn, case, sent.template))
    return replace(shown, instead=sent.instead)


def _make_room(turn: Turn, case: Case) -> None:
    """At the cap a page is dropped; its alert is closed, if another page does not keep it."""
    crowded = to_close(case) if len(case.pages) >= CROWDED else None
    if crowded is not None:
        begin_edit(turn, case, crowded, "resolved")
    if len(case.pages) < PAGE_CAP:
        return
    least = least_needed(case)
    if rings_on(least) and not shares(case, least):
        begin_edit(turn, case, least, "resolved")
    for each in case.pages.values():
        each.closed = each.closed or (least.state == "delivered" and least in replacing(case, each))
    turn.disarm(case, page_timer(least))
    turn.disarm(case, edit_timer(least))
    turn.state.forget_page(case, least.id)
    turn.state.count("pages dropped at the cap")
