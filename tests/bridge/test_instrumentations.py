"""Released instrumentations as they run, of agents that ask a model on loopback, through the bridge."""

import base64
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from bridge.traces import Traces
from bridge.unpacking import Unpacking
from schemas.record import Record
from schemas.wire import decode_event, encode
from tests.bridge.spans import START_S
from tests.sdk.models import answering

NEEDED = ("opentelemetry.instrumentation.openai_v2", "openinference.instrumentation.openai_agents")
BY_HAND = ("opentelemetry", "openinference", "openllmetry")
pytestmark = pytest.mark.xdist_group("instrumentations")


@pytest.fixture(name="runs", scope="module")
def _runs():
    """The events of each run, by its name."""
    for each in NEEDED:
        pytest.importorskip(each, reason=f"{each} ABSENT: install agent-oversight[dev]")
    exported = defaultdict(list)
    with answering() as model:
        for _ in BY_HAND:
            model.answers(2)
            model.fails(429, "rate_limit_exceeded")
        model.calls("order_state", order="o-1")
        script = Path(__file__).with_name("instrumented.py")
        done = subprocess.run(
            [sys.executable, script, model.url], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        run, request = line.split()
        exported[run].append(base64.b64decode(request))
    return {run: list(events(requests)) for run, requests in exported.items()}


def events(requests):
    """What the bridge writes of export requests, read again as detectors read it."""
    unpacking, traces = Unpacking(), Traces()
    spans = [each for n, value in enumerate(requests) for each in unpacking.apply(Record(n, value))]
    assert {each.stream for each in spans} == {"spans"}
    outputs = []
    for n, each in enumerate(spans):
        outputs += traces.apply(Record(n, encode(each.value), time_s=START_S))
    outputs += traces.drain(len(spans))
    return [decode_event(encode(each.value)).data for each in outputs]


def calls(run):
    return [each for each in run if each.operation.name == "chat"]


@pytest.mark.parametrize("name", BY_HAND)
def test_each_call_of_a_client_has_agent_conversation_models_and_tokens(name, runs):
    said = runs[name]
    assert [each.operation.name for each in said] == ["chat", "chat", "chat", "invoke_agent"]
    assert {(each.agent.name, each.agent.version) for each in said} == {("clerk", "2.1")}
    assert {each.conversation.id for each in calls(said)} == {"conv-1"}
    assert {(each.provider.name, each.request.model) for each in calls(said)} == {("openai", "gpt-4o-mini")}
    well = calls(said)[:2]
    assert {(each.usage.input_tokens, each.usage.output_tokens) for each in well} == {(120, 30)}
    assert {each.response.model for each in well} == {"gpt-4o-mini-2024-07-18"}
    assert {each.error for each in well} == {None}
    assert all(each.operation.duration > 0 for each in said)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_refused_call_has_its_type_and_message_and_no_usage(name, runs):
    refused = calls(runs[name])[2]
    assert refused.error.type.removeprefix("openai.") == "RateLimitError"
    assert "429" in refused.error.message
    assert refused.usage is None


@pytest.mark.parametrize("name", ["openinference", "openllmetry"])
def test_tokens_of_a_cache_and_of_reasoning_are_told_where_an_instrumentation_does(name, runs):
    used = calls(runs[name])[0].usage
    assert (used.cache_read_input_tokens, used.reasoning_output_tokens) == (100, 20)


def test_a_run_of_the_agents_sdk_has_its_tool_and_each_call_once(runs):
    said = runs["openinference_agents"]
    assert [each.operation.name for each in said][:3] == ["chat", "execute_tool", "chat"]
    assert {each.agent.name for each in said} == {"clerk"}
    assert {each.conversation.id for each in said} == {"conv-1"}
    assert [each.tool.name for each in said if each.tool] == ["order_state"]
    assert [each.usage.input_tokens for each in calls(said)] == [120, 120]
    assert {each.operation.name for each in said[3:]} == {"invoke_agent"}


def test_a_call_that_two_instrumentations_see_is_told_once(runs):
    said = runs["openllmetry_twice"]
    [call] = calls(said)
    assert (call.agent.name, call.conversation.id, call.request.model) == ("clerk", "conv-1", "gpt-4o-mini")
    assert (call.usage.input_tokens, call.usage.output_tokens) == (120, 30)
