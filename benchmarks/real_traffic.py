"""Pages on real traffic: two production LLM services (Azure, 2023), and real sessions of a retail agent.

The Azure rows have times and tokens. Everything else is made: each request is a session of its own, its cost
is 2.50 and 10.00 USD per million input and output tokens, nothing fails. So the first run must not page at
all; then faults are injected in the last ten minutes (declared in INJECTIONS) and must be found.

Run: python benchmarks/real_traffic.py
"""

import argparse
import csv
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.judged import Judged, judged
from schemas.cause import ConfigFile
from schemas.event import Event
from schemas.wire import decode_event

DATA = ROOT.parent / "shared" / "data"
INPUT_USD, OUTPUT_USD = 2.5e-6, 10e-6
SERVICES = ("code", "conv")
WARM_UP = timedelta(minutes=15)
INJECTED_FROM = datetime(2023, 11, 16, 19, 4, tzinfo=UTC)
"""Ten minutes before the end of the rows."""
BURSTS = tuple(
    datetime.fromisoformat(f"2026-02-{text}+00:00")
    for text in ("20T23:35:58", "21T00:34:31", "21T20:18:03", "22T11:27:15", "22T11:43:40", "22T14:45:36")
)
"""When real sessions of the retail agent began to fail, each within seconds of others."""
FOUND_WITHIN = timedelta(minutes=2)


class Row(Struct, frozen=True):
    """One request: when, and its tokens."""

    at: datetime
    service: str
    number: int
    read: int
    written: int


class Fault(Struct, frozen=True):
    """What is done to a request. `cost`: factor; `error`: type, if it fails."""

    cost: float = 1.0
    error: str = ""


Inject = Callable[[Row, Random], Fault]
INJECTIONS: dict[str, tuple[Inject, frozenset[str]]] = {
    "cost x 6 on every request of `code`": (
        lambda row, _: Fault(cost=6.0 if row.service == "code" else 1.0),
        frozenset({"cost/spike", "cost/session"}),
    ),
    "20 % of the sessions of `conv` fail": (
        lambda row, rng: Fault(
            error="provider_error" if row.service == "conv" and rng.random() < 0.2 else ""
        ),
        frozenset({"error_rate/sessions", "error_rate/models", "dependency/failing"}),
    ),
    "`code` fails altogether": (
        lambda row, _: Fault(error="timeout" if row.service == "code" else ""),
        frozenset({"error_rate/sessions", "error_rate/models", "dependency/failing"}),
    ),
}
"""What is injected from INJECTED_FROM on, and any of which findings counts as found."""


def rows(data: Path = DATA) -> Iterator[Row]:
    """Both services' requests, in order of time."""
    return merge(*(_rows(data, service) for service in SERVICES), key=lambda row: row.at)


def _rows(data: Path, service: str) -> Iterator[Row]:
    with gzip.open(data / f"azure_llm_2023_{service}.csv.gz", "rt") as lines:
        for number, each in enumerate(csv.DictReader(lines)):
            at = datetime.fromisoformat(each["TIMESTAMP"][:26]).replace(tzinfo=UTC)
            yield Row(at, service, number, int(each["ContextTokens"]), int(each["GeneratedTokens"]))


def traffic(requests: Iterable[Row], inject: Inject | None = None) -> Iterator[Event]:
    """Each request as a model call and the end of its session."""
    rng = Random(7)
    for row in requests:
        fault = inject(row, rng) if inject is not None and row.at >= INJECTED_FROM else Fault()
        yield from _request(row, fault)


def _request(row: Row, fault: Fault) -> Iterator[Event]:
    session = f"{row.service}-{row.number}"
    failed = {"error": {"type": fault.error, "class": "retryable", "final": True}} if fault.error else {}
    usage = {
        "input_tokens": row.read,
        "output_tokens": row.written,
        "cost_amount": (row.read * INPUT_USD + row.written * OUTPUT_USD) * fault.cost,
        "cost_currency": "USD",
        "cost_source": "local",
        "cost_component": "model",
    }
    common = {"agent": {"name": f"azure-{row.service}", "version": "1"}, "provider": {"name": "azure"}}
    model = {"request": {"model": "m"}, "usage": usage, "conversation": {"id": session}}
    yield _event(row, f"{session}/chat", {"operation": {"name": "chat"}, **common, **model, **failed})
    ended = {"conversation": {"id": session, "state": "ended"}}
    end = {"operation": {"name": "invoke_agent"}, **common, **ended, **failed}
    yield _event(row, f"{session}/end", end, "agent.session.v1")


def _event(row: Row, name: str, data: dict[str, object], kind: str = "agent.operation.v1") -> Event:
    given = {
        "specversion": "1.0", "id": name, "source": "azure", "type": kind, "time": row.at, "data": data,
    }  # fmt: skip
    return msgspec.convert(given, Event)


def sessions(data: Path = DATA) -> list[Event]:
    """The events of the real sessions of the retail agent."""
    with gzip.open(data / "retail_agent_events.jsonl.gz") as lines:
        return [event for line in lines if isinstance(event := decode_event(line), Event)]


def retail(events: Iterable[Event]) -> Judged:
    """What they bring about with the rules of `examples/retail`."""
    path = ROOT / "examples" / "retail" / "oversight.yml"
    return judged(events, [ConfigFile("oversight.yml", path.read_text())])


def incidents(found: Judged) -> tuple[dict[datetime, timedelta | None], int]:
    """Of each burst, how long after its first failure somebody was paged; and what paged besides."""
    opened = [each for each in found.pages if each.reason in {"opened", "reopened"}]
    delays: dict[datetime, timedelta | None] = {}
    told: set[str] = set()
    for burst in BURSTS:
        mine = [each for each in opened if timedelta(0) <= each.time - burst <= FOUND_WITHIN]
        delays[burst] = mine[0].time - burst if mine else None
        told |= {each.incident for each in mine}
    return delays, len({each.incident for each in opened} - told)


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.parse_args()
    console = Console(width=110)
    _show_retail(console)
    requests = list(rows())
    _show_quiet(console, requests)
    _show_faults(console, requests)


def _show_retail(console: Console) -> None:
    delays, others = incidents(retail(sessions()))
    table = Table(title="retail-agent: 37,517 real events, 63 hours, six outages", title_justify="left")
    for column in ("outage began", "first page after"):
        table.add_column(column)
    for burst, delay in delays.items():
        table.add_row(
            f"{burst:%m-%d %H:%M:%S}", "missed" if delay is None else f"{delay.total_seconds():.0f} s"
        )
    console.print(table)
    found = sum(delay is not None for delay in delays.values())
    console.print(f"recall {found}/{len(delays)}, precision {found}/{found + others} incidents that paged\n")


def _show_quiet(console: Console, requests: Sequence[Row]) -> None:
    found = judged(traffic(requests))
    left = found.after(requests[0].at + WARM_UP)
    minutes = (requests[-1].at - requests[0].at - WARM_UP).total_seconds() / 60
    told = ", ".join(f"{name} {times}" for name, times in left.findings.items()) or "none"
    console.print(
        f"azure: {found.events:,} events of {len(SERVICES)} services, {len(found.pages)} pages in all"
    )
    console.print(f"findings in the {minutes:.0f} minutes after the warm-up: {told}\n")


def _show_faults(console: Console, requests: Sequence[Row]) -> None:
    table = Table(title="azure: faults injected in the last ten minutes", title_justify="left")
    for column in ("injected", "found as", "after", "paged after"):
        table.add_column(column)
    for what, (inject, names) in track(INJECTIONS.items(), "faults", console=console):
        late = judged(traffic(requests, inject)).after(INJECTED_FROM)
        mine = [each for each in late.opened if f"{each.detector}/{each.finding}" in names]
        first = min(mine, key=lambda each: each.time, default=None)
        page = min((each.time for each in late.pages), default=None)
        table.add_row(
            what,
            f"{first.detector}/{first.finding}" if first else "[red]missed[/]",
            f"{(first.time - INJECTED_FROM).total_seconds():.0f} s" if first else "-",
            f"{(page - INJECTED_FROM).total_seconds():.0f} s" if page else "-",
        )
    console.print(table)


if __name__ == "__main__":
    main()
