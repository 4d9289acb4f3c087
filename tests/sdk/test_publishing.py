"""What an agent publishes is what the pipeline reads."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

import pytest

from agent_oversight import AgentEvents, Within, words
from tests.sdk.arrivals import Arrived, said


def test_an_operation_is_timed_and_says_who_did_it():
    def tell(events):
        with events.tool("payments.refund"):
            pass

    [event] = said(tell, version="2.1", environment="prod", service={"name": "refund-svc"})
    assert event.type == "agent.operation.v1"
    assert event.source == "refund-agent"
    assert event.data.operation.name == "execute_tool"
    assert event.data.operation.duration >= 0
    assert event.data.tool.name == "payments.refund"
    assert (event.data.agent.name, event.data.agent.version) == ("refund-agent", "2.1")
    assert event.data.deployment.environment_name == "prod"
    assert event.data.service.name == "refund-svc"
    assert event.data.error is None


def test_a_model_may_be_called_without_saying_whose_it_is():
    def tell(events):
        with events.chat("gpt-4.1"):
            pass

    [event] = said(tell)
    assert (event.data.request.model, event.data.provider) == ("gpt-4.1", None)


def test_what_is_known_later_is_told_part_by_part():
    def tell(events):
        with events.chat("gpt-4o", "openai", request={"max_tokens": 100}) as call:
            call.tell(usage={"input_tokens": 10}, response={"model": "gpt-4o-2"})
            call.tell(usage={"output_tokens": 3})
            call.traceparent = f"00-{'a' * 32}-{'b' * 16}-01"

    [event] = said(tell)
    assert (event.data.usage.input_tokens, event.data.usage.output_tokens) == (10, 3)
    assert (event.data.request.model, event.data.request.max_tokens) == ("gpt-4o", 100)
    assert event.data.provider.name == "openai"
    assert event.data.response.model == "gpt-4o-2"
    assert event.traceparent.endswith("-01")


def test_what_happens_in_a_session_is_part_of_it():
    def tell(events):
        with events.session("conv-1", tenant="acme", user="u1") as session:
            with events.tool("search"):
                pass
            session.running()
        with events.tool("alone"):
            pass

    started, tool, running, ended, alone = said(tell)
    assert [each.data.conversation.state for each in (started, running, ended)] == [
        "started",
        "running",
        "ended",
    ]
    for event in (started, tool, running, ended):
        assert event.data.conversation.id == "conv-1"
        assert (event.data.tenant.id, event.data.user.id) == ("acme", "u1")
    assert ended.type == "agent.session.v1"
    assert ended.data.operation.name == "invoke_agent"
    assert ended.data.operation.duration >= running.data.operation.duration >= 0
    assert started.data.operation.duration is None
    assert alone.data.conversation is None
    assert alone.data.tenant is None


def test_a_session_without_an_id_gets_one_and_sessions_nest():
    def tell(events):
        with events.session(tenant="acme") as outer, events.session() as inner:
            assert outer.id != inner.id

    outer, inner, inner_end, outer_end = said(tell)
    assert inner.data.tenant.id == "acme"
    assert outer.data.conversation.id == outer_end.data.conversation.id
    assert inner.data.conversation.id == inner_end.data.conversation.id


async def test_tasks_of_two_sessions_at_once_do_not_mix():
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived)

    async def one(name):
        async with events.session(name, tenant=f"tenant-{name}"):
            for _ in range(3):
                async with events.operation("retrieval", attributes={"of": name}):
                    await asyncio.sleep(0)

    await asyncio.gather(one("a"), one("b"))
    assert await asyncio.to_thread(events.close, 10.0)
    of = [event for event in arrived.events() if event.data.attributes]
    assert len(of) == 6
    for event in of:
        assert event.data.conversation.id == event.data.attributes["of"]
        assert event.data.tenant.id == f"tenant-{event.data.attributes['of']}"


def test_a_request_that_belongs_to_a_session_elsewhere_is_told_whose_it_is():
    def tell(events):
        with Within(conversation="conv-1"), events.tool("search"):
            pass

    [event] = said(tell)
    assert event.data.conversation.id == "conv-1"


async def test_leaving_in_another_context_than_entering_raises_nothing():
    within = Within(tenant="acme")
    within.__exit__(None, None, None)
    await asyncio.create_task(_entered(within))
    async with Within(tenant="other"):
        pass
    within.__exit__(None, None, None)


async def _entered(within):
    within.__enter__()


def test_an_operation_that_is_announced_is_told_at_its_start():
    def tell(events):
        with events.tool("slow").announced() as call:
            call.tell(operation={"required": True})

    started, ended = said(tell)
    assert (started.data.operation.state, ended.data.operation.state) == ("started", None)
    assert started.data.operation.id == ended.data.operation.id is not None
    assert ended.data.operation.required is True
    assert started.data.operation.duration is None


def test_an_exception_is_the_operations_and_the_sessions_error_and_goes_on():
    def tell(events):
        call = events.tool("search").tell(error={"attempt": 2, "final": True})
        with pytest.raises(TimeoutError), events.session("c"), call:
            raise TimeoutError("no answer")

    _, tool, ended = said(tell)
    assert (tool.data.error.type, tool.data.error.class_) == ("TimeoutError", "retryable")
    assert (tool.data.error.attempt, tool.data.error.final) == (2, True)
    assert tool.data.error.message == "no answer"
    assert ended.data.error.type == "TimeoutError"


def test_what_is_no_part_is_left_out_and_counted_and_nothing_is_raised():
    told = []

    def tell(events):
        told.append(events)
        call = events.chat("m", request=object(), error=None, usage=None)
        call.tell(usage=None, response=object())
        call.tell(usage={"input_tokens": 3}, attributes={"of": None, "a": 1})
        with pytest.raises(TimeoutError), call:
            raise TimeoutError
        with events.tool("t", tool=object(), operation=None):
            pass

    chat, tool = [each for each in said(tell) if each.data.operation.name != "publish_events"]
    assert (chat.data.request.model, chat.data.usage.input_tokens, chat.data.response) == ("m", 3, None)
    assert (chat.data.attributes, chat.data.error.type) == ({"a": 1}, "TimeoutError")
    assert tool.data.tool.name == "t"
    assert told[0].lost.refused == 3


def test_ids_that_are_numbers_are_told_as_texts():
    def tell(events):
        with events.session(17, tenant=5, user=9):
            pass

    started, _ = said(tell)
    data = started.data
    assert (data.conversation.id, data.tenant.id, data.user.id) == ("17", "5", "9")


def test_other_events_have_their_words():
    def tell(events):
        events.received({"text": "where is my order?", "features": {"length": 18}})
        events.received({})
        events.evaluated({"name": "grounded", "score_value": 0.9})
        events.approval({"id": "a1", "state": "requested"})
        events.released({"id": "v2", "kind": "deploy"}, attributes={"by": "ci"})

    received, bare, evaluated, approval, released = said(tell)
    assert received.data.input.text == "where is my order?"
    assert received.data.input.features == {"length": 18}
    assert bare.data.input is None
    assert evaluated.data.evaluation.score_value == 0.9
    assert approval.data.approval.state == "requested"
    assert (released.data.release.kind, released.data.attributes) == ("deploy", {"by": "ci"})
    assert [each.type for each in (evaluated, approval, released)] == [
        "agent.evaluation.v1",
        "agent.approval.v1",
        "agent.release.v1",
    ]


def test_ids_are_told_apart_and_times_are_in_order():
    def tell(events):
        for _ in range(20):
            events.received({})

    told = said(tell) + said(tell)
    assert len({event.id for event in told}) == 40
    assert all(earlier.time <= later.time for earlier, later in pairwise(told))


def test_a_partition_key_goes_before_the_agents_name():
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived, partitionkey="shard-3", source="svc")
    events.received({})
    assert events.close(10.0)
    [event] = arrived.events()
    assert (arrived.records[0].key, event.partitionkey, event.source) == (b"shard-3", "shard-3", "svc")


def test_what_is_too_long_is_cut_to_what_the_contract_allows():
    def tell(events):
        events.publish(
            "agent.operation.v1",
            operation={"name": "n" * 300},
            error={"type": "e", "message": "m" * 600},
            input={
                "text": "t" * 5000,
                "features": {str(n): n for n in range(40)},
                "embedding": [0.5] * 200,
            },
            attributes={f"a{n}": "x" * 300 for n in range(40)},
            tool={},
        )

    [event] = said(tell)
    assert len(event.data.operation.name) == 256
    assert len(event.data.error.message) == 512
    assert len(event.data.input.text) == 4000
    assert (len(event.data.input.features), len(event.data.input.embedding)) == (32, 128)
    assert len(event.data.attributes) == 32
    assert event.data.tool is None


def test_the_words_are_those_of_the_published_schema():
    root = Path(__file__).parents[2]
    schema = json.loads((root / "schemas/json/agent-event.schema.json").read_text())
    kinds = schema.get("$defs", {}) | schema.get("definitions", {})

    def resolved(node):
        for each in [node, *node.get("anyOf", []), *node.get("allOf", [])]:
            if "$ref" in each:
                return kinds[each["$ref"].rsplit("/", 1)[-1]]
            if "properties" in each:
                return each
        return node

    data = resolved(resolved(schema)["properties"]["data"])["properties"]
    parts = get_type_hints(words.Parts)
    assert {*parts, "agent"} == set(data)
    for name, kind in [*parts.items(), ("agent", words.Agent)]:
        if name == "attributes":
            continue
        assert set(get_type_hints(kind)) == set(resolved(data[name])["properties"]), name
