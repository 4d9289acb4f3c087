"""From people, schedules, escalations and receivers as they are written to what the router follows."""

from collections.abc import Sequence

from routing.addressing import addressed
from routing.oncall.rotation import Layer, Window
from routing.policy import (
    MINUTE,
    ChannelTarget,
    Escalation,
    EscalationTarget,
    Party,
    Preference,
    Receiver,
    Step,
    User,
)
from routing.rules.document.alertmanager import ReceiverPart
from routing.rules.document.notify import ChannelPart, NotifyPart, PartyPart
from routing.rules.document.people import (
    EscalationPart,
    LayerPart,
    SchedulePart,
    StepPart,
    UserPart,
    WindowPart,
)
from routing.schedule import Handoff, Override, Roster, Schedule, Swap, moment_of
from schemas.page import Channel

TERMINAL = "terminal"
"""Everybody is reached on the process's own terminal, without a contact."""
WAIT = 5 * MINUTE


def receiver_of(part: ReceiverPart) -> Receiver:
    """A receiver and whom it tells."""
    return Receiver(
        name=part.name,
        notify=tuple(_target(each) for each in part.notify),
        integrations=tuple(name for name, entries in part.integrations.items() if entries),
    )


def user_of(name: str, part: UserPart) -> User:
    """A person; without a time zone of their own, UTC."""
    contacts = {kind: each.to for kind, each in part.contacts.items()}
    contacts.setdefault(TERMINAL, name)
    preferences = tuple(
        Preference(via=each.via, severity=each.severity, only=windows_of(each.only or ()))
        for each in part.contact
    )
    place = part.tz.key if part.tz else "UTC"
    options = {kind: dict(each.options) for kind, each in part.contacts.items() if each.options}
    return User(name=name, timezone=place, contacts=contacts, options=options, preferences=preferences)


def schedule_of(name: str, part: SchedulePart, roster: Roster | None) -> Schedule:
    """A schedule; its layers are named by number where they have no name. `roster`: its calendar's people."""
    handoff = part.handoff
    layers = tuple(_layer(each, part, number) for number, each in enumerate(part.layers, 1))
    return Schedule(
        name=name,
        place=part.timezone,
        layers=layers,
        overrides=tuple(
            Override(each.user, moment_of(each.start, part.timezone), moment_of(each.end, part.timezone))
            for each in part.overrides
        ),
        swaps=tuple(
            Swap(
                (each.users[0], each.users[1]),
                moment_of(each.start, part.timezone),
                moment_of(each.end, part.timezone),
            )
            for each in part.swaps
        ),
        gaps="warning" if part.gaps == "warn" else part.gaps,
        overlaps=part.overlaps,
        handoff=Handoff(handoff.notice, tuple(handoff.channels.items())) if handoff else None,
        calendar=part.ical or "",
        match=part.match,
        roster=roster,
    )


def escalation_of(name: str, part: EscalationPart) -> Escalation:
    """An escalation and its steps."""
    return Escalation(
        name=name,
        steps=tuple(_step(each) for each in part.steps),
        repeat=part.repeat,
        ack_timeout=part.ack_timeout,
        exhausted=part.exhausted.receiver if part.exhausted else "",
        skip_empty=part.nobody_on_call == "skip_wait",
    )


def _target(part: NotifyPart) -> ChannelTarget | EscalationTarget:
    if part.escalation is not None:
        return EscalationTarget(escalation=part.escalation, fallback=part.fallback)
    return ChannelTarget(
        channel=_channel(part), send_resolved=part.send_resolved, template=part.template, digest=part.digest
    )


def _channel(part: ChannelPart) -> Channel:
    kind, target = next(iter(part.channels.items()))
    return Channel(kind=kind, target=target, options=dict(part.options))


def _step(part: StepPart) -> Step:
    return Step(
        parties=tuple(_party(each) for each in part.notify),
        via=part.via,
        wait=WAIT if part.wait is None else part.wait,
    )


def _party(part: PartyPart) -> Party:
    if part.schedule is not None:
        return Party(kind="schedule", name=part.schedule)
    if part.user is not None:
        return Party(kind="user", name=part.user)
    if part.team is not None:
        return Party(kind="team", name=part.team)
    channel = _channel(part)
    return Party(kind="channel", name=f"{channel.target}{addressed(channel)}", channel=channel)


def _layer(part: LayerPart, schedule: SchedulePart, number: int) -> Layer:
    return Layer(
        name=part.name or f"layer {number}",
        place=schedule.timezone,
        start=part.start,
        every=part.every,
        users=part.users,
        only=windows_of(part.only or ((WindowPart(),) if part.skip_holidays else ()), part.skip_holidays),
    )


def windows_of(parts: Sequence[WindowPart], skips: str = "") -> tuple[Window, ...]:
    """The hours, where no holiday of `skips` begins them."""
    return tuple(Window(each.days, each.begin, each.end, skips) for each in parts)
