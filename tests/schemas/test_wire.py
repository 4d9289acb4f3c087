"""Bytes to words: what is taken, and what is malformed and why."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cause import Acknowledged
from schemas.control import Rebase, Settings, Tick
from schemas.event import Event
from schemas.published import published
from schemas.wire import (
    Malformed,
    binary,
    decode_cause,
    decode_event,
    decode_message,
    encode,
    moment,
)
from tests.conftest import shared_contract, shared_data
from tests.schemas.drawing import accepted

LINES = (Path(__file__).parent / "examples.jsonl").read_bytes().splitlines()
FIRST = LINES[0]
LINES_OF_RETAIL = 37_517


def altered(old: str, new: str | bytes) -> bytes:
    """The first example with a piece of its text replaced; the piece must be there."""
    assert old.encode() in FIRST
    return FIRST.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1)


@pytest.mark.parametrize("line", LINES, ids=lambda line: json.loads(line)["id"])
def test_every_example_is_decoded_and_survives_the_way_there_and_back(line):
    event = decode_event(line)
    assert isinstance(event, Event)
    assert json.loads(encode(event)).keys() == json.loads(line).keys()
    assert decode_event(encode(event)) == event


@pytest.mark.data
def test_every_example_of_the_contract_is_decoded():
    lines = shared_contract("examples.jsonl").read_bytes().splitlines()
    assert {decode_event(line).type for line in lines} >= {"agent.operation.v1", "agent.release.v1"}


@pytest.mark.data
def test_every_real_event_is_decoded():
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        events = [decode_event(line) for line in lines]
    assert len(events) == LINES_OF_RETAIL
    assert len({(event.source, event.id) for event in events}) == LINES_OF_RETAIL
    assert {event.data.agent.name for event in events} == {"retail-agent"}


@given(accepted(published("agent-event")))
def test_the_binary_binding_says_the_same_as_the_structured_one(drawn):
    event = decode_event(json.dumps(drawn).encode())
    value, headers = binary(event)
    assert dict(headers)["content-type"] == b"application/json"
    assert value == encode(event.data)
    again = decode_event(value, headers)
    assert encode(again) == encode(_typed(event))


def _typed(event: Event) -> Event:
    """The event with its content type said, as the binary binding always says it."""
    return decode_event(encode(event)[:-1] + b',"datacontenttype":"application/json"}')


def test_a_binary_event_is_read_with_null_headers_and_a_charset():
    value, headers = binary(decode_event(FIRST))
    given_headers = [each for each in headers if each[0] != "content-type"]
    plain = decode_event(value, given_headers)
    assert plain == decode_event(FIRST)
    odd = [
        *given_headers,
        ("ce_subject", None),
        ("trace", b"\xff"),
        ("content-type", b"application/json; charset=utf-8"),
    ]
    assert decode_event(value, odd).datacontenttype == "application/json"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (("ce_type", b"agent.dream.v1"), "Invalid enum value 'agent.dream.v1' - at `$.type`"),
        (("ce_time", b"2026-11-20T10:00:01"), "Expected `datetime` with a timezone component - at `$.time`"),
        (("ce_source", b"\xff"), "Expected UTF-8, invalid start byte in b'\\xff'"),
        (
            ("content-type", b"application/avro"),
            "Invalid enum value 'application/avro' - at `$.datacontenttype`",
        ),
    ],
)
def test_a_bad_header_is_named(header, said):
    value, headers = binary(decode_event(FIRST))
    with pytest.raises(Malformed) as malformed:
        decode_event(value, [*headers, header])
    assert str(malformed.value) == said


def test_the_value_of_a_binary_event_cannot_say_more_than_its_data():
    value, headers = binary(decode_event(FIRST))
    with pytest.raises(Malformed, match="trailing characters"):
        decode_event(value + b',"id":"another"', headers)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "Input data was truncated"),
        (b"\x00", "JSON is malformed: invalid character (byte 0)"),
        (FIRST[:-1], "Input data was truncated"),
        (FIRST + b"x", "JSON is malformed: trailing characters"),
        (b"\xef\xbb\xbf" + FIRST, "JSON is malformed: invalid character (byte 0)"),
        (FIRST.decode().encode("utf-16"), "JSON is malformed: invalid character (byte 0)"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "Object missing required field `specversion`"),
        (altered('"1.0"', '"0.3"'), "Invalid enum value '0.3' - at `$.specversion`"),
        (
            altered("agent.operation.v1", "agent.dream.v1"),
            "Invalid enum value 'agent.dream.v1' - at `$.type`",
        ),
        (altered('"id":"e1"', '"id":1'), "Expected `str`, got `int` - at `$.id`"),
        (altered('"id":"e1"', '"id":""'), "Expected `str` of length >= 1 - at `$.id`"),
        (
            altered('"name":"refund-agent"', '"nom":"x"'),
            "Object missing required field `name` - at `$.data.agent`",
        ),
        (altered('"step":3', '"step":"3"'), "Expected `int | null`, got `str` - at `$.data.operation.step`"),
        (
            altered('"step":3', '"step":3.5'),
            "Expected `int | null`, got `float` - at `$.data.operation.step`",
        ),
        (altered('"step":3', '"step":-1'), "Expected `int` >= 0 - at `$.data.operation.step`"),
        (altered("1.84", "-1.84"), "Expected `float` >= 0.0 - at `$.data.operation.duration`"),
        (altered("1.84", "NaN"), "JSON is malformed: invalid character"),
        (altered("1.84", "Infinity"), "JSON is malformed: invalid character"),
        (altered("1.84", "1e999"), "Number out of range - at `$.data.operation.duration`"),
        (altered("1234", "9" * 30), "Expected `int` <= 9223372036854775807 - at `$.data.usage.input_tokens`"),
        (altered("1234", "9" * 5000), "Integer value out of range - at `$.data.usage.input_tokens`"),
        (
            altered('"USD"', '"usd"'),
            "Expected `str` matching regex '^[A-Z]{3}$' - at `$.data.usage.cost_currency`",
        ),
        (altered('"canary"', '"blue"'), "Invalid enum value 'blue' - at `$.data.release.cohort`"),
        (altered("e1", "\x00"), "JSON is malformed: invalid character"),
        (altered("e1", b"\xff"), "Expected UTF-8, invalid start byte in b'\\xff'"),
        (altered("e1", b"\xed\xa0\x80"), "Expected UTF-8, invalid continuation byte in b'\\xed\\xa0\\x80'"),
        (altered("e1", "\\ud800"), "JSON is malformed: unexpected end of escaped utf-16 surrogate pair"),
        (altered("e1", "x" * 257), "Expected `str` of length <= 256 - at `$.id`"),
        (
            altered('"features":', f'"text":"{"x" * 1_000_000}","features":'),
            "Expected `str` of length <= 4000 - at `$.data.input.text`",
        ),
        (altered('"id":"e1"', f'"id":"e1","x":{"[" * 100_000}{"]" * 100_000}'), "Nested too deeply"),
        (b"[" * 100_000, "Expected `object`, got `array`"),
        (altered("01.250Z", "01.250"), "Expected `datetime` with a timezone component - at `$.time`"),
        (altered("2026-11-20T10:00:01.250Z", "yesterday"), "Invalid RFC3339 encoded datetime - at `$.time`"),
        (altered("2026-11-20", "2026-02-30"), "Invalid RFC3339 encoded datetime - at `$.time`"),
        (altered('"2026-11-20T10:00:01.250Z"', "1795600801"), "Expected `datetime`, got `int` - at `$.time`"),
        (altered("2026-11-20", "1969-12-31"), "Expected a year from 1970 to 9998 - at `$.time`"),
        (altered("2026-11-20", "9999-12-31"), "Expected a year from 1970 to 9998 - at `$.time`"),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_what_does_not_fit_is_malformed_and_says_where(value, said):
    with pytest.raises(Malformed) as malformed:
        decode_event(value)
    assert str(malformed.value).startswith(said)


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_a_year_that_not_every_clock_knows_is_malformed_in_every_way_to_write_an_event(year):
    written = altered("2026-11-20", f"{year}-11-20")
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"e"), ("ce_source", b"s")]
    headers += [("ce_type", b"agent.operation.v1"), ("ce_time", f"{year}-11-20T10:00:01Z".encode())]
    data = b'{"operation":{"name":"chat"},"agent":{"name":"a"}}'
    for value, attributes in ((written, []), (written.replace(b"1234", b"1234.0"), []), (data, headers)):
        with pytest.raises(Malformed, match="Expected a year from 1970 to 9998"):
            decode_event(value, attributes)


def test_a_number_that_is_whole_may_be_written_as_a_float():
    event = decode_event(altered("1234", "1234.0"))
    assert event == decode_event(FIRST)
    assert isinstance(event.data.usage.input_tokens, int)


def test_whole_floats_are_found_in_lists_too():
    line = altered('"features":', '"embedding":[1.0,0.5],"features":').replace(b'"step":3', b'"step":3.0')
    event = decode_event(line)
    assert event.data.input.embedding == (1.0, 0.5)
    assert event.data.operation.step == 3


@pytest.mark.parametrize(
    ("value", "field", "found"),
    [
        (altered('"id":"e1"', '"id":"e1","id":"e2"'), "id", "e2"),  # the last of a field that is said twice
        (altered("e1", "\\u0000"), "id", "\x00"),  # an escaped NUL is text
        (altered("e1", "\\ud83d\\ude00"), "id", "😀"),
        (altered('"id":"e1"', '"id":"e1","surprise":{"a":[1]}'), "id", "e1"),  # an unknown field is ignored
        (altered("2026-11-20", "1970-01-01"), "time", datetime(1970, 1, 1, 10, 0, 1, 250_000, UTC)),
        (altered("2026-11-20", "2999-11-20"), "time", datetime(2999, 11, 20, 10, 0, 1, 250_000, UTC)),
        (
            altered("10:00:01.250Z", "12:00:01.250+02:00"),
            "time",
            datetime(2026, 11, 20, 10, 0, 1, 250_000, UTC),
        ),
    ],
)
def test_what_is_odd_but_fits_is_taken(value, field, found):
    assert getattr(decode_event(value), field) == found


@given(st.binary())
def test_bytes_are_an_event_or_malformed_and_nothing_else(value):
    _event_or_malformed(value, [])


@given(st.integers(0, len(FIRST)), st.binary(max_size=8), st.integers(0, 8))
def test_an_event_with_other_bytes_in_it_is_an_event_or_malformed(at, bytes_in, bytes_out):
    _event_or_malformed(FIRST[:at] + bytes_in + FIRST[at + bytes_out :], [])


@given(
    st.binary() | st.just(b'{"operation":{"name":"chat"},"agent":{"name":"a"}}'),
    st.lists(
        st.tuples(
            st.sampled_from(
                ("ce_specversion", "ce_id", "ce_time", "ce_type", "ce_data", "content-type", "x")
            ),
            st.none() | st.binary() | st.sampled_from((b"1.0", b"agent.session.v1", b"2026-11-20T10:00:01Z")),
        )
    ),
)
def test_any_headers_give_an_event_or_malformed(value, headers):
    _event_or_malformed(value, [("ce_specversion", b"1.0"), *headers])


def _event_or_malformed(value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
    try:
        found = decode_event(value, headers)
    except Malformed:
        return
    assert isinstance(found, Event | Tick | Settings | Rebase)


@pytest.mark.parametrize(
    "control",
    [
        Tick(time=moment(0)),
        Settings(time=moment(1), digest="d", files=()),
        Rebase(time=moment(2), agent="a", detector="cost", by="ana"),
    ],
    ids=lambda control: type(control).__name__,
)
def test_a_control_record_is_told_from_an_event(control):
    assert decode_event(encode(control)) == control


def test_a_control_record_that_does_not_fit_is_malformed():
    with pytest.raises(Malformed, match="Invalid value 'dream'"):
        decode_event(b'{"type":"oversight.control.v1","control":"dream","time":"2026-11-20T10:00:01Z"}')


@given(accepted(published("cause")))
def test_every_cause_survives_the_way_there_and_back(value):
    cause = decode_cause(json.dumps(value).encode())
    assert decode_cause(encode(cause)) == cause


@given(accepted(published("page")))
def test_every_message_survives_the_way_there_and_back(value):
    message = decode_message(json.dumps(value).encode())
    assert decode_message(encode(message)) == message


def test_what_is_no_cause_is_malformed():
    with pytest.raises(Malformed, match="Invalid value 'dream'"):
        decode_cause(b'{"cause":"dream"}')
    with pytest.raises(Malformed, match="with a timezone"):
        decode_cause(b'{"cause":"wake","at":"2026-11-20T10:00:01"}')
    with pytest.raises(Malformed, match="UTF-8"):
        decode_cause(b'{"cause":"acknowledge","at":"2026-11-20T10:00:01Z","id":"\xff"}')


def test_what_is_no_message_is_malformed():
    with pytest.raises(Malformed, match="missing required field"):
        decode_message(b'{"kind":"page"}')


def test_a_cause_is_tagged_by_its_kind():
    cause = Acknowledged(at=moment(0), id="1", incident="inc-1", by="ana")
    assert json.loads(encode(cause))["cause"] == "acknowledge"


def test_bytes_are_written_as_they_are():
    assert encode(b"\x00\xff") == b"\x00\xff"
