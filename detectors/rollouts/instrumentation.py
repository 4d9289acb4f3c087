"""Whether both arms are recorded alike: arrivals, what records lack, and the version of their schema.

Where they are not, no comparison means anything, and saying so comes before any other verdict.
"""

from collections import Counter
from math import log

import msgspec
import numpy as np
from msgspec import Struct

from detectors.rollouts.arrivals import Arrivals
from detectors.rollouts.blocks import Labels, Numbers, log_likelihood
from detectors.rollouts.scores import LOCAL, LOG_ODDS, log_mean, log_sum
from detectors.rollouts.stakes import Stakes

MOST_SCHEMAS = 16
TRIED: Numbers = np.concatenate([-LOG_ODDS[LOCAL], LOG_ODDS[LOCAL]])
"""Records may lack more, or less, in the canary: log odds ratios."""
FAULTS = ("arrivals", "missing fields", "schema version")


class Saved(Struct, array_like=True):
    """An `Instrumentation`; what is all 0 has no bytes."""

    arrivals: list[Arrivals]
    stakes: Stakes
    lacking: bytes
    schema: bytes
    schemas: dict[str, int]


class Instrumentation:
    """The evidence that the arms are recorded differently."""

    def __init__(self) -> None:
        self._arrivals: list[Arrivals] = []
        self._stakes = Stakes()
        self._lacking: Numbers = np.zeros(len(TRIED))
        self._schema: Numbers = np.zeros(len(TRIED))
        self._schemas: dict[str, int] = {}

    def schema(self, version: str) -> int:
        """A number for a schema's version; versions beyond a cap share one."""
        return self._schemas.setdefault(version, len(self._schemas)) if self._knows(version) else MOST_SCHEMAS

    def _knows(self, version: str) -> bool:
        return version in self._schemas or len(self._schemas) < MOST_SCHEMAS

    def enter(self) -> None:
        """A further stratum."""
        self._arrivals.append(Arrivals())
        self._stakes.enter()

    def take(self, stratum: int, records: Numbers, canary: Labels, share: float | None) -> None:
        """A block's records: twice their schema's number, and one more where they lack something."""
        arrivals = self._arrivals[stratum]
        arrivals.count(int(canary.sum()), len(canary), share)
        self._stakes.won[stratum] = arrivals.evidence(share)
        schemas, lacks = np.divmod(records, 2)
        if lacks.any():
            self._lacking += log_likelihood(np.outer(lacks, TRIED), canary)
        if (schemas != schemas[0]).any():
            [(usual, _)] = Counter(schemas.tolist()).most_common(1)
            self._schema += log_likelihood(np.outer(schemas != usual, TRIED), canary)

    def step(self, stratum: int, share: float | None) -> None:
        """Another share holds from here on; `share` is the one that held."""
        self._arrivals[stratum].step(share)

    @property
    def counts(self) -> list[tuple[int, int]]:
        """Canaries and sessions by stratum, of this step, while both arms take part."""
        return [
            (each.canaries + each.alone * each.alone_canary, each.all + each.alone) for each in self._arrivals
        ]

    @property
    def evidence(self) -> float:
        """Logarithm of the evidence, a third each on arrivals, missing fields and schema."""
        return log_sum(self._parts()) - log(len(FAULTS))

    @property
    def fault(self) -> str:
        """Which differs most between the arms."""
        parts = self._parts()
        return FAULTS[parts.index(max(parts))]

    def _parts(self) -> list[float]:
        return [self._stakes.total, log_mean(self._lacking), log_mean(self._schema)]

    def save(self) -> Saved:
        """What `load` takes."""
        lacking, schema = (each.tobytes() if each.any() else b"" for each in (self._lacking, self._schema))
        return Saved(self._arrivals, self._stakes, lacking, schema, self._schemas)

    def load(self, saved: Saved) -> None:
        """Continues from what was saved."""
        own = msgspec.structs.asdict(saved)
        self._arrivals, self._stakes, self._schemas = own["arrivals"], own["stakes"], own["schemas"]
        self._lacking, self._schema = (
            np.frombuffer(each).copy() if each else np.zeros(len(TRIED))
            for each in (saved.lacking, saved.schema)
        )
