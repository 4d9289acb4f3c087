"""`dependency`, `session` and `isolation`: how soon injected faults are told, and 30 days without any.

    python benchmarks/faults.py [--quick] [--seeds 12] [--days 30] [--only lasting]

Sessions are made up from seeds: heavy-tailed numbers of calls of a model and three tools, with durations,
arguments, costs, tenants, users, resources and planted strings of their own. On every day one call in 200
times out, one in 500 is rate-limited, one in 12 refused as a wrong request. In a quiet agent every finding is
a false one; a page is one that the default severity table makes an error or worse. A fault begins after six
quiet hours. Faults that last for a day, and those of sparse agents, are told of apart (`lasting_faults.py`).
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from heapq import heappop, heappush
from math import cos, pi
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.lasting_faults import LASTING, SPARSE, lasting_table
from detectors.dependency import Dependency
from detectors.detector import Detector, Finding
from detectors.isolation import Isolation
from detectors.session import Session
from detectors.settings import Watch
from routing.configuration import load
from routing.severity import RANK, score
from schemas.cause import ConfigFile
from schemas.event import Event
from schemas.signal import Signal

START_S = 1_767_571_200.0
HOUR, DAY = 3600.0, 86400.0
FAULT_S = START_S + 6 * HOUR
GRID_S = 5.0
Kinds = tuple[type[Detector], ...]
KINDS: Kinds = (Dependency, Session, Isolation)
RATES = {"3 an hour": 3.0, "30 an hour": 30.0, "30 an hour by day": -30.0, "120 an hour": 120.0}
"""Sessions an hour; below 0: at noon, a tenth of it at night."""
SHARED_TOOLS = ("lookup", "search", "refund")

Data = dict[str, object]
Fault = Callable[[random.Random, Data], bool]
"""Changes what an event says, from the fault's beginning on; False: the event does not come."""


class Told(Struct):
    """A finding that opened: seconds after the fault began (or the start), and whether it pages."""

    detector: str
    finding: str
    after_s: float
    pages: bool


def calls(draw: random.Random, name: str, who: Data) -> Iterator[tuple[float, str, Data]]:
    """The operations of a session: seconds from its beginning, the operation, what the event says."""
    at = 0.0
    for number in range(max(1, int(6 * draw.lognormvariate(0, 0.6)))):
        at += draw.lognormvariate(0.5, 0.8)
        usage = {"input_tokens": int(1200 * draw.lognormvariate(0, 0.5)), "cost_amount": 0.004}
        spent = draw.lognormvariate(0.4, 0.5)
        yield at + spent, "chat", {**who, "provider": {"name": "openai"}, "usage": usage, "duration": spent}
        at += spent
        tool = {"name": draw.choice(SHARED_TOOLS), "arguments_digest": str(draw.randrange(12))}
        operation = {"id": f"{name}-{number}", "required": tool["name"] == "refund"}
        yield at, "execute_tool", {**who, "tool": tool, **operation, "state": "started"}
        spent = draw.lognormvariate(-0.7, 0.6)
        at += spent
        yield at, "execute_tool", {**who, "tool": tool, **operation, "duration": spent, **_slip(draw)}
        owner = who["tenant"]["id"]
        found = {
            "resources": [{"kind": "memory", "id": f"m-{owner}", "owner": owner}],
            "honeytokens": [f"h-{owner}"],
        }
        yield at, "search_memory", {**who, "isolation": found}


def _slip(draw: random.Random) -> Data:
    """What goes wrong on every day."""
    luck = draw.random()
    if luck < 1 / 200:
        return {"error": {"type": "timeout", "class": "retryable"}}
    if luck < 1 / 200 + 1 / 500:
        return {"error": {"type": "rate_limit", "class": "retryable", "final": False}}
    return {"error": {"type": "not_found", "class": "non_retryable"}} if luck < 1 / 12 else {}


def traffic(
    draw: random.Random, rate: float, until: float, fault: Fault | None = None
) -> Iterator[tuple[float, Event]]:
    """Events in order of time, up to `until` in POSIX seconds."""
    waiting: list[tuple[float, int, str, str, Data]] = []
    at, count = START_S, 0
    while at < until:
        at += draw.expovariate(abs(rate) / HOUR)
        if rate < 0 and draw.random() > 0.55 - 0.45 * cos(2 * pi * (at % DAY) / DAY):
            continue
        while waiting and waiting[0][0] <= at:
            yield from _made(draw, heappop(waiting), fault)
        for each in _session(draw, at, f"s{count}"):
            count += 1
            heappush(waiting, (each[0], count, *each[1:]))


def _session(draw: random.Random, at: float, name: str) -> Iterator[tuple[float, str, str, Data]]:
    """A session: its time, the event's type, the operation, what it says."""
    tenant = draw.randrange(40)
    who: Data = {
        "conversation": {"id": name},
        "tenant": {"id": f"t{tenant}"},
        "user": {"id": f"u{tenant}-{draw.randrange(20)}"},
    }
    yield at, "agent.session.v1", "invoke_agent", {**who, "conversation": {"id": name, "state": "started"}}
    last = 0.0
    for last, operation, said in calls(draw, name, who):
        yield at + last, "agent.operation.v1", operation, said
    ended = {**who, "conversation": {"id": name, "state": "ended"}}
    yield at + last + 0.1, "agent.session.v1", "invoke_agent", ended


def _made(
    draw: random.Random, planned: tuple[float, int, str, str, Data], fault: Fault | None
) -> Iterator[tuple[float, Event]]:
    at, number, kind, operation, said = planned
    said = {**said, "operation": {"name": operation}}
    if fault is not None and at >= FAULT_S and not fault(draw, said):
        return
    for name in ("id", "required", "state", "duration"):
        if name in said:
            said["operation"][name] = said.pop(name)
    event = {"specversion": "1.0", "id": str(number), "source": "made-up", "type": kind}
    time = datetime.fromtimestamp(at, UTC)
    yield at, msgspec.convert({**event, "time": time, "data": {"agent": {"name": "made-up"}, **said}}, Event)


def told(kinds: Kinds, events: Iterator[tuple[float, Event]], since: float) -> list[Told]:
    """What detectors tell, each finding once for each onset."""
    policy = load([ConfigFile("c.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n")])
    detectors, grid = [kind(Watch(), {}) for kind in kinds], START_S
    known: dict[tuple[str, str, str, float], Told] = {}
    for at, event in events:
        while grid <= at:
            for detector in detectors:
                for each in detector.findings(grid):
                    key = (detector.name, each.finding, str(each.labels), each.onset)
                    opened = known.setdefault(
                        key, Told(detector.name, each.finding, grid - since, pages=False)
                    )
                    opened.pages |= _pages(detector.name, each, policy, grid)
            grid += GRID_S
        for detector in detectors:
            if event.type in detector.watches:
                detector.observe(event, at)
    return list(known.values())


def _pages(name: str, found: Finding, policy: object, at: float) -> bool:
    common = {*Finding.__struct_fields__} & {*Signal.__struct_fields__} - {"labels"}
    fields = {each: getattr(found, each) for each in common}
    fields["onset"] = datetime.fromtimestamp(found.onset, UTC)
    basics = {"id": "s", "detector": name, "state": "firing", "time": fields["onset"]}
    signal = Signal(**basics, **fields, labels=dict(found.labels))
    now = datetime.fromtimestamp(at, UTC)
    return RANK[score(signal, signal.labels, policy, now).severity] >= RANK["error"]


def of_tool(share: float, **change: object) -> Fault:
    """A share of the refunds that end says this instead."""

    def fault(draw: random.Random, said: Data) -> bool:
        mine = said.get("tool", {}).get("name") == "refund" and "duration" in said
        if mine and draw.random() < share:
            said.update(change)
        return True

    return fault


def hangs(share: float) -> Fault:
    """A share of the refunds never end."""

    def fault(draw: random.Random, said: Data) -> bool:
        mine = said.get("tool", {}).get("name") == "refund" and "duration" in said
        return not (mine and draw.random() < share)

    return fault


def leaks(share: float, **parts: Callable[[str], object]) -> Fault:
    """A share of the events with resources says this, of another tenant, instead."""

    def fault(draw: random.Random, said: Data) -> bool:
        if "isolation" in said and draw.random() < share:
            said.update({name: part(f"t{draw.randrange(40)}") for name, part in parts.items()})
        return True

    return fault


TIMEOUT = {"type": "timeout", "class": "retryable"}
LIMITED = {"type": "rate_limit", "class": "retryable", "final": False}
WRONG = {"type": "not_found", "class": "non_retryable"}
FAULTS: Mapping[str, tuple[type[Detector], str, Fault]] = {
    "a tool's calls all time out": (Dependency, "failing", of_tool(1.0, error=TIMEOUT)),
    "three in ten time out": (Dependency, "failing", of_tool(0.3, error=TIMEOUT)),
    "all are rate-limited": (Dependency, "rate_limited", of_tool(1.0, error=LIMITED)),
    "all take 20 s": (Dependency, "slow", of_tool(1.0, duration=20.0)),
    "none ends": (Dependency, "hanging", hangs(1.0)),
    "half of the required ones fail, unseen": (Dependency, "unseen", of_tool(0.5, error=WRONG)),
    "each hundredth memory is another tenant's": (
        Isolation,
        "breach",
        leaks(0.01, isolation=lambda t: {"resources": [{"kind": "memory", "id": "m", "owner": t}]}),
    ),
    "each hundredth session meets another tenant": (
        Isolation,
        "breach",
        leaks(0.01, tenant=lambda t: {"id": t}),
    ),
}


ASTRAY = {"a session makes the same call each 3 s": "loop", "a session makes a new call each 3 s": "runaway"}


def astray(draw: random.Random, rate: float, finding: str) -> Iterator[tuple[float, Event]]:
    """Ordinary traffic, and from the fault on one session that calls without end."""
    at = FAULT_S
    for each in traffic(draw, rate, FAULT_S + HOUR):
        while at <= each[0]:
            tool = {"name": "search", "arguments_digest": "same" if finding == "loop" else str(at)}
            usage = {"input_tokens": 1500, "cost_amount": 0.004}
            said = {"conversation": {"id": "bad"}, "tool": tool, "usage": usage, "duration": 0.5}
            yield from _made(draw, (at, int(at * 10), "agent.operation.v1", "execute_tool", said), None)
            at += 3.0
        yield each


def delay(name: str, seed: int, rate: float) -> tuple[float | None, int]:
    """Seconds until the fault is told, or None within the hour; and false findings before it."""
    draw = random.Random(seed)
    if name in ASTRAY:
        finding = ASTRAY[name]
        found = told((Session,), astray(draw, rate, finding), FAULT_S)
    else:
        kind, finding, fault = FAULTS[name]
        found = told((kind,), traffic(draw, rate, FAULT_S + HOUR, fault), FAULT_S)
    after = [each.after_s for each in found if each.finding == finding and each.after_s >= 0]
    return min(after, default=None), sum(each.after_s < 0 for each in found)


def quiet(rate: float, days: float, seed: int) -> list[Told]:
    """Everything that is told of an agent without a fault."""
    return told(KINDS, traffic(random.Random(seed), rate, START_S + days * DAY), START_S)


def faults_table(seeds: int, rate: float) -> Table:
    """Delays of each fault."""
    table = Table(title=f"faults, {rate:g} sessions an hour, {seeds} seeds", title_justify="left")
    for column in ("fault", "told after: median [least-most] s", "not within the hour", "false before"):
        table.add_column(column)
    for name in track([*FAULTS, *ASTRAY], "faults"):
        found = [delay(name, seed, rate) for seed in range(seeds)]
        after = sorted(each for each, _ in found if each is not None)
        range_ = f"{statistics.median(after):.0f} [{after[0]:.0f}-{after[-1]:.0f}]" if after else "-"
        table.add_row(name, range_, str(seeds - len(after)), str(sum(false for _, false in found)))
    return table


def quiet_table(seeds: int, days: float) -> Table:
    """Findings and pages of agents without a fault."""
    table = Table(title=f"no fault, {days:g} days, {seeds} agents a row", title_justify="left")
    for column in ("sessions", *(kind.name for kind in KINDS), "pages", "which"):
        table.add_column(column)
    for name, rate in track(RATES.items(), "quiet"):
        every = [each for seed in range(seeds) for each in quiet(rate, days, seed)]
        counts = (sum(each.detector == kind.name for each in every) for kind in KINDS)
        which = ", ".join(sorted({each.finding for each in every}))
        pages = sum(each.pages for each in every)
        table.add_row(name, *map(str, counts), str(pages), which)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=120.0, help="sessions an hour of agents with a fault")
    parser.add_argument("--quick", action="store_true", help="three seeds, two days")
    parser.add_argument("--only", choices=["lasting"], help="only faults that last for a day")
    given = parser.parse_args()
    seeds, days = (3, 2.0) if given.quick else (given.seeds, given.days)
    look = Console(width=130)
    if given.only != "lasting":
        look.print(faults_table(seeds, given.rate))
        look.print(quiet_table(max(1, seeds // 4), days))
    few = max(1, seeds // 3)
    look.print(lasting_table("a fault that lasts for a day", LASTING[: few if given.quick else None], few))
    look.print(lasting_table("the same of sparse agents", SPARSE[: few if given.quick else None], few))


if __name__ == "__main__":
    main()
