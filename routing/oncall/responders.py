"""Who answers: the escalation a receiver means, and the people and channels of its steps at an instant."""

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from routing.oncall.walltime import zone
from routing.policy import Escalation, EscalationTarget, Party, Policy, Step, User
from routing.severity import RANK
from schemas.page import Channel, Severity

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


def responders(step: Step, policy: Policy, at: datetime, severity: Severity) -> tuple[Responder, ...]:
    """Whom a step reaches at an instant, each once; who has no contact that the step may use is left out."""
    return tuple(_Asked(policy, at, severity).reached(step).items())


def person(name: str, preferred: tuple[str, ...], policy: Policy) -> tuple[Responder, ...]:
    """A person by name, over the preferred kinds of channel, then the others; a screen only if preferred."""
    user = policy.users.get(name)
    if user is None:
        return ()
    others = (kind for kind in user.contacts if kind != SCREEN)
    kinds = [kind for kind in dict.fromkeys((*preferred, *others)) if kind in user.contacts]
    channels = tuple(user.channel(kind) for kind in kinds)
    return ((name, channels),) if channels else ()


def first_responders(escalation: Escalation, policy: Policy, at: datetime) -> tuple[str, ...]:
    """The names of whom an escalation reaches first at an instant: the same for every severity."""
    for step in escalation.steps:
        found = responders(step, policy, at, "info")
        if found or not escalation.skip_empty:
            return tuple(name for name, _ in found)
    return ()


class _Asked(Struct, frozen=True):
    """A question: whom does a step reach, now, for something so severe?

    `by`: teams that led here, so that none is asked by way of itself.
    """

    policy: Policy
    at: datetime
    severity: Severity
    by: tuple[str, ...] = ()

    def reached(self, step: Step) -> dict[str, tuple[Channel, ...]]:
        """Channels by name, of those who have any."""
        found: dict[str, tuple[Channel, ...]] = {}
        for party in step.parties:
            for name, channels in self._of(party, step).items():
                # Channels of two kinds may have the same target, and people the name of one.
                is_taken = name in self.policy.users or found.get(name, channels) != channels
                is_other = party.kind == "channel" and is_taken
                if channels:
                    found.setdefault(f"{channels[0].kind} {name}" if is_other else name, channels)
        return found

    def _of(self, party: Party, step: Step) -> dict[str, tuple[Channel, ...]]:
        if party.kind == "channel":
            return {party.name: (party.channel,) if party.channel else ()}
        if party.kind == "team":
            return self._team(party.name, step)
        rota = self.policy.schedules.get(party.name)
        names = (party.name,) if party.kind == "user" else rota.on_call(self.at) if rota else ()
        return {name: self._channels(name, step.via) for name in names}

    def _team(self, name: str, step: Step) -> dict[str, tuple[Channel, ...]]:
        """Whom the first step of the team's escalation that reaches anybody reaches."""
        team = self.policy.teams.get(name)
        escalation = self.policy.escalations.get(team.escalation) if team and name not in self.by else None
        inner = replace(self, by=(*self.by, name))
        for each in escalation.steps if escalation else ():
            if found := inner.reached(replace(each, via=step.via or each.via)):
                return found
        return {}

    def _channels(self, user: str, via: tuple[str, ...]) -> tuple[Channel, ...]:
        """The channels that the step may use: those that the person prefers now first, then the others."""
        person = self.policy.users.get(user)
        if person is None:
            return ()
        usable = [kind for kind in via or person.contacts if kind in person.contacts]
        wanted = [kind for kind in self._preferred(person) if kind in usable]
        kinds = dict.fromkeys([*wanted, *usable])
        return tuple(person.channel(kind) for kind in kinds)

    def _preferred(self, person: User) -> tuple[str, ...]:
        """By the first preference that holds."""
        place = zone(person.timezone)
        for each in person.preferences:
            in_hours = not each.only or any(window.holds(self.at, place) for window in each.only)
            if RANK[self.severity] >= RANK[each.severity] and in_hours:
                return each.via
        return ()
