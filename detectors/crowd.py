"""Agents beyond the cap of a partition: counted, and said so while they come."""

from msgspec import Struct

from schemas.identity import derived
from schemas.signal import Signal
from schemas.wire import moment

MOST_AGENTS = 20_000
"""Agents per partition; further ones share one key, and a signal says so."""
OVERFLOW = "(overflow)"
TOLD_EVERY_S = 60.0
OVER_AFTER_S = 900.0
"""Without a further event for this long, the next one begins a new signal."""


class Crowd(Struct, array_like=True):
    """Events of agents beyond the cap: how many, since when, when told, when the last. POSIX seconds."""

    events: int = 0
    since: float = 0.0
    told: float = 0.0
    at: float = 0.0

    def grow(self, now: float) -> None:
        """One more event."""
        self.events += 1
        if now - self.at > OVER_AFTER_S:
            self.since = now
        self.at = now

    def signal(self, where: str, most: int, at: float) -> Signal | None:
        """Due once a minute while such events come; it goes stale by itself when they stop.

        `where`: the partition; `most`: its cap.
        """
        is_new = self.told < self.at and at - self.at <= OVER_AFTER_S
        if not is_new or at - self.told < TOLD_EVERY_S:
            return None
        self.told = at
        labels = {"agent": OVERFLOW, "detector": "telemetry", "finding": "agents_capped", "partition": where}
        return Signal(
            id=derived("sig", "agents_capped", where, moment(self.since).isoformat()),
            detector="telemetry",
            finding="agents_capped",
            state="firing",
            labels=labels,
            time=moment(at),
            onset=moment(self.since),
            summary=f"{where} has more than {most:,} agents: the others are watched as one",
            observed=float(self.events),
            baseline=0.0,
            unit="events",
        )
