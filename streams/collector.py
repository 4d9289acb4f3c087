"""How often Python's cycle collector looks, where a fold runs.

A batch holds thousands of records for a moment, and none of them is in a cycle. By its own measure the
collector would search the whole state for cycles again and again: a third of the time.
"""

import gc


def relax() -> None:
    """Leaves out what is there already, and looks seldom from here on, in this process."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
