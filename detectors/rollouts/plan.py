"""How a rollout is to go: its steps, how long each lasts, and what its sessions are compared by."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from msgspec import Struct

from detectors.durations import duration
from detectors.options import Unknown, positive, texts
from detectors.rollouts.packed import SHARES
from detectors.rollouts.sessions import METRICS
from schemas.event import Data

OTHER_NAMES = {"error": "sessions", "errors": "sessions", "cost_usd": "cost", "duration_s": "duration"}
"""What metrics are called besides, as in the `rollouts:` of the rules."""
PARTS = {
    "tenant": "tenant",
    "tenant.id": "tenant",
    "operation": "operation",
    "operation.name": "operation",
    "model": "model",
    "request.model": "model",
}
"""What strata are made of; a further name with a dot is an attribute of the event."""

NAMES = (*METRICS, *OTHER_NAMES)
"""All that metrics are called."""
OPTIONS = ("alpha", "margins", "maturity", "min_time", "steps", "strata", "unit")

LONGEST = 256
"""Characters of a stratum."""

Unit = Literal["session", "user"]
UNITS: tuple[Unit, ...] = get_args(Unit)


class Plan(Struct, frozen=True):
    """`steps`: shares of the canary in (0, 1], rising; `least_s`: how long each lasts at least.

    `ripe_s`: how long after its begin a session is scored. `unit`: what the router draws.
    """

    alpha: float
    ripe_s: float
    least_s: float
    steps: tuple[float, ...]
    margins: Mapping[str, float]
    strata: tuple[str, ...]
    unit: Unit

    def after(self, share: float | None) -> float | None:
        """The step that follows a share, or None where none is known. A share is rounded, a step is not."""
        if share is None:
            return None
        present = round(share * SHARES)
        return next((each for each in self.steps if round(each * SHARES) > present), None)

    def stratum(self, data: Data) -> str:
        """Of a session that begins with this event, where its release names none."""
        if not self.strata:
            return ""
        named = {
            "tenant": data.tenant.id if data.tenant is not None else None,
            "operation": data.operation.name,
            "model": data.request.model if data.request is not None else None,
        }
        said = {**(data.attributes or {}), **named}
        named_so = (str(said.get(PARTS.get(each, each)) or "") for each in self.strata)
        # Attributes may be of any length, and each open session has its stratum.
        return "/".join(named_so)[:LONGEST]


def plan_of(options: Mapping[str, Any]) -> Plan:
    """A plan from the options of the detector.

    Raises:
        ValueError: one of them does not hold.
    """
    margins = _margins(options.get("margins") or {})
    strata = texts(options, "strata")
    strange = next((each for each in strata if each not in PARTS and "." not in each), None)
    if strange is not None:
        raise Unknown("part of an event", strange, (*PARTS, "a name with a dot"))
    unit, least = options.get("unit", "session"), options.get("min_time")
    if unit not in UNITS:
        raise Unknown("unit", str(unit), UNITS)
    return Plan(
        alpha=float(options.get("alpha", 0.01)),
        ripe_s=duration(options.get("maturity", "15m")).total_seconds(),
        least_s=duration(least).total_seconds() if least else 0.0,
        steps=tuple(_share(each) for each in options.get("steps") or ()),
        margins=margins,
        strata=strata,
        unit=unit,
    )


def _margins(given: object) -> Mapping[str, float]:
    """By metric, under its own name."""
    if not isinstance(given, Mapping):
        raise ValueError(f"expected margins by metric, such as error: 1.5; found {given!r}")  # noqa: TRY004 - a wrong option is a wrong value
    strange = next((str(name) for name in given if name not in NAMES), None)
    if strange is not None:
        raise Unknown("metric", strange, NAMES)
    return {OTHER_NAMES.get(str(name), str(name)): positive(margin) for name, margin in given.items()}


def _share(value: object) -> float:
    """A share as `0.05` or `5%`."""
    text = str(value).strip()
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)
