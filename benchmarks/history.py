"""The history that contenders read: a simulated fleet; every tenth agent's provider fails for a while.

After the last event every agent is heard of once more, ten seconds later: whoever looks at time only when an
agent's next event comes has then seen all that there is to find up to the last one, and windows have ended.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from msgspec import Struct, structs

from schemas.event import Event
from schemas.wire import encode, moment
from streams.demonstration.fleet import Scripted, fleet

START = datetime(2026, 1, 5, tzinfo=UTC)
CLOSING_S = 10.0


class History(Struct, frozen=True):
    """`lines`: events as they are published, in the order of their times.

    `until_s`: what is found at this time or before counts, in POSIX seconds.
    """

    lines: list[bytes]
    agents: int
    until_s: float

    @property
    def whole(self) -> int:
        """How many events there are."""
        return len(self.lines)

    @property
    def windowed(self) -> int:
        """How many have been seen by whoever waits for windows of five seconds to end."""
        return len(self.lines) - self.agents


def history(events: int, agents: int, rate_per_s: float) -> History:
    """So many events and the closing ones, as they would come at `rate_per_s` of event time."""
    span = timedelta(seconds=2 * events / rate_per_s + 60)
    played = structs.replace(
        fleet(agents, 1, rate_per_s, start=START, duration=span),
        scripted=(_outage(agents, timedelta(seconds=events / rate_per_s)),),
    )
    told = list(_closed(islice(played.events(), events)))
    heard = len({each.data.agent.name for each in told})
    return History([encode(each) for each in told], heard, told[-1 - heard].time.timestamp())


def _outage(agents: int, span: timedelta) -> Scripted:
    names = tuple(f"agent-{number:04}" for number in range(0, agents, 10))
    start, end = START + 0.2 * span, START + 0.7 * span
    return Scripted(kind="outage", agents=names, start=start, end=end, story="a provider fails")


def _closed(events: Iterable[Event]) -> Iterator[Event]:
    last: dict[str, Event] = {}
    end_s = 0.0
    for event in events:
        last[event.data.agent.name] = event
        end_s = event.time.timestamp()
        yield event
    for event in last.values():
        yield structs.replace(event, id=f"{event.id}-closing", time=moment(end_s + CLOSING_S))
