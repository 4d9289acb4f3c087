"""A promise of nights with a digest: it loses nothing."""

import re
from collections import Counter
from datetime import datetime

from routing.incidents.incident import Case
from routing.policy import Policy
from schemas.cause import AnyCause, Configured
from schemas.page import Notice
from schemas.record import Output
from tests.simulation.drawn_rules import PERIOD
from tests.simulation.hearing import heard
from tests.simulation.night import Broken, Night
from tests.simulation.promises import GRACE, Promises

COUNTED = re.compile(r"(\d+) (new|resolved|open)")
LOGBOOK = "logbook"


class Digests(Promises):
    """What may be heard for longer than a period is told as new by a digest, and its end by a later one."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()
        """What digests told, first attempts only."""
        self.wanted: set[str] = set()
        """Incidents that a digest is to tell of."""
        self.waiting: dict[str, datetime] = {}
        """Since when an incident of the logbook may be heard, under the same rules."""

    def applied(self, night: Night, cause: AnyCause, outputs: list[Output]) -> None:
        super().applied(night, cause, outputs)
        if isinstance(cause, Configured):
            self.waiting.clear()
        for value in (each.value for each in outputs):
            if isinstance(value, Notice) and value.reason == "digest" and _is_new(value):
                self.counted.update({what: int(count) for count, what in COUNTED.findall(value.summary)})

    def minute(self, night: Night) -> None:
        super().minute(night)
        policy, now = night.router._policy, night.router._state.core.now
        if not night.is_up or policy is None:
            return
        for case in night.router._state.cases.values():
            if self._waits(night, policy, case, now):
                self.wanted.add(case.id)
        if self.counted["new"] < len(self.wanted):
            found = f"{self.counted['new']} of {len(self.wanted)} incidents were told"
            raise Broken("a digest loses nothing", found)

    def over(self, night: Night) -> None:
        super().over(night)
        if self.counted["resolved"] < len(self.wanted):
            found = f"the ends of {self.counted['resolved']} of {len(self.wanted)} incidents were told"
            raise Broken("a digest loses nothing", found)

    def _waits(self, night: Night, policy: Policy, case: Case, now: datetime) -> bool:
        """Whether a digest should have told of an incident by now."""
        mine = case.status == "triggered" and case.receiver == LOGBOOK and not case.drill
        if not mine or not heard(night.router._state, policy, case, now):
            self.waiting.pop(case.id, None)
            return False
        route = night.router._state.route(policy, case) or policy.route
        since = self.waiting.setdefault(case.id, now)
        return now - since > route.group_wait + route.group_interval + PERIOD + GRACE


def _is_new(notice: Notice) -> bool:
    """Whether it is no further attempt, and not told to somebody in another's stead."""
    return notice.attempt == 1 and "Instead of" not in dict(notice.facts)
