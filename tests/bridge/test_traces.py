"""Spans are joined by trace: in any order, whatever is lost, wherever it is restarted."""

from time import process_time

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.homes import MOST_SERVICES, Homes
from bridge.joining import DEEPEST, Link, is_known_to_the_root, who
from bridge.traces import KEEP_S, MOST_SPANS, SETTLE_S, WAIT_S, Traces
from schemas.record import Record
from schemas.span import Span, Tick, Who
from schemas.wire import encode
from tests.bridge.spans import START_S, TRACE, bridged, request, span, unpacked

AGENT = span(1, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="refunds", took_s=5.0)
STEP = span(2, 1, name="plan")
CALL = span(3, 2, gen_ai__operation__name="chat", gen_ai__usage__input_tokens=9)
TOOL = span(4, 1, gen_ai__operation__name="execute_tool", gen_ai__tool__name="search")
SESSION = span(9, gen_ai__conversation__id="c-1", user__id="u-1", tenant__id="t-1", service__version="x")


class Tape:
    """A fold, and what it gave, at times of the log."""

    def __init__(self, **given):
        self.traces, self.offset, self.told = Traces(**given), -1, []

    def put(self, told, at_s):
        self.offset += 1
        self.told += self.traces.apply(Record(self.offset, encode(told), time_s=START_S + at_s))

    def span(self, made, at_s=0.0, **resource):
        for each in unpacked(request(made, **resource)):
            self.put(each, at_s)

    def tick(self, at_s):
        _, value = self.traces.waking(START_S + at_s)
        self.offset += 1
        self.told += self.traces.apply(Record(self.offset, value))

    @property
    def ids(self):
        return [int(each.value.id.split("-")[1], 16) for each in self.told if each.stream == "events"]

    @property
    def signals(self):
        return [each.value.signal for each in self.told if each.stream == "causes"]

    @property
    def agents(self):
        return [each.key for each in self.told]

    def restarted(self, **given):
        """Another owner goes on from what this one saves."""
        heir = Tape(**given)
        heir.traces.resume(self.traces.mark())
        for name in [*self.traces._traces]:
            heir.traces.load(name, self.traces.save(name))
        heir.offset, heir.told = self.offset, self.told
        return heir


@given(st.permutations([AGENT, STEP, CALL, TOOL]))
def test_in_whatever_order_they_come_all_are_the_agents(spans):
    events = bridged(request(*spans))
    assert {name: each.data.agent.name for name, each in events.items()} == dict.fromkeys(
        (1, 3, 4), "refunds"
    )


def test_what_is_above_tells_conversation_user_and_tenant():
    above = AGENT | {"parentSpanId": SESSION["spanId"]}
    data = bridged(request(SESSION, above, CALL, STEP))[3].data
    assert (data.agent.name, data.conversation.id, data.user.id, data.tenant.id) == (
        "refunds",
        "c-1",
        "u-1",
        "t-1",
    )


def test_the_nearest_agent_holds():
    inner = span(2, 1, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="helper")
    assert bridged(request(AGENT, inner, CALL))[3].data.agent.name == "helper"


def test_a_span_waits_two_seconds_where_nothing_more_can_be_learnt():
    tape = Tape()
    tape.span(CALL, 0.0)
    tape.span(STEP, 0.0)
    tape.span(AGENT, 1.0)
    assert tape.traces.wake_at == START_S + SETTLE_S
    tape.tick(SETTLE_S - 0.1)
    assert tape.ids == []
    tape.tick(SETTLE_S)
    assert (tape.ids, tape.agents) == ([3], ["refunds"])
    tape.tick(1.0 + SETTLE_S)
    assert tape.ids == [3, 1]


def test_a_span_waits_ten_seconds_for_what_is_above_it():
    tape = Tape()
    tape.span(CALL, 0.0)
    tape.span(TOOL, 1.0)
    assert tape.traces.wake_at == START_S + WAIT_S
    tape.tick(WAIT_S)
    assert (tape.ids, tape.agents) == ([3], ["shop"])


def test_where_a_service_has_one_agent_only_its_name_is_known():
    tape = Tape()
    tape.span(AGENT | {"traceId": "1" * 32}, 0.0)
    tape.span(CALL, 5.0)
    tape.tick(60.0)
    assert tape.agents == ["refunds", "refunds"]
    tape.span(span(7, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="other"), 61.0)
    tape.span(CALL | {"traceId": "2" * 32}, 61.0)
    tape.tick(120.0)
    assert tape.agents[2:] == ["other", "shop"]


def test_what_comes_late_still_finds_what_is_above_it():
    tape = Tape()
    tape.span(AGENT, 0.0)
    tape.tick(30.0)
    tape.span(TOOL, 50.0)
    tape.tick(52.0)
    assert tape.agents == ["refunds", "refunds"]


def test_a_trace_is_forgotten_a_minute_after_its_last_span():
    tape = Tape()
    tape.span(AGENT, 0.0)
    tape.tick(5.0)
    assert tape.traces.wake_at == START_S + KEEP_S
    tape.tick(KEEP_S)
    assert tape.traces.wake_at is None
    assert tape.traces.unsaved() == {}


def test_two_spans_of_one_call_are_one_operation():
    outer = span(3, 1, gen_ai__operation__name="chat", gen_ai__usage__input_tokens=9)
    inner = span(5, 4, gen_ai__operation__name="chat", gen_ai__usage__input_tokens=9)
    between = span(4, 3, name="POST")
    assert sorted(bridged(request(inner, between, outer, AGENT))) == [1, 5]


def test_calls_beside_each_other_are_two():
    again = span(5, 2, gen_ai__operation__name="chat")
    assert sorted(bridged(request(CALL, again, STEP, AGENT))) == [1, 3, 5]


def test_what_is_exported_twice_is_told_once():
    tape = Tape()
    tape.span(CALL, 0.0)
    tape.span(CALL, 1.0)
    tape.tick(60.0)
    assert tape.ids == [3]


def test_spans_that_are_each_others_parents_are_told_all_the_same():
    left, right = span(1, 2, gen_ai__operation__name="chat"), span(2, 1, gen_ai__operation__name="chat")
    tape = Tape()
    tape.span(left)
    tape.span(right)
    tape.tick(WAIT_S)
    assert len(tape.told) <= 2
    assert tape.traces._traces[TRACE].waiting == []


def test_a_loop_above_is_no_way_to_a_root():
    links = {"a": Link("b", Who()), "b": Link("a", Who(user="u"))}
    assert not is_known_to_the_root(links, "a")
    assert who(links, "a").user == "u"


def test_a_tree_too_deep_to_be_an_agents_is_followed_no_further():
    chain = [span(n, n - 1) for n in range(2, DEEPEST + 5)]
    call = span(DEEPEST + 5, DEEPEST + 4, gen_ai__operation__name="chat")
    events = bridged(request(AGENT, *chain, call))
    assert events[DEEPEST + 5].data.agent.name == "refunds"  # the only agent of the service
    assert events[DEEPEST + 5].data.conversation is None


def test_too_many_traces_let_the_first_go_early():
    tape = Tape(most_traces=2)
    for n in range(1, 4):
        tape.span(CALL | {"traceId": f"{n:032x}"}, float(n))
    assert tape.ids == [3]
    assert tape.traces.early == 1
    assert len(tape.traces._traces) == 2


@pytest.mark.parametrize(
    ("cap", "why"),
    [
        ({"most_waiting": 4}, "over 4 operations that wait at once"),
        ({"most_links": 4}, "over 4 spans at once"),
    ],
)
def test_too_many_spans_of_all_traces_let_the_first_go_early_also_after_a_restart(cap, why):
    tape = Tape(**cap)
    for n in range(1, 5):
        tape.span(CALL | {"traceId": f"{n:032x}"}, float(n))
    assert tape.ids == []
    heir = tape.restarted(**cap)
    heir.span(CALL | {"traceId": f"{9:032x}"}, 5.0)
    assert heir.ids == [3]
    assert why in heir.signals[0].summary
    heir.span(CALL | {"traceId": f"{10:032x}"}, 6.0)
    assert (len(heir.ids), heir.traces.early) == (2, 2)
    heir.tick(6.0 + WAIT_S + KEEP_S)
    heir.tick(7.0 + 2 * (WAIT_S + KEEP_S))
    assert len(heir.ids) == 6
    assert (heir.traces._waiting, heir.traces._links) == (0, 0)


def test_a_trace_with_very_many_spans_goes_out_in_time_that_grows_with_their_number():
    tape = Tape()
    [call] = unpacked(request(CALL))
    for n in range(15_000):
        tape.put(msgspec.structs.replace(call, id=f"{n + 100:016x}"), 0.0)
    began_s = process_time()
    tape.tick(WAIT_S)
    assert len(tape.ids) == 15_000
    assert process_time() - began_s < 2.0


def test_traces_that_go_out_early_are_told_once_a_minute_also_by_the_next_owner():
    tape = Tape(most_traces=2, where="oversight.spans/1")
    for n in range(1, 4):
        tape.span(CALL | {"traceId": f"{n:032x}"}, float(n))
    [first] = tape.signals
    assert (first.finding, first.labels["partition"]) == ("traces_capped", "oversight.spans/1")
    assert "over 2 traces at once" in first.summary
    assert first.contributors[0].value == "shop"
    heir = tape.restarted(most_traces=2, where="oversight.spans/1")
    heir.span(CALL | {"traceId": f"{9:032x}"}, 4.0)
    assert heir.signals == [first]
    for n in range(20, 24):
        heir.span(CALL | {"traceId": f"{n:032x}"}, 63.0)
    assert {each.id for each in heir.signals} == {first.id}
    assert len(heir.signals) == 2


def test_of_a_trace_without_end_some_are_not_joined_and_none_is_lost():
    tape = Tape()
    tape.put(unpacked(request(AGENT))[0], 0.0)
    [call] = unpacked(request(CALL))
    for n in range(MOST_SPANS + 10):
        tape.put(msgspec.structs.replace(call, id=f"{n + 100:016x}", parent=f"{1:016x}"), 0.0)
    tape.tick(WAIT_S)
    assert len(tape.ids) == MOST_SPANS + 11
    assert "over 2,000 spans of one trace" in tape.signals[0].summary
    assert len(tape.traces._traces[TRACE].links) == MOST_SPANS


def test_what_is_no_span_is_refused():
    with pytest.raises(msgspec.DecodeError):
        Traces().apply(Record(0, b"{}"))


def test_the_clock_never_goes_back():
    tape = Tape()
    tape.span(CALL, 100.0)
    tape.span(TOOL, 0.0)
    assert tape.traces.wake_at == START_S + 100.0 + WAIT_S


def test_the_clock_comes_back_from_a_time_that_cannot_be():
    tape = Tape()
    tape.span(CALL | {"traceId": "f" * 32}, 7 * 86_400.0)
    tape.span(CALL, 0.0)
    tape.tick(11.0)
    assert len(tape.told) == 1


def test_a_record_without_time_moves_no_clock():
    traces = Traces()
    [call] = unpacked(request(CALL))
    traces.apply(Record(0, encode(call)))
    assert traces.wake_at == WAIT_S


def test_ticks_and_spans_are_told_apart():
    assert encode(Tick(at=1.5)) == b'{"kind":"tick","at":1.5}'
    assert encode(Span(trace="a", id="b", at=1.0)).startswith(b'{"kind":"span"')


SPANS = [AGENT, STEP, CALL, TOOL, SESSION, AGENT | {"traceId": "1" * 32}, CALL | {"traceId": "2" * 32}]
steps = st.lists(
    st.tuples(st.integers(-1, len(SPANS) - 1), st.sampled_from([0.0, 0.5, 3.0, 9.0, 70.0])), max_size=25
)


@given(steps, st.sets(st.integers(0, 25)))
@example([(2, 0.0), (1, 0.5), (0, 3.0), (-1, 9.0), (3, 3.0), (-1, 70.0)], {1, 2, 3, 4, 5})
def test_a_restart_anywhere_changes_nothing(drawn, cuts):
    whole, broken, at_s = Tape(), Tape(), 0.0
    for n, (which, after_s) in enumerate(drawn):
        at_s += after_s
        if n in cuts:
            broken = broken.restarted()
        for tape in (whole, broken):
            if which < 0:
                tape.tick(at_s)
            else:
                tape.span(SPANS[which], at_s)
    assert [encode(each.value) for each in broken.told] == [encode(each.value) for each in whole.told]
    assert broken.traces.mark() == whole.traces.mark()
    assert broken.traces._traces == whole.traces._traces
    assert broken.traces.wake_at == whole.traces.wake_at


def test_what_is_folded_again_is_passed_over():
    tape = Tape()
    tape.span(CALL, 0.0)
    heir = tape.restarted()
    heir.offset = -1
    heir.span(CALL, 0.0)
    heir.tick(WAIT_S)
    assert heir.ids == [3]


def test_what_was_saved_and_is_over_is_removed():
    tape = Tape()
    tape.span(CALL, 0.0)
    assert tape.traces.unsaved() == {TRACE: 0}
    assert tape.traces.save(TRACE).applied == 0
    assert tape.traces.unsaved() == {}
    tape.tick(WAIT_S)
    tape.tick(WAIT_S + KEEP_S)
    assert [*tape.traces.unsaved()] == [TRACE]
    assert tape.traces.save(TRACE) is None
    assert tape.traces.unsaved() == {}


def test_a_service_is_remembered_up_to_a_bound():
    homes = Homes()
    for n in range(MOST_SERVICES + 1):
        homes.learn(f"s{n}", "a")
        homes.learn(f"s{n}", "a")
    assert homes.agent("s0") == "s0"
    assert homes.agent("s1") == "a"
    assert Homes(homes.saved()).saved() == homes.saved()
