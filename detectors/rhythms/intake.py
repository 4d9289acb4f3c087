"""Whether a whole partition has fallen silent, by the same clocks as an agent: what feeds it is broken.

One outage, one page: while the partition is silent, what is silent in it is not told apart, but for the one
agent whose silence is the whole of it; what is told of that agent then explains the partition.
"""

from collections.abc import Sequence
from math import inf
from typing import Literal

from msgspec import Struct, field, structs

from detectors.detector import Finding
from detectors.rhythms.clock import DAY_S
from detectors.rhythms.pulse import LONGEST_S, Heard, Pulse
from detectors.rhythms.silence_finding import silent
from detectors.saying import clock, counted, span
from detectors.standing import REASSERT_S, About, Found, Signals, Standing, about, because
from schemas.signal import Signal

INTAKE = "(intake)"
SILENCE = "silence"
LEAST_S = 240.0
"""Shorter silences are never told: the partition is missed before the busiest of its agents is."""
GRACE_S = REASSERT_S + 5.0
"""Until it is told: by then each agent whose silence is told has been asked again."""
GONE_S = LONGEST_S + DAY_S
ENOUGH = 2

Missed = Literal["", "told", "withheld", "unseen"]
"""An agent of a silent partition: not overdue itself; told as silent; overdue, and not told so; or something
else that holds of it is not told, as its end could not be seen."""


class Received(Struct, array_like=True):
    """The state. `told`: whether an agent of it stands as silent; `withheld`: two that would, at most.

    `offset`, `late`: places of what older marks kept; nothing reads them.
    """

    heard: Heard = field(default_factory=Heard)
    standing: list[Standing] = []
    told: bool = False
    withheld: list[str] = []
    offset: int = -1
    late: int = 0
    wake_at: float | None = None


class Intake:
    """Finding `intake_down`. `where`: the partition. Times in POSIX seconds of event time."""

    def __init__(self, state: Received, where: str) -> None:
        """Continues from a state."""
        self.state, self._where = state, where
        self._pulse = Pulse(state.heard, LEAST_S, patience_s=0.0)

    def hear(self, now: float, events: int) -> None:
        """So many events came, the last of them by now; told when time moves over the grid."""
        state, heard = self.state, self.state.heard
        if now >= heard.closes_at:
            # Its agents do not learn it either: were it missed later than they, each would be told.
            heard.accepted = False
            self._pulse.turn(now)
        heard.last = now
        heard.count += events
        if state.told or state.withheld:
            state.told, state.withheld = False, []
        state.wake_at = now if state.standing else heard.due

    def note(self, agent: str, missed: Missed, at: float) -> None:
        """Whether an agent is overdue while the partition is silent."""
        state, before = self.state, self._explained
        if missed == "told":
            state.told = True
            state.withheld = [each for each in state.withheld if each != agent]
        elif missed == "withheld" and agent not in state.withheld:
            state.withheld = [*state.withheld, agent][:ENOUGH]
        if before and not self._explained and state.heard.hush is not None and not state.standing:
            state.wake_at = max(at, state.heard.hush.at + GRACE_S)

    @property
    def _explained(self) -> bool:
        """Whether one agent's silence is the whole of it: it is told of, and of no other."""
        return len(self.state.withheld) + self.state.told == 1

    def known(self, agent: str, at: float) -> float:
        """Until when an event of the agent would have been seen here."""
        state = self.state
        if state.heard.hush is None:
            return inf
        alone = self._explained and agent in state.withheld and at >= state.heard.hush.at + GRACE_S
        return inf if alone else state.heard.last

    def rebase(self, now: float) -> None:
        """The present silence is told no more, however long it gets; its agents still cannot be seen."""
        self._pulse.accept(now)
        if self.state.standing:
            self.state.wake_at = now

    def ask(self, at: float, known: float) -> Sequence[Signal]:
        """What changes of its signal. `known`: later silence is no news."""
        state, hush = self.state, None
        if at <= known and self._pulse.is_silent(at):
            hush = state.heard.hush
        over = at - state.heard.last > GONE_S
        told = hush is not None and not over and (bool(state.standing) or self._is_due(at, hush.at))
        finding = self._finding(at) if told else None
        holding = {} if finding is None else {about(SILENCE, finding): (SILENCE, finding)}
        signals = Signals(state.standing)
        of = About(agent=INTAKE, env="", changes=())
        given = signals.settle(Found(holding, (), []), of, at, because("gone" if over else "recovered"))
        state.standing = signals.saved()
        state.wake_at = state.heard.due if at <= known else None
        if hush is not None and not over:
            state.wake_at = max(at, hush.at + GRACE_S) if at < hush.at + GRACE_S else at + REASSERT_S
        return given

    def _is_due(self, at: float, since: float) -> bool:
        return at >= since + GRACE_S and not self._explained

    def _finding(self, at: float) -> Finding:
        heard = self.state.heard
        return structs.replace(
            silent(self._pulse, at, None),
            finding="intake_down",
            labels={"partition": self._where},
            summary=f"no event of any agent comes over {self._where} since {clock(heard.last, at)} "
            f"({span(at - heard.last)}): usually {counted(heard.rate, 'event')} an hour; "
            "its agents cannot be seen",
        )
