"""A transport that keeps what arrives, and what else tests of the sdk share."""

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Condition
from typing import Any

from jsonschema import Draft202012Validator

from agent_oversight import AgentEvents, Record
from schemas.event import Event
from schemas.wire import decode_event

SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "schemas/json/agent-event.schema.json").read_text())
)


class Arrived:
    """Takes all; `away`: so many calls fail first."""

    def __init__(self, away: int = 0) -> None:
        self.records: list[Record] = []
        self.calls = self.starts = self.stops = 0
        self._away = away
        self._more = Condition()

    async def start(self) -> None:
        self.starts += 1

    async def send(self, records: Sequence[Record]) -> None:
        self.calls += 1
        if self.calls <= self._away:
            raise ConnectionRefusedError("no broker")
        with self._more:
            self.records += records
            self._more.notify_all()

    def until(self, count: int) -> list[Event]:
        """The events, once there are so many."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.records) >= count, timeout=10)
        return self.events()

    async def stop(self) -> None:
        self.stops += 1

    def events(self) -> list[Event]:
        """As the pipeline reads them; the registered schema, which is closed, must take them, too."""
        for record in self.records:
            SCHEMA.validate(json.loads(record.value))
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
