"""Fire drills that come again: when they are due, that each begins once, what is told of them."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import convert
from msgspec.structs import replace

from routing.checking import check
from routing.incidents.drill_times import LATE, LONGEST, MOST_AT_ONCE, QUEUED, REST, USUAL
from routing.incidents.drills import NOT_BEGUN
from routing.planned_drills import DRILLED, last_due, run_of, skipped
from routing.policy import PlannedDrill
from schemas.cause import Concluded, Drilled
from schemas.event import DrillId
from schemas.outcome import Delivered
from streams.drilling.scenarios import SCENARIOS
from tests.routing.configs import LEAST, files
from tests.routing.scenario import HOUR, MINUTE, START, Scenario

DAY = timedelta(days=1)
TUESDAY = PlannedDrill(
    name="provider down",
    scenario="dependency/outage",
    agent="a",
    minute=600,
    weekday=2,
    location="Europe/London",
)
PLANNED = """
route: {receiver: triage, group_by: [agent]}
receivers:
- {name: triage, notify: [{pagerduty: 'env:PD'}, {slack: '#triage'}]}
drills:
- {name: weekly, scenario: cost/spike, agent: refund-agent, every: {weekday: monday, time: '09:30'}%s}
"""
OF_PEOPLE = """
route: {receiver: people, group_by: [agent]}
receivers: [{name: people, notify: [{escalation: payments}, {escalation: '{{ labels.team }}'}]}]
users: {ana: {%s}}
escalations:
  payments: {steps: [{notify: [user: ana], via: [pagerduty], wait: 5m}]}
drills:
- {name: weekly, scenario: cost/spike, agent: refund-agent, every: {weekday: monday, time: '09:30'}}
"""
RUN = "cost/spike:weekly-1bd178-20260105T0930Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestWhen:
    @pytest.mark.parametrize(
        ("now", "due"),
        [
            ("2026-01-06T09:59:59", None),
            ("2026-01-06T10:00:00", "2026-01-06T10:00:00"),
            ("2026-01-07T09:59:00", "2026-01-06T10:00:00"),
            ("2026-01-07T10:00:00", None),
            ("2026-07-07T09:00:00", "2026-07-07T09:00:00"),
        ],
    )
    def test_it_is_due_by_the_clocks_of_its_place(self, now, due):
        assert last_due(TUESDAY, at(now)) == (at(due) if due else None)

    def test_days_of_the_month_and_every_day(self):
        monthly = PlannedDrill(name="m", scenario="cost/spike", agent="a", minute=0, day=31)
        daily = PlannedDrill(name="d", scenario="cost/spike", agent="a", minute=1439)
        assert last_due(monthly, at("2026-01-31T12:00")) == at("2026-01-31T00:00")
        assert last_due(monthly, at("2026-02-28T12:00")) is None
        assert last_due(daily, at("2026-02-28T12:00")) == at("2026-02-27T23:59")

    def test_midnight_at_the_end_of_a_day_is_that_days(self):
        end = PlannedDrill(name="e", scenario="cost/spike", agent="a", minute=1440, weekday=2)
        assert last_due(end, at("2026-01-07T00:05")) == at("2026-01-07T00:00")
        assert last_due(end, at("2026-01-06T00:05")) is None

    def test_a_time_that_clocks_skip_comes_as_they_go_on_and_is_told(self):
        night = PlannedDrill(
            name="n", scenario="cost/spike", agent="a", minute=90, weekday=0, location="Europe/London"
        )
        assert last_due(night, at("2026-03-29T02:00")) == at("2026-03-29T01:00")
        assert list(skipped(night, at("2026-03-01T00:00"), 60)) == [datetime(2026, 3, 29, 1, 30)]  # noqa: DTZ001 - wall time
        assert list(skipped(TUESDAY, at("2026-03-01T00:00"), 366)) == []

    def test_a_run_has_an_id_that_an_event_can_carry(self):
        run = run_of(TUESDAY, at("2026-01-06T10:00"))
        assert run == "dependency/outage:provider-down-806785-20260106T1000Z"

    def test_names_that_an_id_cannot_tell_apart_and_agents_have_runs_of_their_own(self):
        alike = [replace(TUESDAY, name=name) for name in ("a b", "a-b", "x" * 200, "x" * 201)]
        runs = {run_of(each, START) for each in (*alike, replace(alike[0], agent="b"))}
        assert len(runs) == 5
        for each in runs:
            convert(each, DrillId)

    def test_the_scenarios_are_those_that_there_are(self):
        assert list(DRILLED) == list(SCENARIOS)


class TestTheRouter:
    def test_it_is_due_until_it_is_announced_and_not_when_it_is_too_late(self):
        t = Scenario(PLANNED % "")
        router = t.router
        assert router.drills_due(START) == ()
        (due,) = router.drills_due(START + 30 * MINUTE)
        assert (due.id, due.planned.agent) == (RUN, "refund-agent")
        assert router.drills_due(START + 30 * MINUTE + LATE)
        assert router.drills_due(START + 31 * MINUTE + LATE) == ()
        announce(t, 30 * MINUTE)
        assert router.drills_due(START + 30 * MINUTE) == ()

    def test_after_a_restart_it_does_not_begin_again(self):
        t = Scenario(PLANNED % "")
        announce(t, 30 * MINUTE)
        t.restart()
        assert t.router.drills_due(START + 31 * MINUTE) == ()

    def test_who_announced_it_first_owns_it(self):
        t = Scenario(PLANNED % "")
        assert t.router.drill_owner(RUN) is None
        for owner in ("worker 1", "worker 2"):
            t.write(Drilled(at=t.now, id=RUN, by="schedule", agent="a", name="weekly", owner=owner))
        assert t.router.drill_owner(RUN) == "worker 1"

    def test_without_a_configuration_nothing_is_due(self):
        assert type(Scenario().router)().drills_due(START) == ()

    def test_one_that_was_cut_off_is_known_after_a_while(self):
        t = Scenario(PLANNED % "")
        announce(t, 30 * MINUTE)
        begun = START + 30 * MINUTE
        assert t.router.drills_cut_off(begun + USUAL - MINUTE) == ()
        assert t.router.drills_cut_off(begun + USUAL) == (RUN,)
        t.write(Concluded(at=t.now, id=RUN))
        assert t.router.drills_cut_off(begun + USUAL) == ()

    @pytest.mark.parametrize(("says", "ends"), [(25 * MINUTE, 25 * MINUTE), (DAY, LONGEST)])
    def test_one_that_says_when_it_is_over_is_cut_off_then_if_that_is_soon(self, says, ends):
        t = Scenario(PLANNED % "")
        until = t.now + says
        t.write(Drilled(at=t.now, id=RUN, by="schedule", agent="a", name="weekly", until=until))
        assert t.router.drills_cut_off(START + ends - MINUTE) == ()
        assert t.router.drills_cut_off(START + ends) == (RUN,)


SEVERAL = """
route: {receiver: triage, group_by: [agent]}
receivers: [{name: triage, notify: [{slack: '#triage'}]}]
drills:
"""


def several(*agents: str) -> Scenario:
    """A drill of each agent, at 09:30 every day."""
    drills = (
        f"- {{name: d{n}, scenario: cost/spike, agent: {agent}, every: {{time: '09:30'}}}}\n"
        for n, agent in enumerate(agents)
    )
    return Scenario(SEVERAL + "".join(drills))


def names(t: Scenario, after: timedelta) -> list[str]:
    return [each.planned.name for each in t.router.drills_due(START + after)]


class TestAtTheSameMinute:
    def test_those_of_several_agents_begin_beside_each_other(self):
        t = several("a", "b", "c")
        assert names(t, 30 * MINUTE) == ["d0", "d1", "d2"]
        announce(t, 30 * MINUTE)
        assert names(t, 30 * MINUTE) == ["d1", "d2"]

    def test_few_at_once(self):
        t = several(*(f"a{n}" for n in range(MOST_AT_ONCE + 2)))
        assert len(names(t, 30 * MINUTE)) == MOST_AT_ONCE
        begun = announce(t, 30 * MINUTE)
        assert names(t, 30 * MINUTE) == [f"d{n}" for n in range(1, MOST_AT_ONCE)]
        t.write(Concluded(at=t.now, id=begun))
        assert names(t, 30 * MINUTE)[-1] == f"d{MOST_AT_ONCE}"

    def test_of_one_agent_they_begin_one_after_the_other_and_none_is_late_for_it(self):
        t = several("a", "a", "a")
        assert names(t, 30 * MINUTE) == ["d0"]
        first = announce(t, 30 * MINUTE)
        assert names(t, 41 * MINUTE) == []
        conclude(t, first, 42 * MINUTE)
        assert names(t, 42 * MINUTE + REST - MINUTE) == []
        second = announce(t, 42 * MINUTE + REST)
        conclude(t, second, 52 * MINUTE)
        assert t.router.drills_missed(t.now) == ()
        assert names(t, 52 * MINUTE + REST) == ["d2"]
        assert names(t, 52 * MINUTE + REST + LATE) == ["d2"]

    def test_of_one_that_waits_for_others_too_long_it_is_told(self):
        t = several("a", "a")
        announce(t, 30 * MINUTE)
        t.now = START + 85 * MINUTE
        t.write(Drilled(at=t.now, id="cost/spike:by-hand", by="ana", agent="a"))
        late = START + 30 * MINUTE + QUEUED
        assert t.router.drills_missed(late) == ()
        (missed,) = t.router.drills_missed(late + MINUTE)
        assert missed.why == "it was due at 2026-01-05 09:30 UTC, when other drills were under way"
        assert names(t, 31 * MINUTE + QUEUED) == []


class TestOneThatDidNotTakePlace:
    def test_it_is_known_as_soon_as_it_is_too_late_and_told_once(self):
        t = Scenario(PLANNED % "")
        due = START + 30 * MINUTE
        assert t.router.drills_missed(due + LATE) == ()
        (missed,) = t.router.drills_missed(due + LATE + MINUTE)
        assert missed.id == RUN
        t.now = due + LATE + MINUTE
        for _ in range(2):
            t.write(Concluded(at=t.now, id=RUN, broke_at=NOT_BEGUN, remedy=missed.why))
        (notice,) = t.notices
        assert (notice.channel.target, notice.to) == ("#triage", "weekly")
        assert notice.summary == (
            "DRILL: weekly of refund-agent did not take place: it was due at 2026-01-05 09:30 UTC, "
            "when no worker that routes was there"
        )
        assert t.router.drills_missed(t.now) == t.router.drills_due(t.now) == ()

    @pytest.mark.parametrize("days", [1, 3, 6])
    def test_days_later_it_is_known_still_and_after_a_restart(self, days):
        t = Scenario(PLANNED % "")
        t.restart()
        (missed,) = t.router.drills_missed(START + days * DAY)
        assert missed.id == RUN

    def test_of_several_times_it_is_the_last(self):
        (missed,) = several("a").router.drills_missed(START + 3 * DAY)
        assert "2026-01-07 09:30" in missed.why

    def test_one_that_took_place_is_not_missed_however_long_ago(self):
        t = Scenario(PLANNED % "")
        conclude(t, announce(t, 30 * MINUTE), 40 * MINUTE)
        t.now = START + 3 * DAY
        t.write(Drilled(at=t.now, id="cost/spike:by-hand", by="ana", agent="a"))
        assert RUN not in t.router._state.core.drills
        assert t.router.drills_missed(t.now) == ()

    def test_what_was_planned_later_or_for_another_time_was_not_missed(self):
        t = Scenario()
        t.now = START + HOUR
        t.configure(PLANNED % "")
        assert t.router.drills_missed(t.now) == ()
        t = Scenario(PLANNED % "")
        t.now = START + 30 * MINUTE
        t.configure((PLANNED % "").replace("09:30", "09:20"))
        assert t.router.drills_missed(START + HOUR) == ()

    def test_another_room_is_no_other_plan(self):
        t = Scenario(PLANNED % "")
        t.now = START + 45 * MINUTE
        t.configure(PLANNED % ", channel: {slack: '#drills'}")
        (missed,) = t.router.drills_missed(t.now)
        t.write(Concluded(at=t.now, id=missed.id, broke_at=NOT_BEGUN, remedy=missed.why))
        assert [each.channel.target for each in t.notices] == ["#drills"]

    def test_of_a_state_that_knows_of_no_plan_it_is_told_from_the_next_one_on(self):
        t = Scenario(PLANNED % "")
        t.router._state.core.plans = {}
        assert t.router.drills_missed(START + HOUR) == ()
        conclude(t, announce(t, 30 * MINUTE), 40 * MINUTE)
        assert len(t.router.drills_missed(START + 7 * DAY + HOUR)) == 1

    def test_without_a_configuration_nothing_is_missed(self):
        assert type(Scenario().router)().drills_missed(START) == ()


class TestWhatBecameOfIt:
    def test_it_is_told_once_in_its_room(self):
        t = Scenario(PLANNED % ", channel: {slack: '#drills'}")
        announce(t, 30 * MINUTE)
        end = Concluded(at=t.now, id=RUN, facts=(("Stages", "signal after 3 s"),))
        t.write(end)
        t.write(end)
        (notice,) = t.notices
        assert (notice.channel.target, notice.reason, notice.to) == ("#drills", "drilled", "weekly")
        assert notice.summary == "DRILL: weekly of refund-agent passed"
        assert notice.facts == end.facts
        t.report(notice, Delivered())
        assert t.router._state.core.unheard == {}

    def test_without_a_room_where_nobody_is_woken_and_it_says_where_it_broke(self):
        t = Scenario(PLANNED % "")
        announce(t, 30 * MINUTE)
        t.write(Concluded(at=t.now, id=RUN, broke_at="page", remedy="it is muted"))
        (notice,) = t.notices
        assert notice.channel.target == "#triage"
        assert notice.summary == "DRILL: weekly of refund-agent broke at the stage page: it is muted"

    def test_where_there_is_no_such_channel_owners_hear_of_it(self):
        t = Scenario((PLANNED % "").replace(", {slack: '#triage'}", ""))
        announce(t, 30 * MINUTE)
        t.write(Concluded(at=t.now, id=RUN))
        assert t.notices == []
        assert t.complaints == ["drill weekly: there is no channel to tell of it"]

    @pytest.mark.parametrize(
        ("contacts", "channels"),
        [("slack: U01, pagerduty: 'env:PD_ANA'", ["slack U01"]), ("pagerduty: 'env:PD_ANA'", [])],
    )
    def test_where_there_is_no_room_at_all_who_is_on_call_is_told_quietly(self, contacts, channels):
        t = Scenario(OF_PEOPLE % contacts)
        announce(t, 30 * MINUTE)
        t.write(Concluded(at=t.now, id=RUN))
        assert [f"{each.channel.kind} {each.channel.target}" for each in t.notices] == channels
        assert len(t.complaints) == 1 - len(channels)

    def test_of_one_that_a_person_began_nobody_is_told(self):
        t = Scenario(PLANNED % "")
        t.write(Drilled(at=t.now, id=RUN, by="ana", agent="refund-agent"))
        t.write(Concluded(at=t.now, id=RUN))
        t.write(Concluded(at=t.now, id="cost/spike:unknown"))
        assert t.notices == t.complaints == []


def conclude(t: Scenario, run: str, after: timedelta) -> None:
    """It is over, and passed."""
    t.now = START + after
    t.write(Concluded(at=t.now, id=run))


def announce(t: Scenario, after: timedelta) -> str:
    """The worker begins the first of what is due; rooms come with it."""
    t.now = START + after
    due = t.router.drills_due(t.now)[0]
    planned = due.planned
    t.write(
        Drilled(
            at=t.now,
            id=due.id,
            by="schedule",
            agent=planned.agent,
            channel=planned.channel,
            name=planned.name,
        )
    )
    return due.id


class TestTheCheck:
    @pytest.mark.parametrize(
        ("drill", "expected"),
        [
            (
                "scenario: cost/spik, every: {time: '10:00'}",
                '1:41: no scenario "cost/spik" (did you mean "cost/spike"?)',
            ),
            ("scenario: cost/spike, every: {weekday: monday}", "1:11: a drill begins at a time"),
            ("scenario: cost/spike, every: {time: '10:00'}, channel: {}", "expected one of"),
            (
                "scenario: cost/spike, every: {time: '10:00'}, channel: {slack: 'a b'}",
                "expected a channel such as",
            ),
        ],
    )
    def test_faults_are_told_with_what_is_expected(self, drill, expected):
        report = check(files(f"drills: [{{name: x, agent: refund-agent, {drill}}}]\n" + LEAST), START)
        assert len(report.faults) == 1
        assert expected.partition(": ")[2] in str(report.faults[0]) or expected in str(report.faults[0])

    def test_a_drill_is_of_one_agent(self):
        text = "drills: [{name: x, agent: 'refund-*', scenario: cost/spike, every: {time: '10:00'}}]\n"
        (fault,) = check(files(text + LEAST), START).faults
        assert ":1:27: " in str(fault)
        assert 'expected the name of one agent, found a pattern "refund-*"' in str(fault)

    def test_a_name_is_of_one_drill(self):
        one = "{name: x, agent: refund-agent, scenario: cost/spike, every: {time: '10:00'}}"
        (fault,) = check(files(f"drills: [{one}, {one}]\n" + LEAST), START).faults
        assert f':1:{len(one) + 19}: there is a drill "x" already' in str(fault)

    def test_doubts_are_an_agent_of_nobody_and_a_time_that_never_comes(self):
        text = (
            "drills: [{name: x, scenario: cost/spike, agent: order-agent, location: Europe/London, "
            "every: {weekday: sunday, time: '01:30'}}]\nagents: [{name: 'refund-*'}]\n"
        )
        report = check(files(text + LEAST), START)
        assert report.faults == ()
        said = [each.message for each in report.warnings]
        assert 'no entry of agents is about "order-agent": nobody owns what is drilled' in said
        assert "01:30 never comes on 2026-03-29 in Europe/London: it begins later then" in said

    def test_one_that_holds_is_acted_on(self):
        report = check(files(PLANNED % ""), START + HOUR + DAY)
        assert (report.faults, report.not_yet) == ((), ())
