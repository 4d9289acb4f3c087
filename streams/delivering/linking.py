"""What a worker needs for links in letters and cards: where they lead, and the secret that signs them."""

from collections import ChainMap
from collections.abc import Iterator, Mapping

import structlog

from routing.callbacks.links import LEAST_SECRET
from routing.configuration import examine
from routing.policy import ChannelTarget, Policy
from routing.words.answers import no_address
from routing.words.deed_links import SECRET, URL
from streams.hosting.rulebook import Rules
from streams.hosting.variables import value

LINKED = frozenset({"email", "teams"})
"""Channels whose messages have links in place of buttons."""
REMEDY = f"set {URL} to where `oversight serve` is reached, and {SECRET} (or {SECRET}_FILE) to its secret"
log = structlog.get_logger(__name__)


def with_link_secret(variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables, and the secret of links where a file holds it.

    Raises:
        Misconfigured: that file cannot be read.
    """
    return ChainMap({SECRET: value(variables, SECRET)}, dict(variables))


def warn_of_lacks(rules: Rules, variables: Mapping[str, str]) -> None:
    """Says once what keeps letters and cards from having links, where the rules send any."""
    policy = examine(rules.files).policy
    kinds = sorted({kind for kind in _kinds(policy) if kind in LINKED}) if policy else []
    lacks = list(_lacks(variables))
    if kinds and lacks:
        log.warning("links.impossible", channels=kinds, reason="; ".join(lacks), remedy=REMEDY)


def _lacks(variables: Mapping[str, str]) -> Iterator[str]:
    base, secret = variables.get(URL, ""), variables.get(SECRET, "").partition(",")[0].strip()
    if not base:
        yield f"{URL} is not set"
    elif no_address(base):
        yield f"{URL} is no address that begins with https:// or http://"
    if not secret:
        yield f"{SECRET} is not set"
    elif len(secret) < LEAST_SECRET:
        yield f"{SECRET} is shorter than {LEAST_SECRET} characters"


def _kinds(policy: Policy) -> Iterator[str]:
    """The kinds of channel that pages go to."""
    for user in policy.users.values():
        yield from user.contacts
    for receiver in policy.receivers.values():
        yield from (each.channel.kind for each in receiver.notify if isinstance(each, ChannelTarget))
    for escalation in policy.escalations.values():
        for step in escalation.steps:
            yield from (each.channel.kind for each in step.parties if each.channel is not None)
