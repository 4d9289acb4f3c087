"""Signals: what a detector found, with everything routing and a page need."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]
"""An instant, with its offset from UTC."""

DRILL = "drill"
"""The label of all that belongs to a fire drill: the drill's id. Nothing real has it."""
DRILL_HEAD = "DRILL: "
"""What the sentences of a drill begin with."""
HELD = "held"


class Words(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record that is published: fields left at their defaults are left out."""


class Contributor(Words, frozen=True):
    """What stands out in the affected events against the others.

    `lift`: share among the affected divided by share among the others, 1 = no difference.
    """

    dimension: str
    value: str
    share: float
    lift: float


class Blast(Words, frozen=True):
    """How many are affected. `share`: of all sessions (or operations) in the window, in [0, 1]."""

    sessions: int = 0
    users: int = 0
    tenants: int = 0
    share: float = 0.0
    capped: bool = False
    """True where a count reached its cap: read it as "at least"."""


class Sample(Words, frozen=True):
    """One affected event, redacted, to look at."""

    event: str
    """`source` and `id` of the event, joined by a slash."""
    time: Time
    text: str = ""
    conversation: str | None = None
    trace: str | None = None


class Signal(Words, frozen=True):
    """A finding that holds (`firing`) or no longer holds (`resolved`).

    `id` is derived from what it is about: detector, finding, labels and onset. It stays the same while the
    finding is re-asserted. `confidence` in [0, 1]; `magnitude`: observed over baseline, or standard
    deviations, as `magnitude_unit` says; without one how many there are of what there should be none of.
    """

    id: str
    detector: str
    finding: str
    state: Literal["firing", "resolved"]
    labels: dict[str, str]
    time: Time
    onset: Time
    summary: str
    observed: float | None = None
    baseline: float | None = None
    unit: str = ""
    magnitude: float | None = None
    magnitude_unit: Literal["ratio", "sigma", "burn_rate", ""] = ""
    confidence: float = 1.0
    trend: Literal["rising", "falling", "steady", ""] = ""
    burn_rates: dict[str, float] = {}
    """Burn rate by window (`5m`, `1h`, …), where the finding has an SLO.

    Only windows whose pair holds with the guard.
    """
    blast: Blast = Blast()
    contributors: tuple[Contributor, ...] = ()
    samples: tuple[Sample, ...] = ()
    changes: tuple[str, ...] = ()
    """What changed lately: releases, rollout steps, configuration; newest first."""
    history: tuple[float, ...] = ()
    """The last values of what was observed, oldest first, one a minute: for a sparkline."""
    exhausted_in_s: float | None = None
    """Seconds until the error budget of three days is spent at this rate, 0 once it is."""
    reason: str = ""
    """Why it resolved: `recovered`, `stale`, `gone`, `rebased`, of a drill's `over`.

    Of one that fires, `held`: whoever tells it has just taken over. What fires goes on as it was told last,
    and nothing that does not fire begins.
    """
