"""Events that wait until their agents are shown them, each agent its own together.

An agent's detectors and what they remember fill the processor's nearest memory: shown one event of another
agent each, they would have to be fetched from afar every time.
"""

from collections.abc import Sequence
from operator import itemgetter

from detectors.agent import AgentState, Taken, reason
from detectors.asking import deadletters
from detectors.crowd import OVERFLOW
from schemas.record import Output, Record

Given = list[Sequence[Output] | Exception]
"""What each record of a batch has given so far, or raised; nothing, where its turn is yet to come."""


class Waiting:
    """Of a batch of records: by agent its events, and their places in the batch.

    `place`: that of the record whose turn it is. `agents`: those that wait, by name; those beyond
    the cap, together, by none.
    """

    __slots__ = ("_given", "_records", "agents", "place")

    def __init__(self, records: Sequence[Record], given: Given) -> None:
        """`given`: what each record gives; here what raises is added to it."""
        self._records, self._given = records, given
        self.place = 0
        self.agents: dict[str | None, tuple[AgentState, list[Taken], list[int]]] = {}

    def add(self, state: AgentState, taken: Taken) -> None:
        """One more event; agents beyond the cap share a state, which may have some already."""
        name = None if state.name == OVERFLOW else state.name  # an agent may call itself that
        _, events, places = self.agents.setdefault(name, (state, [], []))
        events.append(taken)
        places.append(self.place)

    def show(self) -> None:
        """Shows them, once: what raises is told of the records that it concerns, and of no others."""
        waiting = [*self.agents.values()]
        self.agents.clear()
        faults: list[tuple[int, str, float]] = []
        for state, events, places in waiting:
            try:
                faults += ((places[at], fault, events[at][1]) for at, fault in state.take(events))
            except Exception as raised:  # noqa: BLE001 - other agents are still shown theirs
                why = f"{state.name}: {reason(raised)}"
                faults += ((place, why, taken[1]) for place, taken in zip(places, events, strict=True))
        # In the order of the log, whatever was shown together.
        for place, fault, at_s in sorted(faults, key=itemgetter(0)):
            self._tell(place, fault, at_s)

    def _tell(self, place: int, fault: str, at_s: float) -> None:
        letters = deadletters([fault], self._records[place], at_s)
        before = self._given[place]
        self._given[place] = [*before, *letters]  # type: ignore[misc] # what raised waits for nothing
