"""Sessions that go astray: running away, calling the same again and again, running without getting on.

What is much is learnt from the agent's own sessions, online; below fixed floors nothing is ever told.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from detectors.dense import encoded
from detectors.detector import Coming, Finding, State, decoded, short_of
from detectors.durations import duration
from detectors.lasting import LONGEST_TOLD_S, TOLD_S, Lasting
from detectors.options import Unknown, number
from detectors.sessions.astray import Astray, entry_of
from detectors.sessions.run import IDLE_S, LONGEST_TOOL, TOUCHED_S, Run, Runs
from detectors.sessions.session_finding import astray
from detectors.sessions.usual_amount import WARM_UP, UsualAmount
from detectors.settings import Watch
from schemas.event import Event, Usage
from schemas.identity import derived

FLOORS: Mapping[str, float] = {
    "steps": 50.0,
    "tokens": 100_000.0,
    "cost": 1.0,
    "time": 600.0,
    "repeats": 10.0,
    "pause": 600.0,
}
"""Below these nobody is told: operations, tokens, USD, seconds, equal calls, seconds without progress."""
UNKNOWN: Mapping[str, float] = {"repeats": 25.0, "pause": 900.0}
"""Limits until enough is learnt; the others have none until then."""
USER_INPUT = "receive_input"
LONGEST_ID = 40
"""A conversation's id that is longer than a UUID is kept as one derived from it: state is kept small."""
FEWEST_BEATS = 3
OPERATION = "agent.operation.v1"
SETTLED_EVERY_S = 60.0
_AMOUNTS = ("steps", "tokens", "cost", "time")
_MEASURED: Mapping[str, tuple[str, ...]] = {"runaway": _AMOUNTS, "loop": ("repeats",), "stuck": ("pause",)}
"""By what a session is found to go astray."""
MOST_TOKENS = 2**40
"""Of one session: no more is counted."""


class Remembered(Struct, array_like=True):
    """The whole state."""

    runs: Runs = field(default_factory=Runs)
    usual: dict[str, UsualAmount] = field(default_factory=lambda: {name: UsualAmount() for name in FLOORS})
    found: dict[str, Astray] = {}
    settled: float = 0.0
    lasting: dict[str, Lasting] = {}


class Session:
    """Findings `runaway`, `loop` and `stuck`, one of each: it holds the worst session, and counts.

    Options: `arl`, the span in which a quiet agent may be told of falsely once in expectation (default 30d),
    shared by what is watched; `floors`, other floors by name (`steps`, `tokens`, `cost`, `time` in seconds,
    `repeats`, `pause` in seconds).
    """

    name: ClassVar[str] = "session"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = (
        "100 sessions that ended; until then loops of 25 calls, pauses of 15 min and, from 20 on, what needs"
        " 20 times the largest."
    )
    quiet_arl_days: ClassVar[float] = 30.0
    watches: ClassVar[frozenset[str]] = frozenset({OPERATION, "agent.session.v1", "agent.approval.v1"})
    takes: ClassVar[frozenset[str]] = frozenset({"arl", "floors"})
    outlives_s: ClassVar[float] = IDLE_S + LONGEST_TOLD_S + 120.0

    __slots__ = ("_floors", "_limits", "_runs", "_span_s", "_state", "_usual")

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        """Raises ValueError where an option does not hold."""
        self.configure(watch, options)
        self._restore(Remembered())

    def _restore(self, state: Remembered) -> None:
        self._state, self._runs, self._usual = state, state.runs, state.usual
        self._limits = tuple(self._usual[name].limit for name in _AMOUNTS)

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's
        """Follows other options; what was learnt stays."""
        given = options.get("floors", {})
        if not isinstance(given, Mapping):
            raise ValueError(f"expected floors of {', '.join(FLOORS)}, found {given!r}")  # noqa: TRY004 - a wrong option is a wrong value
        strange = next((str(name) for name in given if name not in FLOORS), None)
        if strange is not None:
            raise Unknown("floor", strange, FLOORS)
        self._floors = {**FLOORS, **{name: number(floor) for name, floor in given.items()}}
        span = duration(options.get("arl", f"{self.quiet_arl_days:.0f}d"))
        self._span_s = span.total_seconds() * len(FLOORS)

    def observe(self, event: Event, now: float) -> None:
        """Takes one event of a session."""
        data = event.data
        conversation = data.conversation
        if conversation is None or not conversation.id:
            return
        if now - self._state.settled >= SETTLED_EVERY_S:
            self._settle(now)
        name = conversation.id
        session = name if len(name) <= LONGEST_ID else derived("session", name)
        if conversation.state == "ended":
            self._end(session, now)
            return
        run = self._runs.get(session, now)
        if event.type == OPERATION:
            if data.operation.state != "started":
                self._operation(session, run, event, now)
        elif event.type == "agent.approval.v1":
            run.waits = int(data.approval is not None and data.approval.state == "requested")
            self._moved(session, run, now)
        elif conversation.state == "running":
            self._beat(session, run, event, now)
        else:
            run.began = now

    def observe_many(self, coming: Coming) -> None:
        """Takes several; an operation of a session that gets on is counted at once."""
        state, runs = self._state, self._runs.open
        for event, now in coming:
            data = event.data
            conversation = data.conversation
            run = runs.get(conversation.id or "") if conversation is not None else None
            if (
                run is None
                or conversation is None
                or conversation.state is not None
                or event.type != OPERATION
                or data.operation.state is not None
                or now - state.settled >= SETTLED_EVERY_S
                or now - run.touched >= TOUCHED_S
            ):
                self.observe(event, now)
            else:
                self._operation(conversation.id or "", run, event, now)

    def _operation(self, session: str, run: Run, event: Event, now: float) -> None:
        """Counts an operation; a call that is repeated too often is a loop."""
        data = event.data
        run.steps += 1
        if run.repeated and data.operation.name == USER_INPUT:
            run.repeated = {}  # what is asked for anew is called anew
        if run.beats or self._state.found or run.repeated:
            self._moved(session, run, now)
        else:
            run.moved = now
        if data.usage is not None:
            _spend(run, data.usage)
        tool = data.tool
        if tool is not None and tool.arguments_digest and tool.name:
            count = run.call(xxh3_64_intdigest(f"{tool.name}\0{tool.arguments_digest}".encode(*_ENCODING)))
            if count >= self._limit("repeats"):
                self._tell(
                    "loop", session, run, event, (now, "repeats", float(count), tool.name[:LONGEST_TOOL])
                )
        steps, tokens, cost, time_s = self._limits
        if (
            run.steps > steps
            or run.step > steps
            or run.tokens > tokens
            or run.cost > cost
            or now - run.began > time_s
        ):
            self._runs_away(session, run, event, now)

    def _runs_away(self, session: str, run: Run, event: Event, now: float) -> None:
        """It has spent more than some limit."""
        amounts = (max(run.steps, run.step), run.tokens, run.cost, now - run.began)
        over = [
            (amount / limit, at) for at, (amount, limit) in enumerate(zip(amounts, self._limits, strict=True))
        ]
        name = _AMOUNTS[max(over)[1]]
        self._tell("runaway", session, run, event, (now, name, amounts[_AMOUNTS.index(name)], name))

    def _beat(self, session: str, run: Run, event: Event, now: float) -> None:
        """A heartbeat: does it get on? Who waits for a person need not."""
        step = event.data.operation.step or 0
        if step > run.step:
            run.step = step
            self._moved(session, run, now)
            amounts = (max(run.steps, step), run.tokens, run.cost, now - run.began)
            if any(amount > limit for amount, limit in zip(amounts, self._limits, strict=True)):
                self._runs_away(session, run, event, now)
        elif run.waits:
            run.on(now)
        else:
            run.beats += 1
            pause = now - run.moved
            if run.beats >= FEWEST_BEATS and pause >= self._limit("pause"):
                self._tell("stuck", session, run, event, (now, "pause", pause, "pause"))

    def _moved(self, session: str, run: Run, now: float) -> None:
        """It got on: how long it had not is learnt, and it is stuck no more."""
        if run.beats:
            self._learn("pause", now - run.moved, now)
        run.on(now)
        stuck = self._state.found.get("stuck")
        if stuck is not None:
            stuck.open.pop(session, None)

    def _limit(self, name: str) -> float:
        usual = self._usual[name]
        return usual.limit if usual.limited else UNKNOWN[name]

    def _tell(
        self, finding: str, session: str, run: Run, event: Event, what: tuple[float, str, float, str]
    ) -> None:
        """A session goes astray. `what`: now, the kind of amount, the amount, the word for it."""
        now, name, amount, word = what
        usual = self._usual[name]
        limit = self._limit(name) if name in UNKNOWN else usual.limit
        found = self._state.found.get(finding)
        if found is None:
            found = self._state.found[finding] = Astray(now, now)
        entry = entry_of(event, run, now, (word, float(amount), limit, usual.usual, usual.chance(amount)))
        found.of = max(found.count, len(self._runs.open))
        if session not in found.open:
            self._state.lasting.setdefault(name, Lasting()).hears(now)
        found.take(session, entry)

    def _learn(self, name: str, amount: float, now: float) -> None:
        lasting = self._state.lasting.get(name)
        if lasting is not None:
            lasting.learns(amount, self._usual[name].usual)
        self._usual[name].learn(amount, now, self._span_s, self._floors[name])

    def _end(self, session: str, now: float) -> None:
        """A session is over: what it needed is learnt."""
        for found in self._state.found.values():
            found.open.pop(session, None)
        run = self._runs.open.pop(session, None)
        if run is None or not run.steps:
            return
        last = {
            "steps": float(max(run.steps, run.step)),
            "tokens": float(run.tokens),
            "cost": run.cost,
            "time": run.moved - run.began,
            "repeats": float(run.most),
        }
        for name, amount in last.items():
            self._learn(name, amount, now)
        self._limits = tuple(self._usual[name].limit for name in _AMOUNTS)

    def _settle(self, now: float) -> None:
        """Ends sessions that nobody has touched for long, and what is told when it is over."""
        self._state.settled = now
        for session in list(self._runs.idle(now)):
            self._end(session, now)
        for finding, found in list(self._state.found.items()):
            found.keep(self._runs.open)
            lasting = {name: each for name, each in self._state.lasting.items() if name in _MEASURED[finding]}
            for each in lasting.values() if not found.open else ():
                each.rests(now)
            normal = [name for name, each in lasting.items() if each.is_normal(now)]
            told_s = max((each.told_s for each in lasting.values()), default=TOLD_S)
            if normal or found.over(now, told_s):
                del self._state.found[finding]
            self._adopt(normal)

    def _adopt(self, names: Sequence[str]) -> None:
        """What sessions need of these now is normal: learns it anew."""
        for name in names:
            self._state.usual[name] = UsualAmount()
            self._state.lasting.pop(name, None)
        self._restore(self._state)

    @property
    def lacks(self) -> Sequence[str]:
        """Sessions."""
        return short_of(self._usual["steps"].amounts.count, WARM_UP, "sessions that ended")

    @property
    def wake_at(self) -> float | None:
        """When to look again whether what is told is over."""
        return self._state.settled + SETTLED_EVERY_S if self._state.found else None

    def findings(self, now: float) -> Sequence[Finding]:
        """The worst session of each kind, and how many there are."""
        if not self._state.found:
            return ()
        if now - self._state.settled >= SETTLED_EVERY_S:
            self._settle(now)
        return [
            astray(finding, found, self._runs.dropped, now)
            for finding, found in sorted(self._state.found.items())
        ]

    def rebase(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """What sessions need now is normal: learns it anew; what holds ends."""
        self._state.found = {}
        self._adopt(tuple(FLOORS))

    def save(self) -> State:
        """The whole state: about 60 bytes an open session."""
        return State(encoded(self._state))

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        """Continues from a saved state."""
        loaded = cls(watch, options)
        loaded._restore(decoded(cls, state, version, Remembered))
        return loaded


_ENCODING = ("utf-8", "surrogatepass")


def _spend(run: Run, usage: Usage) -> None:
    tokens = run.tokens + (usage.input_tokens or 0) + (usage.output_tokens or 0)
    run.tokens = tokens if tokens < MOST_TOKENS else MOST_TOKENS  # noqa: FURB136 - a call costs more
    if usage.cost_amount is not None and usage.cost_currency in {None, "USD"}:
        run.cost += usage.cost_amount
