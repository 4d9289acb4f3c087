"""Workers as they run in production, a process each: started, killed, paused, stopped, listened to."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from tests.fakes_http import PagerDuty, Slack

ROOT = Path(__file__).parents[2]
WITHIN = timedelta(seconds=60)
POLL = timedelta(milliseconds=50)
STOPPED_WITHIN = timedelta(seconds=30)


class Ended(AssertionError):  # noqa: N818 - what the worker did
    """A worker ended by itself; the message holds the end of its log."""


class Worker:
    """One process. What it says on standard error are events, one JSON object a line."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log

    @property
    def said(self) -> list[dict]:
        """Every event so far. Lines of libraries that are no events are left out."""
        lines = self._log.read_bytes().splitlines()
        return [msgspec.json.decode(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]

    @property
    def owned(self) -> list[str]:
        """Partitions in the order in which it took them over, as `topic/number`."""
        return [place for _, place in self.owned_at]

    @property
    def owned_at(self) -> list[tuple[datetime, str]]:
        """The same, each with the time at which it was restored."""
        events = [each for each in self.said if each["event"] == "partition.owned"]
        return [
            (datetime.fromisoformat(each["timestamp"]), f"{each['topic']}/{each['partition']}")
            for each in events
        ]

    @property
    def last_words(self) -> str:
        return self._log.read_bytes()[-4000:].decode("utf-8", "replace")

    async def owns(self, *places: str, within: timedelta = WITHIN) -> None:
        """Waits until it has taken over each of these partitions."""
        await self._until(lambda: set(places) <= set(self.owned), within)

    async def owns_some(self, topic: str, since: int = 0, within: timedelta = WITHIN) -> None:
        """Waits until it has taken over any partition of a topic, after the first `since` it ever had."""
        await self._until(lambda: any(each.startswith(f"{topic}/") for each in self.owned[since:]), within)

    async def says(self, event: str, why: str = "", within: timedelta = WITHIN) -> None:
        """Waits until it tells an event, with this in its error."""
        await self._until(
            lambda: any(each["event"] == event and why in each.get("error", "") for each in self.said), within
        )

    async def _until(self, happened: Callable[[], bool], within: timedelta) -> None:
        deadline_s = time.monotonic() + within.total_seconds()
        while not happened():
            if self.process.poll() is not None:
                raise Ended(f"{self.name} ended with {self.process.returncode}: {self.last_words}")
            assert time.monotonic() < deadline_s, f"{self.name} owns {self.owned}: {self.last_words}"
            await asyncio.sleep(POLL.total_seconds())

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Stands still, but lives; the kernel keeps its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on as if nothing had happened."""
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Asks it to end, as an orchestrator does, and expects that it ends well."""
        self.process.terminate()
        code = await asyncio.to_thread(self.process.wait, STOPPED_WITHIN.total_seconds())
        assert code == 0, f"{self.name} ended with {code}: {self.last_words}"


def free_port() -> int:
    """One at which nobody listens on loopback."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Site:
    """A broker's address, two channels on loopback, and the workers of one test."""

    def __init__(self, bootstrap: str, home: Path, config: Path, variables: Mapping[str, str]) -> None:
        self.bootstrap = bootstrap
        self.slack = Slack()
        self.pagerduty = PagerDuty()
        self.workers: list[Worker] = []
        self._home = home
        self._config = config
        self._variables = variables

    @property
    def environment(self) -> dict[str, str]:
        """What a worker is told."""
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OVERSIGHT_KAFKA": self.bootstrap,
            "OVERSIGHT_CONFIG": str(self._config),
            "SLACK_BOT_TOKEN": self.slack.token,
            "SLACK_API_URL": self.slack.url,
            "PAGERDUTY_EVENTS_URL": self.pagerduty.url,
            "PD_KEY": self.pagerduty.routing_key,
            **self._variables,
        }

    @property
    def sent(self) -> Counter[str]:
        """How often each page reached its channel, told by what the receiver sees; edits do not count."""
        posted = [each["metadata"]["event_payload"]["page"] for each in self.slack.top]
        triggered = [
            each["payload"]["custom_details"]["page"]
            for each in self.pagerduty.bodies
            if each["event_action"] == "trigger"
        ]
        return Counter(each for each in [*posted, *triggered] if each.startswith("page-"))

    def worker(self) -> Worker:
        """Starts one more."""
        name = f"worker-{len(self.workers)}"
        log = self._home / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker"],
                cwd=self._home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.workers.append(Worker(name, process, log))
        return self.workers[-1]

    def whole_at(self, since: datetime, places: Collection[str]) -> datetime | None:
        """When each of these partitions had been taken over, by whomever, after a time; None: not yet."""
        owned = sorted(each for worker in self.workers for each in worker.owned_at if each[0] > since)
        missing = set(places)
        for at, place in owned:
            missing.discard(place)
            if not missing:
                return at
        return None

    async def whole(self, since: datetime, places: Collection[str]) -> None:
        """Waits until each of these partitions has been taken over after a time."""
        deadline_s = time.monotonic() + WITHIN.total_seconds()
        while self.whole_at(since, places) is None:
            assert time.monotonic() < deadline_s, [worker.last_words for worker in self.workers[-2:]]
            await asyncio.sleep(POLL.total_seconds())

    async def oversight(self, *arguments: str) -> str:
        """Runs a command to its end and expects that it ends well; says what it printed."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self) -> None:
        """Leaves nothing running."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()


@asynccontextmanager
async def site(bootstrap: str, home: Path, config: Path, variables: Mapping[str, str]) -> AsyncIterator[Site]:
    """A site whose channels run as long as the context."""
    one = Site(bootstrap, home, config, variables)
    async with one.slack.running(), one.pagerduty.running():
        try:
            yield one
        finally:
            one.end()
