"""Business hours as a part of the severity: a finding may matter less, or more, while an office is empty.

Hours are those of the owner's clocks: of the team whose agent it is, unless the rules name a place.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from routing.oncall.walltime import zone
from routing.policy import Policy
from schemas.page import ScorePart

NOWHERE = "UTC"


def business_hours(labels: Mapping[str, str], policy: Policy, now: datetime) -> Iterator[ScorePart]:
    """The points for being within or outside of them, where the rules give any. `labels`: with `team`."""
    hours = policy.severity.business_hours
    if hours is None:
        return
    team = policy.teams.get(labels.get("team", ""))
    place = hours.location or (team.timezone if team else NOWHERE)
    within = any(window.holds(now, zone(place)) for window in hours.windows)
    points = hours.inside if within else hours.outside
    if points:
        yield ScorePart(why=f"{'within' if within else 'outside'} business hours ({place})", points=points)
