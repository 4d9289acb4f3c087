"""Who answers: the escalation a receiver means, and the people and channels of its steps at an instant."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from routing.policy import Escalation, EscalationTarget, Party, Policy, Step
from schemas.page import Channel

LABEL = re.compile(r"\{\{\s*labels\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
SCREEN = "terminal"
"""Everybody has it, and nobody looks at it by night."""
Responder = tuple[str, tuple[Channel, ...]]
"""A name, and the channels that reach it, in order of preference."""


def chosen(target: EscalationTarget, labels: Mapping[str, str], policy: Policy) -> Escalation | None:
    """The escalation a target means for these labels: the team's or of this name, else the fallback's."""
    for text in (target.escalation, target.fallback):
        name = LABEL.sub(lambda found: labels.get(found[1], ""), text)
        team = policy.teams.get(name)
        found = policy.escalations.get(team.escalation if team else name)
        if found is not None:
            return found
    return None


def responders(step: Step, policy: Policy, at: datetime) -> tuple[Responder, ...]:
    """Whom a step reaches at an instant, each once; who has no contact that the step may use is left out."""
    found: dict[str, tuple[Channel, ...]] = {}
    for party in step.parties:
        for name, channels in _reached(party, step, policy, at):
            if channels:
                found.setdefault(name, channels)
    return tuple(found.items())


def person(name: str, preferred: tuple[str, ...], policy: Policy) -> tuple[Responder, ...]:
    """A person by name, over the preferred kinds of channel, then the others; a screen only if preferred."""
    user = policy.users.get(name)
    others = (kind for kind in user.contacts if kind != SCREEN) if user else ()
    channels = _channels(name, tuple(dict.fromkeys((*preferred, *others))) or ("",), policy)
    return ((name, channels),) if channels else ()


def first_responders(escalation: Escalation, policy: Policy, at: datetime) -> tuple[str, ...]:
    """The names of whom an escalation reaches first at an instant."""
    for step in escalation.steps:
        found = responders(step, policy, at)
        if found or not escalation.skip_empty:
            return tuple(name for name, _ in found)
    return ()


def _reached(party: Party, step: Step, policy: Policy, at: datetime) -> Iterator[Responder]:
    if party.kind == "channel":
        yield party.name, (party.channel,) if party.channel else ()
        return
    rota = policy.schedules.get(party.name)
    names = (party.name,) if party.kind == "user" else rota.on_call(at) if rota else ()
    for name in names:
        yield name, _channels(name, step.via, policy)


def _channels(user: str, via: tuple[str, ...], policy: Policy) -> tuple[Channel, ...]:
    contacts = policy.users[user].contacts if user in policy.users else {}
    return tuple(Channel(kind=kind, target=contacts[kind]) for kind in via or contacts if kind in contacts)
