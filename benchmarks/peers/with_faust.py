"""A plain Faust agent: with_faust.py SET HOST:PORT EVENTS.

State is a dict in the process; a crash loses it.
"""

import sys
from pathlib import Path
from uuid import uuid4

sys.path[0] = str(Path(__file__).resolve().parents[2])

import faust

from benchmarks.peers.watcher import Watcher, kinds_of
from benchmarks.stopwatch import Stopwatch, ready
from schemas.event import Event
from schemas.wire import decode_event
from streams.hosting.topics import EVENTS


def main() -> None:
    """Takes event by event, as agents do; batches (`take`) were measured to be no faster."""
    ready()
    kinds, watch = kinds_of(sys.argv[1]), Stopwatch(int(sys.argv[3]))
    app = faust.App(
        f"bench-{uuid4().hex[:8]}",
        broker=f"kafka://{sys.argv[2]}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        value_serializer="raw",
    )
    topic = app.topic(EVENTS, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")
    watchers: dict[str, Watcher] = {}

    @app.agent(topic)
    async def watching(stream: faust.StreamT[bytes]) -> None:
        async for value in stream:
            event = decode_event(value)
            if isinstance(event, Event):
                name = event.data.agent.name
                watcher = watchers.get(name) or watchers.setdefault(name, Watcher(name, kinds))
                watch.found.update(watcher.see(event))
                watch.took(1)

    running = faust.Worker(app, loglevel="error", redirect_stdouts=False)
    running.spinner = None
    running.execute_from_commandline()


if __name__ == "__main__":
    main()
