"""Asks the agents of a partition what holds, as event time moves over the points of the grid."""

from collections.abc import Iterator, Sequence
from math import inf
from typing import Literal

from detectors.agent import AgentState
from detectors.grid import GRID_S, Grid, after
from detectors.keys import Keys
from detectors.rhythms.intake import SILENCE, Intake
from detectors.shadow import SHADOW
from detectors.standing import TELEMETRY
from schemas.cause import Signalled, Wake
from schemas.record import Output, Record
from schemas.signal import Signal
from schemas.wire import moment

WATERMARK_EVERY_S = 60.0
"""How often the events' watermark is told to routing, where that is the clock."""
DAY_S = 86400.0
LONGEST_REASON = 1000
PARTITION = "(partition)".ljust(257)
"""Who is asked of the partition itself: longer than the name of any agent."""


class Asking:
    """`clock`, `partition` of `partitions`: as the bank has them."""

    def __init__(
        self, keys: Keys, clock: Literal["wall", "events"], partition: int = 0, partitions: int = 1
    ) -> None:
        self._keys = keys
        self._grid = Grid(self._wished)
        self._clock = clock
        self._partition = partition
        self._partitions = partitions
        self._where = f"agent.events/{partition}"
        self.resume()

    def resume(self) -> None:
        """Continues with the partition's mark."""
        self._intake = Intake(self._keys.mark.received, self._where)
        if self._intake.state.wake_at is not None:
            self.wish(PARTITION, self._intake.state.wake_at)

    def _wished(self, name: str) -> float | None:
        return self._intake.state.wake_at if name == PARTITION else self._keys.wanted(name)

    def note(self, state: AgentState, offset: int) -> None:
        """Something happens to an agent: it is to be asked at the next point, and to be saved."""
        state.noted = True
        self._keys.unsaved.setdefault(state.name, offset)
        self._grid.due[state.name] = None

    def note_shadow(self, agent: str, offset: int) -> None:
        """Something happens to a drill's copy of an agent; the agent itself is asked nothing for it."""
        self._keys.unsaved.setdefault(agent, offset)
        self._grid.due[SHADOW + agent] = None

    def wish(self, name: str, wake_at: float) -> None:
        """An agent wants to be asked at a time though nothing happens to it."""
        self._grid.wish(wake_at, name, len(self._keys))

    def wanted(self, name: str) -> float | None:
        """When an agent is to be asked though no event comes, or None."""
        return self._keys.mark.next_grid if name in self._grid.due else self._keys.wanted(name)

    @property
    def wake_at(self) -> float | None:
        """When any is."""
        return self._grid.wake_at(self._keys.mark.next_grid)

    def advance(self, to_s: float, record: Record, known: float = inf) -> list[Output]:
        """Asks, at each point of the grid up to `to_s`, those agents that something may have changed for.

        `known`: until when events would have come here; later silence is no news of anybody.
        """
        mark, grid = self._keys.mark, self._grid
        if mark.unheard:
            self._hear()
        outputs: list[Output] = []
        at: float | None = mark.next_grid
        while at is not None and at <= to_s and grid:
            for name in grid.asked(at):
                outputs += self._ask(name, at, record, known)
            at = grid.following(at)
        seen_s = min(to_s, known)
        if seen_s // DAY_S > mark.watermark // DAY_S:
            self._keys.forget(seen_s, record.offset)
        outputs += self._partition_wide(record, to_s)
        mark.next_grid = after(to_s)
        mark.watermark = max(mark.watermark, to_s)
        if mark.next_grid - GRID_S >= mark.told + WATERMARK_EVERY_S:
            outputs += self.tell()
        return outputs

    def _hear(self) -> None:
        """Events came over the partition, whether or not they moved time on: ticks may run ahead of them."""
        mark, before = self._keys.mark, self._intake.state.wake_at
        self._intake.hear(mark.watermark, mark.unheard)
        mark.unheard = 0
        self._wish_again(before)

    def rebase(self, detector: str) -> None:
        """What is found of the partition itself is normal."""
        if detector == SILENCE:
            before = self._intake.state.wake_at
            self._intake.rebase(self._keys.mark.watermark)
            self._wish_again(before)

    def _wish_again(self, before: float | None) -> None:
        wake_at = self._intake.state.wake_at
        if wake_at is not None and wake_at != before:
            self.wish(PARTITION, wake_at)

    def _ask_intake(self, at: float, known: float) -> Iterator[Output]:
        """Whether anything comes over the partition at all."""
        before = self._intake.state.wake_at
        known = known if self._keys.on(SILENCE) else -inf
        for signal in self._intake.ask(at, known):
            yield _signalled(signal, at)
        self._wish_again(before)

    def _partition_wide(self, record: Record, at: float) -> Iterator[Output]:
        """What is to be told of the partition and of no agent."""
        mark, where = self._keys.mark, self._where
        signals = [mark.crowd.signal(where, self._keys.most, at)]
        signals += [each.signal(kind, where, record.offset, at) for kind, each in mark.misfits.items()]
        if self._keys.on(TELEMETRY):
            signals += mark.clocks.signals(where, at)
        yield from (_signalled(signal, at) for signal in signals if signal is not None)

    def _ask(self, name: str, at: float, record: Record, known: float) -> Iterator[Output]:
        if name == PARTITION:
            yield from self._ask_intake(at, known)
            return
        if name.startswith(SHADOW):
            yield from self._ask_shadow(name.removeprefix(SHADOW), at, record)
            return
        state = self._keys.state(name, record.offset)
        if state is None:
            return
        state.noted = False
        self._keys.unsaved.setdefault(name, record.offset)
        signals, faults = state.ask(at, min(known, self._intake.known(name, at)))
        if at > known:
            state.missed = ""
        woken_at = self._intake.state.wake_at
        self._intake.note(name, state.missed, at)
        self._wish_again(woken_at)
        yield from (_signalled(signal, at) for signal in signals if not self._is_blameless(signal, at))
        yield from deadletters(faults, record, at)
        before = state.woken_at
        wake_at = state.wake_at(at, at + GRID_S)
        if wake_at is not None and wake_at != before:
            self.wish(name, wake_at)

    def _is_blameless(self, signal: Signal, at: float) -> bool:
        """Whether it says that events come late, where it is others whose clock is ahead."""
        is_late = signal.detector == TELEMETRY and signal.finding == "late" and signal.state == "firing"
        return is_late and bool(self._keys.mark.clocks.ahead(at))

    def _ask_shadow(self, agent: str, at: float, record: Record) -> Iterator[Output]:
        """What a drill finds; nothing of it is heard of by the agent itself, or by its partition."""
        shadow = self._keys.shadows.get(agent) if self._keys.state(agent, record.offset) else None
        if shadow is None:
            return
        self._keys.unsaved.setdefault(agent, record.offset)
        signals, faults = shadow.ask(at)
        for signal in signals:
            yield _signalled(signal, at)
        yield from deadletters(faults, record, at)
        if shadow.is_over(at):
            del self._keys.shadows[agent]
            return
        before = shadow.wanted_at
        wake_at = shadow.wake_at(at, at + GRID_S)
        if wake_at != before:
            self.wish(SHADOW + agent, wake_at)

    def tell(self) -> list[Output]:
        """The watermark, where the events are the clock: every signal up to it has been put out."""
        if self._clock != "events":
            return []
        mark = self._keys.mark
        mark.told = told = mark.next_grid - GRID_S
        wake = Wake(at=moment(told), partition=self._partition, partitions=self._partitions)
        return [Output("causes", "", wake, told)]


def _signalled(signal: Signal, at: float) -> Output:
    return Output("causes", signal.labels["agent"], Signalled(at=moment(at), signal=signal), at)


def deadletters(faults: Sequence[str], record: Record, at: float) -> Sequence[Output]:
    """The record with the reason, one each; `at` is 0 before any time is known."""
    reasons = [fault[:LONGEST_REASON].encode("utf-8", "backslashreplace") for fault in faults]
    return [
        Output("deadletter", "", record.value, max(at, 0.0), (("reason", reason), *record.headers))
        for reason in reasons
    ]
