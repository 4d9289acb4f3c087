"""Whether every detector could follow a configuration, before any partition does."""

from detectors.following import Misfit, misfits, strangers
from detectors.registry import discover
from routing.policy import Policy
from routing.rules.faults import Fault
from routing.rules.suggestions import meant
from routing.rules.yaml_tree import Node, Place
from streams.hosting.settings import detector_settings


def unfollowed(policy: Policy, root: Node) -> tuple[Fault, ...]:
    """What detectors cannot follow of a policy, each once, at its place in the tree that it was made of."""
    settings, kinds = detector_settings(policy), discover()
    found = (*misfits(settings, kinds), *strangers(settings, kinds))
    return tuple(
        sorted({_place(root, each).fault(f"{each}{meant(each.word, each.known)}") for each in found})
    )


def _place(root: Node, misfit: Misfit) -> Place:
    """Of a name that there is none of, where the name stands."""
    *above, last = misfit.path
    parent, node = root.nearest(*above), root.nearest(*misfit.path)
    return parent.keys.get(str(last), node.place) if misfit.word == last else node.place
