"""agent_oversight: events from an agent, and advice back to it.

`AgentEvents` publishes what an agent does, without ever waiting; `Decisions` holds the advice it gets.
"""

from agent_oversight.context import Within
from agent_oversight.decisions import Decision, Decisions, Retry
from agent_oversight.events import AgentEvents
from agent_oversight.failures import error_class
from agent_oversight.outbox import Lost
from agent_oversight.transport import Record, Rejected, TooLarge, Transport

__all__ = [
    "AgentEvents",
    "Decision",
    "Decisions",
    "Lost",
    "Record",
    "Rejected",
    "Retry",
    "TooLarge",
    "Transport",
    "Within",
    "error_class",
]
