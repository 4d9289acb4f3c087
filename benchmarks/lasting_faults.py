"""Faults that last: how many pages a day of one brings, how soon it is told, and how soon its end is.

Sessions come at random times; from the third day on a share of them is lost, for a day, and then none. Of
every other day one session in 500 is lost. All detectors and routing have their defaults; the objective is
99 % of sessions.
"""

import random
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from rich.progress import track
from rich.table import Table

from benchmarks.judged import RULES
from schemas.event import Event, Failure
from schemas.page import Page
from schemas.signal import Signal
from schemas.wire import encode
from streams.files import Line
from streams.replay import replay

START_S = 1_767_571_200.0
HOUR, DAY = 3600.0, 86400.0
BEFORE_S, LASTS_S, AFTER_S = 2 * DAY, DAY, DAY
USUALLY_LOST = 0.002
FINDING = "sessions"
LASTING = ((30.0, 0.3), (60.0, 0.1), (120.0, 0.08), (300.0, 0.05), (20.0, 1.0))
SPARSE = tuple((rate, share) for rate in (1.0, 2.0, 4.0, 8.0) for share in (1.0, 0.5, 0.2))
"""Sessions an hour, and the share of them that is lost."""


class Course(Struct):
    """Of one fault. Seconds: from its beginning until it was told, from its end until that was; None: never.

    `pages`: as many pages as opened an incident while it lasted; `false`: findings before it began.
    """

    told_s: float | None = None
    ended_s: float | None = None
    pages: int = 0
    false: int = 0


def sessions(rate: float, share: float, seed: int) -> Iterator[Event]:
    """Ends of sessions, so many an hour."""
    draw = random.Random(seed)
    began, over = START_S + BEFORE_S, START_S + BEFORE_S + LASTS_S
    at, number = START_S, 0
    while (at := at + draw.expovariate(rate / HOUR)) < over + AFTER_S:
        number += 1
        data = {
            "agent": {"name": "made-up"},
            "operation": {"name": "invoke_agent"},
            "conversation": {"id": f"c{number}", "state": "ended"},
        }
        event = {"specversion": "1.0", "id": str(number), "source": "made-up", "type": "agent.session.v1"}
        made = msgspec.convert({**event, "time": datetime.fromtimestamp(at, UTC), "data": data}, Event)
        if draw.random() < (share if began <= at < over else USUALLY_LOST):
            lost = msgspec.structs.replace(made.data, error=Failure(type="Lost", class_="non_retryable"))
            made = msgspec.structs.replace(made, data=lost)
        yield made


def course(rate: float, share: float, seed: int) -> Course:
    """What detect and route make of one fault."""
    found = Course()
    began = datetime.fromtimestamp(START_S + BEFORE_S, UTC)
    over = datetime.fromtimestamp(START_S + BEFORE_S + LASTS_S, UTC)
    known: set[str] = set()
    for _, words in replay((Line(encode(each)) for each in sessions(rate, share, seed)), (RULES,)):
        for word in words:
            if isinstance(word, Page):
                found.pages += word.reason in {"opened", "reopened"} and word.time >= began
            elif isinstance(word, Signal) and word.finding == FINDING:
                after_s = (word.time - began).total_seconds()
                if word.id not in known and after_s < 0:
                    found.false += 1
                elif found.told_s is None and after_s >= 0:
                    found.told_s = after_s
                known.add(word.id)
                if word.state == "resolved" and word.time >= over:
                    found.ended_s = (word.time - over).total_seconds()
    return found


def lasting_table(title: str, faults: tuple[tuple[float, float], ...], seeds: int) -> Table:
    """Pages and delays by traffic and share."""
    table = Table(title=f"{title}, {seeds} seeds", title_justify="left")
    for column in ("sessions an hour", "lost", "told after: median [least-most]", "never", "pages"):
        table.add_column(column)
    table.add_column("its end after: median [least-most]")
    table.add_column("false before")
    for rate, share in track(faults, title):
        every = [course(rate, share, seed) for seed in range(seeds)]
        told = [each.told_s for each in every if each.told_s is not None]
        ended = [each.ended_s for each in every if each.ended_s is not None]
        pages = sorted(each.pages for each in every)
        table.add_row(
            f"{rate:g}",
            f"{share:.0%}",
            _spread(told),
            str(seeds - len(told)),
            f"{statistics.mean(pages):.1f} [{pages[0]}-{pages[-1]}]",
            _spread(ended),
            str(sum(each.false for each in every)),
        )
    return table


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    return f"{_span(statistics.median(seconds))} [{_span(min(seconds))}-{_span(max(seconds))}]"


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"
