"""Events on their way: a bounded queue that nobody waits for, and the thread that empties it.

What a call of the agent does is append to a deque. Encoding, sending and trying again happen in a thread with
an event loop of its own, which looks every tenth of a second; nobody has to be woken for an event.
"""

import asyncio
import atexit
import contextlib
import copy
import logging
import os
import secrets
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from agent_oversight.loop import FAULTS, Loop
from agent_oversight.transport import Record, Rejected, Transport
from agent_oversight.wire import Envelope, Refused, Said, record
from agent_oversight.words import EventType, Parts

LINGER_S = 0.1
AT_ONCE = 500
"""Events in one call of a transport."""
GIVEN_S = 30.0
"""What a transport may take for one call."""
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Between one try that failed and the next; the last again and again."""
REPORTED_EVERY_S = 60.0
WITHIN_S = 2.0
"""What leaving may take: for a broker that is away nobody waits longer."""

log = logging.getLogger("agent_oversight")
_open: set["Outbox"] = set()
_inherited: list[object] = []
"""What a child process has of its parent's connections: kept, so that nothing of them is closed here."""


class Lost(NamedTuple):
    """Events that were not sent. `dropped`: the queue was full; `refused`: not writable, or too large."""

    dropped: int
    refused: int


class Outbox:
    """The queue, at most `most` events long, and its thread; what is beyond is dropped and counted."""

    _thread_kind: Callable[..., threading.Thread] = threading.Thread

    def __init__(self, transport: Transport, envelope: Callable[[str], Envelope], most: int) -> None:
        self._transport = transport
        self._envelope_of = envelope
        self._most = most
        self.failure: str | None = None
        _open.add(self)
        self._renew()

    def _renew(self) -> None:
        """All that a process has for itself: a child has no thread of its parent's, and other ids."""
        self._queue: deque[Said] = deque()
        self._numbers = count()
        self._lock = threading.RLock()  # of the first and of dropped events; a signal may come in between
        self._thread: threading.Thread | None = None
        self._envelope = self._envelope_of(secrets.token_hex(8))
        self._again: Sequence[Record] = ()
        self._at_once = AT_ONCE
        self._connected = self._closing = self._told_last = False
        self._idle = True
        self._dropped = self._refused = 0
        self._told = (0, 0)
        self._tell_at_s = 0.0

    def child(self) -> None:
        """Begins anew in a child process: what waits here is the parent's, which sends it."""
        _inherited.extend((self._transport, self._thread, self._queue))
        self._transport = copy.copy(self._transport)
        self._renew()

    # -- in the agent's calls --------------------------------------------------------------------------

    def put(self, kind: EventType, here: Parts, parts: Parts, traceparent: str | None = None) -> None:
        """Takes an event; never waits, never raises."""
        queue = self._queue
        if len(queue) >= self._most or self._closing:
            with self._lock:
                self._dropped += 1
            return
        queue.append(Said(next(self._numbers), kind, time.time(), here, parts, traceparent))
        if self._thread is None:
            self._begin()

    def refuse(self, why: str) -> None:
        """Counts what cannot be written; never waits, never raises."""
        with self._lock:
            self._refused += 1
            if self._refused > 1:
                return
        log.warning("an event is refused: %s", why)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = self._thread_kind(target=self._run, name="agent-oversight", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no thread is to be had; the next event tries again
                self._thread = None
                return
        if finalizers := sys.modules.get("multiprocessing.util"):
            # Processes of multiprocessing end without atexit.
            finalizers.Finalize(None, self.close, exitpriority=100)

    @property
    def lost(self) -> Lost:
        """How many were lost so far, in this process."""
        return Lost(self._dropped, self._refused)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue) + len(self._again)

    def flush(self, within_s: float) -> bool:
        """Waits until everything is sent, `within_s` seconds at most; whether it is."""
        until = time.monotonic() + within_s
        while self._queue or not self._idle:  # in this order: it is busy before it takes from the queue
            if time.monotonic() >= until or self._thread is None:
                return False
            time.sleep(LINGER_S / 20)
        return True

    def close(self, within_s: float = WITHIN_S) -> bool:
        """Sends what waits, `within_s` seconds at most, and ends; whether everything was sent."""
        self._closing = True
        _open.discard(self)
        thread = self._thread
        if thread is None:
            return not self._queue
        thread.join(within_s)
        return not thread.is_alive() and not self.waiting

    # -- in the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        loop = Loop()
        try:
            loop.run_until_complete(self._work())
        finally:
            loop.close()

    async def _work(self) -> None:
        failed = 0
        while True:
            closing = self._closing  # before it is emptied: what came earlier is sent
            self._idle = False
            failed = 0 if await self._empty() else failed + 1
            self._idle = not self.waiting
            if closing:
                break
            await self._pause(PAUSES_S[min(failed, len(PAUSES_S)) - 1] if failed else LINGER_S)
        await self._disconnect()

    async def _pause(self, for_s: float) -> None:
        until = time.monotonic() + for_s
        while time.monotonic() < until and not self._closing:  # noqa: ASYNC110 - set by a thread, which must not wait
            await asyncio.sleep(min(for_s, LINGER_S))

    async def _empty(self) -> bool:
        """Sends all that waits; whether the transport took it."""
        while batch := self._again or self._taken():
            self._again = batch
            some = batch[: self._at_once]
            try:
                async with asyncio.timeout(GIVEN_S):
                    if not self._connected:
                        await self._transport.start()
                        self._connected = True
                    await self._transport.send(some)
            except Rejected as error:
                self._shrink(batch, len(some), error)
                continue
            except FAULTS as error:  # whatever a transport raises, the agent goes on
                self._note(f"{type(error).__name__}: {error}")
                await self._disconnect()
                return False
            self._again = batch[len(some) :]
            self._at_once = min(AT_ONCE, 2 * self._at_once)
            self._note(None)
        return True

    def _shrink(self, batch: Sequence[Record], tried: int, error: Rejected) -> None:
        """Half as much is tried next; what is refused alone is given up, or nothing would come after it."""
        self._at_once = max(1, tried // 2)
        if tried == 1:
            self._again = batch[1:]
            self.refuse(str(error))

    def _note(self, failure: str | None) -> None:
        """Logs when sending begins to fail, and when it works again."""
        if failure and not self.failure:
            log.warning("events wait: %s", failure)
        elif self.failure and not failure:
            log.warning("events are sent again")
        self.failure = failure

    async def _disconnect(self) -> None:
        self._connected = False
        with contextlib.suppress(*FAULTS):
            async with asyncio.timeout(GIVEN_S):
                await self._transport.stop()

    def _taken(self) -> Sequence[Record]:
        """The next events, written; and what was lost, where something was."""
        found: list[Record] = []
        while self._queue and len(found) < AT_ONCE:
            self._write(self._queue.popleft(), found)
        # At last when nothing waits: else what of this batch is refused would come after the last report.
        at_last = self._closing and not found and not self._told_last
        if self.lost != self._told and (at_last or time.monotonic() >= self._tell_at_s):
            self._told_last = self._told_last or at_last
            self._tell_at_s = time.monotonic() + REPORTED_EVERY_S
            self._write(self._report(), found)
        return found

    def _write(self, said: Said, found: list[Record]) -> None:
        try:
            found.append(record(said, self._envelope))
        except Refused as error:
            self.refuse(str(error))

    def _report(self) -> Said:
        """An event of its own that says how many were lost since the last one."""
        lost, self._told, told = self.lost, self.lost, self._told
        parts: Parts = {
            "operation": {"name": "publish_events"},
            "attributes": {
                "dropped": lost.dropped - told[0],
                "refused": lost.refused - told[1],
                "capacity": self._most,
            },
        }
        return Said(next(self._numbers), "agent.operation.v1", time.time(), {}, parts, None)


def _close_all() -> None:
    until = time.monotonic() + WITHIN_S
    for outbox in list(_open):
        outbox.close(max(0.0, until - time.monotonic()))


def _child() -> None:
    for outbox in _open:
        outbox.child()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):  # pragma: no branch - all but Windows have it
    os.register_at_fork(after_in_child=_child)
