"""An agent of your own: what it does is published, and before each call of a tool it asks whether it may.

OVERSIGHT_KAFKA=localhost:9092 python examples/agents/plain.py
"""

import os
import time

from agent_oversight import AgentEvents, Decisions
from agent_oversight.following import Following
from agent_oversight.kafka import Kafka

KAFKA = os.environ.get("OVERSIGHT_KAFKA", "localhost:9092")


def refund(events: AgentEvents, decisions: Decisions, order: str) -> str:
    """Gives money back, unless the circuit to payments is open."""
    with events.session(tenant="acme", user="u-17"):
        events.received({"text": f"My money back for {order}, please."})
        if not decisions.may_call("payments.refund", now=time.time()):
            return "We will get back to you."
        with events.tool("payments.refund"):
            return f"Refunded {order}."


if __name__ == "__main__":
    decisions = Decisions({"agent": "refund-agent", "env": "prod"})
    with Following(decisions, KAFKA) as following:
        following.current(within_s=5.0)
        events = AgentEvents("refund-agent", Kafka(KAFKA), environment="prod")
        print(refund(events, decisions, "o-1"))
        events.close()
