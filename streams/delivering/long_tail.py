"""Hands text to the library apprise, where it is installed: in threads, for it knows no event loop.

A thread cannot be ended: what is handed over when the attempt's time is up may still arrive. Apprise itself
gives a service four seconds to connect and four to answer.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from routing.notifiers.notifier import Answer, Handover
from routing.policy import ChannelTarget, Policy

LIBRARY = "apprise"
REMEDY = "the channel apprise needs the extra: pip install 'agent-oversight[apprise]'"
THREADS = 8
SENT = Answer(status=200)
NOT_SENT = Answer(status=503)
ABSENT = Answer(status=412, body=REMEDY.encode())
UNKNOWN = Answer(status=400, body=b"apprise knows no such address")


def is_absent() -> bool:
    """Whether the library is not installed."""
    return find_spec(LIBRARY) is None


def is_needed(policy: Policy) -> bool:
    """Whether a policy reaches anybody by it."""
    steps = [step for escalation in policy.escalations.values() for step in escalation.steps]
    targets = [each for receiver in policy.receivers.values() for each in receiver.notify]
    kinds = {each.channel.kind for each in targets if isinstance(each, ChannelTarget)}
    kinds |= {party.channel.kind for step in steps for party in step.parties if party.channel}
    return LIBRARY in kinds | {kind for step in steps for kind in step.via}


class LongTail:
    """Threads for handing over. `load`: gives the library; it raises ImportError where there is none."""

    def __init__(self, load: Callable[[], Any] = lambda: import_module(LIBRARY)) -> None:
        self._load = load
        self._threads: ThreadPoolExecutor | None = None

    async def hand_over(self, step: Handover) -> Answer:
        """What apprise said to it."""
        self._threads = self._threads or ThreadPoolExecutor(THREADS, LIBRARY)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._told, step)

    def close(self) -> None:
        """No more is handed over; what runs ends by itself."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _told(self, step: Handover) -> Answer:
        try:
            library = self._load()
        except ImportError:
            return ABSENT
        _hush()
        apprise = library.Apprise()
        if not apprise.add(step.address):
            return UNKNOWN
        # Some versions answer with a result that is true or false, some with None where nothing was done.
        return SENT if apprise.notify(step.body, step.title, step.tone, body_format="text") else NOT_SENT


def _hush() -> None:
    """Its log names addresses, and an address holds secrets; requests' names hosts."""
    for name in (LIBRARY, "requests", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
