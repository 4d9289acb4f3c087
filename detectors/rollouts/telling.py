"""What is told of a rollout beside its verdict: how the canary went by the minute, and what failed in it."""

from collections.abc import Mapping
from math import isnan, nan

from msgspec import Struct, field

from detectors.contrast import ERROR_TYPE, Tally, contributors
from detectors.dense import Rows, single
from detectors.rollouts.sessions import METRICS
from schemas.event import Event
from schemas.signal import Contributor

MINUTE_S = 60.0
MINUTES = 30
PLACES: Mapping[str, int] = {name: 1 + 2 * at for at, name in enumerate(METRICS)}
"""Of a metric's count in a row of a minute; its sum follows."""


class Telling(Struct, array_like=True):
    """The state. `minutes`: of the last 30 in which canary sessions began, count and sum of each metric.

    `canary`, `control`: failed events of the arms' sessions, by what they are of.
    """

    minutes: Rows = field(default_factory=Rows)
    canary: Tally = field(default_factory=Tally)
    control: Tally = field(default_factory=Tally)

    def score(self, began: float, values: Mapping[str, float]) -> None:
        """A canary's session that is ripe; they come in the order in which they began."""
        rows, at = self.minutes.rows, float(began // MINUTE_S)
        if not rows or rows[-1][0] != at:
            rows[: 1 - MINUTES] = []
            rows.append([at] + [0.0] * (2 * len(METRICS)))
        row = rows[-1]
        for name, place in PLACES.items():
            value = values[name]
            if not isnan(value):
                row[place] += 1
                row[place + 1] = single(row[place + 1] + value)

    def fail(self, event: Event, *, canary: bool) -> None:
        """An event with an error, of a session that is compared."""
        data = event.data
        tally = self.canary if canary else self.control
        tally.weight += 1
        said = {
            ERROR_TYPE: data.error.type if data.error else None,
            "tool": data.tool.name if data.tool else None,
            "provider": data.provider.name if data.provider else None,
            "tenant": data.tenant.id if data.tenant else None,
        }
        for dimension, value in said.items():
            if value:
                tally.add(dimension, value)

    def failing(self) -> tuple[Contributor, ...]:
        """What stands out in the canary's failures against control's."""
        return contributors(self.canary, self.control)

    def sessions(self) -> tuple[float, ...]:
        """The canary's sessions, by minute."""
        return tuple(row[PLACES["sessions"]] for row in self.minutes.rows)

    def means(self, metric: str) -> tuple[float, ...]:
        """The canary's mean, by minute; where no session had the metric, that of the minute before."""
        place, mean, means = PLACES[metric], nan, list[float]()
        for row in self.minutes.rows:
            mean = row[place + 1] / row[place] if row[place] else mean
            means.append(mean)
        return tuple(round(each, 6) for each in means if not isnan(each))
