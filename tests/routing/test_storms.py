"""Pages that speak for several incidents: what they show, how they get through, and when they are over."""

from routing.content import built_in
from routing.incidents.storms import TOLD_CAP
from routing.words.blocks import blocks
from schemas.outcome import Delivered
from tests.routing.bursts import BY_SLACK, PATIENT, burst, end_lead, fact, only_storms, statuses, to
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    SECOND,
    Scenario,
    busy,
    dead,
    says_nothing,
)


def test_a_storm_is_two_pages_the_second_of_which_speaks_for_all_that_came_within_a_minute():
    t = Scenario(ESCALATED)
    burst(t, 37)
    t.fast_forward(2 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (60, "ana", "storm")]
    storm = t.pages[1]
    assert storm.summary == "36 incidents, here are the 5 that matter"
    assert len(fact(storm, "Incidents").splitlines()) == 5
    assert fact(storm, "More") == "31 more incidents: see oversight incidents"
    assert storm.content.firing == 36
    assert {each.paged for each in t.incidents} == {("ana",)}


def test_the_incidents_that_matter_are_those_of_the_highest_score_then_of_most_sessions_then_the_oldest():
    rules = ESCALATED.replace("error_rate: 70", "error_rate: 70, dependency: 75")
    t = Scenario(rules)
    burst(t, 3)
    burst(t, 1, first=3, detector="dependency")
    t.fast_forward(MINUTE)
    lines = fact(t.pages[1], "Incidents").splitlines()
    assert [line.split(" fails")[0] for line in lines] == [
        "error 75: s3 of a3",
        "error 70: s1 of a1",
        "error 70: s2 of a2",
    ]
    assert t.pages[1].incident == t.incidents[3].id


def test_the_steps_after_a_storm_are_storms_too():
    t = Scenario(BY_SLACK)
    burst(t, 20)
    t.fast_forward(12 * MINUTE)
    assert to(t, "ana") == [(0, "opened"), (60, "storm")]
    assert to(t, "bo") == [(300, "escalated"), (360, "escalated")]
    t.fast_forward(HOUR)
    assert len([at for at, _ in to(t, "bo") if at < 3900]) == 2


def test_what_ends_before_it_was_told_is_counted_and_pages_nobody():
    t = Scenario(ESCALATED)
    burst(t, 5)
    for name in ("s2", "s3"):
        t.recover(name)
    t.fast_forward(MINUTE)
    assert [reason for _, reason in to(t, "ana")] == ["opened", "storm"]
    assert fact(t.pages[1], "Ended") == "2 more incidents began and ended"
    assert t.pages[1].summary == "2 incidents at once"


def test_where_all_ended_the_page_that_is_there_says_so():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.recover("s1")
    t.recover("s2")
    t.fast_forward(2 * MINUTE)
    assert to(t, "ana") == [(0, "opened")]
    assert fact(t.updates[-1], "Ended") == "2 more incidents began and ended"


def test_the_storm_is_over_when_all_are():
    t = Scenario(BY_SLACK)
    burst(t, 4)
    t.fast_forward(MINUTE)
    storm = t.pages[1].id
    for name in ("s1", "s2"):
        t.recover(name)
        t.fast_forward(20 * SECOND)
    ours = [each for each in t.updates if each.page == storm]
    assert {(each.reason, each.content.status) for each in ours} == {("updated", "triggered")}
    assert "resolved" in fact(ours[-1], "Incidents")
    t.recover("s3")
    t.fast_forward(20 * SECOND)
    last = [each for each in t.updates if each.page == storm][-1]
    assert (last.reason, last.content.status) == ("resolved", "resolved")


def test_a_page_that_spoke_for_an_incident_before_another_did_ends_with_it():
    t = Scenario(ESCALATED.replace("wait: 5m", "wait: 3h") + "limits: {pages_per_person: 1 per 10m}\n")
    burst(t, 3)
    t.fast_forward(12 * MINUTE)
    storm = t.pages[-1]
    assert storm.reason == "storm"
    [other] = [each for each in t.incidents if each.id not in (storm.incident, t.pages[0].incident)]
    t.acknowledge(other.id)
    t.fast_forward(31 * MINUTE)
    assert (t.pages[-1].incident, t.pages[-1].reason) == (other.id, "repeated")
    for agent in sorted(("s0", "s1", "s2"), key=lambda name: other.labels["agent"] == name.replace("s", "a")):
        t.fast_forward(MINUTE)
        t.recover(agent)
    t.fast_forward(MINUTE)
    assert [each.reason for each in t.updates if each.page == storm.id][-1] == "resolved"


def test_an_incident_of_a_storm_that_gets_critical_is_paged_by_itself():
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(MINUTE)
    lead = t.pages[1].incident
    other = next(n for n in (1, 2, 3) if t.incidents[n].id != lead)
    t.signal("worse", agent=f"a{other}", detector="silence")
    t.fast_forward(MINUTE)
    assert (t.pages[2].incident, t.pages[2].reason) == (t.incidents[other].id, "joined")


def test_a_storm_that_finds_a_channel_dead_goes_by_the_next():
    t = Scenario(
        ESCALATED, answers={"U01": lambda m: dead(m) if m.reason == "storm" else Delivered(reference="r")}
    )
    burst(t, 4)
    t.fast_forward(MINUTE)
    assert [(each.channel.kind, each.reason) for each in t.pages[1:]] == [
        ("slack", "storm"),
        ("pagerduty", "fallback"),
    ]
    t.acknowledge(t.pages[2].incident)
    assert statuses(t)[1:] == ["acknowledged"] * 3
    assert t.pages[2].content.storm.told == 3


def test_where_all_channels_of_somebody_are_dead_each_incident_of_the_storm_climbs():
    t = Scenario(BY_SLACK, answers={"slack": only_storms(dead)})
    burst(t, 4)
    t.fast_forward(3 * MINUTE)
    assert to(t, "bo") == [(60, "fallback"), (120, "storm")]


def test_a_storm_that_is_not_delivered_yet_outlives_its_first_incident():
    t = Scenario(BY_SLACK, answers={"slack": only_storms(busy)})
    burst(t, 4)
    t.fast_forward(MINUTE)
    end_lead(t)
    t.answers = {}
    t.fast_forward(MINUTE)
    again = [each for each in t.pages if each.reason == "storm"]
    assert [each.attempt for each in again] == [1, 2]
    assert again[1].content.status == "triggered"


def test_a_storm_of_which_nothing_is_heard_is_sent_again_though_its_first_incident_is_over():
    t = Scenario(
        BY_SLACK,
        answers={"slack": only_storms(says_nothing)},
    )
    burst(t, 4)
    t.fast_forward(MINUTE)
    end_lead(t)
    t.fast_forward(3 * MINUTE)
    assert [each.attempt for each in t.pages if each.reason == "storm"] == [1, 2]


def test_a_page_that_speaks_for_several_has_one_button():
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(MINUTE)

    def pressed(message):
        built = blocks(message, built_in(message))
        return [
            each["action_id"] for block in built if block["type"] == "actions" for each in block["elements"]
        ]

    assert pressed(t.pages[1]) == ["oversight.acknowledge"]
    t.acknowledge(t.pages[1].incident)
    t.fast_forward(20 * SECOND)
    assert pressed(t.updates[-1]) == []


def test_the_shift_counts_a_storm_as_one_page_of_many_incidents():
    t = Scenario(ESCALATED.replace("    layers:", "    handoff: {notice: 1h, slack: '#x'}\n    layers:"))
    burst(t, 6)
    t.fast_forward(2 * MINUTE)
    shift = t.router._state.core.handovers["payments"]
    assert (shift.incidents, shift.pages) == (6, 2)


def test_what_one_page_cannot_speak_for_waits_for_the_next():
    limits = "limits: {pages_per_person: 1 per 1h}\nglobal: {resolve_timeout: 9h}\n"
    less = """silence: 90}, rules: [{matchers: ['agent=~"a[0-4]"'], add: -2}]}"""
    t = Scenario(PATIENT.replace("silence: 90}}", less) + limits)
    for number in range(TOLD_CAP + 5):
        t.signal(f"s{number}", agent=f"a{number}")
    t.firing.clear()
    t.fast_forward(3 * HOUR)
    storms = [each.content.storm for each in t.pages if each.to == "ana"]
    assert [each.told for each in storms if each][:3] == [TOLD_CAP, 4]
