"""Channels that take nothing: since when, as far as pages were sent over them. What arrives ends it."""

from datetime import datetime, timedelta

from routing.addressing import channel_key
from routing.incidents.incident import Case, Sent
from routing.incidents.state import Core, Refusal
from routing.incidents.turn import Turn
from routing.words.wording import one_line
from schemas.outcome import Delivered, Outcome
from schemas.page import Channel

LASTING = timedelta(minutes=10)
"""A channel that took nothing for so long, by two attempts at least, is told of."""
FORGOTTEN_AFTER = timedelta(days=1)
"""So long after the last attempt nobody knows whether it still takes nothing."""
CAP = 256
REASON = 200


def took(turn: Turn, channel: Channel) -> None:
    """The channel took something."""
    turn.state.core.refusals.pop(channel_key(channel), None)


def note(turn: Turn, case: Case, sent: Sent, outcome: Outcome) -> None:
    """What a channel said to a page; those of a fire drill are played to."""
    if isinstance(outcome, Delivered):
        took(turn, sent.channel)
        return
    if case.drill:
        return
    refusals, key = turn.state.core.refusals, channel_key(sent.channel)
    known = refusals.pop(key, None)
    since = turn.now if known is None or turn.now - known.last > FORGOTTEN_AFTER else known.since
    while len(refusals) >= CAP:
        del refusals[next(iter(refusals))]
    refusals[key] = Refusal(
        kind=sent.channel.kind,
        target=sent.channel.target,
        to=sent.to,
        since=since,
        last=turn.now,
        reason=one_line(outcome.reason, REASON),
    )


def lasting(core: Core, now: datetime) -> dict[str, Refusal]:
    """Channels that have taken nothing for long, by their keys."""
    return {
        key: each
        for key, each in core.refusals.items()
        if each.last - each.since >= LASTING and now - each.last <= FORGOTTEN_AFTER
    }
