"""OpenTelemetry: spans of its SDK around calls of a model on loopback."""

import httpx
import pytest

pytest.importorskip("opentelemetry.sdk", reason="OPENTELEMETRY ABSENT: install opentelemetry-sdk")
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode

from agent_oversight.opentelemetry import OpenTelemetry

pytestmark = pytest.mark.xdist_group("libraries")  # it takes seconds to be loaded

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
}


@pytest.fixture(name="tracer")
def _tracer(events):
    provider = TracerProvider()
    provider.add_span_processor(OpenTelemetry(events))
    yield provider.get_tracer("test")
    assert provider.force_flush(10_000)
    provider.shutdown()


def ask(tracer, model):
    """A call of a model as instrumentations of the conventions tell it."""
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes=CHAT) as span:
        reply = httpx.post(f"{model.url}/chat/completions", json={"model": "gpt-4o-mini"})
        if reply.is_error:
            span.set_attribute("http.response.status_code", reply.status_code)
            reply.raise_for_status()
        said = reply.json()
        span.set_attribute("gen_ai.response.id", said["id"])
        span.set_attribute("gen_ai.response.model", said["model"])
        span.set_attribute("gen_ai.response.finish_reasons", [said["choices"][0]["finish_reason"]])
        span.set_attribute("gen_ai.usage.input_tokens", said["usage"]["prompt_tokens"])
        span.set_attribute("gen_ai.usage.output_tokens", said["usage"]["completion_tokens"])
        span.set_attribute("gen_ai.usage.cache_read.input_tokens", 100)
        span.set_attribute("gen_ai.input.messages", "[]")


def test_a_call_is_told_with_its_tokens_and_its_trace(tracer, model, arrived, events):
    with events.session("conv-1", tenant="acme"), tracer.start_as_current_span("POST /ask") as outer:
        ask(tracer, model)
    [call] = [each for each in arrived.until(3) if each.type == "agent.operation.v1"]
    data = call.data
    assert (data.agent.name, data.conversation.id, data.tenant.id) == ("refund-agent", "conv-1", "acme")
    assert (data.operation.name, data.provider.name, data.request.model) == ("chat", "openai", "gpt-4o-mini")
    assert (data.response.id, data.response.finish_reasons) == ("chatcmpl-1", ("stop",))
    assert (data.usage.input_tokens, data.usage.output_tokens) == (120, 30)
    assert data.usage.cache_read_input_tokens == 100
    assert data.operation.duration > 0
    assert data.error is None
    assert call.traceparent.split("-")[1] == f"{outer.get_span_context().trace_id:032x}"


def test_what_a_model_refuses_is_classed_by_its_type_and_status(tracer, model, arrived):
    model.fails(429, "rate_limit_exceeded")
    with pytest.raises(httpx.HTTPStatusError):
        ask(tracer, model)
    [call] = arrived.until(1)
    error = call.data.error
    assert (error.type, error.class_, error.http_status_code) == ("HTTPStatusError", "retryable", 429)
    assert "429" in error.message


def test_an_error_is_named_by_its_type_else_by_what_was_recorded_else_not_at_all(tracer, arrived):
    with tracer.start_as_current_span("tool", attributes={"gen_ai.operation.name": "execute_tool"}) as span:
        span.set_attribute("error.type", "timeout")
    with pytest.raises(ValueError, match="no"), tracer.start_as_current_span("tool", attributes=CHAT):
        raise ValueError("no")
    with tracer.start_as_current_span("tool", attributes=CHAT) as span:
        span.set_status(Status(StatusCode.ERROR))
    errors = [each.data.error for each in arrived.until(3)]
    assert [(each.type, each.class_) for each in errors] == [
        ("timeout", "retryable"),
        ("ValueError", "non_retryable"),
        ("_OTHER", None),
    ]


def test_an_agents_span_is_an_operation_without_the_usage_of_its_calls(tracer, arrived):
    said = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "clerk",
        "gen_ai.conversation.id": "thread-7",
        "gen_ai.usage.input_tokens": 120,
    }
    with tracer.start_as_current_span("invoke_agent clerk", attributes=said):
        pass
    [call] = arrived.until(1)
    assert (call.data.usage, call.data.attributes) == (None, {"agent": "clerk"})
    assert call.data.conversation.id == "thread-7"


def test_names_of_earlier_versions_are_read_where_the_newer_are_missing(tracer, arrived):
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "az.ai.inference",
        "gen_ai.provider.name": "azure",
        "gen_ai.usage.prompt_tokens": 5,
    }
    for each in (said, dict(reversed(said.items()))):
        with tracer.start_as_current_span("chat", attributes=each):
            pass
    told = [each.data for each in arrived.until(2)]
    assert [(each.provider.name, each.usage.input_tokens) for each in told] == [("azure", 5)] * 2


def test_what_is_not_of_its_type_is_left_out_and_the_rest_is_told(tracer, arrived):
    with tracer.start_as_current_span("chat", attributes={**CHAT, "gen_ai.usage.input_tokens": "many"}):
        pass
    [call] = arrived.until(1)
    assert (call.data.usage, call.data.request.model) == (None, "gpt-4o-mini")


def test_numbers_that_cannot_be_are_left_out_and_the_rest_is_told(tracer, arrived):
    used = {"gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": 30}
    slow = {"gen_ai.response.time_to_first_chunk": float("nan"), "gen_ai.request.max_tokens": 2**63}
    with tracer.start_as_current_span("chat", attributes={**CHAT, **used, **slow}):
        pass
    [call] = arrived.until(1)
    assert (call.data.usage.input_tokens, call.data.usage.output_tokens) == (None, 30)
    assert (call.data.request.model, call.data.request.max_tokens) == ("gpt-4o-mini", None)


def test_what_cannot_be_of_a_span_makes_no_event_that_cannot_be_read(tracer, arrived):
    odd = {**CHAT, "error.message": "nothing failed"}
    tracer.start_span("chat", attributes=odd, start_time=2_000_000_000).end(1_000_000_000)
    for status in ("429", "odd"):
        failed = {"error.type": "refused", "http.response.status_code": status}
        tracer.start_span("chat", attributes=CHAT | failed).end()
    data = [each.data for each in arrived.until(3)]
    assert (data[0].operation.duration, data[0].error) == (0.0, None)
    assert [each.error.http_status_code for each in data[1:]] == [429, None]


def test_a_span_that_was_not_begun_by_a_tracer_has_no_trace(events, arrived):
    OpenTelemetry(events).on_end(ReadableSpan("chat", attributes=CHAT))
    [call] = arrived.until(1)
    assert call.traceparent is None


def test_what_it_does_not_understand_does_not_reach_the_agent(events):
    OpenTelemetry(events).on_end(None)
