"""One provider or tool: what it answers, how long it takes, and failures of it that nobody sees.

Each is a stream of trials as in `detectors/failures/`, with two gauges. What their kinds mean here:

=========  ===============================================  =====================
stream     lost (`exhausted`, `non_retryable`)              absorbed (`retried`)
=========  ===============================================  =====================
answers    a call failed by the dependency's fault          a call was rate-limited
waits      a call began and did not end                     a call was slow
unseen     a session ended well, its required call did not  (none)
=========  ===============================================  =====================
"""

from collections.abc import Iterator
from math import inf

from msgspec import Struct, field

from detectors.costs.log_tail import LogTail
from detectors.failures.failure_stream import CELL_S, FailureStream
from detectors.failures.gauge import HIGHEST_ALLOWED, Gauge, Terms
from detectors.failures.patience import endurance, heard, lapsed

STRICTER = 0.4
"""The rate that alarms nobody, as a share of what the objective allows. Wrong requests are not in it, so it
can be lower; and a dependency is to be told no later than the calls of each agent (`error_rate`).
"""
SLOWEST_IGNORED_S = 1.0
"""A call shorter than this is never slow, …"""
TIMES_USUAL = 3.0
"""… nor one shorter than three times the median, …"""
TIMES_RARE = 1.5
"""… nor one shorter than one and a half times what one call in a hundred exceeds."""
WARM_UP = 100
"""Durations learnt before any is judged."""
LEARNT_A_CELL = 64
COMPARED_A_CELL = 6
"""Calls of ten minutes that are counted by version, model, …: what the affected are compared with."""
REMEMBERED = 5000
SHORTEST_S = 1e-3
ALL_FAIL = 20
"""So many calls in a row without a success: whatever the errors say, the dependency does not work."""
HANGING_S = 300.0
"""A call that has not ended after this hangs, where nothing is known of how long calls take."""
HANGING_LEAST_S = 60.0
HANGING_TIMES = 3.0
ENDED_BEFORE = 20
"""Calls that were seen to begin and to end, before one that does not is believed to hang."""


KNOWN = 200
"""Trials after which their own share of failures says what is usual, long before days have."""
WARMING = Terms(HIGHEST_ALLOWED, inf, waits=endurance)
"""Alarms nobody: until `KNOWN` sessions with required calls have ended, what is usual is not known."""


class Streams(Struct, array_like=True):
    """The state of one dependency. `slow_s`: a call that takes longer is slow; `row`: failures in a row.

    `ended`: calls that were seen to begin and to end. `room`: durations that are still learnt in this cell.
    `unsure`: slow calls that are learnt once it is known that none of it was a slowness.
    """

    answers: FailureStream = field(default_factory=FailureStream)
    waits: FailureStream = field(default_factory=FailureStream)
    unseen: FailureStream | None = None
    durations: LogTail = field(default_factory=LogTail)
    slow_s: float = inf
    row: int = 0
    ended: int = 0
    room: int = LEARNT_A_CELL
    last: float = 0.0
    unsure: int = 0

    def all(self) -> Iterator[FailureStream]:
        """The streams there are."""
        yield self.answers
        yield self.waits
        if self.unseen is not None:
            yield self.unseen

    @property
    def busy(self) -> bool:
        """Whether a stream has failures in its open cell, or an incident."""
        return any(each.busy for each in self.all())

    @property
    def hanging_s(self) -> float:
        """After how long a call that has not ended hangs."""
        if self.slow_s == inf:
            return HANGING_S
        return max(HANGING_LEAST_S, HANGING_TIMES * self.slow_s)

    def terms(self, stream: FailureStream, terms: Terms) -> Terms:
        """What holds for one of the streams."""
        warming = stream is self.unseen and stream.failed.quiet_total < KNOWN and not stream.holding
        return WARMING if warming else terms

    def learn(self, duration_s: float) -> None:
        """How long a call took that went well. A slow one waits, and counts as just slow."""
        self.room -= 1
        if duration_s > self.slow_s:
            self.unsure = min(LEARNT_A_CELL, self.unsure + 1)
        elif self.waits.retrying.hold is None:
            self.durations.add(max(duration_s, SHORTEST_S), REMEMBERED)

    def _settle_unsure(self) -> None:
        """Slow calls teach what is slow where none of them is evidence of a slowness any more."""
        slowness = self.waits.retrying
        if slowness.hold is None and not slowness.alarm.evidence:
            for _ in range(self.unsure):
                self.durations.add(self.slow_s, REMEMBERED)
            self.unsure = 0
        elif slowness.hold is not None:
            self.unsure = 0

    def close(self, closes_at: float, terms: Terms) -> None:
        """Ends the open cells that cannot wait for the end of the ten minutes."""
        for stream in self.all():
            if stream.total and stream.busy:
                stream.close(closes_at - CELL_S, closes_at, self.terms(stream, terms))

    def settle(self, at: float, terms: Terms) -> None:
        """Ends the incidents that are over; after a silence too long what comes next is something new."""
        if self.row and lapsed(self.answers.windows, heard(self.answers.windows), at):
            self.row = 0
        for stream in self.all():
            stream.settle(at, self.terms(stream, terms))

    def due(self, closes_at: float) -> float:
        """When that which failed or holds may be judged otherwise though no call comes."""
        return min((each.due(closes_at, endurance) for each in self.all() if each.busy), default=inf)

    def unheard(self, finding: str, at: float) -> bool:
        """Whether a finding that ended just now did so without evidence."""
        stream = {"slow": self.waits, "hanging": self.waits, "unseen": self.unseen}.get(finding, self.answers)
        return stream is not None and stream.unheard(at)

    def turn(self, closes_at: float, terms: Terms) -> None:
        """Ends the open cells with the ten minutes, and says anew what is slow."""
        for stream in self.all():
            if stream.total:
                stream.close(closes_at - CELL_S, closes_at, self.terms(stream, terms))
            _know(stream.failed, closes_at, terms)
            _know(stream.retrying, closes_at, terms)
            # Nothing here looks back further than six hours.
            stream.windows.hours.clear()
            stream.room = min(stream.room, COMPARED_A_CELL)
        self.room = LEARNT_A_CELL
        self._settle_unsure()
        if self.durations.count >= WARM_UP:
            rare = TIMES_RARE * self.durations.quantile(0.99)
            self.slow_s = max(SLOWEST_IGNORED_S, TIMES_USUAL * self.durations.quantile(0.5), rare)

    def accept(self, now: float) -> None:
        """What goes on now is normal."""
        for stream in self.all():
            stream.accept(now)
        self.durations, self.slow_s, self.row, self.unsure = LogTail(), inf, 0, 0


def _know(gauge: Gauge, at: float, terms: Terms) -> None:
    """What failed outside incidents so far, with room for chance, is usual where it is above the allowed."""
    if gauge.hold is None and gauge.quiet_total >= KNOWN:
        share = (gauge.quiet_bad + 3 * max(0.0, gauge.quiet_bad) ** 0.5) / gauge.quiet_total
        if share > gauge.allowed(at, terms):
            gauge.usual.accept(min(HIGHEST_ALLOWED, share), at)
            gauge.day = -1
