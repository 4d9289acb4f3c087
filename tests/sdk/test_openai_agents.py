"""The OpenAI Agents SDK, asking a model on loopback."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.sdk.libraries import Library

agents = Library("agents")
ours = Library("agent_oversight.openai_agents")

pytestmark = pytest.mark.xdist_group("libraries")  # it takes seconds to be loaded


def refund(order: str) -> str:
    """Gives money back for an order."""
    if order == "unknown":
        raise LookupError(f"no order {order}")
    return f"refunded {order}"


@pytest.fixture(name="run")
def _run(events, model):
    """Runs an agent once; whatever it raises is given back."""
    agents.set_trace_processors([ours.OpenAIAgents(events)])

    async def run(agent=None, **config):
        provider = agents.OpenAIProvider(
            openai_client=agents.AsyncOpenAI(base_url=model.url, api_key="none", max_retries=0),
            use_responses=False,
        )
        clerk = agents.Agent(name="clerk", tools=[agents.function_tool(refund)], model="gpt-4o-mini")
        try:
            return await agents.Runner.run(
                agent or clerk,
                "My money back, please.",
                run_config=agents.RunConfig(model_provider=provider, **config),
            )
        except Exception as error:  # noqa: BLE001 - what became of it is told by events
            return error

    yield run
    agents.set_trace_processors([])


async def test_a_run_is_told_with_its_model_calls_and_tools(run, model, arrived, events):
    model.calls("refund", order="o-1")
    with events.session("conv-1", tenant="acme"):
        assert (await run()).final_output == "All is well."
    _, first, tool, second, whole, _ = arrived.until(6)
    names = [each.data.operation.name for each in (first, tool, second, whole)]
    assert names == ["chat", "execute_tool", "chat", "invoke_agent"]
    for each in (first, tool, second, whole):
        assert (each.data.agent.name, each.data.conversation.id) == ("refund-agent", "conv-1")
        assert (each.data.tenant.id, each.data.error) == ("acme", None)
        assert 0 < each.data.operation.duration <= whole.data.operation.duration
    assert (first.data.provider.name, first.data.request.model) == ("openai", "gpt-4o-mini")
    used = first.data.usage
    assert (used.input_tokens, used.output_tokens) == (120, 30)
    assert (used.cache_read_input_tokens, used.reasoning_output_tokens) == (100, 20)
    assert (tool.data.tool.name, whole.data.attributes) == ("refund", {"agent": "clerk"})
    assert whole.data.usage is None, "usage is told once, where it arose"


async def test_without_a_session_the_group_is_the_conversation_or_else_the_trace(run, arrived):
    await run(group_id="thread-7")
    await run()
    ids = [each.data.conversation.id for each in arrived.until(4)]
    assert ids[:2] == ["thread-7"] * 2
    assert ids[2] == ids[3] != "thread-7"


async def test_what_a_model_refuses_is_classed_on_the_call_and_on_the_run(run, model, arrived):
    model.fails(429, "rate_limit_exceeded")
    assert isinstance(await run(), Exception)
    for each in arrived.until(2):
        error = each.data.error
        assert (error.type, error.class_, error.http_status_code) == ("RateLimitError", "retryable", 429)
        assert "rate_limit_exceeded, says the model" in error.message


async def test_what_the_library_is_told_to_redact_stays_redacted(run, model, arrived):
    model.fails(400, "secret")
    await run(trace_include_sensitive_data=False)
    chat = arrived.until(2)[0]
    assert (chat.data.error.type, chat.data.error.class_) == ("BadRequestError", "non_retryable")
    assert "secret" not in chat.data.error.message


async def test_a_tool_that_fails_is_told_though_the_run_goes_on(run, model, arrived):
    model.calls("refund", order="unknown")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        await run()  # as one does what could not be done otherwise
    tool = arrived.until(4)[1]
    assert (tool.data.error.type, tool.data.error.message) == ("tool_error", "no order unknown")
    assert arrived.events()[-1].data.error is None


async def test_handoffs_and_guardrails_are_told(run, model, arrived):
    @agents.input_guardrail
    def polite(_context, _agent, _input):
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    @agents.input_guardrail
    def calm(_context, _agent, _input):
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    cashier = agents.Agent(name="cashier", model="gpt-4o-mini")
    model.calls("transfer_to_cashier")
    await run(agents.Agent(name="clerk", handoffs=[cashier], model="gpt-4o-mini", input_guardrails=[polite]))
    first = {each.data.operation.name: each.data for each in arrived.until(6)}
    assert first["handoff"].attributes == {"to": "cashier"}
    assert (first["guardrail"].attributes, first["guardrail"].error) == ({"guardrail": "polite"}, None)
    await run(agents.Agent(name="clerk", model="gpt-4o-mini", input_guardrails=[calm]))
    arrived.until(8)
    [angry] = [each.data for each in arrived.events() if each.data.attributes == {"guardrail": "calm"}]
    assert (angry.error.type, angry.error.class_) == ("guardrail_triggered", "escalation")


@pytest.mark.usefixtures("run")
def test_what_is_no_operation_is_not_told(arrived):
    with agents.trace("lookup"), agents.custom_span("step"), agents.response_span():
        pass
    agents.flush_traces()
    assert arrived.records == []


@pytest.mark.usefixtures("run")
def test_an_answer_of_the_responses_api_is_told_as_a_call_of_its_model(arrived):
    with agents.trace("lookup"), agents.response_span(SimpleNamespace(model="gpt-5")) as span:
        span.span_data.usage = {"input_tokens": 120, "output_tokens": 30}
    [call] = arrived.until(1)
    assert (call.data.operation.name, call.data.request.model) == ("chat", "gpt-5")
    assert (call.data.usage.input_tokens, call.data.usage.cache_read_input_tokens) == (120, None)


@pytest.mark.usefixtures("run")
def test_an_answer_that_alone_has_its_usage_is_told_with_it(arrived):
    used = SimpleNamespace(model_dump=lambda: {"input_tokens": 7})
    with agents.trace("lookup"), agents.response_span(SimpleNamespace(model="gpt-5", usage=used)):
        pass
    assert arrived.until(1)[0].data.usage.input_tokens == 7


@pytest.mark.usefixtures("run")
def test_a_call_of_the_responses_api_that_fails_is_told_without_its_model(arrived):
    with agents.trace("lookup"), agents.response_span() as span:
        span.set_error({"message": "no answer", "data": None})
    [call] = arrived.until(1)
    assert (call.data.operation.name, call.data.provider.name, call.data.request) == ("chat", "openai", None)
    assert call.data.error.message == "no answer"


@pytest.mark.usefixtures("run")
async def test_what_is_cancelled_is_no_success(arrived):
    with pytest.raises(asyncio.CancelledError), agents.trace("lookup"):
        await cancelled()
    call, tool = arrived.until(2)
    assert (call.data.operation.name, tool.data.operation.name) == ("chat", "execute_tool")
    assert [each.data.error.type for each in (call, tool)] == ["cancelled", "cancelled"]


async def cancelled():
    with agents.function_span("refund"), agents.response_span():
        raise asyncio.CancelledError
