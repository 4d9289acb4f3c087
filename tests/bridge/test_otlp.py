"""Export requests in both encodings."""

import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import otlp_json, otlp_proto
from bridge.losses import WINDOW_S
from bridge.raw import DEEPEST, Unreadable
from bridge.unpacking import MOST_LETTERS, Unpacking
from schemas.record import Record, Saved
from schemas.span import Span
from schemas.wire import encode, moment
from streams.deadletters.letter import letter_of
from tests.bridge.spans import START_S, as_json, as_proto, request, span

decode_span = msgspec.json.Decoder(Span).decode
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
    assert decoded(value) is not None


@given(st.recursive(scalars | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_spans_or_refused_with_a_reason(said):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [said]}]}]}
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
    assert (raw.resource["i"], raw.resource["d"]) == (None, None)


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


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 4000, "9" * 5000])
def test_an_absurd_number_is_left_out_of_a_span_that_is_fine(number):
    made = request(span(1, gen_ai__operation__name="chat"))
    said = made["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    for name in ("gen_ai.usage.input_tokens", "gen_ai.usage.cost", "gen_ai.agent.name"):
        said.append({"key": name, "value": {"intValue": number}})
    [taken] = decoded(as_json(made))
    assert taken.value.event.data.usage is None
    assert decode_span(encode(taken.value)) == taken.value


def test_a_request_whose_first_part_has_123_bytes_is_protobuf_though_it_begins_like_json_after_a_line_break():
    made = [as_proto(request(span(1, name="x" * n))) for n in range(80)]
    [value] = [each for each in made if each.startswith(b"\n{")]
    [taken] = decoded(value)
    assert taken.stream == "spans"


def test_json_may_begin_with_line_breaks():
    [taken] = decoded(b"\n\n" + json.dumps(request(span(1)), indent=1).encode())
    assert taken.stream == "spans"


def test_of_a_request_full_of_useless_spans_a_hundred_are_dead_letters_and_the_rest_is_counted():
    unpacking = Unpacking()
    *taken, last = unpacking.apply(
        Record(0, b'{"resourceSpans":[{"scopeSpans":[{"spans":[%b{}]}]}]}' % (b"{}," * 999))
    )
    assert [each.stream for each in taken] == ["deadletter"] * MOST_LETTERS
    assert dict(last.headers)["reason"] == b"900 more spans of the same request cannot be used"
    assert unpacking.unusable == 1000
    [unread] = unpacking.apply(Record(1, as_json(request(span(1) | {"traceId": "1"}))))
    assert b"traceId is '1'" in dict(unread.headers)["reason"]


def absent():
    raise ImportError("google.protobuf")


def test_without_protobuf_its_spans_are_refused_and_those_in_json_are_read():
    unpacking = Unpacking(absent)
    assert len(unpacking.apply(Record(0, as_json(request(span(1)))))) == 1
    [refused] = unpacking.apply(Record(0, as_proto(request(span(1)))))
    assert b"pip install agent-oversight[otlp]" in dict(refused.headers)["reason"]


def test_spans_go_on_under_their_trace_id():
    made = request(span(1), span(2))
    assert {each.key for each in decoded(as_proto(made))} == {"0af7651916cd43dd8448eb211c80319c"}
    assert [encode(each.value) for each in decoded(as_proto(made))] == [
        encode(each.value) for each in decoded(as_json(made))
    ]


def test_taking_apart_has_no_keys():
    unpacking = Unpacking()
    unpacking.resume(b"")
    assert unpacking.unsaved() == {}
    assert unpacking.wake_at is None
    with pytest.raises(KeyError):
        unpacking.save("a")
    with pytest.raises(ValueError, match="no state"):
        unpacking.load("a", Saved(1, b""))
    with pytest.raises(NotImplementedError):
        unpacking.waking(1.0)


def test_what_is_no_request_lies_whole_among_the_dead_letters_and_can_be_put_back():
    record = Record(7, b'{"no": "spans"}', b"k", 5.0, (("a", b"b"),))
    [output] = Unpacking().apply(record)
    assert (output.stream, output.key, output.value) == ("deadletter", "k", record.value)
    letter = letter_of(
        "7", Record(1, output.value, headers=(*output.headers, ("origin", b"otlp_spans/0:7:0")))
    )
    assert letter.can_return
    assert letter.reason.startswith("Unreadable: otlp_json: ")
    assert output.headers[1:] == record.headers


class TestSignals:
    """Spans that cannot be used are told where there are many."""

    GOOD, BAD = as_json(request(span(1))), as_json(request(span(1) | {"traceId": "1"}))

    def told(self, unpacking, values, began_s=START_S, every_s=1.0):
        outputs = []
        for n, value in enumerate(values):
            outputs += unpacking.apply(Record(n, value, time_s=began_s + n * every_s))
        return [each.value.signal for each in outputs if each.stream == "causes"]

    def test_many_are_told_once_a_minute_with_the_service_that_sends_them(self):
        first, second = self.told(Unpacking(where="otlp_spans/3"), [self.BAD] * 75)
        assert first.id == second.id
        assert (second.time - first.time, first.onset) == (timedelta(minutes=1), moment(START_S))
        assert first.labels["partition"] == "otlp_spans/3"
        assert (first.finding, first.observed, first.contributors[0].value) == ("unusable_spans", 1.0, "shop")
        assert "traceId is '1'" in first.summary
        assert first.detector == "telemetry"  # never more than a warning

    def test_a_few_are_told_to_nobody(self):
        assert self.told(Unpacking(), [self.BAD] * 9) == []
        assert self.told(Unpacking(), [*[self.BAD] * 10, *[self.GOOD] * 2000][::-1], every_s=0.1) == []

    def test_requests_that_cannot_be_read_are_told_although_no_other_comes(self):
        [told] = self.told(Unpacking(), [b"\xff"] * 10)
        assert told.contributors[0].value == "(unknown)"
        assert "otlp_proto" in told.summary

    def test_services_beyond_the_eighth_are_counted_together(self):
        bad = [as_json(request(span(1) | {"spanId": "1"}, service__name=f"s{n}")) for n in range(20)]
        told = self.told(Unpacking(), bad, every_s=10.0)[-1]
        assert [each.value for each in told.contributors] == ["(other)", "s0", "s1"]

    def test_old_ones_are_forgotten(self):
        unpacking = Unpacking()
        assert self.told(unpacking, [self.BAD] * 9) == []
        assert self.told(unpacking, [self.BAD] * 9, START_S + 2 * WINDOW_S) == []

    @pytest.mark.parametrize("ahead_s", [7 * 86_400.0, 1e15])
    def test_a_record_of_a_time_that_cannot_be_silences_none_that_come_after(self, ahead_s):
        unpacking = Unpacking()
        first = self.told(unpacking, [self.BAD] * 10, START_S + ahead_s, every_s=0.0)
        second = self.told(unpacking, [self.BAD] * 10)
        assert [len(first), len(second)] == [1, 1]
        assert (second[0].onset, second[0].time) == (moment(START_S), moment(START_S + 9))

    def test_a_restart_forgets_none(self):
        unpacking = Unpacking()
        assert self.told(unpacking, [self.BAD] * 9) == []
        heir = Unpacking()
        heir.resume(unpacking.mark())
        assert len(self.told(heir, [self.BAD], START_S + 9)) == 1
        assert heir.mark() != unpacking.mark()


def test_what_json_cannot_say_is_still_kept_in_the_dead_letter():
    made = request(span(1) | {"traceId": "1"})
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
        {"key": "d", "value": {"doubleValue": "Infinity"}}
    ]
    [refused] = decoded(as_json(made))
    assert msgspec.json.decode(refused.value)["attributes"] == {"d": None}
