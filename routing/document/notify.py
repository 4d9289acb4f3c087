"""Whom a receiver or a step tells: a channel with its target, or people."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator

from routing.document.part import Part
from routing.document.scalars import PositiveDuration, Target, Template
from routing.notifiers.registry import discover

KINDS = tuple(discover())
"""The channels there are: one for each file of `routing.notifiers`."""
OPTIONS = ("secret", "token", "url")
"""What a channel may be given beside its target."""
CONTACTS = (*KINDS, *(kind for kind in ("email", "phone") if kind not in KINDS))
"""How a person is reached; those that are no channel yet are kept."""


class ChannelPart(Part):
    """One channel: its kind is the key, its target the value."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*channels": KINDS, "*options": OPTIONS}

    channels: dict[str, Target] = Field(default={}, alias="*channels")
    options: dict[str, Target] = Field(default={}, alias="*options")

    def one_of(self, *others: str | None) -> None:
        """Refuses an entry that names not exactly one thing, where `others` are values of other fields."""
        named = len(self.channels) + sum(other is not None for other in others)
        if named != 1:
            words = ", ".join(word for word in self.words() if word not in OPTIONS)
            raise ValueError(f"expected exactly one thing to notify, found {named} (fields: {words})")


class NotifyPart(ChannelPart):
    """`{slack: '#x', template: t}` or `{escalation: '{{ labels.team }}', fallback: platform}`."""

    escalation: Template | None = None
    fallback: str = ""
    template: str = ""
    send_resolved: bool = True
    digest: PositiveDuration | None = None

    @model_validator(mode="after")
    def _single(self) -> "NotifyPart":
        self.one_of(self.escalation)
        if self.escalation is None and self.fallback:
            raise ValueError("fallback goes with an escalation")
        return self


class PartyPart(ChannelPart):
    """`schedule: payments`, `user: ana` or `slack: '#x'`."""

    schedule: str | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _single(self) -> "PartyPart":
        self.one_of(self.schedule, self.user)
        return self
