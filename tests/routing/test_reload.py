"""Another configuration: incidents keep their ids, and who was told is not told again."""

import pytest

from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, START, Scenario

ROUTES = """
route: {receiver: oncall, group_by: [agent], group_wait: 10s, group_interval: 2m, routes: [%s]}
receivers:
- {name: oncall, notify: [{slack: '#oncall'}]}
- {name: second, notify: [{slack: '#second'}]}
- {name: third, notify: [{slack: '#third'}]}
severity: {base: {error_rate: 70, cost: 40, silence: 90}}
"""
SECOND = "{receiver: second, matchers: ['agent=~\".+\"'], continue: true}"
THIRD = "{receiver: third, matchers: ['detector=~\".+\"']}"


def test_a_reload_that_changes_nothing_pages_nobody():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ONE_CHANNEL + "\n# a comment")
    t.fast_forward(HOUR)
    assert len(t.pages) == 1
    assert len(t.incidents) == 1


def test_a_new_channel_of_the_receiver_is_told_and_the_old_one_is_not_again():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ONE_CHANNEL.replace("{slack: '#oncall'}", "{slack: '#oncall'}, {slack: '#more'}"))
    t.fast_forward(HOUR)
    assert t.paged == [(10, "slack #oncall"), (60, "slack #more")]
    assert len(t.incidents) == 1


def test_an_incident_moves_to_the_route_that_takes_it_now_and_keeps_its_id():
    t = Scenario(ROUTES % "")
    t.signal()
    t.fast_forward(MINUTE)
    before = t.incident.id
    t.configure(ROUTES % SECOND)
    t.fast_forward(HOUR)
    assert t.paged == [(10, "slack #oncall"), (60, "slack #second")]
    assert t.incident.id == before
    assert t.incident.receiver == "second"
    t.recover()
    assert [(each.channel.target, each.reason) for each in t.updates] == [
        ("#oncall", "resolved"),
        ("#second", "resolved"),
    ]


def test_a_second_route_opens_an_incident_of_its_own():
    t = Scenario(ROUTES % SECOND)
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ROUTES % f"{SECOND}, {THIRD}")
    t.fast_forward(HOUR)
    assert t.paged == [(10, "slack #second"), (60, "slack #third")]
    assert [each.receiver for each in t.incidents] == ["second", "third"]


def test_two_incidents_that_would_become_one_page_nobody_twice():
    t = Scenario(ROUTES % f"{SECOND}, {THIRD}")
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ROUTES % "")
    t.fast_forward(5 * HOUR)
    paged = [channel for _, channel in t.paged]
    assert paged.count("slack #oncall") == 2
    assert {each.receiver for each in t.incidents} == {"oncall", ""}
    t.recover()
    assert {each.status for each in t.incidents} == {"resolved"}
    assert {each.channel.target for each in t.updates} == {"#second", "#third", "#oncall"}


def test_a_new_score_pages_again_only_who_was_told_less_than_an_error():
    t = Scenario(ONE_CHANNEL.replace("error_rate: 70", "error_rate: 36"))
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ONE_CHANNEL)
    t.fast_forward(5 * MINUTE)
    assert [(page.reason, page.severity) for page in t.pages] == [("opened", "warning"), ("joined", "error")]


def test_a_rise_from_error_to_critical_edits_the_page_that_is_there():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ONE_CHANNEL.replace("error_rate: 70", "error_rate: 90"))
    t.fast_forward(HOUR)
    assert t.incident.severity == "critical"
    assert [(page.reason, page.severity) for page in t.pages] == [("opened", "error")]
    assert t.updates[-1].severity == "critical"


def test_an_escalation_that_is_no_longer_meant_is_not_climbed_further():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ESCALATED.replace("{escalation: '{{ labels.team }}'}", "{slack: '#people'}"))
    t.fast_forward(HOUR)
    assert t.paged == [(0, "slack U01"), (60, "slack #people")]


def test_an_escalation_that_stays_is_climbed_on():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(MINUTE)
    t.configure(ESCALATED + "\n# a comment")
    t.fast_forward(10 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (300, "bo", "escalated")]


def test_an_acknowledged_incident_stays_acknowledged():
    t = Scenario(ESCALATED)
    t.signal()
    t.acknowledge()
    t.configure(ESCALATED + "\n# a comment")
    t.fast_forward(29 * MINUTE)
    assert t.incident.status == "acknowledged"
    assert len(t.pages) == 1


def test_a_reload_inside_group_wait_loses_nothing():
    t = Scenario()
    t.signal()
    t.configure(ONE_CHANNEL + "\n# a comment")
    t.fast_forward(MINUTE)
    assert t.told == [(10, "oncall", "opened")]


def test_a_reload_does_not_make_signals_look_fresh():
    t = Scenario()
    t.signal()
    t.forget()
    t.fast_forward(14 * MINUTE)
    t.configure(ONE_CHANNEL + "\n# a comment")
    t.fast_forward(MINUTE)
    assert t.incident.status == "resolved"


def test_resolved_incidents_are_left_alone():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    count = len(t.outputs)
    t.configure(ONE_CHANNEL + "\n# a comment")
    assert len(t.outputs) == count


def test_whoever_was_paged_by_an_escalation_that_is_no_longer_meant_is_not_paged_when_the_answer_lapses():
    t = Scenario(ESCALATED)
    t.signal()
    t.acknowledge()
    t.configure(ESCALATED.replace("{escalation: '{{ labels.team }}'}", "{slack: '#people'}"))
    t.fast_forward(HOUR)
    assert t.paged == [(0, "slack U01"), (1920, "slack #people")]


def test_a_signal_that_nobody_asserts_becomes_stale_as_the_new_rules_say():
    t = Scenario()
    t.signal()
    t.forget()
    t.fast_forward(MINUTE)
    t.configure(ONE_CHANNEL + "\nglobal: {resolve_timeout: 5m}")
    t.fast_forward(5 * MINUTE)
    assert t.incident.status == "resolved"
    assert t.incident.resolved == START + 5 * MINUTE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (('agent=~".+"', 'agent=~".*"'), ESCALATED),
        (("people", "persons"), ESCALATED),
        (("group_by: [agent]", "group_by: [agent, detector]"), ONE_CHANNEL),
    ],
    ids=["matcher", "receiver", "groups"],
)
def test_what_somebody_closed_stays_closed_whatever_its_group_is_called_by_now(before, after):
    t = Scenario(after)
    t.signal()
    t.fast_forward(5 * MINUTE)
    t.close()
    told = list(t.told)
    t.configure(after.replace(*before))
    t.fast_forward(HOUR)
    assert t.told == told
    assert [each.status for each in t.incidents] == ["resolved"]


def test_who_is_told_too_from_now_on_hears_of_what_others_closed():
    t = Scenario(ONE_CHANNEL)
    t.signal()
    t.fast_forward(5 * MINUTE)
    t.close()
    t.configure(ROUTES % f"{SECOND}, {THIRD}")
    t.fast_forward(5 * MINUTE)
    assert [each.to for each in t.pages] == ["oncall", "third"]


def test_what_fires_again_after_a_reload_is_still_whose_who_took_it():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.fast_forward(5 * MINUTE)
    t.recover()
    t.configure(ESCALATED.replace("people", "persons"))
    t.signal()
    t.fast_forward(10 * MINUTE)
    assert [(each.to, each.reason) for each in t.pages] == [("ana", "opened")]
    assert [each.status for each in t.incidents] == ["acknowledged"]


def test_what_is_over_makes_way_for_what_fires_where_their_groups_are_one_by_now():
    t = Scenario()
    t.signal("over", agent="a")
    t.signal("firing", agent="b")
    t.fast_forward(MINUTE)
    t.recover("over")
    t.configure(ONE_CHANNEL.replace("group_by: [agent]", "group_by: []"))
    t.signal("over", agent="a")
    t.fast_forward(5 * MINUTE)
    assert {each.status: each.signals for each in t.incidents} == {
        "resolved": (),
        "triggered": ("firing", "over"),
    }


def test_what_fires_again_under_another_receiver_climbs_that_ones_escalations_only():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.configure(ESCALATED.replace("[{escalation: '{{ labels.team }}'}]", "[{slack: '#people'}]"))
    t.signal()
    t.fast_forward(HOUR)
    assert [each.to for each in t.pages] == ["ana", "people"]


@pytest.mark.parametrize("agent", ["a", "b", "c", "d"])
def test_where_groups_become_one_what_is_worst_goes_on_climbing(agent):
    t = Scenario(ESCALATED.replace("group_by: [agent]", "group_by: [agent, detector]"))
    t.signal("error", agent=agent)
    t.signal("critical", detector="silence", agent=agent)
    t.acknowledge(t.incidents[0].id)
    t.configure(ESCALATED)
    t.fast_forward(6 * MINUTE)
    assert [(each.to, each.reason) for each in t.pages][2:] == [("bo", "escalated")]
