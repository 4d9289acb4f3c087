"""What an agent's events look like lately: what a drill's events are made to look like."""

from collections import Counter
from collections.abc import Iterable
from statistics import median

from msgspec import Struct

from schemas.event import Event

MOST_TOOLS = 4
CALLS = frozenset({"chat", "text_completion", "generate_content"})


class Pattern(Struct, frozen=True, kw_only=True):
    """An agent as its last events show it. `cost_usd`, tokens and `seconds`: medians of its model calls."""

    agent: str
    version: str | None = None
    env: str | None = None
    provider: str = "provider"
    model: str = "model"
    operation: str = "chat"
    tools: tuple[str, ...] = ("tool",)
    input_tokens: int = 1000
    output_tokens: int = 200
    cost_usd: float = 0.01
    seconds: float = 2.0


def learnt(agent: str, events: Iterable[Event]) -> Pattern:
    """The pattern of an agent's last events; what they do not tell is as with any agent."""
    mine = [each for each in events if each.data.agent.name == agent and each.drill is None]
    calls = [each.data for each in mine if each.data.operation.name in CALLS]
    plain = Pattern(agent=agent)
    usages = [each.usage for each in calls if each.usage and not each.error]
    return Pattern(
        agent=agent,
        version=_most((each.data.agent.version for each in mine), plain.version),
        env=_most(
            (each.data.deployment.environment_name for each in mine if each.data.deployment), plain.env
        ),
        provider=_most((each.provider.name for each in calls if each.provider), None) or plain.provider,
        model=_most((each.request.model for each in calls if each.request), None) or plain.model,
        operation=_most((each.operation.name for each in calls), None) or plain.operation,
        tools=_tools(mine) or plain.tools,
        input_tokens=int(_middle((each.input_tokens for each in usages), plain.input_tokens)),
        output_tokens=int(_middle((each.output_tokens for each in usages), plain.output_tokens)),
        cost_usd=_middle((each.cost_amount for each in usages), plain.cost_usd),
        seconds=_middle((each.operation.duration for each in calls if not each.error), plain.seconds),
    )


def _tools(events: Iterable[Event]) -> tuple[str, ...]:
    names = Counter(each.data.tool.name for each in events if each.data.tool and each.data.tool.name)
    return tuple(name for name, _ in names.most_common(MOST_TOOLS))


def _most(values: Iterable[str | None], otherwise: str | None) -> str | None:
    found = Counter(value for value in values if value).most_common(1)
    return found[0][0] if found else otherwise


def _middle(values: Iterable[float | None], otherwise: float) -> float:
    known = [value for value in values if value]
    return median(known) if known else otherwise
