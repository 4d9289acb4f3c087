"""Dead letters as tables: counted by reason, one by one, one whole."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from unicodedata import category

import msgspec
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from routing.words.wording import duration, instant, one_line
from schemas.record import Record
from streams.cli.console import table
from streams.deadletters.letter import Letter, own_headers, why_not

LINE = 200
REASON = 72
MOST_REASONS = 30
COLOURS = {"waiting": "warning", "failed again": "error", "put back": "quiet"}


def by_reason(letters: Sequence[Letter], now: datetime) -> Table:
    """How many of each reason, the most frequent first."""
    made = table("#letters", "#waiting", "#failed again", "kind", "last", "reason")
    groups: dict[tuple[str, str], list[Letter]] = {}
    for each in letters:
        groups.setdefault((each.kind, one_line(each.reason, LINE)), []).append(each)
    ranked = sorted(groups.items(), key=lambda each: (-len(each[1]), each[0]))
    for (kind, reason), found in ranked[:MOST_REASONS]:
        made.add_row(*_counts(found), kind, _ago(found[-1], now), escape(reason))
    rest = [each for _, found in ranked[MOST_REASONS:] for each in found]
    if rest:
        made.add_row(*_counts(rest), "", _ago(rest[-1], now), f"{len(ranked) - MOST_REASONS:,} more reasons")
    return made


def _counts(letters: Sequence[Letter]) -> Iterable[str]:
    yield f"{len(letters):,}"
    for state in ("waiting", "failed again"):
        count = sum(each.state == state for each in letters)
        yield f"[{COLOURS[state]}]{count:,}[/]" if count else "[quiet]0[/]"


def latest(letters: Sequence[Letter], now: datetime) -> Table:
    """One a row, the latest last."""
    made = table("#id", "written", "agent", "from", "#bytes", "state", "reason")
    for each in letters:
        made.add_row(
            each.id,
            _ago(each, now),
            escape(one_line(each.agent, 40)),
            escape(str(each.origin or "")),
            f"{each.bytes:,}",
            f"[{COLOURS[each.state]}]{each.state}[/]",
            escape(one_line(each.reason, REASON)),
        )
    return made


def _ago(letter: Letter, now: datetime) -> str:
    return f"[time]{duration(max(now - letter.at, now - now))} ago[/]"


def whole(letter: Letter, record: Record) -> Group:
    """All that is known of one, and the record's value."""
    made = table("", "")
    made.show_header = False
    for name, text in _rows(letter, record):
        made.add_row(f"[heading]{name}[/]", escape(_visible(text)))
    return Group(made, Text(), Text(_visible(_pretty(record.value))))


def _rows(letter: Letter, record: Record) -> Iterable[tuple[str, str]]:
    yield "letter", letter.id
    yield "reason", letter.reason
    yield "written", instant(letter.at)
    yield "state", letter.state
    can = "yes: `oversight deadletter replay`" if letter.can_return else f"no: {why_not(letter)}"
    yield "can return", can
    yield "agent", letter.agent
    yield "from", str(letter.origin or "")
    if letter.replays:
        yield "put back", f"{letter.replays} times before; at first it lay at {letter.first}"
    yield "key", (record.key or b"").decode("utf-8", "backslashreplace")
    for name, value in own_headers(record):
        yield "header", f"{name}: {value.decode('utf-8', 'backslashreplace')}"
    yield "bytes", f"{letter.bytes:,}"


def _pretty(value: bytes) -> str:
    try:
        return msgspec.json.format(value.decode("utf-8"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value.decode("utf-8", "backslashreplace")


def _visible(text: str) -> str:
    """Control characters of others do nothing to the terminal: they are spelled out."""
    return "".join(
        each if each == "\n" or category(each) not in {"Cc", "Cf", "Zl", "Zp"} else f"\\u{ord(each):04x}"
        for each in text
    )
