"""Workers killed at random points on Apache Kafka: is what comes of it what comes of an undisturbed run?

    python benchmarks/recovery.py                     fifty seeds
    python benchmarks/recovery.py --runs 5 --seed 70  five, from seed 70 on
    python benchmarks/recovery.py --quick             three
    python benchmarks/recovery.py --rolling --runs 5  two workers replaced one by one instead: how long a gap?

Each run has a broker of its own, a stream of 12,000 events of 120 agents with six outages, and one worker or
two. Two to four times one is killed by SIGKILL while it begins, restores or works. A run is good where, then,

* each event stands in the log once, and the signals that the router takes are those of the undisturbed fold,
  record by record and byte by byte;
* so are the pages; each arrived at its channel, and twice only where a kill fell between the sending and the
  record of it;
* the state of each agent, as the next owner finds it, is the same, byte by byte; nothing is a dead letter.

A run that is not good is told with its seed and its reason, and its logs are kept. The exit code is then 1.
"""

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streams.hosting.topics import EVENTS, create
from tests.contract.brokers import BROKERS
from tests.contract.disturbance import Disturbed, disturbed
from tests.contract.killing import Fell, drawn, killed, replaced
from tests.contract.played import CONFIG, PARTITIONS, calm

SESSION_S = 4
SNAPSHOT_S = 0.5
MOST_KILLS = 4
ROLLING_EVENTS_A_SECOND = 250.0


class Run(Struct):
    """One seed. `fault`: why it is not good; `dropped`: outputs written again, and dropped by their origin.

    `repeated`: pages that arrived once more than once.
    """

    seed: int
    workers: int
    took_s: float = 0.0
    fell: Sequence[Fell] = ()
    dropped: int = 0
    pages: int = 0
    repeated: int = 0
    gap_s: float = 0.0
    fault: str = ""


async def upgraded(stage: Disturbed, run: Run) -> None:
    """Two workers are replaced one by one while events come; tells how long a partition gave nothing."""
    workers = [stage.site.worker() for _ in range(run.workers)]
    for worker in workers:
        await worker.owns_some(EVENTS)
    began = datetime.now(UTC)
    stage.publish(ROLLING_EVENTS_A_SECOND)
    await stage.witness.sees(lambda: stage.witness.pages)
    await replaced(stage, workers)
    over_ms = datetime.now(UTC).timestamp() * 1000
    await stage.finished()
    for worker in workers:
        await worker.stop()
    for each in stage.witness.accepted_ms.values():
        marks = [began.timestamp() * 1000, *(at for at in each if at <= over_ms), over_ms]
        run.gap_s = max(run.gap_s, *((after - before) / 1000 for before, after in pairwise(marks)))


async def played(seed: int, bootstrap: str, home: Path, *, rolling: bool) -> Run:
    """One run on a fresh broker."""
    plan = drawn(seed, MOST_KILLS)
    run = Run(seed, 2 if rolling else plan.workers)
    await create({"bootstrap_servers": bootstrap}, partitions=PARTITIONS)
    config = home / CONFIG.name
    config.write_text(CONFIG.text)
    variables = {
        "OVERSIGHT_CLOCK": "events",
        "OVERSIGHT_SESSION_S": str(SESSION_S),
        "OVERSIGHT_SNAPSHOT_S": str(SNAPSHOT_S),
    }
    async with disturbed(bootstrap, home, config, variables) as stage:
        try:
            if rolling:
                await upgraded(stage, run)
            else:
                run.fell = await killed(stage, plan)
            await stage.is_as_if_nothing_had_happened()
        except (AssertionError, TimeoutError, subprocess.TimeoutExpired):
            run.fault = traceback.format_exc(limit=-2)
        run.dropped = stage.witness.dropped
        run.pages = len(stage.site.sent)
        run.repeated = sum(stage.site.sent.values()) - run.pages
    return run


def one(seed: int, broker: str, keep: Path, *, rolling: bool) -> Run:
    """One run; its folder is kept where it was not good."""
    home = keep.resolve() / f"seed-{seed}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    node = BROKERS[broker](home / "node")
    node.start()
    began_s = time.monotonic()
    try:
        run = asyncio.run(played(seed, node.bootstrap, home, rolling=rolling))
    finally:
        node.stop()
    run.took_s = time.monotonic() - began_s
    if not run.fault:
        shutil.rmtree(home)
    return run


def report(runs: Sequence[Run], look: Console) -> None:
    """One table: what was done, what came of it."""
    fell = [each for run in runs for each in run.fell]
    on = Counter(each.on for each in fell)
    ready = sorted(each.ready.total_seconds() for each in fell if each.ready is not None)
    table = Table(title=f"{len(runs)} runs, {calm_figures()}", title_justify="left", show_header=False)
    rows = {
        "runs that are as if nothing had happened": f"{sum(not run.fault for run in runs)} of {len(runs)}",
        "with one worker, with two": ", ".join(
            str(sum(run.workers == count for run in runs)) for count in (1, 2)
        ),
        "kills": f"{len(fell)}: {on['work']} of workers at work, {on['restoring']} while some were restoring",
        "outputs written again, and dropped by their origin": f"{sum(run.dropped for run in runs):,}",
        "pages that arrived": f"{sum(run.pages for run in runs):,}",
        "of them twice, a kill having fallen in between": f"{sum(run.repeated for run in runs):,}",
        "seconds until every partition was owned again": spread(ready),
        "longest gap of a partition while workers were replaced, s": spread([run.gap_s for run in runs]),
        "seconds a run": spread([run.took_s for run in runs]),
    }
    for what, figure in rows.items():
        table.add_row(what, figure)
    look.print(table)


def calm_figures() -> str:
    """What an undisturbed run comes to."""
    signals = sum(len(causes) for causes in calm().accepted.values())
    return f"each {signals:,} signals and marks, {len(calm().pages)} pages, {len(calm().state)} agents"


def spread(figures: Sequence[float]) -> str:
    """Median and range."""
    if not figures:
        return "none"
    return f"{statistics.median(figures):.1f} [{min(figures):.1f}-{max(figures):.1f}]"


def main() -> int:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--runs", type=int, default=50)
    ask.add_argument("--seed", type=int, default=0, help="the first seed")
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    ask.add_argument("--quick", action="store_true", help="three runs")
    ask.add_argument("--rolling", action="store_true", help="replace workers in good order, kill none")
    ask.add_argument("--keep", type=Path, default=Path("build/recovery"), help="where logs of bad runs stay")
    said = ask.parse_args()
    look = Console(width=140)
    runs: list[Run] = []
    with Progress(console=look) as progress:
        count = 3 if said.quick else said.runs
        for seed in progress.track(range(said.seed, said.seed + count), description="runs"):
            runs.append(one(seed, said.broker, said.keep, rolling=said.rolling))
            look.print(told(runs[-1]))
    report(runs, look)
    return int(any(run.fault for run in runs))


def told(run: Run) -> str:
    """One run in a line, and why it is not good."""
    ready = ", ".join(f"{each.ready.total_seconds():.1f}" if each.ready else "-" for each in run.fell)
    verdict = f"[red]NOT GOOD[/]\n{escape(run.fault)}" if run.fault else "[green]good[/]"
    on = ", ".join(each.on for each in run.fell)
    return (
        f"seed {run.seed}: {run.workers} workers, killed at {on}; ready after {ready} s; "
        f"gap {run.gap_s:.1f} s, dropped {run.dropped}, pages {run.pages}, repeated {run.repeated}; "
        f"{run.took_s:.0f} s: {verdict}"
    )


if __name__ == "__main__":
    sys.exit(main())
