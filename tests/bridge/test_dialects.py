"""Four dialects, one event."""

import pytest

from schemas.event import Data
from tests.bridge.spans import bridged, request, span

NEWEST = {
    "gen_ai.operation.name": "chat",
    "gen_ai.agent.name": "refunds",
    "gen_ai.agent.version": "2.1",
    "gen_ai.conversation.id": "c-1",
    "user.id": "u-1",
    "tenant.id": "t-1",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.response.model": "gpt-4.1-2025",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 64,
    "gen_ai.usage.cache_write.input_tokens": 8,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.cost.amount": 0.25,
    "gen_ai.prompt.version": "7",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Where is my order?"}]}]',
}
OLDER = NEWEST | {
    "gen_ai.system": "openai",
    "gen_ai.usage.prompt_tokens": 100,
    "gen_ai.usage.completion_tokens": 20,
    "gen_ai.usage.cache_read_input_tokens": 64,
    "gen_ai.usage.cache_creation.input_tokens": 8,
    "gen_ai.usage.reasoning_tokens": 5,
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "You are kind.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Where is my order?",
}
for _name in (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.input.messages",
):
    del OLDER[_name]
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "agent.name": "refunds",
    "gen_ai.agent.version": "2.1",
    "session.id": "c-1",
    "user.id": "u-1",
    "tenant.id": "t-1",
    "llm.provider": "openai",
    "llm.request.model_name": "gpt-4.1",
    "llm.response.model_name": "gpt-4.1-2025",
    "llm.finish_reason": "stop",
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 20,
    "llm.token_count.prompt_details.cache_read": 64,
    "llm.token_count.prompt_details.cache_write": 8,
    "llm.token_count.completion_details.reasoning": 5,
    "llm.cost.total": 0.25,
    "llm.prompt_template.version": "7",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Where is my order?",
}
OPENLLMETRY = {
    "llm.request.type": "chat",
    "gen_ai.agent.name": "refunds",
    "gen_ai.agent.version": "2.1",
    "traceloop.association.properties.session_id": "c-1",
    "gen_ai.user": "u-1",
    "traceloop.association.properties.tenant_id": "t-1",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.response.model": "gpt-4.1-2025",
    "gen_ai.response.finish_reason": "stop",
    "gen_ai.usage.prompt_tokens": "100",
    "gen_ai.usage.completion_tokens": "20",
    "gen_ai.usage.cache_read_input_tokens": 64,
    "gen_ai.usage.cache_creation_input_tokens": 8,
    "gen_ai.usage.reasoning_tokens": 5,
    "llm.cost.total": 0.25,
    "traceloop.prompt.version": "7",
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": '[{"type": "text", "text": "Where is my order?"}]',
}
DIALECTS = {"newest": NEWEST, "older": OLDER, "openinference": OPENINFERENCE, "openllmetry": OPENLLMETRY}


def one(said, **more) -> Data:
    [event] = bridged(
        request(span(1, **{key.replace(".", "__"): each for key, each in said.items()}, **more))
    ).values()
    return event.data


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_call_says_the_same_in_each_dialect(dialect):
    data = one(DIALECTS[dialect])
    assert (data.operation.name, data.operation.duration) == ("chat", 1.0)
    assert (data.agent.name, data.agent.version) == ("refunds", "2.1")
    assert (data.conversation.id, data.user.id, data.tenant.id) == ("c-1", "u-1", "t-1")
    assert (data.provider.name, data.request.model) == ("openai", "gpt-4.1")
    assert (data.response.model, data.response.finish_reasons) == ("gpt-4.1-2025", ("stop",))
    usage = data.usage
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_output_tokens) == (100, 20, 5)
    assert (usage.cache_read_input_tokens, usage.cache_write_input_tokens) == (64, 8)
    assert (usage.cost_amount, usage.cost_currency) == (0.25, "USD")
    assert data.prompt.version == "7"
    assert data.input.text == "Where is my order?"
    assert data.error is None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"gen_ai.operation.name": "generate_content"}, "generate_content"),
        ({"openinference.span.kind": "AGENT"}, "invoke_agent"),
        ({"openinference.span.kind": "tool"}, "execute_tool"),
        ({"openinference.span.kind": "RETRIEVER"}, "retrieval"),
        ({"openinference.span.kind": "EMBEDDING"}, "embeddings"),
        ({"traceloop.span.kind": "workflow"}, "invoke_workflow"),
        ({"traceloop.span.kind": "agent"}, "invoke_agent"),
        ({"traceloop.span.kind": "tool"}, "execute_tool"),
        ({"llm.request.type": "completion"}, "text_completion"),
        ({"llm.request.type": "embedding"}, "embeddings"),
    ],
)
def test_each_kind_of_span_is_an_operation(said, name):
    assert one(said).operation.name == name


@pytest.mark.parametrize(
    ("parameters", "models"),
    [
        ('{"model": "gpt-4.1"}', ("gpt-4.1", "gpt-4.1-2025")),
        ('{"temperature": 0}', ("gpt-4.1-2025", None)),
        ("[", ("gpt-4.1-2025", None)),
    ],
)
def test_openinference_has_the_model_that_was_asked_for_among_the_parameters(parameters, models):
    said = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4.1-2025"}
    data = one(said | {"llm.invocation_parameters": parameters})
    assert (data.request.model, data.response.model if data.response else None) == models


def test_numbers_that_cannot_be_are_left_out_and_the_rest_is_told():
    usage = {"gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": 20, "llm.cost.total": -0.5}
    data = one(NEWEST | usage)
    assert (data.usage.input_tokens, data.usage.output_tokens) == (None, 20)


@pytest.mark.parametrize(
    "said",
    [
        {"http.request.method": "POST"},
        {"openinference.span.kind": "CHAIN"},
        {"traceloop.span.kind": "task"},
        {"llm.request.type": "rerank"},
        {"gen_ai.request.model": "m"},
        {"gen_ai.request.model": "m", "gen_ai.system": "openai"},
    ],
)
def test_what_is_around_the_work_is_no_operation(said):
    assert bridged(request(span(1, **{key.replace(".", "__"): each for key, each in said.items()}))) == {}


def test_openllmetry_names_agents_tools_and_workflows_by_their_entity():
    said = {"traceloop.entity.name": "thing", "traceloop.entity.version": "3"}
    assert one({"traceloop.span.kind": "agent"} | said).agent.name == "thing"
    assert one({"traceloop.span.kind": "agent"} | said).agent.version == "3"
    assert one({"traceloop.span.kind": "tool"} | said).tool.name == "thing"
    assert one({"traceloop.span.kind": "workflow"} | said).agent.name == "thing"


def test_what_contains_calls_has_no_usage_of_its_own():
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 900}
    assert one(said).usage is None


def test_where_nothing_is_said_nothing_is_made_up():
    data = one({"gen_ai.operation.name": "chat"})
    assert (data.usage, data.tool, data.request, data.response, data.error) == (None,) * 5
    assert (data.conversation, data.user, data.tenant, data.input, data.prompt) == (None,) * 5
    assert data.agent.name == "shop"


def test_a_span_that_ends_before_it_starts_took_no_time():
    assert one({"gen_ai.operation.name": "chat"}, took_s=-5.0).operation.duration == 0.0


class TestErrors:
    def test_the_type_that_is_said_holds(self):
        error = one({"gen_ai.operation.name": "chat", "error.type": "timeout"}).error
        assert (error.type, error.message, error.http_status_code) == ("timeout", None, None)

    def test_else_the_exception_that_was_recorded(self):
        thrown = {"exception.type": "RateLimitError", "exception.message": "slow down"}
        events = [("log", {}), ("exception", thrown)]
        said = {"gen_ai.operation.name": "chat", "http.response.status_code": 429}
        error = one(said, failed=True, events=events).error
        assert (error.type, error.message, error.http_status_code) == ("RateLimitError", "slow down", 429)

    def test_else_it_is_of_no_known_type(self):
        error = one({"gen_ai.operation.name": "chat"}, failed=True, message="boom" * 500).error
        assert error.type == "_OTHER"
        assert len(error.message) == 512

    def test_a_class_of_python_is_called_by_its_name(self):
        data = one({"gen_ai.operation.name": "chat", "error.type": "<class 'openai.RateLimitError'>"})
        assert data.error.type == "openai.RateLimitError"

    def test_an_exception_that_was_handled_is_none(self):
        thrown = {"exception.type": "RateLimitError"}
        assert one({"gen_ai.operation.name": "chat"}, events=[("exception", thrown)]).error is None


class TestInputs:
    def said(self, messages):
        data = one({"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages})
        return data.input and data.input.text

    def test_messages_may_be_structured(self):
        assert self.said([{"role": "user", "content": "hello"}]) == "hello"

    def test_the_texts_of_a_message_are_joined_and_whatever_else_is_left_out(self):
        parts = [{"content": "a"}, {"type": "blob"}, {"text": "b"}, "c", {"content": 3}]
        assert self.said([{"role": "user", "parts": parts}]) == "a\nb"

    @pytest.mark.parametrize(
        "messages",
        ["no json", "[]", "{}", "[1]", '[{"role":"tool","content":"result"}]', '[{"role":"user","parts":3}]'],
    )
    def test_what_no_user_said_last_is_no_input(self, messages):
        assert self.said(messages) is None

    def test_long_texts_are_cut(self):
        assert len(self.said([{"role": "human", "content": "a" * 9000}])) == 4000

    def test_after_a_tool_answered_it_is_not_told_again(self):
        said = OLDER | {"gen_ai.prompt.2.role": "tool", "gen_ai.prompt.2.content": "shipped"}
        assert one(said).input is None

    def test_content_that_only_looks_like_parts_stays(self):
        assert one(OPENLLMETRY | {"gen_ai.prompt.0.content": "[sic] what?"}).input.text == "[sic] what?"

    def test_a_message_without_content_is_no_input(self):
        said = {key: each for key, each in OPENLLMETRY.items() if key != "gen_ai.prompt.0.content"}
        assert one(said).input is None

    def test_an_agents_own_span_does_not_tell_it_twice(self):
        assert one(NEWEST | {"gen_ai.operation.name": "invoke_agent"}).input is None


class TestValues:
    @pytest.mark.parametrize(
        ("said", "count"), [(3, 3), ("3", 3), (3.0, 3), ("", None), ("x", None), (-1, None), (True, None)]
    )
    def test_counts_are_whole_and_not_negative(self, said, count):
        data = one({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": said})
        assert (data.usage and data.usage.input_tokens) == count

    @pytest.mark.parametrize("said", [0.5, "nan", "inf", 2**70, [1]])
    def test_what_is_no_count_is_left_out(self, said):
        assert one({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": said}).usage is None

    def test_a_cost_below_nothing_is_none(self):
        assert one({"gen_ai.operation.name": "chat", "llm.cost.total": -0.1}).usage is None

    def test_names_are_cut_and_numbers_are_names(self):
        data = one({"gen_ai.operation.name": "chat", "gen_ai.agent.name": "a" * 300, "user.id": 7})
        assert (len(data.agent.name), data.user.id) == (256, "7")

    @pytest.mark.parametrize(
        ("said", "reasons"),
        [('["stop"]', ("stop",)), ("stop", ("stop",)), ([], None), ("[", None), (3, None), (True, None)],
    )
    def test_finish_reasons_come_as_a_list_as_its_json_or_as_one(self, said, reasons):
        data = one({"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": said})
        assert (data.response and data.response.finish_reasons) == reasons

    def test_the_first_name_that_says_something_holds(self):
        said = {"gen_ai.agent.name": "", "agent.name": True, "agent_name": "x"}
        assert one({"gen_ai.operation.name": "chat"} | said).agent.name == "x"
