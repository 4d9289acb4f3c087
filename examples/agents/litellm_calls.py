"""Calls of models by LiteLLM: each is published, with what it cost.

OVERSIGHT_KAFKA=localhost:9092 OPENAI_API_KEY=… python examples/agents/litellm_calls.py
"""

import os

import litellm

from agent_oversight import AgentEvents
from agent_oversight.kafka import Kafka
from agent_oversight.litellm import LiteLLMCalls


def answer(events: AgentEvents, question: str) -> str:
    """What the model says."""
    with events.session(tenant="acme", user="u-17"):
        events.received({"text": question})
        reply = litellm.completion(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": question}]
        )
        return str(reply.choices[0].message.content)


if __name__ == "__main__":
    events = AgentEvents("order-agent", Kafka(os.environ.get("OVERSIGHT_KAFKA", "localhost:9092")))
    litellm.callbacks = [LiteLLMCalls(events)]
    print(answer(events, "Where is order o-1?"))
    # LiteLLM tells of a call in a thread of its own, a moment later; Python sends what waits at its exit.
