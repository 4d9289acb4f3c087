"""How many pages somebody gets, and what becomes of what is beyond."""

from routing.incidents.paging import PAGE_CAP
from tests.routing.bursts import BY_SLACK, PATIENT, UNLIMITED, burst, fact, sated, to
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, SECOND, START, Scenario, dead


def test_without_a_limit_each_incident_is_a_page():
    t = Scenario(UNLIMITED)
    burst(t, 5)
    assert t.told == [(at, "ana", "opened") for at in range(5)]


def test_two_incidents_that_are_minutes_apart_are_two_pages_at_once():
    t = Scenario(ESCALATED)
    burst(t, 1)
    t.fast_forward(2 * MINUTE)
    burst(t, 1, first=1)
    assert [at for at, _ in to(t, "ana")] == [0, 121]


def test_the_page_that_is_there_is_edited_to_say_how_many_wait():
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(20 * SECOND)
    (edit,) = t.updates
    assert (edit.page, edit.reason) == (t.pages[0].id, "updated")
    assert fact(edit, "Waiting").splitlines()[0] == (
        "3 more incidents, for the next page, at 2026-01-05 09:01:00 UTC or later"
    )
    assert t.incidents[3].held == ("ana",)


def test_where_nothing_can_be_edited_nothing_is_sent_until_the_next_page():
    mailed = ESCALATED.replace("[slack, pagerduty]", "[email]").replace(
        "ana: {", "ana: {email: a@b.example, "
    )
    mailed = mailed.replace("bo: {", "bo: {email: b@b.example, ")
    t = Scenario(mailed)
    burst(t, 4)
    t.fast_forward(2 * MINUTE)
    assert t.updates == []
    assert [reason for _, reason in to(t, "ana")] == ["opened", "storm"]


def test_when_the_hour_is_over_what_waits_is_one_page():
    t = sated()
    burst(t, 4, first=3)
    t.fast_forward(HOUR)
    assert to(t, "ana")[2:] == [(3600, "storm")]
    assert t.pages[-1].summary == "4 incidents at once"
    assert all(each.held == () for each in t.incidents)


def test_one_incident_that_waited_is_paged_as_itself():
    t = sated()
    burst(t, 1, first=3)
    t.fast_forward(HOUR)
    assert (3600, "opened") in to(t, "ana")


def test_severities_are_counted_apart():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    burst(t, 1, first=3, detector="cost")
    assert to(t, "ana")[2:] == [(123, "opened")]


def test_the_first_page_of_a_critical_incident_is_not_held_back():
    t = Scenario(ESCALATED)
    burst(t, 4, detector="silence")
    assert to(t, "ana") == [(at, "opened") for at in range(4)]


def test_the_next_person_hears_of_many_critical_incidents_by_two_pages():
    t = Scenario(ESCALATED)
    burst(t, 10, detector="silence")
    t.fast_forward(7 * MINUTE)
    assert to(t, "bo") == [(300, "escalated"), (360, "storm")]


def test_a_critical_incident_that_another_one_tells_already_waits():
    rules = (
        ESCALATED.replace("group_by: [agent]", "group_by: [agent, detector]")
        .replace("error_rate: 70", "error_rate: 90, dependency: 90")
        .replace("group_wait: 0s", "group_wait: 10s")
    )
    t = Scenario(rules)
    burst(t, 2, detector="silence")
    t.fast_forward(11 * SECOND)
    t.signal("sessions", agent="a9")
    t.fast_forward(SECOND)
    t.signal("provider", detector="dependency", agent="a9", kind="provider", dependency="openai")
    calls = t.firing["provider"]
    t.fast_forward(20 * SECOND)
    assert calls.id in t.incidents[-1].signals
    assert [reason for _, reason in to(t, "ana")] == ["opened"] * len(to(t, "ana"))


def test_while_somebody_answers_what_waits_for_them_climbs_no_further():
    t = sated(ESCALATED)
    burst(t, 2, first=3)
    t.fast_forward(25 * MINUTE)
    assert to(t, "bo") == []


def test_what_waits_for_somebody_who_does_not_answer_climbs_on():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    t.signal("late", agent="late")
    t.fast_forward(20 * MINUTE)
    assert "bo" not in {each.to for each in t.pages if each.incident == t.incident.id}
    assert t.incident.held == ("ana", "bo")
    assert (t.pages[-1].incident, t.pages[-1].to) == (t.incident.id, "triage")


def test_what_is_critical_climbs_on_though_they_answer():
    rules = ESCALATED.replace("repeat_interval: 4h", "repeat_interval: 5m")
    t = Scenario(rules + "limits: {pages_per_person: 1 per 1h}\n")
    t.signal("s0", agent="a0", detector="silence")
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.fast_forward(31 * MINUTE)
    assert t.incident.held == ("ana",)
    t.fast_forward(5 * MINUTE)
    assert to(t, "bo") == [(2160, "escalated")]


def test_an_incident_that_gets_critical_while_it_waits_is_paged_at_once():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.signal("worse", agent="a2", detector="silence")
    t.fast_forward(SECOND)
    assert [each.incident for each in t.pages] == [t.incidents[0].id, t.incidents[2].id]
    assert t.pages[1].severity == "critical"
    assert t.incidents[2].held == ()


def test_what_is_muted_while_it_waits_is_told_when_it_is_heard_again():
    t = Scenario(BY_SLACK)
    burst(t, 3)
    t.silence('agent="a1"', lasts=5 * MINUTE)
    t.fast_forward(2 * MINUTE)
    assert to(t, "ana") == [(0, "opened"), (60, "opened")]
    t.fast_forward(HOUR)
    assert (3600, "opened") in to(t, "ana")


def test_who_is_handed_an_incident_hears_of_it_at_once_whatever_they_had():
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(2 * MINUTE)
    t.signal("late", agent="late")
    t.hand("ana", by="bo")
    assert to(t, "ana")[-1] == (124, "reassigned")
    assert t.incident.held == ()


def test_another_limit_holds_from_the_moment_it_is_configured():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.configure(UNLIMITED)
    assert [reason for _, reason in to(t, "ana")] == ["opened", "storm"]


def test_what_waits_for_people_whom_the_rules_no_longer_name_waits_no_more():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.configure(ESCALATED.replace("escalation: '{{ labels.team }}'", "slack: '#people'"))
    assert all(each.held == () for each in t.incidents)


def test_channels_have_a_limit_where_the_rules_say_so():
    rules = ONE_CHANNEL.replace("group_wait: 10s", "group_wait: 0s")
    t = Scenario(rules)
    burst(t, 5)
    assert len(t.pages) == 5
    t = Scenario(rules + "limits: {pages_per_channel: 2 per 10m}\n")
    burst(t, 5)
    t.fast_forward(15 * MINUTE)
    assert t.told == [(0, "oncall", "opened"), (60, "oncall", "storm")]
    assert t.complaints == []


def test_a_limited_channel_that_is_dead_gives_way_to_the_root():
    rules = ESCALATED.replace("- {escalation: '{{ labels.team }}'}", "- {slack: '#people'}").replace(
        "notify: [{escalation: '{{ labels.team }}'}]", "notify: [{slack: '#people'}]"
    )
    t = Scenario(rules + "limits: {pages_per_channel: 2 per 10m}\n", answers={"#people": dead})
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    assert {each.to for each in t.pages} == {"people", "triage"}
    triage = [each for each in t.pages if each.to == "triage"]
    assert len(triage) == 2


def test_what_is_taken_does_not_climb_once_a_page_of_it_that_waited_is_sent():
    t = Scenario(PATIENT + "limits: {pages_per_person: 1 per 10m}\n")
    t.signal("s0", detector="cost", agent="a0")
    t.acknowledge()
    taken = t.incident.id
    t.signal("s1", agent="a1")
    t.acknowledge()
    t.signal("s2", agent="a0")
    t.fast_forward(HOUR)
    told = [(each.to, each.severity) for each in t.pages if each.incident == taken]
    assert told == [("ana", "warning"), ("ana", "error")]


def test_what_waited_for_a_receiver_that_is_not_meant_for_a_while_is_told_when_it_is_meant_again():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.configure(ESCALATED.replace("escalation: '{{ labels.team }}'", "slack: '#people'"))
    t.fast_forward(SECOND)
    before = len(to(t, "ana"))
    t.configure(ESCALATED)
    t.fast_forward(2 * MINUTE)
    assert before == 1
    assert [reason for _, reason in to(t, "ana")] == ["opened", "storm"]


def test_who_heard_of_it_before_is_not_told_again_because_a_later_page_waited():
    t = Scenario(BY_SLACK)
    burst(t, 20)
    t.fast_forward(7 * MINUTE)
    assert any(each.held == ("bo",) for each in t.incidents)
    t.configure(BY_SLACK.replace("escalation: '{{ labels.team }}'", "slack: '#people'"))
    t.fast_forward(SECOND)
    t.configure(BY_SLACK)
    t.fast_forward(5 * MINUTE)
    assert [reason for _, reason in to(t, "ana")] == ["opened", "storm"]


def test_somebody_whom_two_escalations_name_is_told_once_of_what_waited():
    both = PATIENT.replace("'{{ labels.team }}'}", "'{{ labels.team }}'}, {escalation: too}")
    too = "  too: {steps: [{notify: [user: ana], via: [slack], wait: 5m}], exhausted: {receiver: triage}}\n"
    t = Scenario(both + too)
    burst(t, 3)
    t.fast_forward(2 * HOUR)
    assert to(t, "ana") == [(0, "opened"), (60, "storm")]


def test_a_page_that_made_room_for_others_is_not_edited_to_say_what_waits():
    rules = (
        ONE_CHANNEL.replace("group_wait: 10s", "group_wait: 0s") + "limits: {pages_per_channel: 1 per 1h}\n"
    )
    t = Scenario(rules)
    burst(t, 2)
    every = ", ".join(f"{{slack: '#c{number}'}}" for number in range(PAGE_CAP))
    t.configure(rules.replace("{slack: '#oncall'}", every))
    t.fast_forward(MINUTE)
    assert t.router.counts == {"pages dropped at the cap": 1}
    assert t.pages[0].id not in {each.page for each in t.updates}
    assert len({each.page for each in t.updates}) == PAGE_CAP
    assert t.complaints == []


def test_what_is_half_muted_when_its_turn_comes_is_paged_for_what_is_still_heard():
    t = sated()
    t.signal("late", agent="late")
    t.signal("less", detector="cost", agent="late")
    t.fast_forward(START + HOUR - SECOND - t.now)
    t.silence('detector="error_rate"', lasts=2 * HOUR)
    t.fast_forward(SECOND)
    assert to(t, "ana")[2:] == [(3600, "opened")]
    assert (t.pages[-1].incident, t.pages[-1].severity) == (t.incident.id, "warning")
