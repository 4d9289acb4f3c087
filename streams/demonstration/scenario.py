"""What the demo plays: two quiet days, then a day with three incidents, and how well they were found."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from schemas.page import Page
from streams.demonstration.cast import CAST
from streams.demonstration.fleet import Fleet, Scripted, office_hours

START = datetime(2026, 11, 16, tzinfo=UTC)
"""A Monday: fixed, so that every run of the demo is the same."""
THIRD_DAY = START + timedelta(days=2)
END = THIRD_DAY + timedelta(hours=19)
AFTERMATH = timedelta(minutes=30)
"""A page this long after an incident's end still belongs to it."""
PROVIDER = "northwind"
DETECTORS = {"outage": "error_rate", "cost_spike": "cost", "input_shift": "input_shift"}

SCRIPTED = (
    Scripted(
        kind="outage",
        agents=tuple(each.name for each in CAST if each.model.provider == PROVIDER),
        start=THIRD_DAY + timedelta(hours=10),
        end=THIRD_DAY + timedelta(hours=10, minutes=30),
        story=f"the model provider {PROVIDER} answers 503 to nearly every call",
    ),
    Scripted(
        kind="cost_spike",
        agents=("claims-intake",),
        start=THIRD_DAY + timedelta(hours=13),
        end=THIRD_DAY + timedelta(hours=14, minutes=30),
        story="a release of claims-intake sends the whole history with each call: six times the tokens",
    ),
    Scripted(
        kind="input_shift",
        agents=("it-helpdesk",),
        start=THIRD_DAY + timedelta(hours=15, minutes=30),
        end=THIRD_DAY + timedelta(hours=17, minutes=30),
        story="a link goes wrong: insurance customers end up at it-helpdesk",
        strangers="claims-intake",
    ),
)

ACTS = (*(each.start - timedelta(minutes=5) for each in SCRIPTED), END)
"""Where the demo waits until everybody has been told: before each incident, and before the end."""

DEMO = Fleet(profiles=CAST, start=START, end=END, scripted=SCRIPTED, seed=1, day=office_hours)


class Found(Struct, frozen=True):
    """A scripted incident and the page that told of it first; None: it was missed."""

    scripted: Scripted
    page: Page | None

    @property
    def delay(self) -> timedelta | None:
        """From the incident's start to its first page."""
        return self.page.time - self.scripted.start if self.page else None


class Verdict(Struct, frozen=True):
    """How well the incidents were found. `false`: pages that no incident explains."""

    found: Sequence[Found]
    false: Sequence[Page]

    @property
    def missed(self) -> Sequence[Scripted]:
        """Incidents that nobody was paged for."""
        return [each.scripted for each in self.found if each.page is None]


def judge(pages: Iterable[Page], scripted: Sequence[Scripted] = SCRIPTED) -> Verdict:
    """Compares pages with the declared truth: a page about its agents and of its kind finds an incident."""
    by_time = sorted(pages, key=lambda page: page.time)
    found = [
        Found(each, next((page for page in by_time if _explains(each, page) and _names(each, page)), None))
        for each in scripted
    ]
    return Verdict(found, [page for page in by_time if not any(_explains(each, page) for each in scripted)])


def _explains(scripted: Scripted, page: Page) -> bool:
    """Whether the page is about an agent of the incident, while it lasts or shortly after."""
    agents = {signal.labels.get("agent") for signal in page.content.signals}
    during = scripted.start <= page.time <= scripted.end + AFTERMATH
    return during and not agents.isdisjoint(scripted.agents)


def _names(scripted: Scripted, page: Page) -> bool:
    """Whether the page is about this kind of incident."""
    return any(signal.detector == DETECTORS[scripted.kind] for signal in page.content.signals)
