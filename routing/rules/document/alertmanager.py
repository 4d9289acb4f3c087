"""The part that is Alertmanager's own: global, route, receivers, inhibition, time intervals."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from routing.rules.document.kept import GLOBALS, INTEGRATIONS
from routing.rules.document.notify import NotifyPart
from routing.rules.document.part import Part, kind_of
from routing.rules.document.scalars import (
    Duration,
    Expression,
    Matchers,
    Name,
    PositiveDuration,
    Zone,
)
from routing.rules.intervals import (
    MinuteRange,
    Range,
    parse_days_of_month,
    parse_months,
    parse_times,
    parse_weekdays,
    parse_years,
)

ALL = "..."


def _expect_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {kind_of(value)}")  # noqa: TRY004 - pydantic's protocol
    return value


def _ranged(parse: Any) -> Any:
    return PlainValidator(lambda value: parse(_expect_text(value)))


_STRING = WithJsonSchema({"type": "string"})
Weekdays = Annotated[Range, _ranged(parse_weekdays), _STRING]
DaysOfMonth = Annotated[Range, _ranged(parse_days_of_month), _STRING]
Months = Annotated[Range, _ranged(parse_months), _STRING]
Years = Annotated[Range, _ranged(parse_years), _STRING]


class TimesPart(Part):
    """`{start_time: '09:00', end_time: '17:00'}`."""

    start_time: str
    end_time: str

    @model_validator(mode="after")
    def _ordered(self) -> "TimesPart":
        self.minutes()
        return self

    def minutes(self) -> MinuteRange:
        """The range in minutes since midnight."""
        return parse_times(self.start_time, self.end_time)


class SpanPart(Part):
    """The fields of which all must hold."""

    times: tuple[TimesPart, ...] | None = None
    weekdays: tuple[Weekdays, ...] | None = None
    days_of_month: tuple[DaysOfMonth, ...] | None = None
    months: tuple[Months, ...] | None = None
    years: tuple[Years, ...] | None = None
    location: Zone | None = None


class TimeIntervalPart(Part):
    """A named time interval."""

    name: Name
    time_intervals: tuple[SpanPart, ...] = ()


class RoutePart(Part):
    """A node of the route tree as written: what is absent is inherited or a default."""

    receiver: Name | None = None
    group_by: tuple[Name, ...] | None = None
    group_wait: Duration | None = None
    group_interval: PositiveDuration | None = None
    repeat_interval: PositiveDuration | None = None
    match: Mapping[str, str] = {}
    match_re: Mapping[str, Expression] = {}
    matchers: tuple[Matchers, ...] = ()
    mute_time_intervals: tuple[Name, ...] = ()
    active_time_intervals: tuple[Name, ...] = ()
    continues: bool = Field(default=False, alias="continue")
    routes: tuple["RoutePart", ...] = ()


class InhibitPart(Part):
    """One entry of `inhibit_rules`."""

    name: str = ""
    source_match: Mapping[str, str] = {}
    source_match_re: Mapping[str, Expression] = {}
    source_matchers: tuple[Matchers, ...] = ()
    target_match: Mapping[str, str] = {}
    target_match_re: Mapping[str, Expression] = {}
    target_matchers: tuple[Matchers, ...] = ()
    equal: tuple[Name, ...] = ()


class ReceiverPart(Part):
    """`notify` is ours; the rest is Alertmanager's, kept as it is written."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*integrations": INTEGRATIONS}

    name: Name
    notify: tuple[NotifyPart, ...] = ()
    integrations: dict[str, list[dict[str, Any]]] = Field(default={}, alias="*integrations")


class GlobalPart(Part):
    """`resolve_timeout` is followed; the rest is Alertmanager's, kept as it is written."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*settings": GLOBALS}

    resolve_timeout: PositiveDuration | None = None
    settings: dict[str, Any] = Field(default={}, alias="*settings")
