"""Whose agent it is: the entry of `agents:` that speaks for it, and the label `team` that follows."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from routing.policy import Owned, Policy

NOBODY = Owned(name="*")


def owned(policy: Policy, labels: Mapping[str, str]) -> Owned:
    """What the configuration says of the agent that `labels` name; the first glob that matches wins."""
    agent = labels.get("agent", "")
    return next((each for each in policy.agents if fnmatchcase(agent, each.name)), NOBODY)


def with_team(policy: Policy, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels with `team`, the owner's, unless they name one themselves. Empty labels are dropped."""
    kept = {name: value for name, value in labels.items() if value}
    team = owned(policy, labels).team
    return kept if "team" in kept or not team else {**kept, "team": team}
