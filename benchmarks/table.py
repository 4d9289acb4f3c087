"""The one table: ours, peers, the limit, and ratios that are paired by round, with their spread."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from rich.table import Table

from benchmarks.contest import CONTENDERS, LIMIT, OURS, Contender, Figures

COLUMNS = (
    "contender, detectors",
    "events/s: median [min-max]",
    "to the limit",
    "ours is faster",
    "CPU µs/event",
    "its CPU to ours",
    "peak MB",
)


def table(title: str, rounds: Sequence[Mapping[str, Figures]], absent: Sequence[Contender]) -> Table:
    """A row for each contender; `absent`: those that are not installed."""
    shown = Table(title=title, title_justify="left")
    for column in COLUMNS:
        shown.add_column(column, justify="left" if column == COLUMNS[0] else "right")
    before = LIMIT.name
    for contender in CONTENDERS:
        if contender in absent:
            shown.add_row(contender.label, "[bold red]NOT INSTALLED: make peers[/]", style="red")
        elif any(contender.label in each for each in rounds):
            if contender.name != before:
                shown.add_section()
            shown.add_row(*_row(contender, rounds), style="bold green" if contender.ours else "")
            before = contender.name
    return shown


def _row(contender: Contender, rounds: Sequence[Mapping[str, Figures]]) -> Iterable[str]:
    rounds = [each for each in rounds if contender.label in each]
    mine = [each[contender.label] for each in rounds]
    rates = [each.rate for each in mine]
    yield contender.label
    yield f"{median(rates):,.0f} [{min(rates):,.0f}-{max(rates):,.0f}]"
    limits = [each.get(LIMIT.label) for each in rounds]
    yield _spread([its.rate / limit.rate for its, limit in zip(mine, limits, strict=True) if limit], 2)
    ours = [each.get(OURS[contender.set].label) for each in rounds] if contender.set else []
    paired = [] if contender.ours else [pair for pair in zip(mine, ours, strict=False) if pair[1]]
    yield _spread([our.rate / its.rate for its, our in paired if our], 1)
    yield _spread([its.cpu_us for its in mine], 1)
    yield _spread([its.cpu_us / our.cpu_us for its, our in paired if our], 1)
    yield f"{max(each.peak_mb for each in mine):.0f}"


def _spread(figures: Sequence[float], digits: int) -> str:
    """Median and range, or nothing."""
    if not figures:
        return ""
    return f"{median(figures):.{digits}f} [{min(figures):.{digits}f}-{max(figures):.{digits}f}]"
