"""Real payloads: agents of kagent, and of some eighteen frameworks."""

from collections import Counter

import pytest

from schemas.wire import decode_event, encode
from tests.bridge.payloads import frameworks, kagent
from tests.bridge.spans import bridged

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def agents():
    return [[*bridged(each).values()] for each in kagent()]


@pytest.fixture(scope="module")
def traces():
    return {
        f"{n} {line['trace']['name']}": ([*bridged(made).values()], line)
        for n, (made, line) in enumerate(frameworks())
    }


def operations(events):
    return Counter(each.data.operation.name for each in events)


def test_of_254_spans_of_real_agents_eleven_are_what_they_did(agents):
    assert [operations(each) for each in agents] == [
        {"invoke_agent": 2, "chat": 2, "execute_tool": 1},
        {"invoke_agent": 1, "chat": 2, "execute_tool": 1},
        {"invoke_agent": 1, "chat": 1},
    ]


def test_each_says_agent_and_conversation_though_spans_leave_them_out(agents):
    assert {each.data.agent.name for each in agents[1]} == {"helm_agent"}
    assert {each.data.conversation.id for each in agents[1]} == {"ctx-7ed9780f-3688-4fc0-b10b-2e4df2f83cf0"}


def test_tokens_that_two_instrumentations_tell_are_counted_once(agents):
    calls = [each.data for each in agents[1] if each.data.operation.name == "chat"]
    assert sorted((each.usage.input_tokens, each.usage.output_tokens) for each in calls) == [
        (1820, 13),
        (1956, 117),
    ]
    assert {each.provider.name for each in calls} == {"openai"}
    assert {each.input.text for each in calls if each.input} == {"list all Helm releases"}


def test_every_event_fits_the_contract(agents, traces):
    events = [each for some in (*agents, *(some for some, _ in traces.values())) for each in some]
    assert [decode_event(encode(each)) for each in events] == events
    assert len({each.id for each in events}) == len(events)


def test_each_frameworks_innermost_calls_are_told_with_their_tokens(traces):
    for name, (events, line) in traces.items():
        calls = [each for each in line["observations"] if each["type"] == "GENERATION"]
        parents = {each["id"]: each.get("parentObservationId") for each in line["observations"]}

        def above(each, parents=parents):
            while each := parents.get(each):
                yield each

        wrappers = {up for each in calls for up in above(each["id"])}
        innermost = [each for each in calls if each["id"] not in wrappers]
        told = [each.data for each in events if each.data.operation.name in {"chat", "text_completion"}]
        assert len(told) == len(innermost), name
        tokens = [(each.get("usageDetails") or {}).get("input") for each in innermost]
        assert sum(each.usage.input_tokens or 0 for each in told if each.usage) == sum(
            each or 0 for each in tokens
        ), name
