"""Channels and their names: two that share a target are two where their options say whom they reach."""

import re
from collections.abc import Iterator

from routing.policy import ChannelTarget, Policy
from routing.schedule import schedules_in
from schemas.identity import canonical
from schemas.page import Channel

ADDRESSING = ("responders", "token", "url")
"""Options that say whom a channel reaches behind its target; the others say only how."""


def addressed(channel: Channel) -> str:
    """What its options say of whom a channel reaches, or nothing."""
    said = {name: channel.options[name] for name in ADDRESSING if name in channel.options}
    return canonical(said) if said else ""


def channel_key(channel: Channel) -> str:
    """The name under which is noted what a channel was told."""
    return f"{channel.kind}:{channel.target}{addressed(channel)}"


def shown(target: str) -> str:
    """A target as anybody may read it: of an address scheme and host, as the rest may be what lets one in.

    >>> shown("#oncall"), shown("https://ana:word@hooks.example/T0/secret?key=1")
    ('#oncall', 'https://hooks.example/…')
    """
    scheme, parted, rest = target.partition("://")
    if not parted:
        return target
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    return f"{scheme}://{authority.rpartition('@')[2]}/…"


def channels(policy: Policy) -> Iterator[Channel]:
    """Every channel over which somebody may be told something; one that is named twice comes twice.

    Among people's contacts may be kinds that are no channel's. Where a fire drill is told is left out.
    """
    for receiver in policy.receivers.values():
        yield from (each.channel for each in receiver.notify if isinstance(each, ChannelTarget))
    for escalation in policy.escalations.values():
        for step in escalation.steps:
            yield from (each.channel for each in step.parties if each.channel is not None)
    for user in policy.users.values():
        yield from map(user.channel, user.contacts)
    for schedule in schedules_in(policy.schedules).values():
        for kind, target in schedule.handoff.channels if schedule.handoff else ():
            yield Channel(kind=kind, target=target)
