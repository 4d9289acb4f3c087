"""How a rollout is to go: its steps, how long each lasts, and what its sessions are compared by."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from detectors.durations import duration
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

Unit = Literal["session", "user"]


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
        return "/".join(str(said.get(PARTS.get(each, each)) or "") for each in self.strata)


def plan_of(options: Mapping[str, Any]) -> Plan:
    """A plan from the options of the detector.

    Raises:
        ValueError: one of them does not hold.
    """
    margins = {str(name): float(each) for name, each in dict(options.get("margins") or {}).items()}
    margins = {OTHER_NAMES.get(name, name): each for name, each in margins.items()}
    strata = tuple(str(each) for each in options.get("strata") or ())
    unknown = [each for each in margins if each not in METRICS]
    unknown += [each for each in strata if each not in PARTS and "." not in each]
    if unknown:
        known = f"margins of {', '.join(METRICS)}; strata of tenant, operation, model, or attributes"
        raise ValueError(f"expected {known}; found {', '.join(unknown)}")
    unit = options.get("unit", "session")
    if unit not in {"session", "user"}:
        raise ValueError(f"unit must be session or user, found {unit!r}")
    return Plan(
        alpha=float(options.get("alpha", 0.01)),
        ripe_s=duration(options.get("maturity", "15m")).total_seconds(),
        least_s=duration(options["min_time"]).total_seconds() if options.get("min_time") else 0.0,
        steps=tuple(_share(each) for each in options.get("steps") or ()),
        margins=margins,
        strata=strata,
        unit=unit,
    )


def _share(value: object) -> float:
    """A share as `0.05` or `5%`."""
    text = str(value).strip()
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)
