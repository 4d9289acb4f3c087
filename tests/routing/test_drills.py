"""Fire drills in routing: paged by the real rules, apart from everything real, and counted nowhere."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from routing.fatigue import Drills, Ledger
from routing.incidents.drills import MOST_DRILLS, REMEMBERED
from routing.incidents.state import OPEN_CAP
from routing.policy import Policy
from schemas.cause import Drilled
from schemas.incident import Incident
from schemas.page import Channel, Page
from tests.routing.configs import LEAST, policy
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, Scenario, dead

DRILL = "error_rate/burst:tuesday"
ROOM = Channel(kind="slack", target="#drills")


def begin(t: Scenario, drill: str = DRILL, channel: Channel | None = ROOM) -> None:
    t.write(Drilled(at=t.now, id=drill, by="ana", agent="refund-agent", channel=channel))


def test_the_people_of_the_real_rules_are_paged_and_told_that_it_is_one():
    t = Scenario(ESCALATED)
    t.signal(drill=DRILL)
    assert t.paged == [(0, "slack U01")]
    assert t.pages[0].content.drill == DRILL
    assert t.incident.drill == DRILL
    t.acknowledge()
    t.recover()
    assert [each[2] for each in t.updated] == ["acknowledged", "resolved"]
    assert all(each.content.drill == DRILL for each in t.updates)


class TestItsRoom:
    def test_all_its_messages_go_there_and_say_who_would_have_been_told(self):
        t = Scenario(ESCALATED)
        begin(t)
        t.signal(drill=DRILL)
        t.fast_forward(6 * MINUTE)
        assert [each.channel for each in t.pages] == [ROOM, ROOM]
        assert [(each.to, each.content.instead) for each in t.pages] == [
            ("ana", "ana (slack)"), ("bo", "bo (pagerduty)"),
        ]  # fmt: skip
        t.recover()
        assert {each.channel.target for each in t.updates} == {"#drills"}
        assert all(each.content.instead for each in t.updates)

    def test_what_is_real_meanwhile_goes_to_people(self):
        t = Scenario(ESCALATED)
        begin(t)
        t.signal("real")
        t.signal("drilled", drill=DRILL)
        assert t.paged == [(0, "slack U01"), (0, "slack #drills")]

    def test_a_dead_room_wakes_nobody(self):
        t = Scenario(ESCALATED, answers={"#drills": dead})
        begin(t)
        t.signal(drill=DRILL)
        assert {each.channel.target for each in t.pages} == {"#drills"}
        assert t.complaints

    def test_a_drill_without_one_pages_people(self):
        t = Scenario(ESCALATED)
        begin(t, channel=None)
        t.signal(drill=DRILL)
        assert t.paged == [(0, "slack U01")]

    def test_it_is_remembered_over_a_restart(self):
        t = Scenario(ESCALATED)
        begin(t)
        t.restart()
        t.signal(drill=DRILL)
        assert t.paged == [(0, "slack #drills")]

    def test_it_is_forgotten_after_a_day_and_never_are_there_too_many(self):
        t = Scenario()
        begin(t)
        begin(t, channel=None)
        drills = t.router._state.core.drills
        assert drills[DRILL].channel == ROOM
        t.now += REMEMBERED
        begin(t, "cost/spike:x")
        assert list(drills) == ["cost/spike:x"]
        for n in range(MOST_DRILLS):
            begin(t, f"cost/spike:{n}")
        assert len(drills) == MOST_DRILLS
        assert "cost/spike:x" not in drills


class TestApartFromWhatIsReal:
    def test_a_drill_during_an_incident_of_the_same_agent_is_one_of_its_own(self):
        t = Scenario()
        t.signal("real")
        t.signal("drilled", drill=DRILL)
        t.fast_forward(MINUTE)
        assert len(t.pages) == 2
        real, drill = t.incidents
        assert (real.drill, drill.drill) == ("", DRILL)
        assert real.signals == ("real",)
        assert drill.signals == ("drilled",)
        t.recover("drilled")
        assert [each.status for each in t.incidents] == ["triggered", "resolved"]

    def test_neither_is_related_to_the_other(self):
        t = Scenario()
        t.signal("real")
        t.signal("drilled", drill=DRILL)
        t.fast_forward(MINUTE)
        assert [each.content.related for each in t.pages] == [(), ()]

    @pytest.mark.parametrize("source", ["", DRILL])
    def test_neither_mutes_the_other(self, source):
        rules = Scenario().config + (
            "inhibit_rules: [{source_matchers: ['detector=\"silence\"'], "
            "target_matchers: ['detector=\"error_rate\"'], equal: [agent]}]\n"
        )
        t = Scenario(rules)
        t.signal("source", "silence", **({"drill": source} if source else {}))
        t.fast_forward(MINUTE)
        t.signal("target", **({} if source else {"drill": DRILL}))
        t.fast_forward(MINUTE)
        assert len(t.pages) == 2

    def test_no_advice_comes_of_it(self):
        rules = (
            ESCALATED
            + "decisions: [{matchers: ['agent=~\".+\"'], do: open_circuit, for: 2m, automatic: true}]\n"
        )
        t = Scenario(rules)
        t.signal(drill=DRILL)
        t.recover()
        assert t.decisions == []
        t.signal("real")
        assert t.decisions

    def test_what_it_finds_covers_nothing_and_nothing_covers_it(self):
        t = Scenario()
        t.signal("drilled", "dependency", drill="dependency/outage:x")
        t.fast_forward(MINUTE)
        assert not t.router._state.core.covers
        assert not t.router._state.beside("refund-agent")

    def test_it_is_no_page_of_a_shift(self):
        t = Scenario(
            ESCALATED.replace("timezone: UTC", "timezone: UTC\n    handoff: {notice: 1h, slack: '#x'}")
        )
        t.signal(drill=DRILL)
        assert t.router._state.core.handovers["payments"].pages == 0
        t.signal("real")
        assert t.router._state.core.handovers["payments"].pages == 1

    def test_a_silence_from_its_page_silences_nothing_real(self):
        t = Scenario()
        t.signal("drilled", drill=DRILL)
        t.fast_forward(MINUTE)
        t.hush(lasts=8 * HOUR)
        t.signal("real", agent="refund-agent")
        t.fast_forward(MINUTE)
        assert len(t.pages) == 2

    def test_of_a_silence_that_ends_no_drill_makes_a_notice(self):
        t = Scenario()
        t.silence('agent="refund-agent"', lasts=2 * HOUR)
        t.signal("drilled", drill=DRILL)
        t.fast_forward(2 * HOUR - MINUTE)
        assert t.pages == []

    def test_at_the_cap_it_joins_nothing_real(self):
        t = Scenario()
        t.router._state.open = OPEN_CAP
        t.signal("real")
        t.signal("drilled", drill=DRILL)
        real, drill = t.incidents
        assert (real.labels, drill.labels) == (
            {"overflow": "incidents"}, {"overflow": "incidents", "drill": DRILL},
        )  # fmt: skip

    def test_after_a_restart_it_is_as_apart_as_before(self):
        t = Scenario()
        t.signal("real")
        t.signal("drilled", drill=DRILL)
        t.fast_forward(MINUTE)
        t.restart()
        assert list(t.router._state.beside("refund-agent")) == ["error_rate"]
        t.configure(t.config + "global: {resolve_timeout: 20m}\n")
        t.recover("drilled")
        t.recover("real")
        assert [each.status for each in t.incidents] == ["resolved", "resolved"]


def test_the_report_is_the_same_with_and_without_one():
    with_one, without = Scenario(ESCALATED), Scenario(ESCALATED)
    for t in (with_one, without):
        t.signal("real")
        t.fast_forward(MINUTE)
    with_one.signal("drilled", drill=DRILL)
    with_one.fast_forward(6 * MINUTE)
    without.fast_forward(6 * MINUTE)
    found, plain = _report(with_one, policy(LEAST)), _report(without, policy(LEAST))
    assert found.drilled == Drills(drills=1, pages=2)
    assert replace(found, drilled=Drills()) == plain


def _report(t: Scenario, rules: Policy):
    ledger = Ledger(rules)
    for output in t.outputs:
        if isinstance(output.value, Page):
            ledger.page(output.value)
        elif isinstance(output.value, Incident):
            ledger.incident(output.value)
    return ledger.report()


def test_it_pages_as_late_as_the_real_rules_say():
    t = Scenario()
    t.signal(drill=DRILL)
    t.fast_forward(MINUTE)
    assert t.paged == [(timedelta(seconds=10).total_seconds(), "slack #oncall")]


NOBODY = """
route: {receiver: people, group_by: [agent], group_wait: 0s}
receivers: [{name: people, notify: [{escalation: '%s'}]}]
users: {ana: {slack: U01}}
schedules:
  rota: {timezone: UTC, layers: [{name: base, start: '2027-01-05T09:00', every: 1 week, users: [ana]}]}
escalations: {rota: {steps: [{notify: [schedule: rota], via: [slack], wait: 5m}]}}
"""


@pytest.mark.parametrize(
    ("escalation", "why"),
    [
        ("{{ labels.team }}", "receiver people finds no escalation for team (none)"),
        ("rota", "escalation rota reaches nobody at this time"),
    ],
)
def test_why_it_pages_nobody_is_told(escalation, why):
    t = Scenario(NOBODY % escalation)
    t.signal(drill=DRILL)
    assert t.pages == []
    assert t.incident.unpaged == why
