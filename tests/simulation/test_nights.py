"""Whole nights from seeds: every promise of routing holds, whatever dies, lags, repeats or turns around.

`NIGHTS=17` or `NIGHTS=1000-2000` in the environment plays those instead.
"""

import os

import pytest

from tests.simulation.shrinking import complaint

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
BATCH = 5
pytestmark = [
    pytest.mark.timeout(900),  # making a broken night short takes many
    pytest.mark.no_cover,  # a night must not count for a test of one thing, and is twice as fast unmeasured
]


def seeds() -> range:
    """Those that are asked for; else a hundred, or a thousand and more at night."""
    first, _, last = os.environ.get("NIGHTS", "").partition("-")
    if first:
        return range(int(first), int(last or first) + 1)
    return range(1500 if NIGHTLY else 100)


def batches() -> list[range]:
    every = seeds()
    return [every[at : at + BATCH] for at in range(0, len(every), BATCH)]


@pytest.mark.parametrize("batch", batches(), ids=lambda batch: f"{batch[0]}-{batch[-1]}")
def test_every_promise_holds_whatever_the_night_brings(batch):
    complaints = [found for seed in batch if (found := complaint(seed))]
    assert not complaints, "\n\n".join(["", *complaints])
