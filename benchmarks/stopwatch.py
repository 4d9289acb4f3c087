"""What every contender runs with: one core, a collector that looks seldom, and a stopwatch that ends it."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from streams.collector import relax


def leave() -> None:
    """Ends this process at once, whatever its threads do."""
    os._exit(0)


def ready() -> None:
    """Confines this process, all its threads, to one core, where the system can; and relaxes the collector.

    The worker relaxes it by itself; whoever runs a peer with so much state would find that out, too.
    """
    relax()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


class Stopwatch:
    """From the first event to the last of `events`; then `end` is called.

    `found`: what the contender found, by signal's id, with the time in POSIX seconds.
    """

    def __init__(self, events: int, end: Callable[[], None] = leave) -> None:
        self.events = events
        self.end = end
        self.count = 0
        self.first: tuple[float, float, int] | None = None
        self.found: dict[str, float] = {}

    def took(self, count: int) -> None:
        """So many events more are done; ends the process when it is all of them."""
        self.count += count
        if self.first is None or self.count >= self.events or count > 1:
            self.seen(self.count)

    def seen(self, count: int) -> None:
        """So many events are done by now."""
        now = (time.perf_counter(), time.process_time(), count)
        if self.first is None:
            self.first = now
        elif count >= self.events:
            self.stop(now)

    def stop(self, now: tuple[float, float, int]) -> None:
        """Prints figures."""
        wall, cpu, done = (after - before for after, before in zip(now, self.first or now, strict=True))
        peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        figures = {
            "rate": round(done / wall),
            "cpu_us": round(cpu / done * 1e6, 2),
            "peak_mb": round(peak),
            "found": self.found,
        }
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()
        self.end()
