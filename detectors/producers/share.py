"""A share of events with something wrong, against the share that is usual, and whose events they are."""

from msgspec import Struct

from schemas.signal import Contributor

BLOCK = 100
"""Events that are judged together."""
FEWEST_BLOCKS = 5
MEMORY = 0.05
USUAL_TIMES = 5.0
ADOPTED_S = 86400.0
MOST_PRODUCERS = 8
OTHER = "(other)"


class Raised(Struct, array_like=True):
    """A share that is told: since when; of its last block, whose events were wrong, and all by sender."""

    onset: float
    share: float
    wrong: dict[str, int]
    sent: dict[str, int]


class Share(Struct, array_like=True):
    """The state. Of the open block: events and wrong ones, by producer; since when any was wrong.

    `usual`: the mean share of the last twenty blocks or so; `examples`: events to look at.
    """

    seen: int = 0
    first_wrong: float = 0.0
    sent: dict[str, int] = {}
    wrong: dict[str, int] = {}
    usual: float = 0.0
    blocks: int = 0
    raised: Raised | None = None

    def take(self, producer: str) -> None:
        """One event."""
        self.seen += 1
        _count(self.sent, producer)

    def blame(self, producer: str, now: float) -> None:
        """What is wrong with the event that was just taken."""
        if not self.wrong:
            self.first_wrong = now
        _count(self.wrong, producer)

    def settle(self, now: float, least: float) -> None:
        """Judges the block when it is full. `least`: a smaller share is never told."""
        if self.seen < BLOCK:
            return
        share = sum(self.wrong.values()) / self.seen
        limit = max(least, USUAL_TIMES * self.usual)
        if self.raised is not None and now - self.raised.onset >= ADOPTED_S:
            self.adopt()
        if self.blocks >= FEWEST_BLOCKS and share >= limit:
            onset = self.raised.onset if self.raised is not None else self.first_wrong
            self.raised = Raised(onset, share, self.wrong, self.sent)
        elif self.raised is None or share < limit / 2:
            self.raised = None
            self.blocks += 1
            self.usual += (share - self.usual) * max(MEMORY, 1 / self.blocks)
        self.seen, self.sent, self.wrong = 0, {}, {}

    def adopt(self) -> None:
        """What is wrong now is usual: learns it anew."""
        self.raised, self.usual, self.blocks = None, 0.0, 0


def blamed(raised: Raised) -> tuple[Contributor, ...]:
    """Producers of what is wrong, the worst first."""
    total, sent = sum(raised.wrong.values()), sum(raised.sent.values())
    ranked = sorted(raised.wrong.items(), key=lambda each: (-each[1], each[0]))
    return tuple(
        Contributor(
            dimension="producer",
            value=producer,
            share=round(count / total, 4),
            lift=round(count / total / (raised.sent[producer] / sent), 2),
        )
        for producer, count in ranked[:3]
    )


def _count(counts: dict[str, int], producer: str) -> None:
    name = producer if producer in counts or len(counts) < MOST_PRODUCERS else OTHER
    counts[name] = counts.get(name, 0) + 1
