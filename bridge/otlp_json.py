"""OTLP as JSON: what the collector's Kafka exporter writes with `encoding: otlp_json`.

Ids are hex here, unlike in protobuf's own JSON, and numbers of 64 bits come as text or as numbers.
OpenTelemetry protocol specification 1.x, "JSON Protobuf Encoding".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from bridge.raw import DEEPEST, Attributes, Raw, RawEvent, Unreadable

LARGEST = 1 << 64


class _Value(Struct, frozen=True, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: "_Values | None" = None
    kvlist_value: "_Pairs | None" = None


class _Values(Struct, frozen=True):
    values: list[_Value] = []


class _Pair(Struct, frozen=True):
    key: str = ""
    value: _Value = _Value()


class _Pairs(Struct, frozen=True):
    values: list[_Pair] = []


class _Event(Struct, frozen=True):
    name: str = ""
    attributes: list[_Pair] = []


class _Status(Struct, frozen=True):
    code: int | str = 0
    message: str = ""


class _Span(Struct, frozen=True, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Pair] = []
    events: list[_Event] = []
    status: _Status = _Status()


class _Scope(Struct, frozen=True):
    spans: list[_Span] = []


class _Resource(Struct, frozen=True):
    attributes: list[_Pair] = []


class _Resources(Struct, frozen=True, rename="camel"):
    resource: _Resource = _Resource()
    scope_spans: list[_Scope] = []


class _Traces(Struct, frozen=True, rename="camel"):
    resource_spans: list[_Resources]


_decoder = msgspec.json.Decoder(_Traces)


def spans(value: bytes) -> Iterator[Raw]:
    """The spans of an export request.

    Raises:
        Unreadable: with the path, and what was expected there.
    """
    try:
        traces = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"otlp_json: {error}") from error
    for each in traces.resource_spans:
        resource = _attributes(each.resource.attributes)
        for scope in each.scope_spans:
            for span in scope.spans:
                yield _raw(span, resource)


def _raw(span: _Span, resource: Attributes) -> Raw:
    return Raw(
        trace=span.trace_id,
        id=span.span_id,
        parent=span.parent_span_id,
        name=span.name,
        start_ns=_instant(span.start_time_unix_nano),
        end_ns=_instant(span.end_time_unix_nano),
        failed=span.status.code in {2, "2", "STATUS_CODE_ERROR"},
        message=span.status.message,
        attributes=_attributes(span.attributes),
        events=[RawEvent(each.name, _attributes(each.attributes)) for each in span.events],
        resource=resource,
    )


def _whole(number: int | str) -> int | None:
    """A whole number; None where the text is none."""
    try:
        return int(number)
    except ValueError:
        return None


def _instant(number: int | str) -> int:
    """Nanoseconds, of 64 bits; 0 where they are none."""
    found = _whole(number)
    return found if found is not None and abs(found) < LARGEST else 0


def _attributes(pairs: Sequence[_Pair], depth: int = 0) -> Mapping[str, Any]:
    return {pair.key: _plain(pair.value, depth) for pair in pairs}


def _plain(value: _Value, depth: int) -> Any:
    if depth > DEEPEST:
        return None
    if value.array_value is not None:
        return [_plain(each, depth + 1) for each in value.array_value.values]
    if value.kvlist_value is not None:
        return _attributes(value.kvlist_value.values, depth + 1)
    if value.int_value is not None:
        return _whole(value.int_value)
    if value.double_value is not None:
        return _double(value.double_value)
    return value.string_value if value.string_value is not None else value.bool_value


def _double(number: float | str) -> float | None:
    """Infinities and NaN come as text."""
    try:
        return float(number)
    except ValueError:
        return None
