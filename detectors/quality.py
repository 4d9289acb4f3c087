"""Answers that get worse: scores, refusals, answers cut short or empty, unusual endings, thumbs down.

Each grade is a stream of its own, compared with the agent's own past, and only ever for the worse.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, ClassVar, Literal, Self

from msgspec import Struct, field

from detectors.answers.decline import MINUTE_S, WARM_UP, Decline
from detectors.answers.decline_finding import Graded, declined
from detectors.answers.grading import ANSWERS, Ending, ending, refusal, verdict
from detectors.answers.scale import Scale, lower_is_better
from detectors.contrast import Recent, values
from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded, short_of
from detectors.durations import duration
from detectors.options import texts
from detectors.settings import Watch
from schemas.event import Event

CELL_S = 5.0
STREAMS = 12
"""Chances of a false alarm that share the span."""
MOST_EVALUATIONS = 12
MOST_REASONS = 6
OTHER = "(other)"
COMPARED_A_MINUTE = 16
UNHEARD_S = 86400.0
"""Without a grade of a kind for so long nobody knows what it is like now."""


class Remembered(Struct, array_like=True):
    """The whole state. Streams by finding, evaluation or reason; `unusable`: scores that are no number.

    `good`: answers of the open cell that were good in every way, by their only finish reason. `last`: what
    earlier versions kept in its place.
    """

    rates: dict[str, Decline] = {}
    reasons: dict[str, Decline] = {}
    scores: dict[str, Decline] = {}
    feedback: dict[str, Decline] = {}
    scales: dict[str, Scale] = {}
    good: dict[str, int] = {}
    answers: Recent = field(default_factory=Recent)
    graded: Recent = field(default_factory=Recent)
    room: int = COMPARED_A_MINUTE
    closes_at: float = 0.0
    last: float = 0.0
    unusable: int = 0


class Quality:
    """Findings `score` and `feedback` (label `evaluation`), `refused`, `truncated`, `empty`, `finish_reason`.

    Options: `arl`, the span in which a quiet agent may be told of falsely once in expectation (default 30d);
    `lower_is_better`, names of evaluations that are bad when high, beside those whose names say so; `redact`.
    """

    name: ClassVar[str] = "quality"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = "200 answers, or 200 scores of an evaluation."
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1", "agent.evaluation.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"arl", "lower_is_better", "redact"})
    outlives_s: ClassVar[float] = UNHEARD_S + 120.0

    __slots__ = ("_inverse", "_is_waiting", "_patterns", "_state", "_threshold_s")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self._state = Remembered()
        self._is_waiting = False
        self.configure(watch, options)

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Follows other options; what was learnt stays."""
        span_s = duration(options.get("arl", f"{self.quiet_arl_days:.0f}d")).total_seconds()
        self._threshold_s = STREAMS * span_s
        self._inverse = frozenset(texts(options, "lower_is_better"))
        self._patterns: Sequence[str] = texts(options, "redact")

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: answers that ended, and evaluations."""
        data = event.data
        evaluation = data.evaluation
        if evaluation is None:
            operation = data.operation
            if operation.name in ANSWERS and operation.state != "started":
                self._now(now)
                self._answer(event, now)
            return
        self._now(now)
        grade = verdict(evaluation)
        if grade is None:
            self._state.unusable += 1
        elif grade[0] == "score":
            self._score(event, grade[1], grade[2], now)
        else:
            stream = _named(self._state.feedback, grade[1], MOST_EVALUATIONS)
            self._is_waiting |= grade[2] > 0
            self._grade(stream, self._state.graded, grade[2], event, now)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; calls of tools concern nobody."""
        for event, now in coming:
            data = event.data
            operation = data.operation
            if data.evaluation is not None or (operation.name in ANSWERS and operation.state is not None):
                self.observe(event, now)
            elif operation.name in ANSWERS:
                self._now(now)
                self._answer(event, now)

    def _now(self, now: float) -> None:
        if now >= self._state.closes_at:
            self._turn(now)

    def _grade(self, stream: Decline, others: Recent, badness: float, event: Event, now: float) -> None:
        if badness > 0:
            stream.take(badness, event, now, self._patterns)
            return
        stream.total += 1
        self._compare(others, event)

    def _compare(self, others: Recent, event: Event) -> None:
        if self._state.room:
            self._state.room -= 1
            others.now.take(values(event.data))

    def _score(self, event: Event, name: str, score: float, now: float) -> None:
        state = self._state
        if name not in state.scores and len(state.scores) >= MOST_EVALUATIONS:
            state.unusable += 1  # scores of different evaluations have no scale in common
            return
        scale = state.scales.setdefault(name, Scale())
        if not scale.holds(score):
            state.scores[name] = Decline()
        stream = _named(state.scores, name, MOST_EVALUATIONS)
        place = scale.place(score)
        badness = place if self._is_inverse(name) else 1 - place
        self._grade(stream, state.graded, badness, event, now)

    def _is_inverse(self, name: str) -> bool:
        return name in self._inverse or lower_is_better(name)

    def _answer(self, event: Event, now: float) -> None:
        state, data = self._state, event.data
        reasons = data.response.finish_reasons if data.response is not None else None
        end = ending(reasons or ())
        if data.error is not None or end.refused:
            if end.refused or refusal(data):
                self._bad("refused", event, now)
            return
        tokens = data.usage.output_tokens if data.usage is not None else None
        is_empty = tokens == 0 and bool(end.reason) and not end.calling
        if not (end.truncated or is_empty) and len(reasons or ()) <= 1:
            state.good[end.reason] = state.good.get(end.reason, 0) + 1
            if state.room:
                self._compare(state.answers, event)
            return
        self._spread(end, 1)
        for finding, badly in (("truncated", end.truncated), ("empty", is_empty)):
            if badly:
                state.rates[finding].total -= 1
                self._bad(finding, event, now)

    def _bad(self, finding: str, event: Event, now: float) -> None:
        self._is_waiting = True
        _named(self._state.rates, finding, STREAMS).take(1.0, event, now, self._patterns)

    def _spread(self, end: Ending, count: int) -> None:
        """Answers that ended so: how many were not refused, not cut short, not empty; and why they ended."""
        rates, reasons = self._state.rates, self._state.reasons
        _named(rates, "refused", STREAMS).total += count
        if not end.reason:
            return
        _named(rates, "truncated", STREAMS).total += count
        if not end.calling:
            _named(rates, "empty", STREAMS).total += count
        if not end.truncated:
            known = max((each.usual.count for each in reasons.values()), default=0.0)
            mine = _named(reasons, end.reason, MOST_REASONS)
            if not mine.usual.count:
                mine.usual.count = known  # so many answers did not end so
            mine.bad += count
            mine.squares += count
        for stream in reasons.values():
            stream.total += count

    def _streams(self) -> list[tuple[Graded, Decline, Recent]]:
        state = self._state
        found = [(Graded(name), each, state.answers) for name, each in state.rates.items()]
        found += [
            (Graded("finish_reason", name), each, state.answers) for name, each in state.reasons.items()
        ]
        found += [(Graded("feedback", name), each, state.graded) for name, each in state.feedback.items()]
        return found + [
            (Graded("score", name, state.scales[name], not self._is_inverse(name)), each, state.graded)
            for name, each in state.scores.items()
        ]

    def _turn(self, now: float) -> None:
        """Closes the cells that are over: each minute, and each five seconds where something was bad."""
        state = self._state
        grid = floor(now / CELL_S) * CELL_S
        over = grid // MINUTE_S > (state.closes_at - CELL_S) // MINUTE_S
        if over or self._is_waiting:
            self._close("minute" if over else "cell", now)
        if over:
            state.room = COMPARED_A_MINUTE
            state.answers.turn(grid)
            state.graded.turn(grid)
        state.closes_at = grid + CELL_S

    def _close(self, what: Literal["minute", "cell"], now: float) -> None:
        """Ends the open cells: all with the minute, else those that are urgent; and what is unheard of."""
        state, over = self._state, what == "minute"
        for reason, count in state.good.items():
            self._spread(ending((reason,) if reason else ()), count)
        state.good = {}
        for graded, stream, _ in self._streams():
            if stream.total and (over or stream.hold is not None or (graded.is_urgent and stream.bad)):
                stream.close(state.closes_at, self._threshold_s, graded.slack)
            if stream.hold is not None and _is_unheard(stream, now):
                stream.end()
        self._look()

    @property
    def lacks(self) -> Sequence[str]:
        """Answers, and scores of each evaluation."""
        answers = max((each.usual.count for each in self._state.rates.values()), default=0)
        short = list(short_of(answers, WARM_UP, "answers"))
        for name, stream in self._state.scores.items():
            short += short_of(stream.usual.count, WARM_UP, f"scores of {name}")
        return short

    @property
    def wake_at(self) -> float | None:
        """The end of the open cell, while something in it was bad or something holds."""
        return self._state.closes_at if self._is_waiting else None

    def _look(self) -> None:
        """Notes whether something bad waits for the end of its cell, or something holds."""
        state = self._state
        urgent, slow = (state.rates, state.feedback), (state.reasons, state.scores)
        self._is_waiting = any(
            each.bad or each.hold is not None for some in urgent for each in some.values()
        ) or any(each.hold is not None for some in slow for each in some.values())

    def findings(self, now: float) -> Sequence[Finding]:
        """What holds, as of the last closed cell."""
        if now >= self._state.closes_at:
            self._turn(now)
        if not self._is_waiting:
            return ()
        return [
            declined(graded, stream, stream.hold, others.joined(), now)
            for graded, stream, others in self._streams()
            if stream.hold is not None
        ]

    def unheard(self, found: Mapping[str, str], at: float) -> bool:
        """Whether a finding that ended at `at` did so only because no grade of its kind came any more."""
        return any(
            _is_unheard(stream, at)
            for graded, stream, _ in self._streams()
            if graded.finding == found["finding"] and graded.labels.items() <= found.items()
        )

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """What is told now is normal: those streams learn anew."""
        for _, stream, _ in self._streams():
            if stream.hold is not None:
                stream.adopt()
        self._look()

    def save(self) -> State:
        """The whole state, some kilobytes of msgpack."""
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._state = decoded(cls, state, version, Remembered)
        loaded._look()
        return loaded


def _is_unheard(stream: Decline, at: float) -> bool:
    return 0 < stream.heard <= at - UNHEARD_S


def _named(streams: dict[str, Decline], name: str, most: int) -> Decline:
    """A stream; those beyond the cap share one."""
    stream = streams.get(name)
    if stream is None:
        stream = streams.setdefault(name if len(streams) < most else OTHER, Decline())
    return stream
