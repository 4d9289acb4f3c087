"""Tells routing that events are read late, so that whoever owns the platform is paged: `telemetry/behind`.

Each worker tells of its own partitions of `agent.events`, on `oversight.causes`, beside everything else. The
signal's id is the partition's, whoever owns it: owners that follow each other assert the same one. It is told
only where routing's clock is the wall's: published history is always late, and a time of the wall would move
the events' clock.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, cast

import structlog

from detectors.course import trend
from detectors.saying import counted, span
from schemas.cause import Signalled
from schemas.identity import derived
from schemas.signal import HELD, Signal
from schemas.wire import encode
from streams.hosting.clock import Clock
from streams.hosting.host import Host
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.partition import Partition
from streams.hosting.topics import CAUSES
from streams.watching.figures import Figures
from streams.watching.names import SIGNALS
from streams.watching.waiting import Lateness, Limits, Look, State

log = structlog.get_logger(__name__)
DETECTOR, FINDING = "telemetry", "behind"
AGENT = "agent-oversight"
LOOK_EVERY = timedelta(seconds=5)
LOOKS_A_LIMIT = 4
HISTORY = 30
REASONS: Mapping[State, str] = {"firing": "", "held": HELD, "resolved": "recovered"}


class Place:
    """One partition of this worker. `where`: topic and number; `limits`: when it is behind."""

    def __init__(self, where: str, limits: Limits) -> None:
        self.where = where
        self.lateness = Lateness(limits)
        self._limit_s = limits.late.total_seconds()
        self._told: Signal | None = None

    def signal(self, state: State, waiting: int, now: datetime) -> Signal:
        """What is told now. `waiting`: records."""
        waited_s = self.lateness.waited_s
        late = f"{self.where} is read {span(waited_s)} late or more, and {counted(waiting, 'record')} wait"
        words = {
            "firing": f"{late}: pages come late",
            "held": f"{late}, by another worker than before",
            "resolved": f"{self.where} is read in time again",
        }
        before = () if self._told is None else self._told.history
        history = (*before, round(waited_s, 1))[-HISTORY:]
        return Signal(
            id=derived("sig", DETECTOR, FINDING, self.where),
            detector=DETECTOR,
            finding=FINDING,
            state="resolved" if state == "resolved" else "firing",
            labels={"agent": AGENT, "detector": DETECTOR, "finding": FINDING, "partition": self.where},
            time=now,
            onset=now - timedelta(seconds=waited_s) if self._told is None else self._told.onset,
            summary=words[state],
            observed=round(waited_s, 1),
            baseline=self._limit_s,
            unit="s",
            magnitude=round(waited_s / self._limit_s, 2),
            magnitude_unit="ratio",
            trend=cast("Literal['rising', 'falling', 'steady']", trend(history)),
            history=history,
            reason=REASONS[state],
        )

    def told(self, state: State, signal: Signal) -> None:
        """It stands on the log."""
        self.lateness.told(state)
        self._told = signal if state == "firing" else None


class Behind:
    """Looks at the partitions of a host. `session`: how long the group's word that they are ours counts."""

    def __init__(
        self,
        kafka: Log,
        clock: Clock,
        host: Host[Partition],
        *,
        limits: Limits,
        session: timedelta,
        figures: Figures,
    ) -> None:
        self._log = kafka
        self._clock = clock
        self._host = host
        self._limits = limits
        self._session_s = session.total_seconds()
        self._figures = figures
        self._places: dict[int, Place] = {}

    async def run(self) -> None:
        """Looks every so often, until it is cancelled."""
        every = min(LOOK_EVERY, self._limits.late / LOOKS_A_LIMIT)
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await self.look()
            except AppendFailed as error:
                log.warning("behind.not_told", error=str(error))
            except Exception:
                # Whatever it was: the next look may go well, and nobody would notice a watch that ended.
                log.exception("behind.look_failed")

    async def look(self) -> None:
        """Looks once, and tells what is due.

        A worker that stood still says nothing until the group confirmed that its partitions are its own.

        Raises:
            AppendFailed: it is due still.
        """
        condition = self._host.condition()
        for number in self._places.keys() - set(condition.owned):
            del self._places[number]
        if condition.confirmed_age_s is None or condition.confirmed_age_s >= self._session_s:
            return
        for number, lag in sorted(condition.lag.items()):
            look = Look(
                now_s=self._clock.monotonic_s(),
                reached=condition.reached[number],
                lag=lag,
                is_blocked=number in condition.blocked,
                newest_age_s=self._newest_age_s(number),
            )
            place = self._places.setdefault(number, Place(f"{condition.topic}/{number}", self._limits))
            place.lateness.see(look)
            state = place.lateness.due()
            if state is not None:
                await self._tell(place, state, lag)

    def _newest_age_s(self, number: int) -> float | None:
        owner = self._host.partitions.get(number)
        newest_s = None if owner is None else owner.newest_s
        return None if newest_s is None else self._clock.now().timestamp() - newest_s

    async def _tell(self, place: Place, state: State, lag: int) -> None:
        signal = place.signal(state, lag, self._clock.now())
        cause = Signalled(at=signal.time, signal=signal)
        await self._log.append(CAUSES, 0, [Outgoing(b"signal", encode(cause))])
        place.told(state, signal)
        self._figures.count(SIGNALS, DETECTOR, signal.state)
        log.warning("behind.told", partition=place.where, state=state, waited_s=signal.observed)
