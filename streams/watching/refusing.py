"""Tells routing of channels that take nothing, so that their owner hears of it: `telemetry/channel_refuses`.

The worker that routes tells it, beside everything else: the router alone hears what every channel said. What
the channel did not take has gone on to the next one by then; this is so that somebody mends the channel.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog
from msgspec import structs

from routing.addressing import shown
from routing.incidents.state import Refusal
from routing.router import Router
from schemas.cause import Signalled
from schemas.identity import derived
from schemas.signal import Signal
from schemas.wire import encode
from streams.hosting.clock import Clock
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.topics import CAUSES

log = structlog.get_logger(__name__)
DETECTOR, FINDING = "telemetry", "channel_refuses"
AGENT = "agent-oversight"
LOOK_EVERY = timedelta(seconds=5)
TOLD_EVERY = timedelta(minutes=1)
WHICH = 6
"""Digits of the digest of an address: few enough to say nothing of it."""


class Refusing:
    """`router`: the router, while it is this worker's and restored; else None."""

    def __init__(self, router: Callable[[], Router | None], kafka: Log, clock: Clock) -> None:
        self._router = router
        self._log = kafka
        self._clock = clock
        self._told: dict[str, Signal] = {}

    async def run(self, every: timedelta = LOOK_EVERY) -> None:
        """Looks every so often, until it is cancelled."""
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await self.look()
            except AppendFailed as error:
                log.warning("refusing.not_told", error=str(error))
            except Exception:
                # Whatever it was: the next look may go well, and nobody would notice a watch that ended.
                log.exception("refusing.look_failed")

    async def look(self) -> None:
        """Looks once: asserts what lasts each minute, and says what is over.

        Raises:
            AppendFailed: some of it is due still.
        """
        router, now = self._router(), self._clock.now()
        if router is None:
            self._told.clear()
            return
        found = router.refusing(now)
        for key, refusal in found.items():
            before = self._told.get(key)
            if before is None or now - before.time >= TOLD_EVERY:
                await self._tell(key, self._signal(key, refusal))
        for key in self._told.keys() - found.keys():
            reason = router.refused_until(key)
            over = structs.replace(self._told[key], state="resolved", time=now, reason=reason)
            await self._tell(key, over)
            del self._told[key]

    async def _tell(self, key: str, signal: Signal) -> None:
        cause = Signalled(at=signal.time, signal=signal)
        await self._log.append(CAUSES, 0, [Outgoing(b"signal", encode(cause))])
        if key not in self._told or signal.state == "resolved":
            log.warning("refusing.told", channel=signal.labels["channel"], state=signal.state)
        self._told[key] = signal

    def _signal(self, key: str, refusal: Refusal) -> Signal:
        where = _where(refusal)
        since = f"{refusal.since:%Y-%m-%d %H:%M} UTC"
        return Signal(
            id=derived("sig", DETECTOR, FINDING, key, refusal.since.isoformat()),
            detector=DETECTOR,
            finding=FINDING,
            state="firing",
            labels={"agent": AGENT, "detector": DETECTOR, "finding": FINDING, "channel": where},
            time=self._clock.now(),
            onset=refusal.since,
            summary=f"{where}, for {refusal.to}, has taken nothing since {since}: {refusal.reason}",
        )


def _where(refusal: Refusal) -> str:
    """The channel without what may be secret: of an address its host, and what tells two of a host apart."""
    told = shown(refusal.target)
    which = "" if told == refusal.target else f" {derived('channel', refusal.target)[-WHICH:]}"
    return f"{refusal.kind}:{told}{which}"
