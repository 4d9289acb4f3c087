"""Agents that released instrumentations watch, in a process of their own: to load them takes seconds.

    python tests/bridge/instrumented.py URL

Each run asks the model at the URL; what an exporter would send of it, requests of OTLP in protobuf, goes to
standard output: a line each, the name of the run and the request in base64.
"""

import asyncio
import base64
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import agents
import openai
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor as OpenInferenceAgents
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.langchain import LangchainInstrumentor as OpenLLMetryLangChain
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLLMetry
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as OpenTelemetry
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

MODEL = "gpt-4o-mini"
ASKED = [{"role": "user", "content": "Where is order o-1?"}]


class Printed(SpanExporter):
    """Exports to standard output; `run`: what it is of."""

    run = ""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        request = base64.b64encode(encode_spans(spans).SerializeToString()).decode()
        sys.stdout.write(f"{self.run} {request}\n")
        return SpanExportResult.SUCCESS


printed = Printed()
provider = TracerProvider(resource=Resource.create({"service.name": "shop", "service.version": "2.1"}))
provider.add_span_processor(SimpleSpanProcessor(printed))


def by_hand(instrumentor, **within: str) -> None:
    """A run whose agent calls OpenAI's client: well, streaming, and once so that it is refused."""
    instrumentor.instrument(tracer_provider=provider)
    client = openai.OpenAI(max_retries=0)
    said = {name.replace("__", "."): value for name, value in within.items()}
    with provider.get_tracer("agent").start_as_current_span("agent", attributes=said):
        client.chat.completions.create(model=MODEL, messages=ASKED)
        told = {"include_usage": True}
        for _ in client.chat.completions.create(
            model=MODEL, messages=ASKED, stream=True, stream_options=told
        ):
            pass
        with suppress(openai.RateLimitError):
            client.chat.completions.create(model=MODEL, messages=ASKED)
    instrumentor.uninstrument()


def opentelemetry() -> None:
    """OpenTelemetry's own, of OpenAI's client."""
    by_hand(
        OpenTelemetry(),
        gen_ai__operation__name="invoke_agent",
        gen_ai__agent__name="clerk",
        gen_ai__conversation__id="conv-1",
    )


def openinference() -> None:
    """OpenInference's, of OpenAI's client; the session is told by its own context."""
    with using_attributes(session_id="conv-1", user_id="u-17"):
        by_hand(OpenInference(), openinference__span__kind="AGENT", agent__name="clerk")


def openllmetry() -> None:
    """OpenLLMetry's, of OpenAI's client."""
    by_hand(
        OpenLLMetry(),
        traceloop__span__kind="agent",
        traceloop__entity__name="clerk",
        traceloop__association__properties__session_id="conv-1",
    )


def openinference_agents() -> None:
    """OpenInference's, of the OpenAI Agents SDK: a call of a model, a tool, and another call."""

    @agents.function_tool
    def order_state(order: str) -> str:
        """Where an order is."""
        return f"{order} is on its way."

    instrumentor = OpenInferenceAgents()
    instrumentor.instrument(tracer_provider=provider)
    agents.set_default_openai_api("chat_completions")
    clerk = agents.Agent(name="clerk", instructions="You help.", tools=[order_state], model=MODEL)
    with using_attributes(session_id="conv-1"):
        asyncio.run(agents.Runner.run(clerk, "Where is order o-1?"))
    instrumentor.uninstrument()


def openllmetry_twice() -> None:
    """OpenLLMetry's, of LangChain and of OpenAI's client below it: two that see one call."""
    for each in (OpenLLMetryLangChain(), OpenLLMetry()):
        each.instrument(tracer_provider=provider)
    chain = RunnableLambda(ChatOpenAI(model=MODEL).invoke)
    chain.invoke(ASKED, config={"run_name": "clerk", "metadata": {"session_id": "conv-1"}})


if __name__ == "__main__":
    os.environ.update(OPENAI_API_KEY="none", OPENAI_BASE_URL=sys.argv[1], TRACELOOP_TRACE_CONTENT="false")
    for run in (opentelemetry, openinference, openllmetry, openinference_agents, openllmetry_twice):
        printed.run = run.__name__
        run()
