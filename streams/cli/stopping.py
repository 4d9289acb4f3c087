"""SIGTERM while a command is not at its work yet: while it imports, reads its rules or waits for brokers."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_when_told() -> Iterator[None]:
    """SIGTERM interrupts what is within as Ctrl-C does, and ends the process with 0: nothing is to hand over.

    As a container's first process it would not even be heard without a handler, and waited for until somebody
    kills it. What runs within puts its own in this one's place.
    """
    told: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        told.append(number)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    # What a shell starts in its background does not hear it.
    aside = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        if told:
            sys.exit(0)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, aside)
