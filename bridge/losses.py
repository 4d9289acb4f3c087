"""What of the spans is lost, told as a signal: those that cannot be used, and what was more than is kept."""

from msgspec import Struct

from schemas.cause import Signalled
from schemas.identity import derived
from schemas.record import Output
from schemas.signal import Contributor, Signal
from schemas.wire import moment

WINDOW_S = 900.0
TOLD_EVERY_S = 60.0
MOST_NAMED = 8
OTHER = "(other)"
LONGEST = 64


class Losses(Struct, array_like=True):
    """Those of a quarter of an hour, by what they are of. Times in POSIX seconds, by the log's clock.

    `seen`: how many there were, lost or not. `since`: when the first came of those that go on. `why`: of the
    last one.
    """

    seen: int = 0
    lost: int = 0
    began: float = 0.0
    since: float = 0.0
    at: float = 0.0
    told: float = 0.0
    why: str = ""
    of: dict[str, int] = {}

    def see(self, now: float) -> None:
        """One more came."""
        if now < self.told - WINDOW_S:  # the clock came back from a time that was none
            self.told, self.at = 0.0, 0.0
        if not -WINDOW_S < now - self.began <= WINDOW_S:
            self.began, self.seen, self.lost, self.of = now, 0, 0, {}
        self.seen += 1

    def lose(self, now: float, of: str, why: str) -> None:
        """It was lost."""
        if now - self.at > WINDOW_S:
            self.since = now
        self.lost += 1
        self.at, self.why = now, why[:LONGEST]
        name = of[:LONGEST] or "(unknown)"
        if name not in self.of and len(self.of) >= MOST_NAMED:
            name = OTHER
        self.of[name] = self.of.get(name, 0) + 1

    def is_due(self, now: float, fewest: int, share: float) -> bool:
        """Whether they are to be told, once a minute while more come; the signal goes stale by itself."""
        return (
            self.told < self.at <= now < self.at + WINDOW_S
            and now - self.told >= TOLD_EVERY_S
            and self.lost >= fewest
            and self.lost >= share * self.seen
        )

    def signal(self, now: float, finding: str, where: str, words: str) -> Output:
        """The signal, told now. `where`: topic and partition."""
        self.told = now
        share = self.lost / max(self.seen, self.lost)
        ranked = sorted(self.of.items(), key=lambda each: (-each[1], each[0]))
        signal = Signal(
            id=derived("sig", finding, where, moment(self.since).isoformat()),
            detector="telemetry",
            finding=finding,
            state="firing",
            labels={"agent": f"({finding})", "detector": "telemetry", "finding": finding, "partition": where},
            time=moment(now),
            onset=moment(self.since),
            summary=f"{self.lost} {words}, mostly of {ranked[0][0]} ({self.why})",
            observed=round(share, 4),
            baseline=0.0,
            unit="share",
            contributors=tuple(
                Contributor(dimension="producer", value=name, share=round(each / self.lost, 4), lift=1.0)
                for name, each in ranked[:3]
            ),
        )
        return Output("causes", signal.labels["agent"], Signalled(at=signal.time, signal=signal), now)
