"""Channels that take nothing: since when, as far as something was sent over them. What arrives ends it."""

from datetime import datetime, timedelta
from typing import Literal

from routing.addressing import channel_key, channels
from routing.incidents.state import Core, Refusal
from routing.incidents.turn import Turn
from routing.policy import Policy
from routing.words.wording import one_line
from schemas.outcome import Deferred, Delivered, Outcome
from schemas.page import Channel

LASTING = timedelta(minutes=10)
"""A channel that took nothing for so long, by two attempts at least, is told of."""
FORGOTTEN_AFTER = timedelta(days=1)
"""So long after the last attempt nobody knows whether it still takes nothing."""
CAP = 256
REASON = 200


def follow(turn: Turn) -> None:
    """Another policy: a channel that it lacks, or has under another address, refuses nothing any more."""
    refusals = turn.state.core.refusals
    for key in refusals.keys() - {channel_key(each) for each in channels(turn.policy)}:
        del refusals[key]


def took(turn: Turn, channel: Channel) -> None:
    """The channel took something."""
    known = turn.state.core.refusals.get(channel_key(channel))
    if known is not None:
        known.taken = known.taken or turn.now


def note(turn: Turn, to: str, channel: Channel, outcome: Outcome) -> None:
    """What a channel said to a page or a notice; those of a fire drill are played to."""
    if isinstance(outcome, Delivered):
        took(turn, channel)
        return
    if isinstance(outcome, Deferred) and outcome.unsent:
        return
    refusals, key = turn.state.core.refusals, channel_key(channel)
    _forget(turn)
    known = refusals.pop(key, None)
    if known is None and not _is_of(turn.policy, to, channel):
        # A page of earlier rules, which is tried again.
        return
    while len(refusals) >= CAP:
        del refusals[next(iter(refusals))]
        turn.state.count("channels that refuse forgotten at the cap")
    refusals[key] = Refusal(
        kind=channel.kind,
        target=channel.target,
        to=to,
        since=turn.now if known is None or known.taken else known.since,
        last=turn.now,
        reason=one_line(outcome.reason, REASON),
    )


def lasting(core: Core, now: datetime) -> dict[str, Refusal]:
    """Channels that have taken nothing for long, by their keys."""
    return {
        key: each
        for key, each in core.refusals.items()
        if each.taken is None and each.last - each.since >= LASTING and now - each.last <= FORGOTTEN_AFTER
    }


def ending(core: Core, policy: Policy, key: str) -> Literal["recovered", "gone", "stale"]:
    """Why a channel is not among those any more: it took something, the rules lack it, or nobody knows."""
    known = core.refusals.get(key)
    if known is not None and known.taken is not None:
        return "recovered"
    return "stale" if _has(policy, key) else "gone"


def _forget(turn: Turn) -> None:
    """What is over, or of which nobody knows."""
    refusals = turn.state.core.refusals
    for key, each in tuple(refusals.items()):
        is_over = each.taken is not None and turn.now - each.taken > LASTING
        if is_over or turn.now - each.last > FORGOTTEN_AFTER:
            del refusals[key]


def _is_of(policy: Policy, to: str, channel: Channel) -> bool:
    """Whether these rules have the channel. There may be thousands of people, and it is mostly theirs."""
    user, kind = policy.users.get(to), channel.kind
    is_theirs = user is not None and kind in user.contacts and user.channel(kind) == channel
    return is_theirs or _has(policy, channel_key(channel))


def _has(policy: Policy, key: str) -> bool:
    return any(channel_key(each) == key for each in channels(policy))
