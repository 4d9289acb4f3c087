"""Bytes to words and back: events as CloudEvents (structured and binary), everything else as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.cause import AnyCause
from schemas.control import CONTROL_TYPE, AnyControl
from schemas.event import Event
from schemas.page import Message

Headers = Sequence[tuple[str, bytes]]
STRUCTURED = b"application/cloudevents+json"

_event = msgspec.json.Decoder(Event)
_control = msgspec.json.Decoder(AnyControl)
_cause = msgspec.json.Decoder(AnyCause)
_message = msgspec.json.Decoder(Message)
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()


class Malformed(Exception):  # noqa: N818 - the word of the contract
    """A record that does not fit its contract; the message says where and what was expected."""


def decode_event(value: bytes, headers: Headers = ()) -> Event | AnyControl:
    """An event or a control record, from the structured or the binary Kafka binding of CloudEvents.

    Raises:
        Malformed: with the path and what was expected there.
    """
    try:
        return _event.decode(value)
    except msgspec.DecodeError as error:
        return _otherwise(value, headers, error)


def _otherwise(value: bytes, headers: Headers, error: msgspec.DecodeError) -> Event | AnyControl:
    attributes = {name: text for name, text in headers if name.startswith("ce_")}
    try:
        if attributes:
            return _binary(value, attributes, headers)
        if CONTROL_TYPE.encode() in value:
            return _control.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as other:
        raise Malformed(str(other)) from other
    raise Malformed(str(error)) from error


def _binary(value: bytes, attributes: dict[str, bytes], headers: Headers) -> Event:
    """Binary binding: attributes in `ce_*` headers, `content-type` is the data's, the value is the data."""
    envelope: dict[str, Any] = {name[3:]: text.decode() for name, text in attributes.items()}
    envelope["data"] = msgspec.Raw(value)
    envelope |= {"datacontenttype": text.decode() for name, text in headers if name.lower() == "content-type"}
    return _event.decode(_encoder.encode(envelope))


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
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error


def decode_message(value: bytes) -> Message:
    """A page or an update.

    Raises:
        Malformed: with the path and what was expected there.
    """
    try:
        return _message.decode(value)
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error


def encode(value: msgspec.Struct | bytes) -> bytes:
    """JSON of any of the words; bytes pass as they are."""
    return value if isinstance(value, bytes) else _encoder.encode(value)


def moment(posix_s: float) -> datetime:
    """POSIX seconds as an aware UTC datetime, to the microsecond.

    >>> moment(0.5).isoformat()
    '1970-01-01T00:00:00.500000+00:00'
    """
    return datetime.fromtimestamp(posix_s, UTC)
