"""What is ours, and the limit, in this process: contenders.py NAME HOST:PORT EVENTS. Prints JSON.

NAME: `limit`, or a set of detectors (`three`, `all`) for the worker with these.
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.stopwatch import Stopwatch, ready
from streams.hosting.topics import EVENTS

SESSION_S = "45"
"""What Kafka's own clients and the peers have: a busy machine must not take partitions away."""
RULES = """\
route: {receiver: on-call, group_by: [agent, detector]}
receivers: [{name: on-call, notify: [{terminal: screen}]}]
"""


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
    while True:
        for messages in (await consumer.getmany(timeout_ms=100, max_records=MOST_RECORDS)).values():
            for message in messages:
                decode_event(message.value)
            watch.took(len(messages))


def only(set_: str) -> str:
    """What switches the other detectors off."""
    from benchmarks.peers.watcher import SETS

    others = [name for name in SETS["all"] if name not in SETS[set_]]
    return (
        "".join(["detectors:\n", *(f"  {name}: {{enabled: false}}\n" for name in others)]) if others else ""
    )


def worker(bootstrap: str, watch: Stopwatch, set_: str) -> None:
    """The worker itself; a thread looks at how far it is.

    It goes on until it is killed: somebody reads first what it has found.
    """
    from streams.hosting.clock import WallClock
    from streams.hosting.environment import read
    from streams.hosting.folds import Folds
    from streams.hosting.kafka import KafkaLog
    from streams.hosting.rulebook import read_rules
    from streams.worker import Order, application, start

    rules = Path(tempfile.mkdtemp(prefix="oversight-bench-")) / "rules.yml"
    rules.write_text(RULES + only(set_))
    told = {"OVERSIGHT_KAFKA": bootstrap, "OVERSIGHT_CONFIG": str(rules), "OVERSIGHT_CLOCK": "events"}
    env = read({**told, "OVERSIGHT_SESSION_S": SESSION_S})
    kafka = KafkaLog(env.connection)
    order = Order(env, read_rules(rules, os.environ), os.environ, lambda _: None)
    folds = Folds(env, order.rules, kafka, WallClock(), order.variables)

    ended = threading.Event()
    watch.end = ended.set

    def look() -> None:
        while not ended.is_set():
            count = sum(each.next for each in folds.hosts[1].partitions.copy().values())
            if count:
                watch.seen(count)
            time.sleep(0.005)

    threading.Thread(target=look, daemon=True).start()
    start(application(order, kafka, folds))


def main() -> None:
    """Runs the contender that is named."""
    ready()
    name, bootstrap, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    watch = Stopwatch(events)
    if name == "limit":
        asyncio.run(limit(bootstrap, watch))
    else:
        worker(bootstrap, watch, name)


if __name__ == "__main__":
    main()
