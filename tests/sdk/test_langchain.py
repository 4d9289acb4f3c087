"""LangChain, asking a model on loopback."""

import asyncio

import pytest

pytest.importorskip("langchain_openai", reason="LANGCHAIN ABSENT: install langchain-openai")
from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import ChatMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import ToolException, tool
from langchain_openai import ChatOpenAI

from agent_oversight.langchain import LangChain

pytestmark = pytest.mark.xdist_group("libraries")  # it takes seconds to be loaded


class GraphBubbleUp(Exception):  # noqa: N818 - it is LangGraph's name
    """As LangGraph has it: a graph stops to ask a person."""


class Orders(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):  # noqa: ARG002 - called by name
        return [Document(page_content=query)]


@tool
def refund(order: str) -> str:
    """Gives money back for an order."""
    if order == "unknown":
        raise LookupError(f"no order {order}")
    if order == "yours":
        raise GraphBubbleUp
    return f"refunded {order}"


@pytest.fixture(name="chat")
def _chat(model):
    return ChatOpenAI(model="gpt-4o-mini", base_url=model.url, api_key="none", max_retries=0)


@pytest.fixture(name="told")
def _told(events):
    return {"callbacks": [LangChain(events)]}


def test_a_run_is_told_with_its_model_calls_tools_and_searches(chat, told, arrived, events):
    @RunnableLambda
    def within(order):
        return refund.invoke({"order": order})

    @RunnableLambda
    def clerk(order):
        chat.invoke("Where is it?")
        Orders().invoke(order)
        return within.invoke(order)

    with events.session("conv-1", tenant="acme"):
        assert clerk.invoke("o-1", config={**told, "metadata": {"thread_id": "other"}}) == "refunded o-1"
    _, call, search, tool_call, whole, _ = arrived.until(6)
    names = [each.data.operation.name for each in (call, search, tool_call, whole)]
    assert names == ["chat", "retrieval", "execute_tool", "invoke_agent"]
    for each in (call, search, tool_call, whole):
        assert (each.data.agent.name, each.data.conversation.id) == ("refund-agent", "conv-1")
        assert (each.data.tenant.id, each.data.error) == ("acme", None)
        assert 0 < each.data.operation.duration <= whole.data.operation.duration
    assert (call.data.provider.name, call.data.request.model) == ("openai", "gpt-4o-mini")
    assert (call.data.response.id, call.data.response.finish_reasons) == ("chatcmpl-1", ("stop",))
    used = call.data.usage
    assert (used.input_tokens, used.output_tokens) == (120, 30)
    assert (used.cache_read_input_tokens, used.reasoning_output_tokens) == (100, 20)
    assert tool_call.data.tool.name == "refund"


def test_without_a_session_the_thread_is_the_conversation(chat, told, arrived):
    chat.invoke("Where is it?", config={**told, "metadata": {"thread_id": "thread-7"}})
    [call] = arrived.until(1)
    assert call.data.conversation.id == "thread-7"


async def test_what_is_awaited_and_streamed_is_told_in_its_session(chat, told, arrived, events):
    async def one(name):
        async with events.session(name):
            await chat.ainvoke("Where is it?", config=told)
            async for _ in chat.astream("And now?", config=told, stream_usage=True):
                await asyncio.sleep(0)

    await asyncio.gather(one("a"), one("b"))
    calls = [each.data for each in arrived.until(8) if each.data.operation.name == "chat"]
    assert sorted(each.conversation.id for each in calls) == ["a", "a", "b", "b"]
    assert {each.usage.output_tokens for each in calls} == {30}


def test_what_a_model_refuses_is_classed(chat, told, model, arrived):
    model.fails(429, "rate_limit_exceeded")
    with pytest.raises(Exception, match="rate_limit_exceeded"):
        chat.invoke("Where is it?", config=told)
    [call] = arrived.until(1)
    error = call.data.error
    assert (error.class_, error.http_status_code) == ("retryable", 429)
    assert error.type.endswith("RateLimitError")


def test_a_tool_that_fails_is_told_also_where_it_says_so_itself(told, arrived):
    with pytest.raises(LookupError):
        refund.invoke({"order": "unknown"}, config=told)

    @tool
    def closed(order: str) -> str:
        """Is closed."""
        raise ToolException(f"closed for {order}")

    closed.handle_tool_error = True
    call = {"name": "closed", "args": {"order": "o-1"}, "id": "call-1", "type": "tool_call"}
    assert closed.invoke(call, config=told).status == "error"
    raised, handled = (each.data.error for each in arrived.until(2))
    assert (raised.type, raised.class_) == ("LookupError", "non_retryable")
    assert (handled.type, handled.message) == ("tool_error", "closed for o-1")


def test_a_graph_that_waits_for_a_person_has_not_failed(told, arrived):
    with pytest.raises(GraphBubbleUp):
        refund.invoke({"order": "yours"}, config=told)
    [call] = arrived.until(1)
    assert call.data.error is None


def test_a_model_that_completes_text_is_told(told, arrived):
    FakeListLLM(responses=["well"]).invoke("All is", config=told)
    [call] = arrived.until(1)
    assert (call.data.operation.name, call.data.request.model) == ("chat", "fake-list")
    assert call.data.usage is None


def test_an_answer_in_another_role_is_told_without_its_tokens(events, arrived):
    handler = LangChain(events)
    handler.on_tool_start({"name": "as a model"}, "", run_id=1, metadata={})
    said = ChatMessage(role="assistant", content="well")
    handler.on_llm_end(LLMResult(generations=[[ChatGeneration(message=said)]]), run_id=1)
    [call] = arrived.until(1)
    assert (call.data.usage, call.data.error) == (None, None)


def test_of_runs_that_never_end_the_oldest_are_forgotten(events, arrived):
    handler = LangChain(events, most_open=2)
    for number in range(3):
        handler.on_tool_start({"name": f"t{number}"}, "", run_id=number, metadata={"session_id": 7})
    for number in range(3):
        handler.on_tool_end("", run_id=number)
        handler.on_tool_error(ValueError(), run_id=number)
    assert [each.data.tool.name for each in arrived.until(2)] == ["t1", "t2"]
    assert arrived.events()[0].data.conversation.id == "7"


def test_what_it_does_not_understand_does_not_reach_the_agent(events):
    LangChain(events).on_llm_end(None, run_id=None)
