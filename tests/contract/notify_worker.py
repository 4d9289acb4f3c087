"""A worker that only notifies: `notify_worker.py BOOTSTRAP PREFIX PARTITIONS DATADIR`, then Faust's own.

Topics: `PREFIX.pages`, `PREFIX.causes`, `PREFIX.deadletter`.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

import faust
from aiokafka import AIOKafkaProducer

from schemas.wire import encode
from streams.delivering.delivery import Courier
from streams.delivering.notify import install
from streams.delivering.secrets import environment


def application(bootstrap: str, prefix: str, partitions: int, datadir: str) -> faust.App:
    app = faust.App(
        prefix,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=datadir,
        topic_disable_leader=True,
        topic_replication_factor=1,
        topic_partitions=partitions,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=0.5,
        broker_commit_interval=0.5,
        stream_wait_empty=True,
    )
    producer: list[AIOKafkaProducer] = []
    # Two tasks that come at once must not make two producers.
    first = asyncio.Lock()

    async def append(topic: str, value: bytes) -> None:
        async with first:
            if not producer:
                producer.append(AIOKafkaProducer(bootstrap_servers=bootstrap))
                await producer[0].start()
        await producer[0].send_and_wait(f"{prefix}.{topic}", value)

    courier = Courier(environment(os.environ), print)
    install(
        app,
        courier,
        report=lambda cause: append("causes", encode(cause)),
        bury=lambda value, reason: append("deadletter", value + b" " + reason.encode()),
        now=lambda: datetime.now(UTC),
        at=lambda message: message.time,
        topic=f"{prefix}.pages",
        partitions=partitions,
    )

    @app.on_before_shutdown.connect
    async def close(*_args, **_keywords) -> None:
        for each in producer:
            await each.stop()

    return app


if __name__ == "__main__":
    where, name, count, home, *rest = sys.argv[1:]
    sys.argv[1:] = rest
    application(where, name, int(count), home).main()
