"""A chain of LangChain: its run, model calls and tools are published. Graphs take the same callback.

OVERSIGHT_KAFKA=localhost:9092 OPENAI_API_KEY=… python examples/agents/langchain_agent.py
"""

import os

from langchain_core.messages import HumanMessage
from langchain_core.runnables import chain
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from agent_oversight import AgentEvents
from agent_oversight.kafka import Kafka
from agent_oversight.langchain import LangChain


@tool
def order_state(order: str) -> str:
    """Where an order is."""
    return f"{order} is on its way."


@chain
def clerk(question: str) -> str:
    """Asks the model, calls the tools that it wants, and asks it again."""
    model = ChatOpenAI(model="gpt-4o-mini").bind_tools([order_state])
    said = [HumanMessage(question), model.invoke(question)]
    if calls := said[-1].tool_calls:
        said += [order_state.invoke(call) for call in calls]
        said.append(model.invoke(said))
    return str(said[-1].content)


def answer(events: AgentEvents, question: str) -> str:
    """What the agent says."""
    with events.session(tenant="acme", user="u-17"):
        events.received({"text": question})
        return clerk.invoke(question, config={"callbacks": [LangChain(events)]})


if __name__ == "__main__":
    events = AgentEvents("order-agent", Kafka(os.environ.get("OVERSIGHT_KAFKA", "localhost:9092")))
    print(answer(events, "Where is order o-1?"))
    events.close()
