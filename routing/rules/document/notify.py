"""Whom a receiver or a step tells: a channel with its target, or people."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from routing.notifiers.registry import discover
from routing.rules.document.part import Part
from routing.rules.document.scalars import PositiveDuration, Target, Template

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=7)
KINDS = tuple(discover())
"""The channels there are: one for each file of `routing.notifiers`."""
OPTIONS = tuple(sorted({name for notifier in discover().values() for name in notifier.options}))
"""What channels may be given beside their target; which take which is checked in `routing.rules.channels`."""
CONTACTS = (*KINDS, *(kind for kind in ("email", "phone") if kind not in KINDS))
"""How a person is reached; those that are no channel yet are kept."""


class ChannelPart(Part):
    """One channel: its kind is the key, its target the value."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*channels": KINDS, "*options": OPTIONS}

    channels: dict[str, Target] = Field(default={}, alias="*channels")
    options: dict[str, Target] = Field(default={}, alias="*options")

    def require_one(self, **others: str | None) -> None:
        """An entry names one thing: a channel, or one of the fields `others`.

        Raises:
            ValueError: naming what may be written.
        """
        given = [*self.channels, *(name for name, value in others.items() if value is not None)]
        if len(given) != 1:
            words = ", ".join([*others, *KINDS])
            raise ValueError(f"expected one of {words} in an entry; found {' and '.join(given) or 'none'}")


def _period(span: timedelta) -> timedelta:
    if not SHORTEST <= span <= LONGEST:
        raise ValueError("expected a period from 1m to 7d, such as 1h")
    return span


Period = Annotated[PositiveDuration, AfterValidator(_period)]
"""How often a digest is told."""


class NotifyPart(ChannelPart):
    """`{slack: '#x', template: t}` or `{escalation: '{{ labels.team }}', fallback: platform}`."""

    escalation: Template | None = None
    fallback: str = ""
    template: str = ""
    send_resolved: bool = True
    digest: Period | None = None

    @model_validator(mode="after")
    def _single(self) -> "NotifyPart":
        if self.escalation is None and self.fallback:
            raise ValueError(
                "fallback stands in the same entry as an escalation: {escalation: …, fallback: …}"
            )
        self.require_one(escalation=self.escalation)
        if self.escalation is not None and self.digest:
            raise ValueError(
                "a digest pages nobody: expected it beside a channel, such as {slack: '#x', digest: 1h}"
            )
        return self


class PartyPart(ChannelPart):
    """`schedule: payments`, `user: ana`, `team: payments` or `slack: '#x'`."""

    schedule: str | None = None
    user: str | None = None
    team: str | None = None

    @model_validator(mode="after")
    def _single(self) -> "PartyPart":
        self.require_one(schedule=self.schedule, user=self.user, team=self.team)
        return self
