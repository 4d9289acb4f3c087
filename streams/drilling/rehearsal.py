"""A fire drill without Kafka: the same core, an agent from files or a made-up one, and nobody is told."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from msgspec import Struct, structs

from detectors.bank import Bank
from detectors.grid import GRID_S, after
from detectors.registry import discover
from routing.configuration import load
from routing.router import Router
from schemas.cause import ConfigFile, Drilled, Reported
from schemas.control import Tick
from schemas.event import Event
from schemas.incident import Incident
from schemas.outcome import Delivered
from schemas.page import Channel, Page
from schemas.signal import Signal
from schemas.wire import encode, moment
from streams.demonstration.cast import CAST
from streams.demonstration.fleet import Fleet
from streams.drilling.pattern import learnt
from streams.drilling.progress import Progress, Result
from streams.drilling.scenarios import BUSY, History, Scenario
from streams.drilling.stages import span
from streams.history import Step
from streams.hosting.settings import read_settings
from streams.records import DeadLetter, Told
from streams.replay import Core

REMEMBERED = 5000
"""Events of the agent, the last ones, of which a pattern is made."""
MADE_UP = CAST[0]
"""An ordinary agent."""


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What is rehearsed. `token`: tells this run from others. `within`: how long it goes on at most."""

    scenario: Scenario
    agent: str
    token: str
    within: timedelta
    channel: Channel | None = None

    @property
    def drill(self) -> str:
        """The drill's id."""
        return f"{self.scenario.name}:{self.token}"

    @property
    def short(self) -> str:
        """What is said of its time, where the scenario takes longer."""
        if self.within >= self.scenario.lasts:
            return ""
        had, needs = (span(each.total_seconds()) for each in (self.within, self.scenario.lasts))
        return (
            f"the time was up after {had}, and the scenario takes up to {needs}: give it longer (--timeout)"
        )


class Unheard(Exception):  # noqa: N818 - says what the agent is
    """The files have no event of the agent."""


def made_up(agent: str, until: datetime, history: History = BUSY) -> Iterator[Event]:
    """Events of an ordinary agent by this name, in the time before `until`."""
    profile = structs.replace(MADE_UP, rate_per_h=history.rate_per_h)
    fleet = Fleet(profiles=(profile,), start=until - history.lasts, end=until, seed=1)
    for event in takewhile(lambda each: each.time <= until, fleet.events()):
        data = structs.replace(event.data, agent=structs.replace(event.data.agent, name=agent))
        told = structs.replace(event, data=data)
        yield from _announced(told) if history.announced and data.tool is not None else (told,)


def _announced(event: Event) -> Iterator[Event]:
    """A call of which is told that it begins, and that it ended."""
    operation = structs.replace(event.data.operation, id=f"{event.id}-call")
    begins = structs.replace(operation, state="started", duration=None)
    yield structs.replace(
        event,
        id=f"{event.id}-begin",
        time=event.time - timedelta(seconds=operation.duration or 0),
        data=structs.replace(event.data, operation=begins, error=None),
    )
    yield structs.replace(event, data=structs.replace(event.data, operation=operation))


def rehearse(
    rehearsal: Rehearsal,
    files: Sequence[ConfigFile],
    history: Iterable[Event],
    tell: Callable[[float], object] = float,
) -> Result:
    """Folds the agent's history, then the drill. `tell`: is told how many more seconds are done.

    Raises:
        ConfigFaults: the configuration does not hold.
        Unheard: nothing in the history is of the agent.
    """
    load(files)
    detector = rehearsal.scenario.detector
    bank = Bank(read_settings, "events", kinds={detector: discover()[detector]})
    bank.begin(files)
    core = Core(bank, Router())
    core.configure(files)
    recent: deque[Event] = deque(maxlen=REMEMBERED)
    for event in history:
        core.take(_step(event))
        if event.data.agent.name == rehearsal.agent:
            recent.append(event)
    if not recent:
        raise Unheard(f"there is no event of {rehearsal.agent}")
    start = max(each.time for each in recent)
    progress = Progress(rehearsal.drill, rehearsal.agent, start, rehearsal.short)
    core.tell(
        Drilled(
            at=start, id=rehearsal.drill, by="rehearsal", agent=rehearsal.agent, channel=rehearsal.channel
        )
    )
    pattern = learnt(rehearsal.agent, recent)
    _play(rehearsal, core, progress, rehearsal.scenario.events(pattern, rehearsal.drill, start), tell)
    return progress.result()


def _play(
    rehearsal: Rehearsal,
    core: Core,
    progress: Progress,
    events: Iterable[Event],
    tell: Callable[[float], object],
) -> None:
    """Events as they would come, and the time between them; nobody acknowledges anything."""
    start_s = progress.start.timestamp()
    ends_s = start_s + rehearsal.within.total_seconds()
    grid_s = after(start_s)
    for event in events:
        at_s = min(event.time.timestamp(), ends_s)
        while grid_s <= at_s:
            _note(progress, core.take(Step(0, encode(Tick(time=moment(grid_s))))))
            tell(GRID_S)
            grid_s += GRID_S
        if event.time.timestamp() > ends_s:
            return
        progress.published(event.time)
        _note(progress, core.take(_step(event)))


def _note(progress: Progress, told: Iterable[Told]) -> None:
    for word in told:
        match word:
            case Signal():
                progress.signal(word)
            case Incident():
                progress.incident(word)
            case Page():
                progress.page(word)
                answer = Delivered(reference=word.id)
                progress.cause(Reported(at=word.time, page=word.id, attempt=word.attempt, outcome=answer))
            case DeadLetter():
                progress.refused(word.reason)


def _step(event: Event) -> Step:
    return Step(0, encode(event), event=event)
