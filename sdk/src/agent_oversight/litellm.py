"""LiteLLM: each call of a model, with what it cost. `litellm.callbacks = [LiteLLMCalls(events)]`."""

from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from agent_oversight.called import conversation, quietly, usage_of
from agent_oversight.events import AgentEvents
from agent_oversight.words import Response, Usage

CHATS = ("completion", "responses", "anthropic_messages")
NAMES = {f"{a}{name}": "chat" for name in CHATS for a in ("", "a")} | dict.fromkeys(
    ("embedding", "aembedding"), "embeddings"
)
IN_DOLLARS: Usage = {"cost_currency": "USD", "cost_source": "local"}


class LiteLLMCalls(CustomLogger):
    """Tells of each call, also of those that a router tries again. Dollars are those of LiteLLM's table."""

    def __init__(self, events: AgentEvents) -> None:
        super().__init__()
        self._events = events

    # LiteLLM calls these by the names of their arguments.
    @quietly
    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call that was answered."""
        self._tell(kwargs, response_obj, start_time, end_time)

    @quietly
    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call that failed."""
        self._tell(kwargs, response_obj, start_time, end_time, kwargs.get("exception"))

    async def async_log_success_event(self, *args: Any, **kwargs: Any) -> None:
        """The same, awaited."""
        self.log_success_event(*args, **kwargs)

    async def async_log_failure_event(self, *args: Any, **kwargs: Any) -> None:
        """The same, awaited."""
        self.log_failure_event(*args, **kwargs)

    def _tell(self, asked: Any, got: Any, start: Any, end: Any, error: BaseException | None = None) -> None:
        known = asked["standard_logging_object"]
        kind, provider = known["call_type"], known["custom_llm_provider"]
        session = conversation(asked["litellm_params"].get("litellm_session_id"))
        call = self._events.operation(NAMES.get(kind, kind), **session)
        call.tell(request={"model": known["model"]}, operation={"duration": (end - start).total_seconds()})
        if provider:
            call.tell(provider={"name": provider})
        if error is None:
            call.tell(response=_response(known, got))
            if not known["cache_hit"]:  # what its cache answers has used nothing
                call.tell(usage=usage_of(known["metadata"]["usage_object"], "prompt", "completion"))
                if known["response_cost"]:  # 0 is what LiteLLM says where it knows no price
                    call.tell(usage={"cost_amount": known["response_cost"], **IN_DOLLARS})
        call.ended(error)


def _response(known: Any, got: Any) -> Response:
    found: Response = {"id": got.id, "model": got.model}
    if known["stream"]:
        found["time_to_first_chunk"] = known["completionStartTime"] - known["startTime"]
    if reasons := [each.finish_reason for each in getattr(got, "choices", ()) if each.finish_reason]:
        found["finish_reasons"] = reasons
    return found
