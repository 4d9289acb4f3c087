"""Names of channels: two that share a target are two where their options say whom they reach."""

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
