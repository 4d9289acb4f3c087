"""How much paging asks of people, and what pages that nobody needed: from pages and what became of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.policy import Policy
from routing.schedule import schedules_in
from schemas.incident import Incident
from schemas.page import Page
from schemas.signal import Signal

OFFICE_HOURS = range(8, 18)
SATURDAY = 5
BRIEF = timedelta(minutes=10)
"""An incident that is over within this time, and that nobody took, was over before anybody could act."""
MOST_A_SHIFT = 2
"""Pages a shift beyond which people wear out (Google's SRE book, chapter 11: two incidents at most)."""
FEWEST = 3
"""Pages of one kind below which nothing is suggested."""
USELESS = 0.3
"""The share of false alarms, or of what was over by itself, from which on a change is suggested."""


class Load(Struct, frozen=True):
    """What one recipient got. `worst_shift`: pages in one shift, or on one day of who has none.

    `acknowledged`: pages of incidents that were taken; `acknowledged_within_s`: the median wait for it.
    """

    to: str
    pages: int
    out_of_hours: int
    worst_shift: int
    acknowledged: int
    acknowledged_within_s: float | None


class Noise(Struct, frozen=True):
    """What one kind of finding paged. `brief`: incidents over within ten minutes that nobody took.

    A page that speaks for several incidents is one page, of its first incident's kind; each of them is an
    incident of its own kind.
    """

    finding: str
    pages: int
    incidents: int
    false_alarms: int
    useful: int
    brief: int


class Drills(Struct, frozen=True):
    """What fire drills made, which counts nowhere else: how many there were, and pages of theirs."""

    drills: int = 0
    pages: int = 0


class Fatigue(Struct, frozen=True):
    """The report. `false_alarm_share`: of the incidents that somebody judged; None: nobody judged any."""

    loads: Sequence[Load]
    noises: Sequence[Noise]
    false_alarm_share: float | None
    suggestions: Sequence[str]
    drilled: Drills = Drills()


class Ledger:
    """Takes pages and incidents in order of time; grows with both."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._pages: list[Page] = []
        self._drilled: list[Page] = []
        self._incidents: dict[str, Incident] = {}
        self._taken: dict[str, datetime] = {}
        self._findings: dict[str, str] = {}
        """The kind of finding, by signal."""
        self._kinds: dict[str, str] = {}
        """The kind of the first finding, by incident."""
        self._folded: dict[str, None] = {}
        """Incidents that were told by the page of another."""

    def signal(self, signal: Signal) -> None:
        """A signal, before the incident that it opens: what an incident is about."""
        self._findings[signal.id] = f"{signal.detector}/{signal.finding}"

    def page(self, page: Page) -> None:
        """A page that was sent; a later attempt at the same page is none."""
        if page.attempt == 1:
            (self._drilled if page.content.drill else self._pages).append(page)

    def incident(self, incident: Incident) -> None:
        """An incident as it is now."""
        if incident.drill:
            return
        self._incidents[incident.id] = incident
        for kind in (self._findings[each] for each in incident.signals if each in self._findings):
            self._kinds.setdefault(incident.id, kind)
        if incident.folded:
            self._folded[incident.id] = None
        if incident.status == "acknowledged":
            self._taken.setdefault(incident.id, incident.time)

    def report(self) -> Fatigue:
        """What it comes to so far."""
        by_person: dict[str, list[Page]] = defaultdict(list)
        for page in self._pages:
            by_person[page.to].append(page)
        loads = sorted(
            (self._load(*each) for each in by_person.items()), key=lambda each: (-each.pages, each.to)
        )
        noises = sorted(self._noises(), key=lambda each: (-each.pages, each.finding))
        judged = [each for each in self._incidents.values() if each.feedback]
        false = sum(_is_false_alarm(each) for each in judged)
        share = false / len(judged) if judged else None
        drills = Drills(len({each.content.drill for each in self._drilled}), len(self._drilled))
        return Fatigue(loads, noises, share, list(_advised(loads, noises)), drills)

    def _load(self, to: str, pages: Sequence[Page]) -> Load:
        user = self._policy.users.get(to)
        place = ZoneInfo(user.timezone if user else "UTC")
        waits = [wait for each in pages for wait in self._waits(each)[:1]]
        return Load(
            to=to,
            pages=len(pages),
            out_of_hours=sum(_is_off(each.time.astimezone(place)) for each in pages),
            worst_shift=self._worst_shift(to, pages, place),
            acknowledged=len(waits),
            acknowledged_within_s=median(waits) if waits else None,
        )

    def _waits(self, page: Page) -> list[float]:
        """Seconds until somebody took what a page tells of, the least first; nothing if nobody did."""
        taken = [self._taken[each] for each in _incidents_of(page) if each in self._taken]
        return sorted((each - page.time).total_seconds() for each in taken if each >= page.time)

    def _worst_shift(self, to: str, pages: Sequence[Page], place: ZoneInfo) -> int:
        """The most pages in one shift; what comes outside of shifts counts by day."""
        start, end = pages[0].time, pages[-1].time + timedelta(seconds=1)
        shifts = [
            (shift.start, shift.end)
            for schedule in schedules_in(self._policy.schedules).values()
            for shift in schedule.shifts(start, end)
            if shift.user == to
        ]
        found: Counter[object] = Counter()
        for page in pages:
            mine = next((each for each in shifts if each[0] <= page.time < each[1]), None)
            found[mine or page.time.astimezone(place).date()] += 1
        return max(found.values())

    def _noises(self) -> Iterator[Noise]:
        pages: Counter[str] = Counter()
        by_finding: dict[str, dict[str, None]] = defaultdict(dict)
        for page in self._pages:
            finding = self._finding(page)
            pages[finding] += 1
            by_finding[finding][page.incident] = None
        alone = {page.incident for page in self._pages}
        for name in self._folded:
            if name not in alone and name in self._kinds:
                by_finding[self._kinds[name]][name] = None
        for finding, names in by_finding.items():
            incidents = [self._incidents[name] for name in names if name in self._incidents]
            yield Noise(
                finding=finding,
                pages=pages[finding],
                incidents=len(names),
                false_alarms=sum(map(_is_false_alarm, incidents)),
                useful=sum(each.feedback.get("useful", 0) > 0 for each in incidents),
                brief=sum(self._was_brief(each) for each in incidents),
            )

    def _finding(self, page: Page) -> str:
        """The kind of the worst finding when the page was sent; of a storm, its first incident's."""
        signals = page.content.signals
        if signals:
            return f"{signals[0].detector}/{signals[0].finding}"
        return self._kinds.get(page.incident, page.reason)

    def _was_brief(self, incident: Incident) -> bool:
        over = incident.resolved
        return over is not None and over - incident.opened <= BRIEF and incident.id not in self._taken


def _incidents_of(page: Page) -> tuple[str, ...]:
    """The incident that a page is of and, of a storm's, the few others that it names."""
    storm = page.content.storm
    others = storm.worst if storm and storm.told else ()
    return (page.incident, *(each.incident for each in others if each.incident != page.incident))


def _is_false_alarm(incident: Incident) -> bool:
    return incident.feedback.get("false_alarm", 0) > incident.feedback.get("useful", 0)


def _is_off(local: datetime) -> bool:
    return local.weekday() >= SATURDAY or local.hour not in OFFICE_HOURS


def _advised(loads: Iterable[Load], noises: Iterable[Noise]) -> Iterator[str]:
    for noise in noises:
        if noise.incidents < FEWEST:
            continue
        if noise.false_alarms >= USELESS * noise.incidents:
            yield (
                f"{noise.finding}: {noise.false_alarms} of {noise.incidents} incidents were false alarms: "
                f"lower its severity (severity: base: {{{noise.finding}: …}}), or accept what is normal there"
            )
        elif noise.brief >= USELESS * noise.incidents:
            yield (
                f"{noise.finding}: {noise.brief} of {noise.incidents} incidents were over within "
                f"{BRIEF.seconds // 60} minutes and nobody took them: wait longer before paging (group_wait)"
            )
    for load in loads:
        if load.worst_shift > MOST_A_SHIFT:
            yield (
                f"{load.to}: {load.worst_shift} pages in one shift: beyond {MOST_A_SHIFT} people wear out; "
                "share the load, or see what paged most"
            )


def shares(noises: Sequence[Noise]) -> Mapping[str, float]:
    """The share of all pages that each kind of finding sent, in [0, 1]."""
    total = sum(each.pages for each in noises)
    return {each.finding: each.pages / total for each in noises}
