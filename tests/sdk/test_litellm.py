"""LiteLLM, asking a model on loopback."""

import asyncio
import contextlib
import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.sdk.libraries import Library

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else importing it asks the network for prices
litellm = Library("litellm")
ours = Library("agent_oversight.litellm")

# It warns of its own models, and takes seconds to be loaded: by one worker of the tests is enough.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("libraries")]
QUESTION = [{"role": "user", "content": "My money back, please."}]


@pytest.fixture(autouse=True)
def _loop(request):
    """What LiteLLM finds where nothing is awaited: else it makes a loop that nobody closes."""
    if asyncio.iscoroutinefunction(request.function):
        yield
        return
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        yield
        asyncio.set_event_loop(None)


@pytest.fixture(name="ask")
def _ask(events, model):
    """What a call of the model is given."""
    pytest.importorskip("litellm").callbacks = [ours.LiteLLMCalls(events)]
    pytest.importorskip("litellm").suppress_debug_info = True
    yield {"model": "openai/gpt-4o-mini", "api_base": model.url, "api_key": "none", "messages": QUESTION}
    litellm.logging_callback_manager._reset_all_callbacks()


def test_a_call_is_told_with_its_tokens_and_its_cost(ask, arrived, events):
    with events.session("conv-1", tenant="acme"):
        litellm.completion(**ask)
    [call] = [each for each in arrived.until(3) if each.type == "agent.operation.v1"]
    data = call.data
    assert (data.agent.name, data.conversation.id, data.tenant.id) == ("refund-agent", "conv-1", "acme")
    assert (data.operation.name, data.provider.name, data.request.model) == ("chat", "openai", "gpt-4o-mini")
    assert (data.response.id, data.response.model) == ("chatcmpl-1", "gpt-4o-mini-2024-07-18")
    assert data.response.finish_reasons == ("stop",)
    assert data.operation.duration > 0
    assert (data.usage.input_tokens, data.usage.output_tokens) == (120, 30)
    assert (data.usage.cache_read_input_tokens, data.usage.reasoning_output_tokens) == (100, 20)
    assert (data.usage.cost_currency, data.usage.cost_source) == ("USD", "local")
    assert data.usage.cost_amount == pytest.approx(20 * 0.15e-6 + 100 * 0.075e-6 + 30 * 0.6e-6)
    assert data.error is None


def test_a_call_that_fails_is_classed(ask, model, arrived):
    model.fails(429, "rate_limit_exceeded")
    with pytest.raises(litellm.RateLimitError):
        litellm.completion(**ask, max_retries=0)
    [call] = arrived.until(1)
    error = call.data.error
    assert (error.type, error.class_, error.http_status_code) == ("RateLimitError", "retryable", 429)
    assert (call.data.usage, call.data.response) == (None, None)


async def test_calls_that_are_awaited_are_told_once_each(ask, model, arrived):
    await litellm.acompletion(**ask, litellm_session_id="thread-7")
    model.fails(400, "invalid_request_error")
    with pytest.raises(litellm.BadRequestError):
        await litellm.acompletion(**ask, metadata={"session_id": "thread-8"}, max_retries=0)
    said = {each.data.conversation.id: each.data for each in await asyncio.to_thread(arrived.until, 2)}
    assert said["thread-7"].error is None
    assert said["thread-8"].error.class_ == "non_retryable"
    await litellm.acompletion(**ask)
    assert len(await asyncio.to_thread(arrived.until, 3)) == 3


def test_of_an_answer_that_is_streamed_the_first_part_is_timed(ask, arrived):
    for _ in litellm.completion(**ask, stream=True, stream_options={"include_usage": True}):
        pass
    [call] = arrived.until(1)
    assert 0 < call.data.response.time_to_first_chunk <= call.data.operation.duration
    assert call.data.usage.output_tokens == 30


def test_what_litellm_knows_no_price_of_is_unpriced(ask, model, arrived):
    model.named = "a-model-of-our-own"
    litellm.completion(**{**ask, "model": "openai/a-model-of-our-own"})
    [call] = arrived.until(1)
    assert call.data.usage.input_tokens == 120
    assert call.data.usage.cost_amount is None


def test_what_its_cache_answers_has_used_nothing(events, arrived):
    known = {
        "call_type": "aembedding",
        "custom_llm_provider": None,
        "model": "ours",
        "stream": None,
        "cache_hit": True,
    }
    asked = {"standard_logging_object": known, "litellm_params": {}}
    now = datetime.now(UTC)
    ours.LiteLLMCalls(events).log_success_event(asked, SimpleNamespace(id="1", model="ours"), now, now)
    [call] = arrived.until(1)
    assert (call.data.operation.name, call.data.usage, call.data.provider) == ("embeddings", None, None)


def test_what_it_does_not_understand_does_not_reach_the_agent(events, arrived):
    ours.LiteLLMCalls(events).log_success_event({}, None, None, None)
    assert events.flush(10.0)
    assert arrived.records == []
