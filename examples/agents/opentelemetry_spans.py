"""Spans of OpenTelemetry that follow its GenAI conventions are published, whoever makes them: here by hand.

OVERSIGHT_KAFKA=localhost:9092 OPENAI_API_KEY=… python examples/agents/opentelemetry_spans.py
"""

import os

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider

from agent_oversight import AgentEvents
from agent_oversight.kafka import Kafka
from agent_oversight.opentelemetry import OpenTelemetry

MODEL = "gpt-4o-mini"


def answer(events: AgentEvents, question: str) -> str:
    """What the model says."""
    provider = TracerProvider()
    provider.add_span_processor(OpenTelemetry(events))
    tracer = provider.get_tracer("example")
    asked = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": MODEL}
    with events.session(tenant="acme", user="u-17"):
        events.received({"text": question})
        with tracer.start_as_current_span(f"chat {MODEL}", attributes=asked) as span:
            reply = OpenAI().chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": question}]
            )
            if reply.usage is not None:
                span.set_attribute("gen_ai.usage.input_tokens", reply.usage.prompt_tokens)
                span.set_attribute("gen_ai.usage.output_tokens", reply.usage.completion_tokens)
            return str(reply.choices[0].message.content)


if __name__ == "__main__":
    events = AgentEvents("order-agent", Kafka(os.environ.get("OVERSIGHT_KAFKA", "localhost:9092")))
    print(answer(events, "Where is order o-1?"))
    events.close()
