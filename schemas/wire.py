"""Bytes to words and back: events as CloudEvents (structured and binary), everything else as JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.cause import AnyCause
from schemas.control import CONTROL_TYPE, AnyControl
from schemas.event import Data, Event
from schemas.page import Message
from schemas.probe import Passed

Headers = Sequence[tuple[str, bytes | None]]
STRUCTURED = b"application/cloudevents+json"
FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Years that every clock and zone can express; a time outside of them is malformed."""

_event = msgspec.json.Decoder(Event)
_data = msgspec.json.Decoder(Data)
_control: msgspec.json.Decoder[AnyControl] = msgspec.json.Decoder(AnyControl)
_cause: msgspec.json.Decoder[AnyCause] = msgspec.json.Decoder(AnyCause)
_message: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_posted: msgspec.json.Decoder[Message | Passed] = msgspec.json.Decoder(Message | Passed)
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()

# What decoding raises: wrong JSON or types, text that is not UTF-8, nesting without end.
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Malformed(Exception):  # noqa: N818 - the word of the contract
    """A record that does not fit its contract; the message says where and what was expected."""


def decode_event(value: bytes, headers: Headers = ()) -> Event | AnyControl:
    """An event or a control record, from the structured or the binary Kafka binding of CloudEvents.

    Raises:
        Malformed: with the path and what was expected there.
    """
    try:
        what: Event | AnyControl = _event.decode(value)
    except _FAULTS as error:
        what = _otherwise(value, headers, error)
    if FIRST_YEAR <= what.time.year <= LAST_YEAR or type(what) is not Event:
        return what
    raise Malformed(f"Expected a year from {FIRST_YEAR} to {LAST_YEAR} - at `$.time`")


def _otherwise(value: bytes, headers: Headers, error: Exception) -> Event | AnyControl:
    """What is no structured event as it stands: binary, control, numbers written `3.0`, or malformed."""
    attributes = {name: text for name, text in headers if text is not None}
    try:
        if "ce_specversion" in attributes:
            return _binary(value, attributes)
        if CONTROL_TYPE.encode() in value:
            return _control.decode(value)
    except _FAULTS as other:
        raise Malformed(_reason(other)) from other
    try:
        return msgspec.convert(_whole(msgspec.json.decode(value)), Event)
    except _FAULTS:
        raise Malformed(_reason(error)) from error


def _reason(error: Exception) -> str:
    match error:
        case RecursionError():
            return "Nested too deeply"
        case UnicodeDecodeError():
            return f"Expected UTF-8, {error.reason} in {error.object[error.start :][:8]!r}"
    return str(error)


def _whole(value: Any) -> Any:
    """JSON knows no integers: `3.0` is 3 wherever it stands; where a float is asked for, 3 does as well."""
    match value:
        case float():
            return int(value) if value.is_integer() else value
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
    return value


def _binary(value: bytes, attributes: Mapping[str, bytes]) -> Event:
    """Binary binding: attributes in `ce_*` headers, `content-type` is the data's, the value is the data."""
    envelope: dict[str, Any] = {
        name.removeprefix("ce_"): text.decode() for name, text in attributes.items() if name.startswith("ce_")
    }
    if content := attributes.get("content-type"):
        envelope["datacontenttype"] = content.decode().partition(";")[0].strip()
    return msgspec.convert(envelope | {"data": _data.decode(value)}, Event)


def binary(event: Event) -> tuple[bytes, list[tuple[str, bytes]]]:
    """An event in the binary binding: the value and its headers."""
    envelope = _raw.decode(_encoder.encode(event))
    value = bytes(envelope.pop("data"))
    content = msgspec.json.decode(envelope.pop("datacontenttype", b'"application/json"'), type=str)
    headers = [(f"ce_{name}", msgspec.json.decode(raw, type=str).encode()) for name, raw in envelope.items()]
    return value, [*headers, ("content-type", content.encode())]


def decode_cause(value: bytes) -> AnyCause:
    """A cause.

    Raises:
        Malformed: with the path and what was expected there.
    """
    try:
        return _cause.decode(value)
    except _FAULTS as error:
        raise Malformed(_reason(error)) from error


def decode_message(value: bytes) -> Message:
    """A page or an update.

    Raises:
        Malformed: with the path and what was expected there.
    """
    try:
        return _message.decode(value)
    except _FAULTS as error:
        raise Malformed(_reason(error)) from error


def decode_posted(value: bytes) -> Message | Passed:
    """Whatever may lie among the pages: a page, an update, or a probe.

    Raises:
        Malformed: with the path and what was expected there.
    """
    try:
        return _posted.decode(value)
    except _FAULTS as error:
        raise Malformed(_reason(error)) from error


def encode(value: msgspec.Struct | bytes) -> bytes:
    """JSON of any of the words; bytes pass as they are."""
    return value if isinstance(value, bytes) else _encoder.encode(value)


def moment(posix_s: float) -> datetime:
    """POSIX seconds as an aware UTC datetime, to the microsecond.

    >>> moment(0.5).isoformat()
    '1970-01-01T00:00:00.500000+00:00'
    """
    return datetime.fromtimestamp(posix_s, UTC)
