"""An hour of traffic, made fast: one minute of the simulated fleet, again and again.

Each time the minute has other times, and other ids of events and sessions; what people ask and what it costs
is the same.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from schemas.wire import encode
from streams.demonstration.fleet import fleet
from streams.files import Line
from streams.history import spread

MINUTE_S = 60.0
START = datetime(2026, 1, 5, tzinfo=UTC)
_ID = re.compile(rb'(?<="id":")(?=agent-\d)')
"""Where ids of events and sessions begin."""
_TIME = re.compile(rb'"time":"[^"]*"')


class Mould(Struct, frozen=True):
    """An event without what changes: where it goes, its second of the minute, and the text between."""

    partition: int
    key: bytes
    at_s: float
    before: bytes
    after: bytes


class Minute:
    """A minute of traffic at so many events a second, in `partitions`."""

    def __init__(self, rate_per_s: float, agents: int, partitions: int) -> None:
        # The first half is warm-up: sessions that overlap fill the second.
        played = fleet(agents, 1, rate_per_s, start=START, duration=timedelta(seconds=2 * MINUTE_S + 1))
        begin_s = START.timestamp() + MINUTE_S
        within = (
            encode(each) for each in played.events() if begin_s <= each.time.timestamp() < begin_s + MINUTE_S
        )
        self.moulds: Sequence[Mould] = [
            _mould(step.partition, step.key or b"", (step.at_s or 0.0) - begin_s, step.value)
            for step in spread(map(Line, within), partitions)
        ]

    def at(self, number: int, begin_s: float) -> Iterator[tuple[int, bytes, bytes, float]]:
        """The `number`th minute, which begins at this POSIX time: partition, key, value and time."""
        name = b"m%d-" % number
        for each in self.moulds:
            at_s = begin_s + each.at_s
            time = datetime.fromtimestamp(at_s, UTC).isoformat().encode()
            value = b'%b"time":"%b"%b' % (each.before, time, each.after)
            yield each.partition, each.key, value.replace(b"\0", name), at_s


def _mould(partition: int, key: bytes, at_s: float, value: bytes) -> Mould:
    marked = _ID.sub(b"\0", value)
    found = _TIME.search(marked)
    if found is None:
        raise ValueError("an event without a time")
    return Mould(partition, key, at_s, marked[: found.start()], marked[found.end() :])
