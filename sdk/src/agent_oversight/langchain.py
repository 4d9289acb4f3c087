"""LangChain and LangGraph: `runnable.invoke(…, config={"callbacks": [LangChain(events)]})`."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from agent_oversight.called import MOST_OPEN, Open, conversation, quietly, usage_of
from agent_oversight.calls import Call
from agent_oversight.events import AgentEvents
from agent_oversight.failures import failure_named
from agent_oversight.words import Parts

THREADS = ("thread_id", "session_id", "conversation_id")
"""Where LangGraph and LangSmith have the conversation in a run's metadata."""


class LangChain(BaseCallbackHandler):
    """Tells of model calls, tools and retrievals when they end, and of a run as a whole: `invoke_agent`."""

    run_inline = True  # in the agent's own context; it takes microseconds

    def __init__(self, events: AgentEvents, most_open: int = MOST_OPEN) -> None:
        self._events, self._open = events, Open(most_open)

    @quietly
    def on_chat_model_start(self, *_: Any, run_id: UUID, metadata: Any, **known: Any) -> None:
        """A call of a model; of a text completion, too, for which it takes the place of `on_llm_start`."""
        model = metadata.get("ls_model_name") or known["invocation_params"].get("_type")
        self._begin(run_id, self._events.chat(model, metadata.get("ls_provider")), metadata)

    on_llm_start = on_chat_model_start

    @quietly
    def on_tool_start(self, serialized: Any, *_: Any, run_id: UUID, metadata: Any, **_known: Any) -> None:
        """A call of a tool."""
        self._begin(run_id, self._events.tool(serialized["name"]), metadata)

    @quietly
    def on_retriever_start(self, *_: Any, run_id: UUID, metadata: Any, **_known: Any) -> None:
        """A search."""
        self._begin(run_id, self._events.operation("retrieval"), metadata)

    @quietly
    def on_chain_start(self, *_: Any, run_id: UUID, metadata: Any, **known: Any) -> None:
        """A run as a whole; its steps are not told."""
        if known.get("parent_run_id") is None:
            self._begin(run_id, self._events.operation("invoke_agent"), metadata)

    def _begin(self, run_id: UUID, call: Call, metadata: Any) -> None:
        thread = next((metadata[name] for name in THREADS if name in metadata or ()), None)
        self._open[run_id] = call.tell(**conversation(thread)).began()

    @quietly
    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        """What a model answered."""
        message = getattr(response.generations[0][0], "message", None)
        if message is not None:
            self._open[run_id].tell(**_answer(message))
        self._open.pop(run_id).ended()

    @quietly
    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        """What a tool, a search or a run came to; what a tool handled itself is a failure all the same."""
        if call := self._open.pop(run_id, None):
            if getattr(output, "status", None) == "error":
                call.tell(error=failure_named("tool_error", message=str(output.content)))
            call.ended()

    on_retriever_end = on_chain_end = on_tool_end

    @quietly
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """Why it failed. That a graph waits for a person, or goes on elsewhere, is no failure."""
        if call := self._open.pop(run_id, None):
            goes_on = any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)
            call.ended(None if goes_on else error)

    on_tool_error = on_retriever_error = on_chain_error = on_llm_error


def _answer(message: Any) -> Parts:
    """What an answer says of itself; what is None is not told."""
    about = message.response_metadata
    reasons = [about["finish_reason"]] if about.get("finish_reason") else None
    answer: Any = {"id": about.get("id"), "model": about.get("model_name"), "finish_reasons": reasons}
    return {"response": answer, "usage": usage_of(getattr(message, "usage_metadata", None))}
