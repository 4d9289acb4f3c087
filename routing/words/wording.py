"""Numbers, times and untrusted text as a person reads them on a phone."""

from datetime import UTC, datetime, timedelta
from math import floor, isfinite, log10
from unicodedata import category

DIGITS = 3
ELLIPSIS = "…"


def one_line(text: str, limit: int) -> str:
    r"""Text of others as one line of at most `limit` characters, without control or invisible characters.

    >>> one_line("a\n\x00b\u202e   c", 80)
    'a b c'
    >>> one_line("abcdef", 4)
    'abc…'
    """
    # Far more than is shown is never looked at: a label may be a megabyte.
    head = text[: 4 * limit]
    visible = "".join(" " if category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in head)
    printable = "".join(letter for letter in visible if category(letter) not in {"Cf", "Cs", "Co", "Cn"})
    return cut(" ".join(printable.split()), limit)


def lines(text: str, limit: int) -> str:
    r"""The same for text of several lines: line breaks stay, blank lines are joined.

    >>> lines("a\x00\n\n\n\nb", 80)
    'a\n\nb'
    """
    kept: list[str] = []
    for line in text[: 4 * limit].splitlines():
        clean = one_line(line, limit)
        if clean or (kept and kept[-1]):
            kept.append(clean)
    return cut("\n".join(kept).strip(), limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def number(value: float) -> str:
    """Three significant digits; whole from a thousand on.

    >>> [number(each) for each in (12345.6, 12.345, 0.0012345, 3.0, 0.0, float("inf"))]
    ['12,346', '12.3', '0.00123', '3', '0', 'inf']
    """
    if not isfinite(value):
        return str(value)
    if abs(value) >= 1000:  # noqa: PLR2004 - said in the docstring
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    places = max(DIGITS - 1 - floor(log10(abs(value))), 0)
    plain = f"{value:.{min(places, 12)}f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def percent(share: float) -> str:
    """A share in [0, 1] in percent.

    >>> percent(0.3333), percent(1.0), percent(0.00042)
    ('33.3 %', '100 %', '0.042 %')
    """
    return f"{number(share * 100)} %"


def measure(value: float, unit: str) -> str:
    """A value with its unit; the unit `share` is read in percent.

    >>> measure(0.25, "share"), measure(3.2, "USD"), measure(7, "")
    ('25 %', '3.2 USD', '7')
    """
    if unit == "share":
        return percent(value)
    return f"{number(value)} {one_line(unit, 40)}".rstrip()


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "session"), counted(1200, "user")
    ('1 session', '1,200 users')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(span: timedelta) -> str:
    """The two largest units of a span; below zero is zero.

    >>> [duration(timedelta(seconds=each)) for each in (97500, 40, 300, -1)]
    ['1 d 3 h', '40 s', '5 min', '0 s']
    """
    left = max(int(span.total_seconds()), 0)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        whole, left = divmod(left, size)
        if whole:
            parts.append(f"{whole} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def instant(time: datetime) -> str:
    """A time in UTC, to the second.

    >>> instant(datetime(2026, 2, 22, 11, 43, 40, tzinfo=UTC))
    '2026-02-22 11:43:40 UTC'
    """
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
