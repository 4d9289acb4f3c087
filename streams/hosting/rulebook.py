"""The rules that a worker follows, from its files into the logs.

They are read at the start, and again when the files change. Bad rules never replace good ones: the old ones
stay, and the owner hears of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog
from msgspec import Struct, structs

from detectors.bank import Bank
from routing.configuration import examine
from routing.router import Router
from routing.rules.calendars import split
from routing.rules.faults import ConfigFaults
from schemas.cause import ConfigFile, Configured, Signalled
from schemas.control import Settings
from schemas.identity import derived
from schemas.signal import Signal
from schemas.wire import encode, moment
from streams.calendars import Subscriptions, configuration
from streams.delivering.secrets import unset
from streams.files import Unreadable
from streams.hosting.clock import Clock
from streams.hosting.following import too_large, unfollowed
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.partition import Partition
from streams.hosting.topics import CAUSES, EVENTS

log = structlog.get_logger(__name__)
LOOK_EVERY = timedelta(seconds=2)
TOLD_EVERY = timedelta(minutes=1)
"""How often it is said again that the files do not hold: what is not asserted becomes stale."""


class Rules(Struct, frozen=True):
    """A configuration that can be followed. `digest` tells one from another."""

    files: tuple[ConfigFile, ...]
    digest: str

    @property
    def for_detectors(self) -> "Rules":
        """The same without calendars, which no detector follows."""
        files = tuple(split(self.files)[0])
        return self if files == self.files else Rules(files, digest_of(files))


def digest_of(files: Sequence[ConfigFile]) -> str:
    """Equal for equal names and texts."""
    return derived("cfg", *(part for file in files for part in (file.name, file.text)))


def read_rules(path: Path, variables: Mapping[str, str]) -> Rules:
    """The rules of a file or a folder; every secret must be there before the first page needs it.

    Raises:
        Unreadable: it is not there or no text.
        ConfigFaults: it does not hold, or names a variable that is not set; each fault with its place.
    """
    found = configuration(path, variables)
    for lack in found.lacks:
        log.warning("rules.calendar_absent", reason=lack)
    return followable(found.files, variables)


def followable(files: tuple[ConfigFile, ...], variables: Mapping[str, str]) -> Rules:
    """The rules that these files hold.

    Raises:
        ConfigFaults: as `read_rules`.
    """
    found = examine(files)
    faults = (*found.faults, *too_large(files))
    if found.policy is not None and found.root is not None:
        faults = (*faults, *unset(found.variables, variables), *unfollowed(found.policy, found.root))
    if faults:
        raise ConfigFaults(faults)
    return Rules(files, digest_of(files))


class Rulebook:
    """Puts rules into the logs: when the log has none, and when this worker's own files change.

    A worker that takes a partition over publishes nothing: its files may be older than what the log has.
    `variables`: where secrets are. `every`: how often the files are looked at.
    """

    def __init__(
        self,
        path: Path,
        rules: Rules,
        log_: Log,
        clock: Clock,
        mode: Literal["wall", "events"],
        *,
        variables: Mapping[str, str],
        every: timedelta = LOOK_EVERY,
    ) -> None:
        self.rules = rules
        self._log = log_
        self._clock = clock
        self._mode = mode
        self._variables = variables
        self._every = every
        self._subscriptions = Subscriptions(path, variables, clock.monotonic_s, rules.files)
        self._refused: Signal | None = None
        self._faults: tuple[str, ConfigFaults] | None = None
        """Digest and faults of files that do not hold: they are not read anew until they change."""

    def _at(self) -> datetime:
        return self._clock.now() if self._mode == "wall" else moment(0)

    async def routing_owned(self, owner: Partition) -> None:
        """The log of causes is owned: it is told these rules, unless it knows them, and this worker's clock.

        Where the clock alone is another one, the rules that it follows stay: they may be newer.
        """
        if not isinstance(owner.fold, Router):
            return
        if self.rules.digest not in owner.fold.digests:
            await self._tell_routing(self._configured(self.rules))
        elif owner.fold.clock != self._mode:
            log.warning("rules.clock_changed", before=owner.fold.clock, clock=self._mode)
            await self._tell_routing(self._configured(Rules(owner.fold.files, owner.fold.digests[-1])))

    async def events_owned(self, owner: Partition) -> None:
        """A partition of events is owned: the same."""
        if isinstance(owner.fold, Bank) and self.rules.for_detectors.digest not in owner.fold.digests:
            await self._tell_detectors(owner.number)

    def _configured(self, rules: Rules) -> Configured:
        return Configured(at=self._at(), digest=rules.digest, files=rules.files, clock=self._mode)

    async def _tell_routing(self, cause: Configured) -> None:
        await self._log.append(CAUSES, 0, [Outgoing(b"config", encode(cause))])

    async def _tell_detectors(self, partition: int) -> None:
        rules = self.rules.for_detectors
        control = Settings(time=self._at(), digest=rules.digest, files=rules.files)
        await self._log.append(EVENTS, partition, [Outgoing(None, encode(control))])

    async def watch(self) -> None:
        """Looks at the files every so often, for ever."""
        while True:
            await asyncio.sleep(self._every.total_seconds())
            try:
                await self.look()
            except AppendFailed as error:
                log.warning("rules.not_published", error=str(error))
            except Exception:
                # Whatever it was: the next look may go well, and nobody would notice a watch that ended.
                log.exception("rules.look_failed")

    async def look(self) -> None:
        """Follows the files if they changed and hold; says so if they do not."""
        try:
            rules = await self._read()
        except (Unreadable, ConfigFaults) as error:
            await self._refuse(str(error))
            return
        await self._recover()
        if rules.digest == self.rules.digest:
            return
        before, self.rules = self.rules, rules
        try:
            # Routing may be another worker's, and go by another clock.
            await self._tell_routing(structs.replace(self._configured(rules), keeps_clock=True))
            if rules.for_detectors.digest != before.for_detectors.digest:
                for partition in range(await self._log.partitions(EVENTS)):
                    await self._tell_detectors(partition)
        except Exception:
            self.rules = before
            raise
        log.info("rules.followed", digest=rules.digest)

    async def _read(self) -> Rules:
        """In a thread: a large configuration takes seconds, and heartbeats run in this loop."""
        files = await asyncio.to_thread(self._subscriptions.read)
        digest = digest_of(files)
        if digest == self.rules.digest:
            return self.rules
        if self._faults is not None and self._faults[0] == digest:
            raise self._faults[1]
        try:
            return await asyncio.to_thread(followable, files, self._variables)
        except ConfigFaults as faults:
            self._faults = (digest, faults)
            raise

    async def _refuse(self, reason: str) -> None:
        """Says so as a signal that fires, and is asserted each minute, until the files hold again."""
        now = self._at()
        name = derived("sig", "config_refused", reason)
        if self._refused is not None and self._refused.id == name:
            if now >= self._refused.time + TOLD_EVERY:
                await self._assert(structs.replace(self._refused, time=now))
            return
        await self._recover()
        log.error("rules.refused", reason=reason)
        signal = Signal(
            id=name,
            detector="telemetry",
            finding="config_refused",
            state="firing",
            labels={"agent": "agent-oversight", "detector": "telemetry", "finding": "config_refused"},
            time=now,
            onset=now,
            summary=f"The new configuration is refused and the old one stays: {reason.splitlines()[0][:300]}",
        )
        await self._assert(signal)

    async def _assert(self, signal: Signal) -> None:
        await self._signal(signal)
        self._refused = signal

    async def _recover(self) -> None:
        if self._refused is not None:
            now = self._at()
            await self._signal(structs.replace(self._refused, state="resolved", time=now, reason="recovered"))
            self._refused = None

    async def _signal(self, signal: Signal) -> None:
        await self._log.append(
            CAUSES, 0, [Outgoing(b"signal", encode(Signalled(at=signal.time, signal=signal)))]
        )
