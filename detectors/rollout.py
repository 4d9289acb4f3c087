"""A canary against control."""

from detectors.rollouts.comparison import Comparison
from detectors.rollouts.verdict import Verdict

__all__ = ["Comparison", "Verdict"]
