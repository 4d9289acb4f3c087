"""An agent of the OpenAI Agents SDK: its runs, model calls and tools are published.

OVERSIGHT_KAFKA=localhost:9092 OPENAI_API_KEY=… python examples/agents/openai_agents_sdk.py
"""

import asyncio
import os

from agents import Agent, Runner, function_tool, set_default_openai_api, set_trace_processors

from agent_oversight import AgentEvents
from agent_oversight.kafka import Kafka
from agent_oversight.openai_agents import OpenAIAgents


@function_tool
def order_state(order: str) -> str:
    """Where an order is."""
    return f"{order} is on its way."


async def answer(events: AgentEvents, question: str) -> str:
    """What the agent says."""
    set_trace_processors([OpenAIAgents(events)])  # `add_trace_processor` keeps the export to OpenAI
    set_default_openai_api("chat_completions")  # what other providers speak, too
    clerk = Agent(
        name="clerk", instructions="You help with orders.", tools=[order_state], model="gpt-4o-mini"
    )
    with events.session(tenant="acme", user="u-17"):
        events.received({"text": question})
        return str((await Runner.run(clerk, question)).final_output)


if __name__ == "__main__":
    events = AgentEvents("order-agent", Kafka(os.environ.get("OVERSIGHT_KAFKA", "localhost:9092")))
    print(asyncio.run(answer(events, "Where is order o-1?")))
    events.close()
