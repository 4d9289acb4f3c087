"""What `make nightly` runs: tests in their long forms, every judge of detection, benchmarks in short."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
NIGHT = timedelta(hours=6)
TWO = ("-n2", "--dist=loadgroup")
EMBEDDED = ("--broker", "tansu")


@dataclass(frozen=True)
class Part:
    """One long form. `about`: how long it takes on two quiet cores; after `within` it is stopped.

    `good`: what it is when it ended with 0; `measured` where the figures are for people to judge.
    """

    name: str
    says: str
    command: tuple[str, ...]
    about: timedelta
    within: timedelta = NIGHT
    good: Literal["passed", "measured"] = "passed"


def tests(name: str, says: str, paths: tuple[str, ...], minutes: float) -> Part:
    """Tests, drawn by the nightly profile; on two cores. `paths` may hold patterns."""
    found = sorted(str(path.relative_to(ROOT)) for each in paths for path in ROOT.glob(each))
    options = (*TWO, "--timeout=7200", "-q", "-p", "no:cacheprovider")
    return Part(name, says, (sys.executable, "-m", "pytest", *found, *options), timedelta(minutes=minutes))


def judge(script: str, says: str, minutes: float, *options: str) -> Part:
    """A script of benchmarks/, in full or as `options` say."""
    name = "-".join((script, *options[1:2])).replace("_", "-")
    command = (sys.executable, f"benchmarks/{script}.py", *options)
    return Part(name, says, command, timedelta(minutes=minutes), good="measured")


def bench(script: str, says: str, minutes: float, *options: str) -> Part:
    """A benchmark in its short form: that it still runs, and that no figure is far off."""
    command = (sys.executable, f"benchmarks/{script}.py", *options)
    name = f"bench-{script.replace('_', '-')}"
    return Part(name, says, command, timedelta(minutes=minutes), good="measured")


LONG = (
    tests(
        "nights",
        "1,500 nights of routing from seeds, 200 beside digests and drills",
        ("tests/simulation/test_nights*.py",),
        13,
    ),
    tests(
        "differential",
        "rules beside Alertmanager: 10,000 of routes, 5,000 of matchers, 3,000 of hours",
        ("tests/routing/test_alertmanager_agrees*.py",),
        9,
    ),
    tests(
        "laws",
        "what holds for every detector, a million ordinary events each",
        ("tests/detectors/test_laws*.py",),
        13,
    ),
    tests(
        "fuzz",
        "a million hurt texts for each way in, and a million hurt configurations",
        ("tests/fuzz/test_*.py",),
        50,
    ),
    tests("quiet", "a million events of ordinary days", ("tests/streams/test_quiet_fleet.py",), 4),
    tests(
        "crashes",
        "crashes, pauses, lost answers and damage, from seeds",
        ("tests/simulation/test_[!n]*.py",),
        6,
    ),
)
JUDGES = (
    judge("real_traffic", "pages on real traffic, with faults put in", 5),
    judge("quiet_fleet", "a quiet month, three seeds: who is paged?", 30),
    judge("metric_anomalies", "three judges of metric anomalies", 2),
    judge("input_shift", "60 seeds of shifts of texts, beside River", 60),
    judge("features", "shifts of features, beside River", 10),
    judge("rollout", "canaries that equal control: false rollbacks", 15, "--only", "null"),
    judge("rollout", "sessions until a bad canary is rolled back", 10, "--only", "detection"),
    judge("rollout", "whether intervals hold at any time", 5, "--only", "coverage"),
    judge("rollout", "sessions until a good canary is promoted", 10, "--only", "promotion"),
    judge("rollout", "faults of recording", 5, "--only", "recording"),
    judge("rollout", "users who stay with one arm", 5, "--only", "sticky"),
    judge("error_rate", "false alarms, and how soon a rise is told", 20),
    judge("faults", "dependency, session and isolation: faults put in, and 30 days without", 30),
    judge("quality", "answers that get worse", 10),
    judge("silence", "silences: false ones, and how soon a death is told", 10),
    judge("slowdowns", "slow operations", 10),
    judge("budget", "budgets: how early, how often wrongly", 10),
    judge("recovery", "fifty runs of workers that are killed at random points", 45),
    judge("thirty_days", "approvals and telemetry in 30 quiet days", 10),
)
BENCHES = (
    bench("restart", "seconds until a restarted worker tells something", 3, *EMBEDDED, "--quick"),
    bench("event_costs", "µs an event of each detector", 5, "--quick"),
    bench("cause_costs", "what a cause costs", 5, "--quick"),
    bench("advice", "what a question costs", 1, "--quick"),
    bench("rollout", "what a session of a canary costs", 1, "--only", "speed"),
    bench("publishing", "what an agent pays to publish", 1, "--quick"),
    bench("skew", "how unevenly partitions are loaded", 1, "--quick"),
    bench("open_incidents", "memory by open incidents", 5, "--quick", *EMBEDDED),
    bench("throughput", "events a second", 5, *EMBEDDED, "--rounds", "1", "--events", "100000"),
    bench("latency", "publish to page", 5, *EMBEDDED, "--rate", "1000", "--victims", "20"),
    bench("memory", "memory by agents", 10, *EMBEDDED),
)


def _named(parts: tuple[Part, ...]) -> Iterator[str]:
    """Files of tests that parts name."""
    yield from (word for part in parts for word in part.command if word.startswith("tests/"))


def _others() -> Iterator[Part]:
    """Every script of benchmarks/ that is named nowhere here, in full and by its own words."""
    named = {word for part in (*JUDGES, *BENCHES) for word in part.command}
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if f"benchmarks/{path.name}" not in named and "argparse" in text:
            yield judge(path.stem, text.strip('"').partition("\n")[0].rstrip('"'), 15)


def _properties() -> Part:
    """All other tests, so that none is forgotten: 2,000 examples of each that is drawn."""
    apart = tuple(f"--ignore={each}" for each in ("tests/contract", *_named(LONG)))
    part = tests("properties", "2,000 examples of every drawn test, and all other tests", ("tests",), 20)
    return Part(part.name, part.says, (*part.command, *apart), part.about)


PARTS = (*LONG, _properties(), *JUDGES, *_others(), *BENCHES)
