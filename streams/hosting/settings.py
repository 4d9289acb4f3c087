"""The detectors' part of a configuration."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from detectors.settings import Settings, Watch
from routing.configuration import ConfigFaults, load
from routing.policy import Policy
from schemas.cause import ConfigFile


def detector_settings(policy: Policy) -> Settings:
    """What detectors follow, from a compiled policy."""
    watches = tuple(
        Watch(
            agent=owned.name,
            consequence=owned.consequence,
            slo=owned.slo,
            budget_usd=owned.budget_usd,
            budget_period=owned.budget_period,
            reference=owned.reference,
            validated=owned.validated,
        )
        for owned in policy.agents
    )
    raw: dict[str, Any] = dict(policy.raw)
    options = raw.get("detectors") or {}
    return Settings(
        agents=watches or (Watch(),),
        detectors={str(name): dict(each or {}) for name, each in options.items()},
        prices=policy.prices,
        redact=tuple(raw.get("redact") or ()),
        errors=tuple((mode.type.value, mode.error_class) for mode in policy.errors),
        rollouts=tuple(
            (
                str(each["agent"]),
                {name: each[name] for name in each if name != "agent" and each[name] is not None},
            )
            for each in raw.get("rollouts") or ()
        ),
    )


def read_settings(files: Sequence[ConfigFile]) -> Settings:
    """What detectors follow, from the text of a configuration; the defaults where there is none.

    Raises:
        ValueError: the configuration has faults; the message lists them.
    """
    if not files:
        return Settings()
    try:
        return _settings(tuple(files))
    except ConfigFaults as faults:
        raise ValueError("; ".join(str(fault) for fault in faults.faults)) from faults


@lru_cache(maxsize=2)
def _settings(files: tuple[ConfigFile, ...]) -> Settings:
    """Read once for all partitions of a worker: a large configuration takes seconds."""
    return detector_settings(load(files))
