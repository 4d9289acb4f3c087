"""The stages of a fire drill, and what is said where one does not come."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

Stage = Literal["published", "signal", "incident", "page", "delivered", "acknowledged"]
STAGES: tuple[Stage, ...] = ("published", "signal", "incident", "page", "delivered", "acknowledged")
NEEDED: tuple[Stage, ...] = STAGES[:-1]
"""Those that a drill must reach: whether somebody acknowledges it is up to them."""
REMEDIES: Mapping[Stage, str] = MappingProxyType(
    {
        "published": "no event was taken: is the broker there, and has it the topic agent.events?",
        "signal": "the detector found nothing: is it on (`oversight check --detectors`), and has the agent "
        "sent enough for it to speak? What the agent's own events have already brought about is not told "
        "again for a drill.",
        "incident": "the signal opened no incident: does the worker follow a configuration that holds "
        "(`oversight check`)?",
        "page": "nobody was paged: see with `oversight route` where such labels go, who is on call, and "
        "whether the receiver notifies anybody",
        "delivered": "the page did not arrive: see its token and its target",
        "acknowledged": "nobody has taken it yet",
    }
)


IDLE: Mapping[Stage, str] = MappingProxyType(
    {
        "signal": "no worker seems to read agent.events: none has written its state since the drill began",
        "incident": "no worker seems to route: none has written the state of routing since the drill began",
    }
)
"""What is said instead where those that should bring a stage about did nothing else either."""
UNHEARD = "nothing was heard of it"


def span(seconds: float) -> str:
    """Minutes and seconds."""
    whole = timedelta(seconds=round(seconds))
    minutes, rest = divmod(int(whole.total_seconds()), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
