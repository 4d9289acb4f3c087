"""A transport that keeps what arrives, and what else tests of the sdk share."""

import json
from collections.abc import Sequence
from typing import Any

from agent_oversight import AgentEvents, Record
from schemas.event import Event
from schemas.wire import decode_event


class Arrived:
    """Takes all; `away`: so many calls fail first."""

    def __init__(self, away: int = 0) -> None:
        self.records: list[Record] = []
        self.calls = self.starts = self.stops = 0
        self._away = away

    async def start(self) -> None:
        self.starts += 1

    async def send(self, records: Sequence[Record]) -> None:
        self.calls += 1
        if self.calls <= self._away:
            raise ConnectionRefusedError("no broker")
        self.records += records

    async def stop(self) -> None:
        self.stops += 1

    def events(self) -> list[Event]:
        """As the pipeline reads them."""
        found = [decode_event(record.value) for record in self.records]
        assert all(isinstance(each, Event) for each in found)
        return found  # type: ignore[return-value] # asserted

    def data(self) -> list[dict[str, Any]]:
        return [json.loads(record.value)["data"] for record in self.records]


def said(tell, **options):
    """The events of an agent after `tell(events)`, as the pipeline reads them."""
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived, **options)
    tell(events)
    assert events.close(10.0)
    return arrived.events()
