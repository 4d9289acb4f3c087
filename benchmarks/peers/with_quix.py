"""Quix Streams: with_quix.py SET HOST:PORT EVENTS memory|state.

memory  an update for each event, watchers in a dict of the process; a crash loses them
state   its own state store (RocksDB and a changelog topic). Detectors of an agent are tens of kilobytes, so
        to read and write them at each event would be 600 events/s: events are collected in its windows of
        five seconds, which the store keeps, and the detectors are read, shown a window and written once each
"""

import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path[0] = str(Path(__file__).resolve().parents[2])

import msgspec
from quixstreams import Application, State
from quixstreams.dataframe import StreamingDataFrame

from benchmarks.peers.watcher import Watcher, kinds_of
from benchmarks.stopwatch import Stopwatch, ready
from schemas.event import Event
from schemas.wire import decode_event
from streams.hosting.topics import EVENTS

WINDOW = timedelta(seconds=5)
STATE = "watcher"


class Timed(msgspec.Struct):
    """An event's time alone."""

    time: datetime


_timed = msgspec.json.Decoder(Timed)


def at_ms(value: str, *_: object) -> int:
    """When an event happened."""
    return int(_timed.decode(value).time.timestamp() * 1000)


def in_memory(frame: StreamingDataFrame, set_: str, watch: Stopwatch) -> None:
    """Event by event, nothing kept."""
    kinds = kinds_of(set_)
    watchers: dict[str, Watcher] = {}

    def see(event: Any) -> None:
        if isinstance(event, Event):
            name = event.data.agent.name
            watcher = watchers.get(name) or watchers.setdefault(name, Watcher(name, kinds))
            watch.found.update(watcher.see(event))
            watch.took(1)

    frame.apply(decode_event).update(see)


def in_store(frame: StreamingDataFrame, set_: str, watch: Stopwatch) -> None:
    """Window by window."""
    kinds = kinds_of(set_)

    def see(window: dict[str, Any], state: State) -> None:
        events = [decode_event(each.encode()) for each in window["value"]]
        fresh = [each for each in events if isinstance(each, Event)]
        saved = state.get_bytes(STATE)
        watcher = Watcher.load(saved, kinds) if saved else Watcher(fresh[0].data.agent.name, kinds)
        watch.found.update(watcher.see_many(fresh, window["end"] / 1000))
        state.set_bytes(STATE, watcher.save())
        watch.took(len(fresh))

    frame.tumbling_window(WINDOW).collect().final().update(see, stateful=True)


def main() -> None:
    """Ends when the stopwatch has seen all events."""
    ready()
    set_, bootstrap, events, mode = sys.argv[1:]
    app = Application(
        broker_address=bootstrap,
        consumer_group=f"bench-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        state_dir=tempfile.mkdtemp(prefix="quix-"),
        loglevel="ERROR",
    )
    watch = Stopwatch(int(events))
    if mode == "memory":
        topic = app.topic(EVENTS, value_deserializer="bytes", key_deserializer="str")
        in_memory(app.dataframe(topic), set_, watch)
    else:
        topic = app.topic(EVENTS, value_deserializer="str", key_deserializer="str", timestamp_extractor=at_ms)
        in_store(app.dataframe(topic), set_, watch)
    app.run()


if __name__ == "__main__":
    main()
