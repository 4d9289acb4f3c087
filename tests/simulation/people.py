"""What people do in a night to the incidents that there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from schemas.cause import (
    Acknowledged,
    Approved,
    Commented,
    Hand,
    Judged,
    Reassigned,
    Resolved,
    Silenced,
    Snoozed,
)
from schemas.decision import Decision
from schemas.incident import Incident
from schemas.record import Output
from tests.simulation.story import Happening, whom

if TYPE_CHECKING:
    from tests.simulation.night import Night


class People:
    """They see what is published, as a console does, and do nothing about fire drills."""

    def __init__(self, night: "Night") -> None:
        self._night = night
        self._done: list[Hand] = []
        self.incidents: dict[str, Incident] = {}
        self.decisions: dict[str, Decision] = {}

    def see(self, outputs: list[Output]) -> None:
        """What came out of a cause."""
        for output in outputs:
            if isinstance(output.value, Incident) and not output.value.drill:
                self.incidents[output.value.id] = output.value
            elif isinstance(output.value, Decision):
                self.decisions[output.value.id] = output.value

    def act(self, each: Happening) -> None:
        """Somebody does something about an incident, mostly about one that is open."""
        known = [one for one in self.incidents.values() if one.status != "resolved" or each.number % 9 == 0]
        if not known:
            return
        incident = known[each.number % len(known)]
        cause = self._cause(each, incident.id)
        if cause is not None:
            self._night.tell(f"  … of {incident.id}")
            self._write(cause)

    def repeat(self, each: Happening) -> None:
        """A callback comes once more."""
        if self._done:
            self._night.write(self._done[-1 - each.number % min(5, len(self._done))])

    def silence(self, each: Happening) -> None:
        """Somebody silences what has a label; the same three silences are changed again and again."""
        at = self._night.clock("people")
        until = at + timedelta(seconds=each.much)
        name = f"quiet-{each.number % 3}"
        self._write(Silenced(at=at, id=name, by="bo", until=until, matchers=(each.name,)))

    def _write(self, cause: Hand) -> None:
        self._done.append(cause)
        self._night.write(cause)

    def _cause(self, each: Happening, incident: str) -> Hand | None:
        at = self._night.clock("people")
        said = {"at": at, "id": f"deed {self._night.now_s} {each.number}", "incident": incident, "by": "ana"}
        until = at + timedelta(seconds=each.much)
        verdict = "useful" if each.number % 2 else "false_alarm"
        made: dict[str, Callable[[], Hand]] = {
            "ack": lambda: Acknowledged(**said),
            "resolve": lambda: Resolved(**said),
            "snooze": lambda: Snoozed(**said, until=until),
            "give": lambda: Reassigned(**said, **whom(each.number)),
            "comment": lambda: Commented(**said, text="looking"),
            "judge": lambda: Judged(**said, verdict=verdict),
            "silence": lambda: Silenced(**said, until=until),
        }
        return made[each.name]() if each.name in made else self._rule(each, said)

    def _rule(self, each: Happening, said: dict[str, Any]) -> Hand | None:
        """Somebody grants or refuses advice of the incident, if it gave any."""
        mine = [one.id for one in self.decisions.values() if one.incident == said["incident"]]
        verdict = "granted" if each.number % 2 else "refused"
        return Approved(**said, decision=mine[each.number % len(mine)], verdict=verdict) if mine else None
