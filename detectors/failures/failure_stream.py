"""One stream of trials (sessions, tool calls, model calls) and its failures, by class."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, field

from detectors.contrast import ERROR_TYPE, Recent
from detectors.dense import Row
from detectors.failures.affected import MOST_SAMPLES, Mark, mark_of, sample_of
from detectors.failures.burn_rate import Counted
from detectors.failures.gauge import LEARNT_S, Gauge, Terms
from detectors.failures.marks import Marks
from detectors.failures.patience import LEAST_S, Waits, heard, lapsed, patience
from detectors.failures.rate_alarm import Cell
from detectors.failures.windows import Windows
from schemas.event import Data, Event
from schemas.signal import Sample

CELL_S = 5.0
COMPARED_A_MINUTE = 16
"""Trials per minute that are counted by version, model, …: what the affected are compared with."""
SAMPLED_A_CELL = 3

Kind = Literal["exhausted", "non_retryable", "escalation", "retried"]
COLUMNS: tuple[Kind, ...] = ("exhausted", "non_retryable", "escalation", "retried")
FAILED: tuple[Kind, ...] = ("exhausted", "non_retryable", "escalation")
RETRIED: tuple[Kind, ...] = ("retried",)


class FailureStream(Struct, array_like=True):
    """The state. Counts of the open cell; windows of closed ones; two gauges.

    A cell ends with the minute; before the first failure in it, so that what went well before does not count
    against what follows; and on the grid of five seconds while it has failures or an incident holds.

    `failed` counts what was lost, `retrying` what failed and is tried again: the first breaks the objective,
    the second tells of trouble that is still absorbed. Windows have the columns total and `COLUMNS`.
    """

    total: int = 0
    failures: Row = field(default_factory=lambda: [0] * len(COLUMNS))
    first_failed: float | None = None
    repeated: int = 0
    repeated_retries: int = 0
    room: int = COMPARED_A_MINUTE
    sampled: int = 0
    minute: int = 0
    ten: int = 0
    windows: Windows = field(default_factory=Windows)
    failed: Gauge = field(default_factory=Gauge)
    retrying: Gauge = field(default_factory=Gauge)
    others: Recent = field(default_factory=Recent)
    marks: Marks = field(default_factory=Marks)
    samples: list[Sample] = []

    def well(self, data: Data) -> None:
        """A trial that went well; counted by its dimensions while there is room."""
        self.total += 1
        if self.room:
            self.compare(data)

    def compare(self, data: Data) -> None:
        """A trial that went well, but is counted at another time: what failures are compared with."""
        if self.room:
            self.room -= 1
            self.others.see(data)

    def fail(self, event: Event, now: float, kind: Kind, patterns: Sequence[str]) -> None:
        """A trial that did not go well. It is counted here, in `total` as well."""
        self.total += 1
        self.failures[COLUMNS.index(kind)] += 1
        if self.first_failed is None:
            self.first_failed = now
        error = event.data.error.type if event.data.error else kind
        mark = mark_of(event, now, kind, error)
        self._repeat(mark)
        self.marks.add(mark)
        gauge = self.retrying if kind in RETRIED else self.failed
        if gauge.hold is None:
            self.others.add(ERROR_TYPE, mark.error)
        else:
            gauge.hold.affected.take(mark)
        if self.sampled < SAMPLED_A_CELL:
            self.sampled += 1
            self.samples = [*self.samples[1 - MOST_SAMPLES :], sample_of(event, patterns)]

    def _repeat(self, mark: Mark) -> None:
        """Counts a failure of a session that has failed in this cell already."""
        first, retried = self.first_failed or mark.at, mark.kind in RETRIED
        if mark.session and any(
            each.session == mark.session and each.at >= first and (each.kind in RETRIED) is retried
            for each in self.marks.last
        ):
            self.repeated_retries += retried
            self.repeated += not retried

    @property
    def busy(self) -> bool:
        """Whether the open cell cannot wait for the end of the minute."""
        return self.first_failed is not None or self.holding

    def close(self, began: float, at: float, terms: Terms) -> None:
        """Ends the open cell at `at`; `began`: an instant in it, both POSIX seconds of one minute."""
        self.windows.add(began, (self.total, *self.failures))
        self._learn(int(began // LEARNT_S))
        self._judge(at, terms)
        self._empty(began)

    @property
    def holding(self) -> bool:
        """Whether an incident holds."""
        return self.failed.hold is not None or self.retrying.hold is not None

    def settle(self, at: float, terms: Terms) -> None:
        """Ends the incidents that are over at `at`; after a silence too long what comes next is new."""
        if self._is_gone(at, terms.waits):
            self.failed.forget(at)
            self.retrying.forget(at)
        elif self.holding:
            self.failed.settle(at, self.counted(FAILED, at), terms)
            self.retrying.settle(at, self.counted(RETRIED, at), terms)

    def _is_gone(self, at: float, waits: Waits) -> bool:
        """Whether there is anything to forget, and nothing came for longer than usual."""
        if self.holding:
            return at - self._judged >= waits(self.windows)
        return bool(self.failed.alarm.at or self.retrying.alarm.at) and lapsed(self.windows, self._judged, at)

    def due(self, closes_at: float, waits: Waits) -> float:
        """When a stream that is busy may be judged otherwise though no trial comes."""
        open_cell = self.total and (self.holding or self.first_failed is not None)
        if open_cell or self.failed.ending or self.retrying.ending:
            return closes_at
        return max(closes_at, self._judged + (waits if self.holding else patience)(self.windows))

    @property
    def _judged(self) -> float:
        """When the last cell with trials was over."""
        return max(heard(self.windows), self.failed.judged)

    def unheard(self, at: float) -> bool:
        """Whether what ended just now did so without evidence."""
        return at - heard(self.windows) >= LEAST_S

    def accept(self, at: float) -> None:
        """What goes on now is normal."""
        self.failed.accept(at, self.counted(FAILED, at))
        self.retrying.accept(at, self.counted(RETRIED, at))

    def _judge(self, at: float, terms: Terms) -> None:
        first = at if self.first_failed is None else self.first_failed
        again = self.failures[-1]
        lost = sum(self.failures) - again
        self._show(self.failed, FAILED, Cell(at, self.total, lost, first, self.repeated), terms)
        if again or self.retrying.alarm.at:
            cell = Cell(at, self.total, again, first, self.repeated_retries)
            self._show(self.retrying, RETRIED, cell, terms)
        else:
            self.retrying.pass_by(self.total)

    def _show(self, gauge: Gauge, kinds: tuple[Kind, ...], cell: Cell, terms: Terms) -> None:
        """A cell to a gauge. What an incident that opens lays claim to is no longer of the others."""
        before = gauge.hold
        marks = [mark for mark in self.marks.last if mark.kind in kinds]
        gauge.take(cell, self.counted(kinds, cell.at), terms, marks)
        if before is None and gauge.hold is not None:
            for mark in marks:
                if mark.at >= gauge.hold.onset:
                    self.others.add(ERROR_TYPE, mark.error, -1)

    def _learn(self, ten: int) -> None:
        if ten != self.ten:
            row = self.windows.ten(self.ten)
            if row:
                self.failed.learn(self.ten, _picked(row, FAILED))
                self.retrying.learn(self.ten, _picked(row, RETRIED))
            self.ten = ten

    def _empty(self, began: float) -> None:
        self.total, self.first_failed, self.sampled = 0, None, 0
        self.repeated = self.repeated_retries = 0
        self.failures = [0] * len(COLUMNS)
        minute = int(began // 60)
        if minute != self.minute:
            self.minute, self.room = minute, COMPARED_A_MINUTE
            self.others.turn(began)

    def counted(self, kinds: tuple[Kind, ...], at: float) -> Counted:
        """Failures of some kinds, and the total, over the last so many minutes."""
        return lambda minutes: _picked(self.windows.last(at - CELL_S, minutes), kinds)


def _picked(row: Row, kinds: tuple[Kind, ...]) -> tuple[int, int]:
    if not row:
        return 0, 0
    return sum(row[1 + COLUMNS.index(kind)] for kind in kinds), row[0]
