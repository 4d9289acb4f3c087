"""What detectors follow: who is watched, with which objectives. Every field has a working default."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from schemas.event import ErrorClass


class Watch(Struct, frozen=True, kw_only=True):
    """How one agent (or a glob of agents) is watched.

    `slo`: objective by stream (`sessions`, `tools`, `models`), a share in (0, 1). `budget_usd` per
    `budget_period`. `reference`: number of first inputs of a release that make the reference; `validated`:
    texts that do, as far as texts are concerned.
    """

    agent: str = "*"
    consequence: str = "moderate"
    slo: Mapping[str, float] = {}
    budget_usd: float | None = None
    budget_period: str = "day"
    reference: int = 2000
    validated: tuple[str, ...] = ()


class Settings(Struct, frozen=True, kw_only=True):
    """The detectors' part of a configuration. `detectors`: overrides by detector name; `redact`: patterns.

    `errors`: RE2 expressions over error types with the class of what they fit, the first that fits holds.
    `rollouts`: options of the detector `rollout` by glob on the agent's name, the first that matches.
    """

    agents: tuple[Watch, ...] = (Watch(),)
    detectors: Mapping[str, Mapping[str, Any]] = {}
    prices: Mapping[str, Mapping[str, float]] = {}
    redact: tuple[str, ...] = ()
    errors: tuple[tuple[str, ErrorClass], ...] = ()
    rollouts: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def watch(self, agent: str) -> Watch:
        """The first entry whose glob matches the agent's name, or the defaults."""
        return next((each for each in self.agents if fnmatchcase(agent, each.agent)), Watch())

    def on(self, detector: str) -> bool:
        """Whether a detector is wanted: it is, unless it says `enabled: false`."""
        return str(self.detectors.get(detector, {}).get("enabled", True)).lower() != "false"

    def options(self, detector: str, agent: str = "") -> Mapping[str, Any]:
        """The overrides of a detector of an agent, with the patterns that everybody redacts."""
        apart = (options for glob, options in self.rollouts if fnmatchcase(agent, glob))
        return self.overridden(detector, next(apart, {}) if detector == "rollout" else {})

    def overridden(self, detector: str, apart: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same where these options go before those of everybody."""
        own = {**self.detectors.get(detector, {}), **apart}
        return {**own, "redact": (*self.redact, *own.get("redact", ()))} if self.redact else own
