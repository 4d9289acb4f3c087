"""Seconds from the start of a worker to its first signal and page, with the state of many agents to restore.

    python benchmarks/restart.py                        10,000 agents, Apache Kafka
    python benchmarks/restart.py --quick --broker tansu 1,000, embedded
    python benchmarks/restart.py --backlog 10000        so many events came while there was no worker

The states are those of a simulated fleet after some hours, kept under so many names. The log goes on with an
outage of twelve other agents, so that there is something to tell as soon as it is read. With a backlog each
of the agents has sent something meanwhile, one after the other.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.bank import Bank
from schemas.event import Event
from schemas.record import Record, Saved
from schemas.wire import encode
from streams.demonstration.fleet import Scripted, fleet
from streams.history import Step, partition_of
from streams.hosting.kafka import KafkaLog
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Snapshots, batches
from streams.hosting.topics import DETECTOR_STATE, EVENTS, create_topics
from streams.publication import publisher
from tests.contract.brokers import BROKERS
from tests.contract.witness import witnessing

PARTITIONS = 4
MODELS = 25
"""Agents that the states are taken from."""
HOURS = 12
RULES = """\
route: {receiver: all, group_by: [agent, detector], group_wait: 0s}
receivers: [{name: all, notify: [{terminal: screen}]}]
"""
MOST_BYTES = 4_000_000
PATIENCE = timedelta(minutes=1)


class Figures(msgspec.Struct):
    """Of one restart: seconds from the start of the process."""

    owned_s: float
    signal_s: float
    page_s: float
    peak_mb: float
    cpu_s: float


def kept(now: datetime) -> tuple[bytes, Sequence[Saved]]:
    """The mark of a bank and the states of its agents, after some hours that end now."""
    length = timedelta(hours=HOURS)
    played = fleet(MODELS, 5, MODELS / 20, now - length, length)
    bank = Bank(read_settings)
    bank.begin(())
    for offset, event in enumerate(played.events()):
        bank.apply(Record(offset, encode(event)))
    states = [bank.save(name) for name in sorted(bank.unsaved())]
    return bank.mark(), [_unapplied(each) for each in states if each is not None]


def _unapplied(saved: Saved) -> Saved:
    """The same state as of before the log began."""
    return msgspec.structs.replace(saved, applied=-1)


async def prepared(bootstrap: str, agents: int, backlog: int) -> float:
    """Writes states and log; says how many MB of state there are."""
    now = datetime.now(UTC).replace(microsecond=0)
    mark, states = kept(now - timedelta(minutes=1))
    await create_topics(bootstrap, PARTITIONS)
    keys: list[dict[str, Saved | None]] = [{} for _ in range(PARTITIONS)]
    names = [f"watched-{n:05d}" for n in range(agents)]
    for n, name in enumerate(names):
        keys[partition_of(name.encode(), PARTITIONS)][name] = states[n % len(states)]
    async with KafkaLog({"bootstrap_servers": bootstrap}) as log:
        for number, each in enumerate(keys):
            snapshots = Snapshots(log, DETECTOR_STATE, number, uuid4().hex)
            await snapshots.take_over()
            await snapshots.write_low_water(0, mark)
            for batch in batches(each.items(), MOST_BYTES):
                await snapshots.write(batch)
    events = [*waiting(names, backlog, now), *outage(now)]
    async with publisher({"bootstrap_servers": bootstrap}, EVENTS) as appender:
        await appender.publish([step(each) for each in sorted(events, key=lambda each: each.time)])
    return sum(len(encoded(each)) for each in states) / len(states) * agents / 1e6


def encoded(saved: Saved) -> bytes:
    """A state as it was saved."""
    return saved.body + b"".join(saved.parts.values())


def waiting(names: Sequence[str], count: int, now: datetime) -> list[Event]:
    """An event each of so many agents, spread over the last half minute."""
    if not count:
        return []
    played = fleet(1, 3, 1000.0, now - timedelta(seconds=30), timedelta(hours=1)).events()
    found = []
    for n, event in zip(range(count), played, strict=False):
        agent = msgspec.structs.replace(event.data.agent, name=names[n % len(names)])
        data = msgspec.structs.replace(event.data, agent=agent)
        at = now - timedelta(seconds=30 * (1 - n / count))
        found.append(msgspec.structs.replace(event, time=at, data=data, id=f"waiting-{n}"))
    return found


def outage(now: datetime) -> list[Event]:
    """The last ten minutes of twelve agents; all of them have just lost their provider."""
    length = timedelta(minutes=10)
    calm = fleet(12, 11, 3.0, now - length, length)
    lost = tuple(profile.name for profile in calm.profiles)
    scripted = Scripted(kind="outage", agents=lost, start=now - length / 2, end=now, story="")
    played = msgspec.structs.replace(calm, scripted=(scripted,))
    return [event for event in played.events() if event.time < now]


def step(event: Event) -> Step:
    """An event where its agent's key says."""
    key = event.data.agent.name.encode()
    return Step(partition_of(key, PARTITIONS), encode(event), key)


async def restarted(bootstrap: str, home: Path) -> Figures:
    """Starts a worker, and waits until it has told something."""
    (home / "rules.yml").write_text(RULES)
    told = {"OVERSIGHT_KAFKA": bootstrap, "OVERSIGHT_CONFIG": str(home / "rules.yml")}
    log = home / f"worker-{uuid4().hex}.log"
    command = [sys.executable, "-m", "streams.cli", "worker"]
    async with witnessing(bootstrap) as witness:
        with log.open("wb") as out:
            began = datetime.now(UTC)
            process = subprocess.Popen(  # noqa: ASYNC220 - as the contract tests start theirs
                command, env=os.environ | told, stdout=out, stderr=out
            )
        try:
            await witness.sees(lambda: witness.pages, PATIENCE)
            peak_mb, cpu_s = peak(process.pid), cpu(process.pid)
        except AssertionError:
            sys.stderr.write(log.read_text()[-4000:])
            raise
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        page_s = min(witness.written_ms.values()) / 1000 - began.timestamp()
        signal_s = (witness.signalled_ms or 0) / 1000 - began.timestamp()
    said = [msgspec.json.decode(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    for each in said:
        if each["event"] == "partition.owned":
            sys.stderr.write(f"{each['topic']}/{each['partition']} restored in {each['took_s']} s\n")
    owned = [datetime.fromisoformat(each["timestamp"]) for each in said if each["event"] == "partition.owned"]
    return Figures((max(owned) - began).total_seconds(), signal_s, page_s, peak_mb, cpu_s)


def peak(pid: int) -> float:
    """Most memory that a process has had so far, in MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def cpu(pid: int) -> float:
    """Seconds of processor time that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rounds(broker: str, agents: int, backlog: int, count: int, look: Console) -> None:
    """Each on a fresh broker, for what was told once is not told again; then one table."""
    found = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            node = BROKERS[broker](home / "node")
            node.start()
            try:
                megabytes = asyncio.run(prepared(node.bootstrap, agents, backlog))
                found.append(asyncio.run(restarted(node.bootstrap, home)))
            finally:
                node.stop()
        look.print(f"round {number + 1}: {found[-1]}")
    title = f"{broker}: {agents:,} agents, {megabytes:,.0f} MB of state unpacked, {backlog:,} events waiting"
    table = Table(title=title, title_justify="left")
    for column in ("", "median [min-max]"):
        table.add_column(column)
    for what, name in (
        ("s until every partition is restored", "owned_s"),
        ("s until the first signal", "signal_s"),
        ("s until the first page", "page_s"),
        ("s of CPU by then", "cpu_s"),
        ("peak MB by then", "peak_mb"),
    ):
        figures = [getattr(each, name) for each in found]
        spread = f"[{min(figures):.1f}-{max(figures):.1f}]"
        table.add_row(what, f"{statistics.median(figures):.1f} {spread}")
    look.print(table)


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    ask.add_argument("--agents", type=int, default=10_000)
    ask.add_argument("--backlog", type=int, default=0)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--quick", action="store_true", help="1,000 agents, one round")
    said = ask.parse_args()
    agents, count = (1_000, 1) if said.quick else (said.agents, said.rounds)
    rounds(said.broker, agents, said.backlog, count, Console(width=140))


if __name__ == "__main__":
    main()
