"""A share of events with something wrong, against the share that is usual, and whose events they are."""

from math import sqrt

from msgspec import Struct

from detectors.dense import Number
from schemas.event import Event
from schemas.signal import Contributor, Sample

BLOCK = 100
"""Events that are judged together."""
FEWEST_BLOCKS = 5
MEMORY = 0.05
USUAL_TIMES = 5.0
SIGMAS = 5.0
FEWEST = 3.0
ADOPTED_S = 86400.0
MOST_PRODUCERS = 8
OTHER = "(other)"
MOST_SAMPLES = 3
COURSE = 30


class Raised(Struct, array_like=True):
    """A share that is told: since when; of its last block, whose events were wrong, and all by sender.

    `samples`: some of them.
    """

    onset: float
    share: float
    wrong: dict[str, int]
    sent: dict[str, int]
    samples: list[Sample] = []


class Share(Struct, array_like=True):
    """The state. Of the open block: events and wrong ones, by producer; since when any was wrong.

    `usual`: the mean share of the last twenty blocks or so; `course`: of the last thirty, each.
    """

    seen: int = 0
    first_wrong: Number = 0
    sent: dict[str, int] = {}
    wrong: dict[str, int] = {}
    usual: Number = 0
    blocks: int = 0
    raised: Raised | None = None
    samples: list[Sample] = []
    course: list[Number] = []

    def take(self, producer: str) -> None:
        """One event."""
        self.seen += 1
        sent = self.sent
        if producer in sent:
            sent[producer] += 1
        else:
            _count(sent, producer)

    def blame(self, producer: str, event: Event, now: float) -> None:
        """The event that was just taken is wrong."""
        if not self.wrong:
            self.first_wrong = now
        _count(self.wrong, producer)
        if len(self.samples) < MOST_SAMPLES:
            self.samples = [*self.samples, _sample(event)]

    def settle(self, now: float, least: float) -> None:
        """Judges the block when it is full. `least`: a smaller share is never told."""
        if self.seen < BLOCK:
            return
        share = sum(self.wrong.values()) / self.seen
        limit = max(least, USUAL_TIMES * self.usual, self._chance_limit)
        self.course = [*self.course[1 - COURSE :], round(share, 4) or 0]
        if self.raised is not None and now - self.raised.onset >= ADOPTED_S:
            self.adopt()
        if self.blocks >= FEWEST_BLOCKS and share >= limit:
            onset = self.raised.onset if self.raised is not None else self.first_wrong
            self.raised = Raised(onset, share, self.wrong, self.sent, self.samples)
        elif self.raised is None or share < limit / 2:
            self.raised = None
            self.blocks += 1
            self.usual += (share - self.usual) * max(MEMORY, 1 / self.blocks)
        self.seen, self.sent, self.wrong, self.samples = 0, {}, {}, []

    @property
    def _chance_limit(self) -> float:
        """A share that a block reaches by chance once in 900,000: of a Poisson count, whatever its mean."""
        known = self.usual + 1 / (BLOCK * max(1, self.blocks))
        mean = known * self.seen
        return (mean + SIGMAS * sqrt(mean) + FEWEST) / self.seen

    def adopt(self) -> None:
        """What is wrong now is usual: learns it anew."""
        self.raised, self.usual, self.blocks = None, 0, 0


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


def _sample(event: Event) -> Sample:
    data = event.data
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=" ".join(word for word in (data.operation.name, data.agent.version) if word),
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )


def _count(counts: dict[str, int], producer: str) -> None:
    name = producer if producer in counts or len(counts) < MOST_PRODUCERS else OTHER
    counts[name] = counts.get(name, 0) + 1
