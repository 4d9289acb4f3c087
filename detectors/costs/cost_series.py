"""Cost per interaction of one model, minute by minute, against its own history: only up matters.

Each minute's mean becomes the chance of one as high (`log_tail`), that an e-value k·p^(k-1), and
those a Shiryaev-Roberts statistic with a mass of one per second: with minutes that are alike, the mean time
to a false alarm is at least the threshold in seconds. Minutes of a rise are learnt only once it turned out
to be none.
"""

from math import exp, log

from msgspec import Struct, field

from detectors.contrast import Recent, Tally, values
from detectors.costs.log_tail import TAIL, LogTail, Tail
from detectors.dense import Pairs
from detectors.lasting import ADOPTED_S, Lasting
from schemas.event import Event
from schemas.signal import Sample

MINUTE_S = 60.0
FEWEST = 8
"""Interactions that make a mean: a minute with fewer is joined with the next."""
WARM_UP = 60
"""Means learnt before anything is judged."""
REMEMBERED = 5760
WAITING = 120
COMPARED_A_MINUTE = 16
POWER = 0.5
SMALLEST_RATIO = 1.5
GROUP = 10
HIGH, ABOVE_HIGH = 0.995, 1.25
"""A rise is worth a person's time if its mean reaches 1.5 times the usual one, and 1.25 times what one in two
hundred means of ten minutes exceeds: neighbouring minutes are alike, and slow swings of a day are among
those.
"""
FEWEST_SESSIONS = 3
RECOVERED_RATIO = 1.25
RECOVERY_S = 600.0
HISTORY = 30
IDLE_CAP_S = 600.0
MOST_SESSIONS = 64


class Minute(Struct, array_like=True):
    """The open minute: interactions, their cost in USD, tokens, and what was looked at closer.

    `counted`: USD of it that the budget knows of. `spread`: USD of it that belong to the days before, and
    `earlier`: what was looked at of those. `lately`, `latest`: the dearest since it was last joined.
    """

    count: int = 0
    cost: float = 0.0
    tokens: int = 0
    tally: Tally = field(default_factory=Tally)
    room: int = COMPARED_A_MINUTE
    dearest: float = 0.0
    sample: Sample | None = None
    sessions: dict[str, int] = {}
    counted: float = 0.0
    spread: float = 0.0
    earlier: Tally = field(default_factory=Tally)
    lately: float = 0.0
    latest: Sample | None = None

    @property
    def is_full(self) -> bool:
        """Whether it makes a mean; otherwise the next minute is joined."""
        return self.count >= FEWEST

    def end_day(self) -> None:
        """What it has so far belongs to the day that is over."""
        self.tally.join(self.earlier)
        self.spread, self.earlier, self.tally = self.cost, self.tally, Tally()


class Rise(Struct, array_like=True):
    """A run of minutes above what is usual, from POSIX seconds `onset` on; an incident once `told`."""

    onset: float
    evidence: float = 0.0
    told: bool = False
    count: int = 0
    cost: float = 0.0
    tokens: int = 0
    tally: Tally = field(default_factory=Tally)
    samples: list[Sample] = []
    sessions: dict[str, int] = {}
    full: bool = False

    def take(self, minute: Minute) -> None:
        """A minute that belongs to it."""
        self.count += minute.count
        self.cost += minute.cost
        self.tokens += minute.tokens
        self.tally.join(minute.tally)
        self.samples = [*self.samples, *([minute.sample] if minute.sample else [])][-3:]
        for session in minute.sessions:
            if len(self.sessions) < MOST_SESSIONS:
                self.sessions[session] = 1
            else:
                self.full = True


class CostSeries(Struct, array_like=True):
    """The state of one model.

    `means` of minutes and `groups` of ten; `usual` and `worth` in USD per interaction, from those; `quiet`:
    interactions, USD and tokens outside rises; `history`: (POSIX seconds, mean cost) of the last 30 means.
    """

    minute: Minute = field(default_factory=Minute)
    at: float = 0.0
    means: LogTail = field(default_factory=LogTail)
    group: list[float] = []
    groups: LogTail = field(default_factory=LogTail)
    tail: Tail | None = None
    usual: float = 0.0
    worth: float = 0.0
    quiet: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    mass: float = 0.0
    rise: Rise | None = None
    waiting: list[float] = []
    others: Recent = field(default_factory=Recent)
    history: Pairs = field(default_factory=Pairs)
    lasting: Lasting = field(default_factory=Lasting)

    @property
    def waits(self) -> bool:
        """Whether the end of the minute may change something though nothing is heard."""
        return self.minute.is_full or (self.rise is not None and self.rise.told)

    def look(self, event: Event, cost: float, session: str) -> None:
        """Counts an interaction by its dimensions; the caller looks at `room` first.

        It weighs as much as its cost over the usual one, so that shares are shares of the money.
        """
        minute = self.minute
        minute.room -= 1
        weight = cost / self.usual if self.usual else 1.0
        minute.tally.take(values(event.data), weight)
        usage = event.data.usage
        component = usage.cost_component if usage else None
        if component:
            minute.tally.add("component", component, weight)
        if session:
            minute.sessions[session] = 1
        if cost > minute.lately:
            minute.lately, minute.latest = cost, _sample(event, cost)
            if cost > minute.dearest:
                minute.dearest, minute.sample = cost, minute.latest

    def close(self, at: float, threshold_s: float) -> None:
        """Ends the open minute at `at`, if it is full enough."""
        minute = self.minute
        if minute.is_full:
            self.minute = Minute()
            minute.tally.join(minute.earlier)
            if minute.cost > 0:
                self._judge(minute, at, threshold_s)
        else:
            minute.room = COMPARED_A_MINUTE
        self.settle(at)

    def _judge(self, minute: Minute, at: float, threshold_s: float) -> None:
        mean = minute.cost / minute.count
        seconds = min(at - self.at, IDLE_CAP_S) if self.at else MINUTE_S
        self.at = at
        self.history.pairs = [*self.history.pairs[1 - HISTORY :], (at, mean)]
        self.lasting.learns(mean, self.usual)
        if self.rise is not None and self.rise.told:
            self.rise.take(minute)
            return
        step = self._step(mean)
        self.mass = (self.mass + seconds) * exp(step)
        self._follow(minute, at - MINUTE_S, step)
        if self.rise is None:
            self._learn(minute, at)
        elif self.mass >= threshold_s and self._worth_telling(self.rise):
            self.rise.told = True
            self.waiting = []
            self.lasting.hears(at)

    def _step(self, mean: float) -> float:
        """The logarithm of the minute's e-value; 0 while warming up."""
        return log(POWER) + (POWER - 1) * log(self.chance(mean)) if self.tail else 0.0

    def chance(self, mean: float) -> float:
        """How often a minute's mean is as high; 1 while warming up."""
        return self.tail.chance(mean) if self.tail else 1.0

    def _follow(self, minute: Minute, began: float, step: float) -> None:
        rise = self.rise or Rise(began)
        rise.evidence += step
        if rise.evidence > 0:
            rise.take(minute)
            self.rise = rise
            self.waiting.append(minute.cost / minute.count)
            if len(self.waiting) > WAITING:
                self._absorb([self.waiting.pop(0)])
        else:
            self.rise = None

    def _learn(self, minute: Minute, at: float) -> None:
        self.others.turn(at)
        self.others.now.join(minute.tally)
        sums = (minute.count, minute.cost, minute.tokens)
        self.quiet = [old + new for old, new in zip(self.quiet, sums, strict=True)]
        if self.quiet[0] > REMEMBERED * FEWEST:
            self.quiet = [each / 2 for each in self.quiet]
        self._absorb([*self.waiting, minute.cost / minute.count])
        self.waiting = []

    def _absorb(self, means: list[float]) -> None:
        for mean in means:
            self.means.add(mean, REMEMBERED)
            self.group.append(mean)
            if len(self.group) >= GROUP:
                self.groups.add(sum(self.group) / GROUP, REMEMBERED)
                self.group = []
        if self.means.count >= WARM_UP:
            self.usual, start = self.means.quantiles(0.5, 1 - TAIL)
            self.tail = self.means.tail(start)
            self.worth = max(SMALLEST_RATIO * self.usual, ABOVE_HIGH * self.groups.quantile(HIGH))

    def _worth_telling(self, rise: Rise) -> bool:
        """One or two sessions are no spike: a session far too dear is told of as such."""
        wide = not rise.sessions or len(rise.sessions) >= FEWEST_SESSIONS
        return wide and rise.cost / rise.count >= self.worth

    def settle(self, at: float) -> None:
        """Ends the incident when the means of the last ten minutes are back, or when it stayed for a day."""
        if self.rise is None or not self.rise.told:
            return
        recent = [mean for when, mean in self.history.pairs if when > at - RECOVERY_S]
        if recent and sum(recent) / len(recent) < RECOVERED_RATIO * self.usual:
            self.forget()
        elif at - self.rise.onset >= ADOPTED_S or self.lasting.is_normal(at):
            self.adopt()

    def forget(self) -> None:
        """Begins anew; what is usual stays."""
        self.lasting.paused = True
        self.rise, self.mass, self.at, self.waiting = None, 0.0, 0.0, []

    def adopt(self) -> None:
        """What goes on now is normal: learns what is usual anew, from the last half hour on."""
        recent = [mean for _, mean in self.history.pairs]
        self.group, self.groups = [], LogTail()
        self.means, self.tail, self.usual, self.quiet = LogTail(), None, 0.0, [0.0, 0.0, 0.0]
        self.lasting = Lasting()
        self.forget()
        self._absorb(recent)


def _sample(event: Event, cost: float) -> Sample:
    usage, conversation = event.data.usage, event.data.conversation
    tokens = f", {usage.input_tokens or 0:,} tokens in, {usage.output_tokens or 0:,} out" if usage else ""
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=f"{event.data.operation.name[:64]}: ${cost:.4g}{tokens}",
        conversation=conversation.id if conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
