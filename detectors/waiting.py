"""Events that wait until their agents are shown them, each agent its own together.

An agent's detectors and what they remember fill the processor's nearest memory: shown one event of another
agent each, they would have to be fetched from afar every time.
"""

from collections.abc import Sequence

from detectors.agent import AgentState, Taken, reason
from detectors.asking import deadletters
from schemas.record import Output, Record

Given = list[Sequence[Output] | Exception]
"""What each record of a batch has given so far, or raised, in their order."""


class Waiting:
    """Of a batch of records: by agent its events, and their places in the batch."""

    __slots__ = ("_by_agent", "_given", "_records")

    def __init__(self, records: Sequence[Record], given: Given) -> None:
        """`given`: what the records gave so far; here what raises is added to it."""
        self._records, self._given = records, given
        self._by_agent: dict[str, tuple[AgentState, list[Taken], list[int]]] = {}

    def joins(self, agent: str, taken: Taken) -> bool:
        """One more of an agent, of the record whose turn it is; False where none of that agent waits yet."""
        entry = self._by_agent.get(agent)
        if entry is None:
            return False
        entry[1].append(taken)
        entry[2].append(len(self._given))
        return True

    def add(self, state: AgentState, taken: Taken) -> None:
        """The first of an agent; agents beyond the cap share a state, which may have some already."""
        if not self.joins(state.name, taken):
            self._by_agent[state.name] = state, [taken], [len(self._given)]

    def show(self) -> None:
        """Shows them, once: what raises is told of the records that it concerns, and of no others."""
        waiting, self._by_agent = self._by_agent, {}
        for state, events, places in waiting.values():
            try:
                for at, fault in state.take(events):
                    self._tell(fault, places[at], events[at])
            except Exception as raised:  # noqa: BLE001 - other agents are still shown theirs
                for place, taken in zip(places, events, strict=True):
                    self._tell(f"{state.name}: {reason(raised)}", place, taken)

    def _tell(self, fault: str, place: int, taken: Taken) -> None:
        letters = deadletters([fault], self._records[place], taken[1])
        before = self._given[place]
        self._given[place] = [*before, *letters]  # type: ignore[misc] # what raised waits for nothing
