"""A worker that only notifies, until SIGTERM: `notify_worker.py BOOTSTRAP PREFIX`.

Topics: `PREFIX.pages`, `PREFIX.outcomes`, `PREFIX.causes`, `PREFIX.deadletter`.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from streams.delivering.delivery import Courier
from streams.delivering.notify import Mail, Office, hosting
from streams.delivering.secrets import environment
from streams.hosting.clock import WallClock
from streams.hosting.host import Host
from streams.hosting.kafka import KafkaLog
from streams.logbook import logged

SESSION = timedelta(seconds=6)


async def work(bootstrap: str, prefix: str) -> None:
    connection = {"bootstrap_servers": bootstrap}
    mail = Mail(
        **{name: f"{prefix}.{name}" for name in ("pages", "outcomes", "causes", "deadletter")},
    )
    clock = WallClock()
    courier = Courier(environment(os.environ), print)
    async with KafkaLog(connection) as log:
        office = Office(courier=courier, log=log, clock=clock, at=lambda message: message.time, mail=mail)
        host = Host(hosting(office, prefix, SESSION), connection, clock)
        running = asyncio.create_task(host.run())
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()
        await host.stop()
        await running
    await courier.close()


if __name__ == "__main__":
    logged()
    asyncio.run(work(*sys.argv[1:]))
