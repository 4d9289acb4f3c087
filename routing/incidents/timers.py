"""Timers of incidents: each incident's record holds its own; here they are in order of due time."""

from datetime import datetime
from heapq import heapify, heappop, heappush

from routing.incidents.incident import Case

Due = tuple[datetime, str, str]
"""When, the incident's id, the timer's name."""

SLACK = 1024
"""How many entries of disarmed timers may lie about beside as many as there are timers."""


class Timers:
    """A heap over the timers of all incidents. An entry counts only while its incident's record agrees."""

    def __init__(self, cases: dict[str, Case]) -> None:
        self._cases = cases
        self._heap: list[Due] = []
        self._armed = 0
        self._rebuild()

    def arm(self, case: Case, name: str, due: datetime) -> None:
        """Sets a timer, or sets it anew."""
        before = case.timers.get(name)
        if before == due:
            return
        self._armed += before is None
        case.timers[name] = due
        heappush(self._heap, (due, case.id, name))
        if len(self._heap) > 2 * self._armed + SLACK:
            self._rebuild()

    def disarm(self, case: Case, name: str) -> None:
        """Takes a timer away, if it is set."""
        if case.timers.pop(name, None) is not None:
            self._armed -= 1

    def disarm_all(self, case: Case) -> None:
        """Takes all timers of an incident away."""
        for name in tuple(case.timers):
            self.disarm(case, name)

    def next(self) -> Due | None:
        """The timer that is due first; the incident's id, then the name decide among equals."""
        while self._heap:
            due, case_id, name = self._heap[0]
            case = self._cases.get(case_id)
            if case is not None and case.timers.get(name) == due:
                return self._heap[0]
            heappop(self._heap)
        return None

    def take(self, until: datetime) -> Due | None:
        """Takes out the timer that is due first, if it is due by `until`."""
        first = self.next()
        if first is None or first[0] > until:
            return None
        heappop(self._heap)
        self.disarm(self._cases[first[1]], first[2])
        return first

    def _rebuild(self) -> None:
        self._heap = [
            (due, case.id, name) for case in self._cases.values() for name, due in case.timers.items()
        ]
        heapify(self._heap)
        self._armed = len(self._heap)
