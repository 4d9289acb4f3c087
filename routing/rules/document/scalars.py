"""Texts with a meaning: what a scalar of the configuration may say, and what becomes of it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from pydantic import Field, PlainValidator, WithJsonSchema

from routing.matchers import Matcher, parse_matchers
from routing.oncall.holidays import known, places
from routing.oncall.rotation import EVERY_DAY, Period
from routing.oncall.walltime import zone
from routing.rules.document.part import Located, kind_of
from routing.rules.durations import parse_duration
from routing.rules.suggestions import meant
from routing.words.templates import TemplateFault
from routing.words.templates import parse as parse_template

T = TypeVar("T")
YEARS = range(1970, 2200)
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%\Z")
_PERIOD = re.compile(r"(?:([0-9]{1,4})\s+)?(hour|day|week|month)s?\Z")
_FILE = re.compile(r"file\s+(?!/)(?!(?:.*/)?\.\.(?:/|\Z))(\S.*?)\s*\Z")
"""No file from outside the configuration's own folder."""
_FIRST = re.compile(r"(?:first\s+)?([0-9]{1,9})\Z")
_RATE = re.compile(r"([0-9]{1,6})\s+per\s+(\S+)\Z")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)\Z")


class Rate(Struct, frozen=True):
    """At most `count` in a time of `per`."""

    count: int
    per: timedelta


UNLIMITED = Rate(0, timedelta(0))
"""No limit."""


def _read(parse: Callable[[str], T], expected: str) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if not isinstance(value, str):
            raise ValueError(f"expected {expected}, found {kind_of(value)}")  # noqa: TRY004 - pydantic's protocol
        return parse(value)

    return read


def _positive(text: str) -> timedelta:
    found = parse_duration(text)
    if not found:
        raise ValueError(f"expected a duration longer than 0s, such as 5m, found {text!r}")
    return found


def _share(text: str) -> float:
    found = _SHARE.match(text)
    if found is None or not 0 < float(found.group(1)) <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"expected a share such as 99.5%, found {text!r}")
    return float(found.group(1)) / 100


def _objective(text: str) -> float:
    share = _share(text)
    if share >= 1:
        raise ValueError(f"an objective of {text} leaves no error budget: expected less than 100%")
    return share


def _wall(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or "T" not in text.upper().replace(" ", "T") or found.year not in YEARS:
        raise ValueError(f"expected a time such as 2026-01-05T09:00, found {text!r}")
    return found.replace(fold=0)


def _naive(text: str) -> datetime:
    found = _wall(text)
    if found.tzinfo:
        raise ValueError(f"{text!r}: expected wall time without an offset; the schedule has the time zone")
    return found


def _aware(text: str) -> datetime:
    found = _wall(text)
    if not found.tzinfo:
        raise ValueError(f"{text!r}: expected a time with an offset, such as 2026-03-30T08:00:00Z")
    return found


def _period(text: str) -> Period:
    found = _PERIOD.match(text)
    count = int(found.group(1) or 1) if found else 0
    if found is None or not count:
        raise ValueError(f"expected a period such as 1 week, 2 days, 12 hours or 1 month, found {text!r}")
    return Period(count, found.group(2))  # type: ignore[arg-type] # the expression allows no other unit


def _clock(text: str) -> timedelta:
    found = _CLOCK.match(text)
    if text == "24:00":
        return timedelta(days=1)
    if found is None:
        raise ValueError(f"expected a time of day such as 09:00 or 24:00, found {text!r}")
    return timedelta(hours=int(found.group(1)), minutes=int(found.group(2)))


def _days(text: str) -> tuple[int, ...]:
    """`mon:fri`, `sat,sun`, `fri:mon`: in the order of the week."""
    found: list[int] = []
    for piece in text.lower().split(","):
        ends = [_day(name.strip(), text) for name in piece.split(":")]
        if len(ends) > 2:  # noqa: PLR2004 - begin and end
            raise ValueError(f"expected days such as mon:fri or sat,sun, found {text!r}")
        length = (ends[-1] - ends[0]) % 7 + 1
        found += [(ends[0] + offset) % 7 for offset in range(length)]
    return tuple(day for day in EVERY_DAY if day in found)


def _day(name: str, text: str) -> int:
    short = next((at for at, day in enumerate(_DAYS) if name == day or name == _LONG[at]), None)
    if short is None:
        raise ValueError(f"expected days such as mon:fri or sat,sun, found {text!r}")
    return short


_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _basis(text: str) -> int | str:
    """`first 2000`, or the path of a file of texts."""
    file = _FILE.match(text)
    if file is not None:
        return file.group(1)
    found = _FIRST.match(text)
    if found is None or not int(found.group(1)):
        raise ValueError(
            f"expected a number of inputs such as first 2000, or file and its path, found {text!r}"
        )
    return int(found.group(1))


def _rate(text: str) -> Rate:
    found = _RATE.match(text)
    if text == "unlimited":
        return UNLIMITED
    if found is None:
        raise ValueError(f"expected a rate such as 2 per 1h, or unlimited; found {text!r}")
    if not int(found.group(1)):
        raise ValueError(f"expected at least 1 per {found.group(2)}, or unlimited; found {text!r}")
    return Rate(int(found.group(1)), _positive(found.group(2)))


def _template(text: str) -> str:
    try:
        parse_template(text)
    except TemplateFault as fault:
        raise Located(f"bad template: {fault.reason}", fault.line) from fault
    return text


def _expression(text: str) -> str:
    Matcher("", "=~", text)
    return text


def pattern(text: str) -> str:
    """A regular expression of what is to be masked.

    Raises:
        ValueError: it is empty, or none of RE2's.
    """
    if not text:
        raise ValueError("expected a regular expression that is not empty, found ''")
    return _expression(text)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError(f"expected a text that is not empty, found {text!r}")
    return text


def reference(text: str) -> str:
    """The name of the variable that `env:NAME` stands for, or an empty string for anything else."""
    found = _REFERENCE.match(text)
    return found.group(1) if found else ""


def _target(text: str) -> str:
    if text.startswith("env:") and not reference(text):
        raise ValueError(f"expected env: and the name of a variable, found {text!r}")
    return _name(text)


def is_calendar(text: str) -> bool:
    """Whether a text says where a calendar comes from; no file of rules is named so.

    >>> [is_calendar(each) for each in ("env:PLATFORM_ICS", "rota.ics", "https://x.example/a", "rules.yml")]
    [True, True, True, False]
    """
    return bool(reference(text)) or text.startswith(("https://", "http://")) or text.endswith(".ics")


def _calendar(text: str) -> str:
    if not is_calendar(text):
        raise ValueError(f"expected env:NAME, an address or a file that ends with .ics, found {text!r}")
    return text


def _holidays_of(text: str) -> str:
    if not known(text):
        country = text.partition("-")[0]
        parts = places().get(country, ())
        hint = f"; {country} has {', '.join(parts)}" if parts else meant(text.upper(), places())
        raise ValueError(f"expected a country such as GB or a part such as GB-SCT, found {text!r}{hint}")
    return text


_STRING = WithJsonSchema({"type": "string"})
_DURATION = "a duration such as 30s, 1h30m or 1d"
_TIME = "a time such as 2026-01-05T09:00"

Duration = Annotated[timedelta, PlainValidator(_read(parse_duration, _DURATION)), _STRING]
PositiveDuration = Annotated[timedelta, PlainValidator(_read(_positive, _DURATION)), _STRING]
Share = Annotated[float, PlainValidator(_read(_share, "a share such as 99.5%")), _STRING]
Objective = Annotated[float, PlainValidator(_read(_objective, "a share such as 99.5%")), _STRING]
Matchers = Annotated[tuple[Matcher, ...], PlainValidator(_read(parse_matchers, "a matcher")), _STRING]
Expression = Annotated[str, PlainValidator(_read(_expression, "a regular expression")), _STRING]
Pattern = Annotated[str, PlainValidator(_read(pattern, "a regular expression")), _STRING]
Zone = Annotated[ZoneInfo, PlainValidator(_read(zone, "a time zone")), _STRING]
WallTime = Annotated[datetime, PlainValidator(_read(_naive, _TIME)), _STRING]
AnyTime = Annotated[datetime, PlainValidator(_read(_wall, _TIME)), _STRING]
Instant = Annotated[datetime, PlainValidator(_read(_aware, _TIME)), _STRING]
Every = Annotated[Period, PlainValidator(_read(_period, "a period such as 1 week")), _STRING]
ClockTime = Annotated[timedelta, PlainValidator(_read(_clock, "a time of day")), _STRING]
Days = Annotated[tuple[int, ...], PlainValidator(_read(_days, "days such as mon:fri")), _STRING]
Basis = Annotated[int | str, PlainValidator(_read(_basis, "a number of inputs, or a file")), _STRING]
RateLimit = Annotated[Rate, PlainValidator(_read(_rate, "a rate such as 2 per 1h")), _STRING]
Template = Annotated[str, PlainValidator(_read(_template, "a text")), _STRING]
Name = Annotated[str, PlainValidator(_read(_name, "a name")), _STRING]
Target = Annotated[str, PlainValidator(_read(_target, "a target")), _STRING]
CalendarSource = Annotated[str, PlainValidator(_read(_calendar, "where a calendar is")), _STRING]
HolidaysOf = Annotated[str, PlainValidator(_read(_holidays_of, "a country")), _STRING]
Points = Annotated[int, Field(ge=-100, le=100)]
Score = Annotated[int, Field(ge=0, le=100)]
Usd = Annotated[float, Field(gt=0, allow_inf_nan=False)]
