"""The event loop of a thread beside the agent, safe where the agent forks."""

import asyncio
import os
import socket
import threading
from typing import Any

FAULTS = (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit)
"""What may come out of somebody else's client, and must not end a thread of ours."""
FORK_S = 0.5
"""What a fork waits for a name that is being looked up."""


class Loop(asyncio.SelectorEventLoop):
    """Looks names up in its own thread: when Python exits there are no other threads to be had for it."""

    async def getaddrinfo(self, *where: Any, **how: Any) -> Any:
        """Looks a name up, while nobody forks."""
        with _names.lock:
            return socket.getaddrinfo(*where, **how)


class Names:
    """Held while a name is looked up: the C library's own locks would stay locked for ever in a child.

    `within_s`: what a fork waits for a look-up to end, at most.
    """

    def __init__(self, within_s: float = FORK_S) -> None:
        self.lock = threading.Lock()
        self._within_s = within_s
        self._held = False

    def before(self) -> None:
        """A fork comes."""
        self._held = self.lock.acquire(timeout=self._within_s)

    def after(self) -> None:
        """It is over."""
        if self._held:
            self._held = False
            self.lock.release()

    def child(self) -> None:
        """In the child nobody looks a name up."""
        self.lock, self._held = threading.Lock(), False


_names = Names()
if hasattr(os, "register_at_fork"):  # pragma: no branch - all but Windows have it
    os.register_at_fork(before=_names.before, after_in_parent=_names.after, after_in_child=_names.child)
