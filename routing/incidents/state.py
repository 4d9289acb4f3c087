"""The router's state: incidents and silences, with the indexes that find an incident without a search."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Literal

from msgspec import field

from routing.incidents.incident import Case, Kept, Member, Sent
from routing.incidents.index import Index, Tally
from routing.incidents.inhibition import Sources
from routing.incidents.timers import Timers
from routing.matchers import Matcher
from routing.policy import InhibitRule, Policy, Route
from routing.tree import nodes
from schemas.page import Channel, Notice, Severity

OPEN_CAP = 20_000
"""Open incidents; at the cap, signals of new groups join one overflow incident of the root route."""
KEPT_CAP = 40_000
"""Incidents, resolved ones included; at the cap the one that was resolved first is forgotten."""
PASSED_OVER = 32
"""So many are looked at for one whose pages speak for no other that is open."""
SILENCE_CAP = 1_000
"""Silences that hold; further ones are refused."""
BUCKETS = 256
START = datetime.fromtimestamp(0, UTC)


class Silence(Kept):
    """What matches is not paged from `since` to `until`."""

    id: str
    matchers: tuple[Matcher, ...]
    by: str
    until: datetime
    comment: str = ""
    since: datetime = START

    def holds(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.since <= at < self.until


class Handover(Kept):
    """A shift of a schedule whose handoffs are told: who is on call `since` when, and when it ends (`at`).

    `due`: when something is to be done next. `noticed`: its end was announced. `pages`, `incidents`: of the
    shift so far; `seen`: the latest of these.
    """

    on_call: tuple[str, ...]
    since: datetime
    due: datetime
    at: datetime | None = None
    noticed: bool = False
    pages: int = 0
    incidents: int = 0
    seen: tuple[str, ...] = ()


class Unheard(Kept):
    """A notice of which nothing was heard yet; the next attempt is `due`. `schedule`: whose, or empty.

    `rest`: for whom it is, and over which channel, if it does not get through.
    """

    notice: Notice
    schedule: str
    due: datetime
    rest: tuple[tuple[str, Channel], ...] = ()


class Drill(Kept):
    """A fire drill that was announced `at`. `channel`: where its messages go instead of to people.

    `name`: of a drill that the configuration plans. `over`: what became of it is known.
    `owner`: who announced it first, and plays it. `ended`: when that was known. `until`: when it is over at
    the latest.
    """

    by: str
    agent: str
    at: datetime
    channel: Channel | None = None
    name: str = ""
    over: bool = False
    owner: str = ""
    ended: datetime | None = None
    until: datetime | None = None


class Spent(Kept):
    """A page that somebody got."""

    at: datetime
    case: str
    page: str


class Budget(Kept):
    """The last pages of one severity that somebody got; how many incidents ended without one since."""

    pages: tuple[Spent, ...] = ()
    ended: int = 0


class News(Kept):
    """What happened last to an incident: it opened, got worse, or is over since `at`."""

    kind: Literal["new", "worse", "over"]
    severity: Severity
    score: int
    opened: datetime
    words: str
    at: datetime | None = None


class Digest(Kept):
    """What a channel hears of at `due`. `news`: by incident. `more`: changes for which no room was."""

    receiver: str
    channel: Channel
    period: timedelta
    due: datetime
    tells_ends: bool = True
    news: dict[str, News] = field(default_factory=dict)
    more: int = 0


class Refusal(Kept):
    """A channel that took nothing `since`; `last`: when it last refused a page, `to` whom, and why.

    `taken`: when it took something again. That is remembered for a while, so that it can be said.
    """

    kind: str
    target: str
    to: str
    since: datetime
    last: datetime
    reason: str
    taken: datetime | None = None


class Core(Kept):
    """The small part of the state. `counts`: what was ignored, dropped or capped, by what it was.

    `noticed`: the end of each silence of which a notice was given. `covers`: by agent and environment, what
    covers other signals: its onset and when it was last asserted.
    """

    now: datetime = START
    clock: Literal["wall", "events"] = "wall"
    silences: dict[str, Silence] = field(default_factory=dict)
    noticed: dict[str, datetime] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    handovers: dict[str, Handover] = field(default_factory=dict)
    """By schedule."""
    unheard: dict[str, Unheard] = field(default_factory=dict)
    handoff_at: datetime | None = None
    """When the first of these is due; None: schedules are not followed yet."""
    covers: dict[str, dict[str, tuple[datetime, datetime]]] = field(default_factory=dict)
    drills: dict[str, Drill] = field(default_factory=dict)
    """Fire drills that were announced within a day, by id."""
    plans: dict[str, datetime] = field(default_factory=dict)
    """Up to when it is known of each planned drill that it took place, or was told that it did not."""
    budgets: dict[str, Budget] = field(default_factory=dict)
    """By recipient and severity."""
    ends: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """When groups ended lately (POSIX seconds), by their key; the one that ended last comes last."""
    digests: dict[str, Digest] = field(default_factory=dict)
    """By receiver and channel; those of which something is to be told."""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    """By channel; the one that refused last comes last."""


class State:
    """All that decisions rest on: `core` and `cases` are saved, the rest is found again from them."""

    open = 0

    def __init__(self, core: Core, cases: Iterable[Case] = ()) -> None:
        self.core = core
        self.cases: dict[str, Case] = {case.id: case for case in cases}
        self.buckets: list[dict[str, Case]] = [{} for _ in range(BUCKETS)]
        self.changed: set[int] = set()
        """Buckets with incidents that changed since they were saved."""
        self.timers = Timers(self.cases)
        self.groups: dict[str, str] = {}
        """The incident that further signals of a group join, by the group's key."""
        self.by_signal, self.by_agent, self.by_team = Index(), Index(), Index()
        self.hushed = Index()
        """The incidents that an incident keeps quiet."""
        self.digested = Index()
        """The open incidents of which a digest tells."""
        self.waiting = Index()
        """The incidents of which a page waits, by budget."""
        self.detectors = Tally()
        """How many findings of each detector fire, by agent."""
        self.messages: dict[str, tuple[str, str]] = {}
        """Incident and page, by the id of a page or of an update."""
        self.speakers: dict[str, dict[str, str]] = {}
        """By the incidents that pages of others speak for: those pages, and whose they are."""
        self._resolved: list[tuple[datetime, str]] = []
        self._sources: tuple[tuple[InhibitRule, ...], Sources] | None = None
        self._tree: tuple[Route, dict[tuple[str, str], Route]] | None = None
        for case in self.cases.values():
            self._found(case)

    def count(self, what: str) -> None:
        """Counts one thing that was ignored, dropped or capped."""
        self.core.counts[what] = self.core.counts.get(what, 0) + 1

    def touch(self, case: Case) -> None:
        """Notes that an incident changed, so that it is saved."""
        self.changed.add(bucket(case.id))

    def beside(self, agent: str) -> Collection[str]:
        """Names of the detectors that fire for an agent."""
        return self.detectors.names(agent)

    def route(self, policy: Policy, case: Case) -> Route | None:
        """The incident's route, if the policy still has it."""
        if self._tree is None or self._tree[0] is not policy.route:
            self._tree = (policy.route, {(each.id, each.receiver): each for each in nodes(policy.route)})
        return self._tree[1].get((case.route, case.receiver))

    def sources(self, policy: Policy) -> Sources:
        """What may mute others by the policy's rules, found anew for other rules."""
        if self._sources is None or self._sources[0] is not policy.inhibit_rules:
            found = Sources(policy.inhibit_rules)
            for case in self.cases.values():
                for member in case.firing():
                    found.add(member.labels, member.signal.id)
            self._sources = (policy.inhibit_rules, found)
        return self._sources[1]

    def hush(self, case: Case, by: tuple[str, ...]) -> None:
        """Notes which incidents keep this one quiet."""
        for each in case.hushed_by:
            self.hushed.drop(each, case)
        case.hushed_by = by
        for each in by:
            self.hushed.put(each, case)
        self.touch(case)

    def add(self, case: Case) -> None:
        """Takes in a new incident; at the cap, another makes room."""
        while len(self.cases) >= KEPT_CAP and self._resolved:
            self._make_room()
        self.cases[case.id] = case
        self._found(case)
        self.touch(case)

    def put(self, case: Case, member: Member) -> None:
        """Takes a signal that fires into an incident."""
        case.members[member.signal.id] = member
        self.by_signal.put(member.signal.id, case)
        if not member.is_drill:
            self.detectors.add(member.labels.get("agent", ""), member.signal.detector)
        if self._sources is not None:
            self._sources[1].add(member.labels, member.signal.id)

    def renew(self, case: Case, member: Member) -> None:
        """Replaces what is known of a signal that fires in an incident."""
        self.quiet(case.members[member.signal.id])
        self.put(case, member)

    def quiet(self, member: Member) -> None:
        """Notes that a member no longer fires; call it before its record says so."""
        if not member.is_drill:
            self.detectors.drop(member.labels.get("agent", ""), member.signal.detector)
        if self._sources is not None:
            self._sources[1].drop(member.labels, member.signal.id)

    def remove(self, case: Case, member: Member) -> None:
        """Takes a signal out of an incident."""
        if member.fires:
            self.quiet(member)
        self.by_signal.drop(member.signal.id, case)
        del case.members[member.signal.id]

    def close(self, case: Case) -> None:
        """Notes that an incident was resolved: it is no longer related to others."""
        self.open -= 1
        if not case.drill:
            self.by_agent.drop(case.agent, case)
            self.by_team.drop(case.team, case)
        heappush(self._resolved, (case.resolved or START, case.id))

    def reopen(self, case: Case) -> None:
        """Notes that a resolved incident fires again."""
        self.open += 1
        self._relate(case)

    def claim(self, case: Case) -> None:
        """Lets further signals of the group join this incident."""
        case.joinable = True
        self.groups[case.key] = case.id

    def release(self, case: Case) -> None:
        """Lets further signals of the group open an incident of their own."""
        if case.joinable:
            case.joinable = False
            del self.groups[case.key]

    def forget(self, case: Case) -> None:
        """Drops a resolved incident."""
        self.release(case)
        self.timers.disarm_all(case)
        for member in tuple(case.members.values()):
            self.remove(case, member)
        for page_id in tuple(case.pages):
            self.forget_page(case, page_id)
        self.speakers.pop(case.id, None)
        del self.cases[case.id]
        del self.buckets[bucket(case.id)][case.id]
        self.touch(case)

    def sent(self, case: Case, page: Sent) -> None:
        """Notes a page: whose it is, and for which other incidents it speaks."""
        self.messages[page.id] = (case.id, page.id)
        for each in page.speaks:
            self.speakers.setdefault(each, {})[page.id] = case.id

    def forget_page(self, case: Case, page_id: str) -> None:
        """Drops a page: what is reported of it from here on is ignored."""
        page = case.pages.pop(page_id)
        for each in page.speaks:
            self.speakers.get(each, {}).pop(page_id, None)
        self.messages.pop(page_id, None)
        if page.edit is not None:
            self.messages.pop(page.edit.id, None)

    def speaks(self, case: Case) -> bool:
        """Whether a page of an incident speaks for another one that is open: that page is to end with it."""
        found = (self.cases.get(each) for sent in case.pages.values() for each in sent.speaks)
        return any(each is not None and each.open for each in found)

    def _make_room(self) -> None:
        """Forgets the incident that was resolved first, or one soon after it while that speaks for others."""
        passed = self._first_resolved()
        case_id = next((each for each in passed if not self.speaks(self.cases[each])), next(iter(passed), ""))
        if passed.pop(case_id, None) is not None:
            self.forget(self.cases[case_id])
            self.count("incidents forgotten at the cap")
        for each, at in passed.items():
            heappush(self._resolved, (at, each))

    def _first_resolved(self) -> dict[str, datetime]:
        """Takes out those that were resolved first, up to one that speaks for no other."""
        found: dict[str, datetime] = {}
        while self._resolved and len(found) < PASSED_OVER:
            at, case_id = heappop(self._resolved)
            case = self.cases.get(case_id)
            if case is None or case.open or case.resolved != at:
                continue
            found[case_id] = at
            if not self.speaks(case):
                break
        return found

    def _relate(self, case: Case) -> None:
        if not case.drill:
            self.by_agent.put(case.agent, case)
            self.by_team.put(case.team, case)

    def _found(self, case: Case) -> None:
        """Files an incident, new or restored, wherever it is looked for."""
        self.buckets[bucket(case.id)][case.id] = case
        if case.open:
            self.reopen(case)
        else:
            heappush(self._resolved, (case.resolved or START, case.id))
        if case.joinable:
            self.groups[case.key] = case.id
        self._file(case)
        for member in case.members.values():
            self.by_signal.put(member.signal.id, case)
            if member.fires and not member.is_drill:
                self.detectors.add(member.labels.get("agent", ""), member.signal.detector)
        for sent in case.pages.values():
            self.sent(case, sent)
            if sent.edit is not None:
                self.messages[sent.edit.id] = (case.id, sent.id)

    def _file(self, case: Case) -> None:
        for each in case.hushed_by:
            self.hushed.put(each, case)
        for page in case.withheld.values():
            self.waiting.put(page.budget, case)
        for key in case.digests:
            self.digested.put(key, case)


def bucket(case_id: str) -> int:
    """The bucket an incident is saved in: the last two hexadecimal digits of its id."""
    return int(case_id[-2:], 16)
