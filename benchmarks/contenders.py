"""One contender of `throughput.py` in this process: contenders.py NAME HOST:PORT EVENTS. Prints JSON."""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streams.hosting.topics import EVENTS

THREE = ("cost", "error_rate", "input_shift")
"""The detectors that the first figures were measured with."""
RULES = """\
route: {receiver: on-call, group_by: [agent, detector]}
receivers: [{name: on-call, notify: [{terminal: screen}]}]
"""


class Stopwatch:
    """From the first event to the last of `events`."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.first: tuple[float, float, int] | None = None

    def seen(self, count: int) -> None:
        """So many events are done by now; ends the process when it is all of them."""
        now = (time.perf_counter(), time.process_time(), count)
        if self.first is None:
            self.first = now
        elif count >= self.events:
            wall, cpu, done = (after - before for after, before in zip(now, self.first, strict=True))
            peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
            figures = {
                "rate": round(done / wall),
                "cpu_us": round(cpu / done * 1e6, 2),
                "peak_mb": round(peak),
            }
            sys.stdout.write(json.dumps(figures) + "\n")
            sys.stdout.flush()
            os._exit(0)


async def limit(bootstrap: str, watch: Stopwatch) -> None:
    """`getmany` and the typed decode."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from schemas.wire import decode_event
    from streams.hosting.host import MOST_RECORDS

    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, max_partition_fetch_bytes=4_000_000)
    await consumer.start()
    places = [TopicPartition(EVENTS, number) for number in range(4)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    count = 0
    while True:
        for messages in (await consumer.getmany(timeout_ms=100, max_records=MOST_RECORDS)).values():
            for message in messages:
                decode_event(message.value)
            count += len(messages)
        if count:
            watch.seen(count)


def three() -> str:
    """What switches the other detectors off."""
    from detectors.registry import discover

    others = [name for name in discover() if name not in THREE]
    return "".join(["detectors:\n", *(f"  {name}: {{enabled: false}}\n" for name in others)])


def worker(bootstrap: str, watch: Stopwatch, detectors: str = "") -> None:
    """The worker itself; a thread looks at how far it is. `detectors`: of its configuration."""
    from streams.hosting.clock import WallClock
    from streams.hosting.environment import read
    from streams.hosting.folds import Folds
    from streams.hosting.kafka import KafkaLog
    from streams.hosting.rulebook import read_rules
    from streams.worker import Order, application, start

    rules = Path(tempfile.mkdtemp(prefix="oversight-bench-")) / "rules.yml"
    rules.write_text(RULES + detectors)
    env = read({"OVERSIGHT_KAFKA": bootstrap, "OVERSIGHT_CONFIG": str(rules), "OVERSIGHT_CLOCK": "events"})
    kafka = KafkaLog(env.connection)
    order = Order(env, read_rules(rules, os.environ), os.environ, lambda _: None)
    folds = Folds(env, order.rules, kafka, WallClock(), order.variables)

    def look() -> None:
        while True:
            count = sum(each.next for each in folds.hosts[1].partitions.copy().values())
            if count:
                watch.seen(count)
            time.sleep(0.005)

    threading.Thread(target=look, daemon=True).start()
    start(application(order, kafka, folds))


def faust(bootstrap: str, watch: Stopwatch) -> None:
    """A plain agent: the same decode and the same detectors, event by event."""
    import faust as library

    from detectors.bank import Bank
    from detectors.registry import discover
    from schemas.record import Record
    from streams.hosting.settings import read_settings

    app = library.App(
        f"bench-{uuid4().hex[:8]}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        value_serializer="raw",
    )
    kinds = {name: kind for name, kind in discover().items() if name in THREE}
    banks = [Bank(read_settings, "events", kinds=kinds) for _ in range(4)]
    count = 0

    async def take(stream: library.StreamT) -> None:
        nonlocal count
        async for event in stream.events():
            message = event.message
            banks[message.partition].apply(Record(message.offset, message.value, message.key))
            count += 1
            if count % 500 == 1:
                watch.seen(count)

    app.agent(
        app.topic(EVENTS, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")
    )(take)
    running = library.Worker(app, loglevel="error", redirect_stdouts=False)
    running.spinner = None
    running.execute_from_commandline()


def main() -> None:
    """Runs the contender that is named."""
    name, bootstrap, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    watch = Stopwatch(events)
    if name == "limit":
        asyncio.run(limit(bootstrap, watch))
    else:
        contenders: dict[str, Callable[[], None]] = {
            "worker": lambda: worker(bootstrap, watch, three()),
            "default": lambda: worker(bootstrap, watch),
            "faust": lambda: faust(bootstrap, watch),
        }
        contenders[name]()


if __name__ == "__main__":
    main()
