"""Whether every detector could follow a configuration, before any partition does."""

from detectors.following import misfits
from detectors.registry import discover
from routing.policy import Policy
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node
from streams.hosting.settings import detector_settings


def unfollowed(policy: Policy, root: Node) -> tuple[Fault, ...]:
    """What detectors cannot follow of a policy, each once, at its place in the tree that it was made of."""
    found = misfits(detector_settings(policy), discover())
    return tuple(sorted({root.nearest(*each.path).place.fault(str(each)) for each in found}))
