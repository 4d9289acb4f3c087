"""Which agent lives in a service: where it is one only, its name is known though a trace does not say it."""

from collections.abc import Sequence

MOST_SERVICES = 1_000
UNCERTAIN = 2
"""Of a service with so many agents nothing is known."""


class Homes:
    """`known`: what `saved` gave."""

    def __init__(self, known: Sequence[tuple[str, Sequence[str]]] = ()) -> None:
        self._agents: dict[str, list[str]] = {service: list(agents) for service, agents in known}

    def learn(self, service: str, agent: str | None) -> None:
        """An agent was named in a service. Beyond the cap the oldest service is forgotten."""
        if agent is None:
            return
        agents = self._agents.setdefault(service, [])
        if len(agents) < UNCERTAIN and agent not in agents:
            agents.append(agent)
        if len(self._agents) > MOST_SERVICES:
            del self._agents[next(iter(self._agents))]

    def agent(self, service: str) -> str:
        """The service's only agent, else the service itself."""
        agents = self._agents.get(service, ())
        return agents[0] if len(agents) == 1 else service

    def saved(self) -> list[tuple[str, Sequence[str]]]:
        """What the constructor takes."""
        return [(service, agents) for service, agents in self._agents.items()]
