"""What an agent does with decisions: a table of the advice that holds, asked before each call.

Advice that waits for a person is not acted on until one grants it. Time is an argument, POSIX seconds. One
thread may take decisions while others ask.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder

Circuit = Literal["closed", "half_open", "open"]
Then = Literal["defer", "stop", "person"]
"""What follows when retries do not help, or are none: others take over, nobody does, a person does."""
Moment = Annotated[datetime, Meta(tz=True)]
Key = tuple[str, frozenset[tuple[str, str]]]

MOST_HELD = 4096
"""Pieces of advice at once; the oldest gives way."""
PROBE_EVERY_S = 5.0
"""While a circuit is half-open one call is let through this often."""
UNHEARD_S = 900.0
"""An open circuit of which nothing more is heard is half-open for so long, and closed then."""
CALLED = ("dependency", "tool", "provider", "model")
"""What of a subject may be called; its circuit goes by that name."""
CIRCUITS: Mapping[str, Circuit] = {"open_circuit": "open", "half_open_circuit": "half_open"}
ALIKE = 2
"""So many of the things that tell inputs to defer must be in a text."""


class Decision(Struct, frozen=True):
    """A record of `oversight.decisions`, as far as an agent needs it.

    What is added to decisions later is passed over, and so is an `action` that this version does not know.
    """

    time: Moment
    action: str
    subject: dict[str, str]
    incident: str
    until: Moment | None = None
    automatic: bool = False
    granted_by: str = ""
    after_s: float | None = None
    times: int | None = None
    then: Then | None = None
    limits: dict[str, float] = {}
    like: tuple[str, ...] = ()


_decoder = Decoder(Decision)


class Retry(Struct, frozen=True):
    """Retry `times` times at most, each after `after_s` seconds; `then` says what follows."""

    times: int
    after_s: float = 0.0
    then: Then = "stop"


class Decisions:
    """The advice that holds for one agent.

    `own`: its labels (`agent`, `env`, `release`, …): advice about others' is left out.

    >>> decisions = Decisions({"agent": "refund-agent", "env": "prod"})
    >>> decisions.circuit("payments.refund", now=0.0)
    'closed'
    """

    def __init__(self, own: Mapping[str, str], most: int = MOST_HELD) -> None:
        self.unread = 0
        """Records that could not be read, and changed nothing."""
        self._own = own
        self._most = most
        self._held: dict[Key, Decision] = {}
        self._circuits: dict[str, tuple[tuple[Key, Decision], ...]] = {}
        self._probed: dict[str, float] = {}

    def read(self, value: bytes) -> None:
        """Takes a record of `oversight.decisions` as it is there; what cannot be read changes nothing."""
        try:
            self.take(_decoder.decode(value))
        except (DecodeError, UnicodeDecodeError, RecursionError):
            self.unread += 1

    def take(self, decision: Decision) -> None:
        """Takes the next decision."""
        subject = decision.subject
        if any(subject.get(name, value) != value for name, value in self._own.items()):
            return
        kind = "circuit" if decision.action.endswith("_circuit") else decision.action
        key = (f"{decision.incident} {kind}", frozenset(subject.items()))
        self._drop(key)
        ended = decision.until is not None and decision.until <= decision.time
        waits = not (decision.automatic or decision.granted_by)
        if decision.action == "close_circuit" or ended or waits:
            return
        if len(self._held) >= self._most:
            self._make_room(decision.time)
        self._held[key] = decision
        for name in _called(decision):
            self._circuits[name] = (*self._circuits.get(name, ()), (key, decision))

    def _make_room(self, now: datetime) -> None:
        """Forgets what is over; where nothing is, what has been held longest."""
        over = [key for key, each in self._held.items() if each.until is not None and each.until <= now]
        for key in over or [next(iter(self._held))]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        decision = self._held.pop(key, None)
        for name in _called(decision) if decision is not None else ():
            # Made anew, never changed in place: another thread may be reading it.
            left = tuple(each for each in self._circuits[name] if each[0] != key)
            if left:
                self._circuits[name] = left
            else:
                del self._circuits[name]
                self._probed.pop(name, None)

    # -- circuits ------------------------------------------------------------------------------------

    def circuit(self, dependency: str, now: float) -> Circuit:
        """The state of the circuit to a tool, model or provider: `open` while any advice says so."""
        found: Circuit = "closed"
        for _, decision in self._circuits.get(dependency, ()):
            state = _state(decision, now)
            if state == "open":
                return state
            found = state if state == "half_open" else found
        return found

    def may_call(self, dependency: str, now: float) -> bool:
        """Whether to call it now: always, never, or, while it is half-open, once in five seconds to see."""
        state = self.circuit(dependency, now)
        if state != "half_open":
            return state == "closed"
        if now - self._probed.get(dependency, -PROBE_EVERY_S) < PROBE_EVERY_S:
            return False
        self._probed[dependency] = now
        return True

    # -- failures, inputs and limits -------------------------------------------------------------------

    def retry(self, error_type: str, now: float, **where: str) -> Retry | None:
        """How to handle a failure of this type; None where nothing is advised. `where`: tool, model."""
        for decision in self._holding(now, {"error_type": error_type, **where}, "stop_retrying", "retry"):
            if decision.action == "stop_retrying":
                return Retry(0)
            return Retry(decision.times or 0, decision.after_s or 0.0, decision.then or "stop")
        return None

    def deferred(self, text: str, now: float) -> Then | None:
        """Who is to take over an input: a person, or another way (`defer`); None: nobody."""
        words = text.casefold()
        for decision in self._holding(now, {}, "defer"):
            if "error_type" not in decision.subject and _alike(words, decision.like):
                return decision.then or "person"
        return None

    def limits(self, now: float, **where: str) -> Mapping[str, float]:
        """The most there may be of a session (`session=`) or a tenant (`tenant=`): the strictest of each."""
        found: dict[str, float] = {}
        for decision in self._holding(now, where, "cap_session", "throttle_tenant"):
            for name, most in decision.limits.items():
                found[name] = min(most, found.get(name, most))
        return found

    def rollout(self, release: str, now: float) -> str | None:
        """What a release is to do: `hold`, `roll_back` or `promote`; None: as it was planned."""
        held = self._holding(now, {"release": release}, "roll_back", "hold", "promote")
        return held[0].action if held else None

    def _holding(self, now: float, where: Mapping[str, str], *actions: str) -> list[Decision]:
        """What holds of some actions where labels do not contradict its subject; the first action first."""
        found = [
            each
            for each in list(self._held.values())
            if each.action in actions
            and (each.until is None or each.until.timestamp() > now)
            and all(each.subject.get(name, value) == value for name, value in where.items())
        ]
        return sorted(found, key=lambda each: actions.index(each.action))


def _called(decision: Decision) -> Collection[str]:
    """What of a decision's subject a circuit goes by; nothing, where it is about something else."""
    if decision.action not in CIRCUITS:
        return ()
    return {decision.subject[name] for name in CALLED if name in decision.subject}


def _state(decision: Decision, now: float) -> Circuit:
    """What is open lets single calls through when its time is over: somebody must see it recover."""
    over_s = now - decision.until.timestamp() if decision.until is not None else -1.0
    if over_s < 0:
        return CIRCUITS[decision.action]
    return "half_open" if over_s < UNHEARD_S else "closed"


def _alike(words: str, like: Collection[str]) -> bool:
    """Whether enough of what tells such inputs is in a text; where nothing tells them, all are meant."""
    return sum(each.casefold() in words for each in like) >= min(ALIKE, len(like))
