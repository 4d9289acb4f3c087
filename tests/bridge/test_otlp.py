"""Export requests in both encodings."""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import otlp_json, otlp_proto
from bridge.raw import DEEPEST, Unreadable
from bridge.unpacking import Unpacking
from schemas.record import Record, Saved
from schemas.wire import encode
from tests.bridge.spans import as_json, as_proto, request, span

scalars = (
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
attributes = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=6,
    ),
    max_size=4,
)


def decoded(value):
    return Unpacking().apply(Record(0, value))


@given(attributes, attributes, st.booleans(), st.text(max_size=20))
def test_protobuf_and_json_say_the_same(said, thrown, failed, message):
    made = request(span(1, 2, failed=failed, message=message, events=[("exception", thrown)]), n=1)
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = request(span(1, **said))[
        "resourceSpans"
    ][0]["scopeSpans"][0]["spans"][0]["attributes"]
    assert [*otlp_json.spans(as_json(made))] == [*otlp_proto.spans(as_proto(made))]


def test_both_say_the_same_of_what_is_within_an_attribute():
    said = {"tool": {"name": "refund", "tries": [1, 2.5, True]}}
    made = request(span(1, **said))
    (from_json,), (from_proto,) = otlp_json.spans(as_json(made)), otlp_proto.spans(as_proto(made))
    assert from_json == from_proto
    assert from_proto.attributes == said


@pytest.mark.parametrize("encoding", [otlp_json, otlp_proto])
def test_what_is_no_export_request_is_refused(encoding):
    with pytest.raises(Unreadable, match=f"^{encoding.__name__.removeprefix('bridge.')}: "):
        list(encoding.spans(b"\xff"))


@given(st.binary(max_size=200))
def test_any_bytes_are_spans_or_refused_with_a_reason(value):
    with suppress(Unreadable):
        assert decoded(value) is not None


@given(st.recursive(scalars | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_spans_or_refused_with_a_reason(said):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [said]}]}]}
    with suppress(Unreadable):
        assert decoded(json.dumps(body).encode()) is not None


def test_what_is_nested_without_end_is_cut():
    value = {"stringValue": "deep"}
    for _ in range(DEEPEST + 5):
        value = {"arrayValue": {"values": [value]}}
    made = request(span(1))
    made["resourceSpans"][0]["resource"]["attributes"].append({"key": "deep", "value": value})
    [from_json], [from_proto] = otlp_json.spans(as_json(made)), otlp_proto.spans(as_proto(made))
    assert from_json.resource == from_proto.resource
    assert "deep" not in str(from_json.resource["deep"])


def test_bytes_in_an_attribute_say_nothing():
    made = request(span(1))
    made["resourceSpans"][0]["resource"]["attributes"].append({"key": "b", "value": {"bytesValue": "Pw=="}})
    [from_json], [from_proto] = otlp_json.spans(as_json(made)), otlp_proto.spans(as_proto(made))
    assert from_json.resource["b"] is from_proto.resource["b"] is None


def test_numbers_that_are_none_are_none():
    made = request(span(1))
    pairs = made["resourceSpans"][0]["resource"]["attributes"]
    pairs += [{"key": "i", "value": {"intValue": "x"}}, {"key": "d", "value": {"doubleValue": "x"}}]
    [raw] = otlp_json.spans(as_json(made))
    assert (raw.resource["i"], raw.resource["d"]) == (0, None)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"traceId": "1234"}, "traceId is '1234'; expected 32 hexadecimal digits"),
        ({"traceId": "0" * 32}, "not all 0"),
        ({"spanId": "g" * 16}, "spanId is 'gggggggggggggggg'"),
        ({"parentSpanId": "12"}, "parentSpanId is '12'"),
        ({"endTimeUnixNano": "0"}, "endTimeUnixNano is 0; expected nanoseconds since 1970"),
        ({"endTimeUnixNano": "9" * 400}, "endTimeUnixNano is 0; expected nanoseconds since 1970"),
    ],
)
def test_a_span_that_cannot_be_used_goes_to_the_dead_letters_and_the_others_go_on(said, reason):
    unpacking = Unpacking()
    bad, good = span(1, name="bad", gen_ai__operation__name="chat") | said, span(2)
    refused, taken = unpacking.apply(Record(7, as_json(request(bad, good))))
    assert (refused.stream, taken.stream) == ("deadletter", "spans")
    told = dict(refused.headers)["reason"].decode()
    assert told.startswith("span 0 ('bad'): ")
    assert reason in told
    assert json.loads(refused.value)["attributes"] == {"gen_ai.operation.name": "chat"}
    assert unpacking.unusable == 1


def absent():
    raise ImportError("google.protobuf")


def test_without_protobuf_its_spans_are_refused_and_those_in_json_are_read():
    unpacking = Unpacking(absent)
    assert len(unpacking.apply(Record(0, as_json(request(span(1)))))) == 1
    with pytest.raises(Unreadable, match=r"pip install agent-oversight\[otlp\]"):
        unpacking.apply(Record(0, as_proto(request(span(1)))))


def test_spans_go_on_under_their_trace_id():
    made = request(span(1), span(2))
    assert {each.key for each in decoded(as_proto(made))} == {"0af7651916cd43dd8448eb211c80319c"}
    assert [encode(each.value) for each in decoded(as_proto(made))] == [
        encode(each.value) for each in decoded(as_json(made))
    ]


def test_taking_apart_keeps_nothing():
    unpacking = Unpacking()
    unpacking.resume(unpacking.mark())
    assert unpacking.unsaved() == {}
    assert unpacking.wake_at is None
    with pytest.raises(KeyError):
        unpacking.save("a")
    with pytest.raises(ValueError, match="no state"):
        unpacking.load("a", Saved(1, b""))
    with pytest.raises(NotImplementedError):
        unpacking.waking(1.0)


def test_what_json_cannot_say_is_still_kept_in_the_dead_letter():
    made = request(span(1) | {"traceId": "1"})
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
        {"key": "d", "value": {"doubleValue": "Infinity"}}
    ]
    [refused] = decoded(as_json(made))
    assert msgspec.json.decode(refused.value)["attributes"] == {"d": None}
