"""Who would be told, when and over which channel, if nobody answered: one round of each escalation."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from routing.oncall.responders import chosen, responders
from routing.policy import ChannelTarget, Escalation, Policy, Route
from routing.words.wording import duration
from schemas.page import Channel, Severity


class Foreseen(Struct, frozen=True, kw_only=True):
    """At `at` a receiver would tell `to` over the first of `channels`; the others follow where one is dead.

    `step`: of the escalation, from 1 on; 0 where there is none. `note`: what else is to be said.
    `gathered`: it is told by a digest, which is no page.
    """

    at: datetime
    receiver: str
    to: str
    channels: tuple[str, ...] = ()
    escalation: str = ""
    step: int = 0
    note: str = ""
    gathered: bool = False


class Asked(Struct, frozen=True):
    """For what it is to be foreseen."""

    policy: Policy
    labels: Mapping[str, str]
    at: datetime
    severity: Severity


def foreseen(asked: Asked, routes: Sequence[Route]) -> tuple[Foreseen, ...]:
    """What follows from the routes that take a label set, in order of time."""
    found = [each for route in routes for each in _of_route(asked, route)]
    return tuple(sorted(found, key=lambda each: each.at))


def _of_route(asked: Asked, route: Route) -> Iterator[Foreseen]:
    begin = asked.at + route.group_wait
    for target in asked.policy.receivers[route.receiver].notify:
        if isinstance(target, ChannelTarget):
            note = f"gathered for {duration(target.digest)}" if target.digest else ""
            yield _channel(begin, route.receiver, target, note)
            continue
        escalation = chosen(target, asked.labels, asked.policy)
        if escalation is None:
            yield from _channels(asked, "", begin, "it names no escalation that there is")
        else:
            yield from _climb(asked, route.receiver, escalation, begin)


def _climb(asked: Asked, receiver: str, escalation: Escalation, begin: datetime) -> Iterator[Foreseen]:
    at = begin
    for number, step in enumerate(escalation.steps, 1):
        found = responders(step, asked.policy, at, asked.severity)
        nobody = "reaches nobody: the next step at once" if escalation.skip_empty else "reaches nobody"
        for to, channels in found or (("", ()),):
            yield Foreseen(
                at=at,
                receiver=receiver,
                to=to,
                channels=tuple(map(_shown, channels)),
                escalation=escalation.name,
                step=number,
                note="" if found else nobody,
            )
        if found or not escalation.skip_empty:
            at += step.wait
    again = f"after the same {escalation.repeat + 1} times" if escalation.repeat else "when nobody answered"
    yield from _channels(asked, escalation.exhausted, at + (at - begin) * escalation.repeat, again)


def _channels(asked: Asked, name: str, at: datetime, note: str) -> Iterator[Foreseen]:
    """The channels of a receiver; those of the root where it is none."""
    receiver = asked.policy.receivers.get(name) or asked.policy.receivers[asked.policy.route.receiver]
    for target in receiver.notify:
        if isinstance(target, ChannelTarget):
            yield _channel(at, receiver.name, target, note)


def _channel(at: datetime, receiver: str, target: ChannelTarget, note: str) -> Foreseen:
    return Foreseen(
        at=at,
        receiver=receiver,
        to=receiver,
        channels=(_shown(target.channel),),
        note=note,
        gathered=target.digest is not None,
    )


def _shown(channel: Channel) -> str:
    return f"{channel.kind} {channel.target}"
