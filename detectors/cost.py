"""Cost that breaks out: dearer interactions by model, sessions far dearer than others, budgets that run out.

Cost is `usage.cost_amount` of operations, in US dollars; other currencies are left out and counted.
Everything is learnt from the agent itself, online; a model that was never seen is a series of its own with a
warm-up of its own.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from detectors.costs.breakdown import Money
from detectors.costs.budget import Budget, Ledger
from detectors.costs.budget_finding import budget_findings
from detectors.costs.cost_finding import dear_sessions, spike
from detectors.costs.cost_series import MINUTE_S, CostSeries, Minute
from detectors.costs.cost_series import WARM_UP as MINUTES
from detectors.costs.cost_sessions import WARM_UP as SESSIONS
from detectors.costs.cost_sessions import CostSessions
from detectors.dense import encoded
from detectors.detector import Coming, State, Unworded, decoded, short_of
from detectors.durations import duration
from detectors.saying import counted
from detectors.settings import Watch
from schemas.event import Event, Usage
from schemas.identity import derived

STALE_S = 900.0
MOST_MODELS = 16
"""Series at once; models beyond them share one, labelled `(other)`."""
OTHER = "(other)"
LONGEST_ID = 40
MOST_CURRENCIES = 4
DOLLARS = (None, "USD")
STREAMS = 4
"""Chances of a false alarm that share the span: a few models, and the sessions."""

DEAREST_USD, MOST_TOKENS = 1e9, 2**40
"""What no operation costs: an amount above counts as this, and sums stay finite."""


class Remembered(Struct, array_like=True):
    """The whole state. `foreign`: costs in other `currencies`, left out; `unpriced`: calls without, today."""

    series: dict[str, CostSeries] = {}
    sessions: CostSessions = field(default_factory=CostSessions)
    closes_at: float = 0.0
    last: float = 0.0
    foreign: int = 0
    money: Money = field(default_factory=Money)
    ledger: Ledger | None = None
    currencies: dict[str, int] = {}
    unpriced: int = 0


class Cost:
    """Findings `spike` (label `model`), `session`, `budget` (label `step`) and `over_budget`.

    Options: `arl`, the span in which a quiet agent may be told of falsely once in expectation (default 30d).
    """

    name: ClassVar[str] = "cost"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "60 minutes with at least 8 interactions of a model; 100 sessions that ended; a day for a forecast."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    outlives_s: ClassVar[float] = 8 * 86_400.0
    """A budget that is spent stays so, whether or not its agent goes on."""
    watches: ClassVar[frozenset[str]] = frozenset({"agent.operation.v1", "agent.session.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"arl"})

    __slots__ = ("_budget", "_closes_at", "_last", "_series", "_sessions", "_state", "_threshold_s")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self._threshold_s = _threshold_s(options)
        self._restore(Remembered())
        self._follow(watch)

    def _restore(self, state: Remembered) -> None:
        self._state, self._series, self._sessions = state, state.series, state.sessions
        self._closes_at, self._last = state.closes_at, state.last
        self._sessions.span_s = self._threshold_s
        self._budget = None if state.ledger is None else Budget(state.ledger)

    def _follow(self, watch: Watch) -> None:
        if not watch.budget_usd:
            self._budget = None
        elif self._budget is None:
            self._budget = Budget(Ledger(watch.budget_usd, watch.budget_period))
        else:
            self._budget.follow(watch.budget_usd, watch.budget_period)

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Follows other options; what was learnt stays."""
        self._threshold_s = self._sessions.span_s = _threshold_s(options)
        self._follow(watch)

    def observe(self, event: Event, now: float) -> None:
        """Takes one event: operations that cost something, and ends of sessions."""
        if now >= self._closes_at:
            self._turn(now)
        self._last = now
        usage, conversation = event.data.usage, event.data.conversation
        if usage is None or usage.cost_amount is None or usage.cost_currency not in DOLLARS:
            if usage is not None:
                self._leave_out(usage)
            if conversation is not None and conversation.state == "ended" and conversation.id:
                self._sessions.end(_short(conversation.id), now)
            return
        self._pay(event, usage, usage.cost_amount, now)

    def _pay(self, event: Event, usage: Usage, amount: float, now: float) -> None:
        """An operation that cost so many dollars."""
        data, conversation = event.data, event.data.conversation
        cost = amount if amount < DEAREST_USD else DEAREST_USD  # noqa: FURB136 - calls cost here
        response, request = data.response, data.request
        model = (response.model if response else None) or (request.model if request else None) or ""
        series = self._series.get(model) or self._new(model)
        minute = series.minute
        minute.count += 1
        minute.cost += cost
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        minute.tokens += tokens if tokens < MOST_TOKENS else MOST_TOKENS  # noqa: FURB136 - as above
        session = conversation.id if conversation is not None and conversation.id else ""
        if len(session) > LONGEST_ID:
            session = _short(session)
        if minute.room:
            series.look(event, cost, session)
        if session:
            self._sessions.add(session, cost, now, event)

    def observe_many(self, coming: Coming) -> None:
        """Takes several; what neither costs anything nor ends concerns nobody."""
        for event, now in coming:
            usage, conversation = event.data.usage, event.data.conversation
            if now >= self._closes_at or (
                usage is None and conversation is not None and conversation.state is not None
            ):
                self.observe(event, now)
            elif usage is None:
                self._last = now
            elif usage.cost_amount is not None and usage.cost_currency in DOLLARS:
                self._last = now
                self._pay(event, usage, usage.cost_amount, now)
            else:
                self.observe(event, now)

    def _leave_out(self, usage: Usage) -> None:
        """Counts what it cannot count as money: other currencies, and tokens without a cost."""
        state, currency = self._state, usage.cost_currency or ""
        if usage.cost_amount is None:
            state.unpriced += bool(usage.input_tokens or usage.output_tokens)
            return
        state.foreign += 1
        name = currency if currency in state.currencies or len(state.currencies) < MOST_CURRENCIES else OTHER
        state.currencies[name] = state.currencies.get(name, 0) + 1

    def _new(self, model: str) -> CostSeries:
        name = model if len(self._series) < MOST_MODELS else OTHER
        return self._series.setdefault(name, CostSeries())

    def _turn(self, now: float) -> None:
        """Closes the minute that is over. An agent that was silent for long begins anew."""
        stale = now - self._last > STALE_S
        grid = floor(now / MINUTE_S) * MINUTE_S
        state, usd = self._state, 0.0
        is_over = state.money.is_over(grid)
        for series in self._series.values():
            minute = series.minute
            usd += minute.cost - minute.counted
            minute.counted = minute.cost
            self._show(minute)
            if minute.is_full or is_over:
                state.money.today.spread(minute.tally, minute.cost - minute.spread)
            if is_over:
                minute.end_day()
            series.close(self._closes_at, self._threshold_s)
            if stale:
                series.forget()
            else:
                series.settle(grid)
        self._sessions.settle(now)
        if self._budget is not None:
            self._budget.take(usd, self._closes_at, grid, self._sessions.begun)
        self._sessions.begun = 0
        if state.money.turn(grid):
            state.unpriced = 0
        self._closes_at = grid + MINUTE_S

    def _show(self, minute: Minute) -> None:
        """Gives the dearest operation of the minute that ended to the budget."""
        if self._budget is not None and minute.latest is not None:
            self._budget.look(minute.lately, minute.latest)
        minute.lately, minute.latest = 0.0, None

    @property
    def lacks(self) -> Sequence[str]:
        """Minutes of the model that is known best, and sessions."""
        minutes = max((each.means.count for each in self._series.values()), default=0)
        return (
            *short_of(minutes, MINUTES, "minutes with 8 interactions of a model"),
            *short_of(self._sessions.costs.count, SESSIONS, "sessions that ended"),
        )

    @property
    def wake_at(self) -> float | None:
        """The end of the open minute, while there is something in it to judge or something holds.

        Where nothing is left but a budget that is told, the end of its period.
        """
        budget = self._budget
        if self._sessions.dear or any(each.waits for each in self._series.values()):
            return self._closes_at
        if budget is None:
            return None
        if any(each.minute.cost > each.minute.counted for each in self._series.values()):
            return self._closes_at
        return budget.ledger.ends if budget.ledger.holding else None

    def findings(self, now: float) -> Sequence[Unworded]:
        """What holds: spikes and budgets as of the last closed minute, dear sessions as of now."""
        if now >= self._closes_at:
            self._turn(now)
        note = self._note() if self._state.foreign else ""
        found: list[Unworded] = [
            spike(model, series, series.rise, note, now)
            for model, series in self._series.items()
            if series.rise is not None and series.rise.told
        ]
        dear = self._sessions.dear
        if dear is not None:
            found.append(dear_sessions(self._sessions, dear, self._state.money, note, now))
        if self._budget is not None and self._budget.ledger.holding:
            found += budget_findings(self._budget, self._state.money, f"{self._unpriced()}{note}")
        return found

    def _note(self) -> str:
        named = ", ".join(sorted(self._state.currencies, key=lambda name: (name == OTHER, name)))
        return f" ({counted(self._state.foreign, 'cost')} in {named} left out)"

    def _unpriced(self) -> str:
        count = self._state.unpriced
        none = "with tokens and without a cost today"
        return f"; {counted(count, 'call')} {none} {'is' if count == 1 else 'are'} not in it" if count else ""

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """Learns what is usual anew; what holds ends."""
        for series in self._series.values():
            series.adopt()
        self._sessions.adopt()
        if self._budget is not None:
            self._budget.accept()

    def save(self) -> State:
        """The whole state, some kilobytes of msgpack."""
        self._state.closes_at, self._state.last = self._closes_at, self._last
        self._state.ledger = None if self._budget is None else self._budget.ledger
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Remembered))
        loaded._follow(watch)
        return loaded


def _threshold_s(options: Mapping[str, Any]) -> float:
    return STREAMS * duration(options.get("arl", f"{Cost.quiet_arl_days:.0f}d")).total_seconds()


def _short(session: str) -> str:
    """A conversation's id or, longer than a UUID, one derived from it: state is kept small."""
    return session if len(session) <= LONGEST_ID else derived("session", session)
