"""An agent so busy that a minute has more than detectors look at closely; no session of it begins."""

from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_CALLS = ("chat", "execute_tool", "receive_input")


def busy(events: int = 900) -> Iterator[Event]:
    """So many events, fifteen a second: of more conversations than are remembered, half of them in one."""
    for at in range(events):
        usage = {"input_tokens": 10, **({"cost_amount": 0.01} if at % 5 else {})}
        yield event(
            START_S + at / 15,
            _CALLS[at % 3],
            conversation={"id": "c" if at % 2 else f"c{at}"},
            tenant={"id": "t"},
            provider={"name": "p"},
            tool={"name": "search"},
            operation={"duration": 0.5},
            **({} if at % 3 else {"usage": usage}),
        )
