"""What must hold whatever a night brings: looked for while it goes on, and once it is over.

Whom routing means is taken from the policy and its tree, which Alertmanager judges elsewhere; what befalls an
incident from there on is told here by other means than the router's own.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from routing.incidents.escalation import climb_timer
from routing.incidents.grouping import groups_of
from routing.incidents.incident import Case, Member, Sent
from routing.incidents.telling import target_key
from routing.policy import ChannelTarget, EscalationTarget, Policy
from routing.router import KEY
from routing.severity import RANK
from schemas.cause import Acknowledged, AnyCause, Configured, Resolved, Signalled, Silenced
from schemas.incident import Incident
from schemas.page import Notice, Page, Update
from schemas.record import Output, Record, Saved
from schemas.signal import Signal
from schemas.wire import Malformed
from tests.simulation.drawn_rules import USERS
from tests.simulation.hearing import heard, silenced
from tests.simulation.night import START, Broken, Night, Onlooker

GRACE = timedelta(minutes=2)
"""What a signal, a page or a timer may take on its way."""
LONG = timedelta(minutes=25)
"""Long enough for every channel, step and round of the drawn rules."""
LONGEST_FOLD = timedelta(hours=1, minutes=10)
"""By default a person gets two pages an hour of one severity; what waits is told by the next."""
RESOLVE_TIMEOUT = timedelta(minutes=10)
DOUBTED = timedelta(minutes=15)
"""How long by default the end of what flaps is not believed."""
SHORTEST_REPEAT = timedelta(minutes=20)
"""Of the drawn rules."""
TAKEN = ("joined", "expiring")
"""Why people are paged about an incident that somebody has: it got worse; a silence ends."""

AT_ONCE = ("fallback", "reassigned")
"""Why somebody may be paged twice at one instant: the first was dead; somebody handed it to them."""


class Promises(Onlooker):
    """Looks on, and raises Broken with the name of what was broken."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.attempts: set[tuple[str, int]] = set()
        self.of: dict[str, list[Page]] = defaultdict(list)
        """First attempts, by incident."""
        self.resolved: set[str] = set()
        """Pages that were told that it is over."""
        self.opened: dict[str, datetime] = {}
        self.status: dict[str, str] = {}
        self.reopened: dict[str, datetime] = {}
        self.audible: dict[str, datetime] = {}
        """Since when an incident is nobody's and may be heard, and nothing about its rules changed."""
        self.lapses: dict[str, tuple[datetime, datetime | None]] = {}
        """When somebody took an incident, and when it is to be everybody's again by the rules of then."""
        self.hearable: dict[str, datetime] = {}
        """Since when an incident that somebody has may be heard."""
        self.doubted: dict[str, tuple[Signal, datetime]] = {}
        """The last end of an incident that flaps, and since when it is not believed."""
        self.done: set[str] = set()
        self.settled: datetime = START
        """Since when the same rules hold."""

    # Each cause.

    def applied(self, night: Night, cause: AnyCause, outputs: list[Output]) -> None:
        if isinstance(cause, Configured):
            self.settled = night.router._state.core.now
            self.audible.clear()
        ahead = (night.router._state.core.now - START).total_seconds() - night.now_s
        night.ahead_s = max(night.ahead_s, ahead)
        self._deeds(night, cause, outputs)
        for output in outputs:
            value = output.value
            if isinstance(value, Notice):
                self._once(value)
            elif isinstance(value, Page):
                self._once(value)
                self._page(night, value, cause)
            elif isinstance(value, Update):
                self._once(value)
                if value.reason == "resolved":
                    self.resolved.add(value.page)
            elif isinstance(value, Incident):
                self._incident(value)
                self._note_lapse(night, value)

    def _once(self, message: Page | Update) -> None:
        key = (message.id, message.attempt)
        if key in self.attempts:
            raise Broken("no attempt twice", f"{message.id} attempt {message.attempt} was given out twice")
        self.attempts.add(key)

    def _incident(self, value: Incident) -> None:
        if self.opened.setdefault(value.id, value.opened) != value.opened:
            raise Broken("ids never collide", f"{value.id} opened twice")
        before = self.status.get(value.id)
        self.status[value.id] = value.status
        if before == "resolved" and value.status != "resolved":
            self.reopened[value.id] = value.time

    def _note_lapse(self, night: Night, value: Incident) -> None:
        """When what somebody took is everybody's again: told by the rules of then, not by later ones.

        Not at the next minute: a router that was down reads both at once.
        """
        case = night.router._state.cases.get(value.id)
        if value.status != "acknowledged":
            self.lapses.pop(value.id, None)
        elif case is not None and case.acknowledged is not None:
            known = self.lapses.get(case.id)
            if known is None or known[0] != case.acknowledged:
                self.lapses[case.id] = (case.acknowledged, _lapses(_policy(night), case))

    def _page(self, night: Night, page: Page, cause: AnyCause) -> None:
        first = self.pages.setdefault(page.id, page)
        same = (first.incident, first.to, first.channel, first.reason)
        if same != (page.incident, page.to, page.channel, page.reason):
            raise Broken("ids never collide", f"{page.id} is two pages")
        case = night.router._state.cases[page.incident]
        if page.attempt > 1:
            self._retried(night, case, page)
            return
        self._new(page, case)
        self._taken(page)
        # What is due at the very instant of a silence comes first.
        is_due = isinstance(cause, Silenced) and page.time.timestamp() == night.due
        if not (is_due or isinstance(cause, Signalled)):
            self._muted(night, case, page)
        self.of[page.incident].append(page)

    def _new(self, page: Page, case: Case) -> None:
        """A page is no repetition, unless it is time for one."""
        for before in self.of[page.incident]:
            if _whose(before) != _whose(page):
                continue
            if "opened" == page.reason == before.reason:
                raise Broken("none repeated", f"{page.to} is told twice that {page.incident} opened")
            if (
                page.reason == "repeated"
                and page.time - before.time < SHORTEST_REPEAT
                and not _may_ask(page, case)
            ):
                raise Broken("none repeated", f"{page.to} is asked again of {page.incident} too soon")
            if before.time == page.time and page.reason not in AT_ONCE and not _is_worse(page, before):
                raise Broken("none repeated", f"{page.to} is paged twice at once of {page.incident}")

    def _taken(self, page: Page) -> None:
        if page.content.status != "acknowledged" or page.reason in TAKEN:
            return
        worse = any(
            each.reason == "joined" and each.content.status == "acknowledged"
            for each in self.of[page.incident]
        )
        if not (worse and page.reason == "fallback"):
            raise Broken("what is taken climbs no more", f"{page.incident} pages {page.to}: {page.reason}")

    @staticmethod
    def _retried(night: Night, case: Case, page: Page) -> None:
        """What somebody answered is not tried again, unless it speaks for others that nobody has yet."""
        sent = case.pages.get(page.id)
        climbs = sent is not None and sent.target in case.climbs
        answered = climbs and case.acknowledged is not None and sent.at < case.acknowledged < page.time
        if answered and not _speaks(night, sent):
            raise Broken("what is taken climbs no more", f"{page.id} is tried again after it was answered")

    def _muted(self, night: Night, case: Case, page: Page) -> None:
        """Nobody is paged of what a silence hides."""
        if page.reason in ("expiring", "reassigned", "fallback"):
            return
        firing = case.firing()
        state, policy = night.router._state, night.router._policy
        assert policy is not None
        same = page.time == state.core.now and page.content.firing == len(firing)
        if firing and same and all(silenced(state, policy, each, page.time) for each in firing):
            raise Broken("what is silenced is quiet", f"{page.incident} pages {page.to}: {page.reason}")

    def _deeds(self, night: Night, cause: AnyCause, outputs: list[Output]) -> None:
        """What people do is done: an incident is theirs, or over."""
        if not isinstance(cause, Acknowledged | Resolved):
            return
        case = night.router._state.cases.get(cause.incident)
        if case is None or self.status.get(case.id) == "resolved" or cause.id in self.done:
            return
        self.done.add(cause.id)
        states = (each.value for each in outputs if isinstance(each.value, Incident))
        if isinstance(cause, Acknowledged) and any(
            (each.id, each.status) == (case.id, "resolved") for each in states
        ):
            return  # What was due before ended it.
        wanted = "acknowledged" if isinstance(cause, Acknowledged) else "resolved"
        if case.status != wanted:
            raise Broken("deeds are done", f"{case.id} is {case.status}, though somebody {wanted} it")

    # Each minute.

    def minute(self, night: Night) -> None:
        if not night.is_up or night.router._policy is None:
            return
        now = night.router._state.core.now
        if night.router.wake_at is not None and night.router.wake_at <= now.timestamp():
            raise Broken("no spin", f"the router waits for {night.router.wake_at}, which is past")
        self._covered(night, night.router._policy, now)
        for case in night.router._state.cases.values():
            self._lapsed(night, case, now)
            self._told(night, night.router._policy, case, now)

    def _covered(self, night: Night, policy: Policy, now: datetime) -> None:
        """Every signal that fires is in an incident of each of its groups; none fires for ever."""
        cases = night.router._state.cases.values()
        places: dict[str, set[str]] = defaultdict(set)
        closed: dict[str, set[str]] = defaultdict(set)
        labels: dict[str, dict[str, str]] = {}
        for case in cases:
            for member in case.firing():
                places[member.signal.id].add(case.key)
                if not case.open:
                    closed[member.signal.id].add(case.key)
                labels[member.signal.id] = member.labels
                doubted = self._is_doubted(case, member, now)
                if case.open and not doubted and now - member.asserted > RESOLVE_TIMEOUT + GRACE:
                    raise Broken("nothing fires for ever", f"{member.signal.id} was last heard long ago")
        for signal in night.firing.values():
            if signal.id not in places:
                raise Broken("no signal lost", f"{signal.id} is in no incident")
            named = {each.key for each in groups_of(policy.route, labels[signal.id])}
            lacking = named - places[signal.id]
            # What somebody closed stands for a group that another policy calls otherwise.
            if len(lacking) > len(closed[signal.id] - named):
                raise Broken("no signal lost", f"{signal.id} lacks in {sorted(lacking)}")

    def _is_doubted(self, case: Case, member: Member, now: datetime) -> bool:
        """Whether a signal counts as firing because its incident flaps, for no longer than it may."""
        if case.ended is None or case.ended.id != member.signal.id:
            return False
        before, since = self.doubted.get(case.id, (None, now))
        if before != case.ended:
            since = now
        self.doubted[case.id] = (case.ended, since)
        return now - since <= DOUBTED + GRACE

    def _lapsed(self, night: Night, case: Case, now: datetime) -> None:
        """What somebody took is everybody's again when they do nothing."""
        if case.status != "acknowledged":
            return
        _, lapses = self.lapses[case.id]
        if not heard(night.router._state, _policy(night), case, now):
            self.hearable.pop(case.id, None)
            return
        since = max(lapses or now, self.settled, self.hearable.setdefault(case.id, now))
        if now > since + LONG:
            raise Broken("an acknowledgement lapses", f"{case.id} is {case.acknowledged_by}'s for ever")

    def _told(self, night: Night, policy: Policy, case: Case, now: datetime) -> None:
        """What may be heard is told to each target of its receiver, and arrives."""
        state = night.router._state
        if case.status != "triggered" or not case.receiver or not heard(state, policy, case, now):
            self.audible.pop(case.id, None)
            return
        since = max(self.audible.setdefault(case.id, now), self.reopened.get(case.id, case.opened))
        route = state.route(policy, case) or policy.route
        if now - since <= route.group_wait + route.group_interval + GRACE:
            return
        self._climbing(case)
        for target in _targets(policy, case):
            folded = _is_folded(case, target_key(target))
            if not folded and not any(_is_for(target, page, case) for page in self._since(case)):
                raise Broken("no page lost", f"{case.id} is told to {target}, and was not")
        well = START + timedelta(seconds=night.trouble_s + max(0.0, night.ahead_s))
        for held in case.withheld.values():
            if now - max(since, held.since) > LONGEST_FOLD:
                raise Broken("what waits is told", f"{held.to} has not heard of {case.id} since {held.since}")
        if _targets(policy, case) and now - max(since, well) > LONG and not self._arrived(night, case):
            raise Broken("no page lost", f"nobody got a page of {case.id}")

    @staticmethod
    def _climbing(case: Case) -> None:
        for key, climb in case.climbs.items():
            if case.status == "triggered" and not climb.finished and climb_timer(key) not in case.timers:
                raise Broken("what nobody takes climbs", f"{case.id} stands still at {climb.step} of {key}")

    def _since(self, case: Case) -> Iterator[Page]:
        """Pages of the incident since it fires again, if it does."""
        begun = self.reopened.get(case.id, case.opened)
        return (page for page in self.of[case.id] if page.time >= begun)

    def _arrived(self, night: Night, case: Case) -> bool:
        arrived = night.office.arrived
        told = any(page.id in arrived for page in self.of[case.id] if page.reason != "expiring")
        return told or bool(case.withheld) or any(each.page in arrived for each in case.folded.values())

    # The end.

    def calm(self, night: Night) -> None:
        self.minute(night)
        last = night.router.save(KEY)
        if night.snapshots and _folded(night, night.snapshots[0]) != last:
            raise Broken("state equals replay's", "from the oldest snapshot on")

    def over(self, night: Night) -> None:
        self._replays(night)
        state = night.router._state
        if not_over := [case.id for case in state.cases.values() if case.open]:
            raise Broken("all is resolved", f"{not_over} are open though nothing fires")
        if state.cases:
            raise Broken("nothing without bound", f"{sorted(state.cases)} are not forgotten")
        if night.router.wake_at is not None:
            raise Broken("no spin", f"the router still waits for {night.router.wake_at}")
        for page_id in night.office.arrived:
            self._resolved(page_id)
        for page_id, excused in _taken_by_channels(night).items():
            if excused < 0:
                raise Broken("none repeated", f"{page_id} was taken {-excused} times too often")

    def _resolved(self, page_id: str) -> None:
        page = self.pages.get(page_id)
        if page is None or page_id in self.resolved:
            return
        if page.channel.target == "env:HOOK" or page.content.instead.endswith("(webhook)"):
            return  # It wants none.
        raise Broken("resolved follows every page", f"{page_id} of {page.incident} to {page.to}")

    @staticmethod
    def _replays(night: Night) -> None:
        """The log gives the same state, folded at once or from a snapshot on, however often it was saved."""
        last = night.router.save(KEY)
        for begin in (None, *night.snapshots[:1]):
            again = _folded(night, begin)
            if again != last:
                first = begin.applied + 1 if begin else 0
                raise Broken("state equals replay's", f"from {first} on: {_differing(again, last)}")


def _is_folded(case: Case, target: str) -> bool:
    """Whether a page waits for a limit, or another incident's page spoke for it."""
    return any(each.target == target for each in (*case.withheld.values(), *case.folded.values()))


def _policy(night: Night) -> Policy:
    policy = night.router._policy
    assert policy is not None
    return policy


def _lapses(policy: Policy, case: Case) -> datetime | None:
    """When the acknowledgement of an incident is over."""
    assert case.acknowledged is not None
    names = (climb.escalation for climb in case.climbs.values())
    waits = [each.ack_timeout for name in names if (each := policy.escalations.get(name))]
    wait = min((each for each in waits if each), default=None)
    return case.snoozed or (None if wait is None else case.acknowledged + wait)


def _speaks(night: Night, sent: Sent) -> bool:
    """Whether a page is how somebody is to hear of other incidents, which nobody has."""
    cases = night.router._state.cases
    waiting = (cases[each] for each in sent.speaks if each in cases and cases[each].status == "triggered")
    return any(
        folded.page == sent.id and not folded.over for each in waiting for folded in each.folded.values()
    )


def _whose(page: Page) -> tuple[object, ...]:
    """Whom a page is for: the room of a drill gets what several channels would have got."""
    return page.channel, page.to, page.content.instead


def _may_ask(page: Page, case: Case) -> bool:
    """Whether a page may come again so soon: to people who are climbed anew, or after a snooze."""
    return page.to in USERS or any(each.did == "snoozed" for each in case.deeds)


def _is_worse(page: Page, before: Page) -> bool:
    return page.reason == "joined" and RANK[page.severity] > RANK[before.severity]


def _folded(night: Night, begin: Saved | None) -> Saved:
    router = night.make()
    if begin is not None:
        router.load(KEY, begin)
    for offset in range(begin.applied + 1 if begin else 0, len(night.log)):
        with suppress(Malformed):
            router.apply(Record(offset, night.log[offset]))
    return router.save(KEY)


def _differing(one: Saved, other: Saved) -> str:
    fields = [name for name in ("applied", "body", "wake_at") if getattr(one, name) != getattr(other, name)]
    names = sorted(one.parts.keys() | other.parts.keys())
    return ", ".join([*fields, *(name for name in names if one.parts.get(name) != other.parts.get(name))])


def _targets(policy: Policy, case: Case) -> list[ChannelTarget | EscalationTarget]:
    receiver = policy.receivers.get(case.receiver)
    found = receiver.notify if receiver else ()
    handed = bool(case.assigned)
    channels = [each for each in found if isinstance(each, ChannelTarget) and each.digest is None]
    return [*channels, *(each for each in found if isinstance(each, EscalationTarget) and not handed)]


def _is_for(target: ChannelTarget | EscalationTarget, page: Page, case: Case) -> bool:
    if isinstance(target, ChannelTarget):
        own = f"{page.to} ({target.channel.kind})"
        return page.channel == target.channel or page.content.instead == own
    climbed = page.reason in ("escalated", "fallback") or page.to not in ("logbook", case.receiver)
    return climbed and page.reason != "expiring"


def _taken_by_channels(night: Night) -> dict[str, int]:
    """How much less often than excused each message was taken, once being always right."""
    taken: dict[str, int] = defaultdict(lambda: 1)
    for _, message in night.office.received:
        taken[message.id] -= 1
    return {page_id: left + night.office.excused[page_id] for page_id, left in taken.items()}
