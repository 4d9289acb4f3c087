"""How many pages somebody gets, and what becomes of what is beyond."""

from collections import defaultdict
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.content import built_in
from routing.incidents.incident import Case
from routing.incidents.storms import TOLD_CAP, fold_due
from routing.incidents.turn import Turn
from routing.router import KEY, Router
from routing.words.blocks import blocks
from schemas.cause import Resolved, Snoozed
from schemas.outcome import Delivered
from schemas.record import Record
from schemas.wire import encode
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    ONE_CHANNEL,
    SECOND,
    Scenario,
    busy,
    dead,
    says_nothing,
)

UNLIMITED = ESCALATED + "limits: {pages_per_person: unlimited}\n"
PATIENT = ESCALATED.replace("    ack_timeout: 30m\n", "")
BY_SLACK = ESCALATED.replace("[slack, pagerduty]", "[slack]")


def burst(t, count, first=0, detector="error_rate"):
    """Incidents of as many agents, a second apart."""
    for number in range(first, first + count):
        t.signal(f"s{number}", detector=detector, agent=f"a{number}")
        t.fast_forward(SECOND)


def only_storms(answer):
    """A channel that takes everything but storms."""
    return lambda message: answer(message) if message.reason == "storm" else Delivered(reference="r")


def fact(message, label):
    facts = {each.label: each.text for each in built_in(message).facts}
    return facts.get(label, "")


def to(t, person):
    return [(at, reason) for at, who, reason in t.told if who == person]


def statuses(t):
    return [each.status for each in t.incidents]


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
    t = Scenario(PATIENT)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    for each in t.incidents:
        t.acknowledge(each.id)
    burst(t, 4, first=3)
    t.fast_forward(HOUR)
    assert to(t, "ana")[2:] == [(3600, "storm")]
    assert t.pages[-1].summary == "4 incidents at once"
    assert all(each.held == () for each in t.incidents)


def test_one_incident_that_waited_is_paged_as_itself():
    t = Scenario(PATIENT)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    for each in t.incidents:
        t.acknowledge(each.id)
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


def test_an_acknowledgement_of_the_storm_takes_each_of_its_incidents():
    t = Scenario(ESCALATED)
    burst(t, 6)
    t.fast_forward(MINUTE)
    t.acknowledge(t.pages[1].incident, by="ana", name="once")
    assert statuses(t) == ["triggered"] + ["acknowledged"] * 5
    deeds = [each.deeds[-1] for each in t.incidents[1:]]
    assert {each.by for each in deeds} == {"ana"}
    assert sum(each.note == f"by the page of {t.pages[1].incident}" for each in deeds) == 4
    t.fast_forward(25 * MINUTE)
    assert to(t, "bo") == [(300, "escalated")]
    t.acknowledge(t.pages[1].incident, by="ana", name="once")
    assert t.router.counts["words repeated"] == 1


def test_who_did_not_get_the_storm_takes_its_first_incident_alone():
    t = Scenario(ESCALATED)
    burst(t, 6)
    t.fast_forward(MINUTE)
    t.acknowledge(t.pages[1].incident, by="bo")
    assert statuses(t).count("acknowledged") == 1


@pytest.mark.parametrize("way", [Snoozed, Resolved])
def test_who_puts_the_first_incident_off_or_closes_it_has_the_others(way):
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(MINUTE)
    lead = t.pages[1].incident
    others = [each for each in t.incidents[1:] if each.id != lead]
    assert [each.folded for each in others] == [(lead,)] * 2
    more = {"until": t.now + 2 * HOUR} if way is Snoozed else {}
    t.write(way(at=t.now, id="once", incident=lead, by="ana", **more))
    assert [each.status for each in t.incidents if each.folded] == ["acknowledged"] * 2


def test_while_somebody_answers_what_waits_for_them_climbs_no_further():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    for each in t.incidents:
        t.acknowledge(each.id)
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


def test_an_incident_that_gets_critical_while_it_waits_is_paged_at_once():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.signal("worse", agent="a2", detector="silence")
    t.fast_forward(SECOND)
    assert [each.incident for each in t.pages] == [t.incidents[0].id, t.incidents[2].id]
    assert t.pages[1].severity == "critical"
    assert t.incidents[2].held == ()


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
    lead = t.pages[1].incident
    t.recover(next(f"s{n}" for n in (1, 2, 3) if t.incidents[n].id == lead))
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
    lead = t.pages[1].incident
    t.recover(next(f"s{n}" for n in (1, 2, 3) if t.incidents[n].id == lead))
    t.fast_forward(3 * MINUTE)
    assert [each.attempt for each in t.pages if each.reason == "storm"] == [1, 2]


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


steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "critical", "recover", "ack", "wait", "long", "worse"]),
        st.integers(0, 15),
    ),
    max_size=60,
)


def act(t, what, number):
    if what in ("open", "critical") and f"s{number}" not in t.firing:
        t.signal(f"s{number}", agent=f"a{number}", detector="silence" if what == "critical" else "error_rate")
    elif what == "worse" and f"s{number}" in t.firing and f"w{number}" not in t.firing:
        t.signal(f"w{number}", agent=f"a{number}", detector="silence")
    elif what == "recover" and f"s{number}" in t.firing:
        t.recover(f"s{number}")
    elif what == "ack" and t.pages:
        t.acknowledge(t.pages[number % len(t.pages)].incident)
    t.fast_forward({"wait": number * SECOND, "long": number * MINUTE}.get(what, SECOND))


def too_many(t):
    """Pages beyond two an hour of a person at a severity that are not the first of a critical incident."""
    seen, found = set(), []
    given_out = defaultdict(list)
    for page in t.pages:
        if page.attempt > 1 or page.to not in ("ana", "bo"):
            continue
        mine = given_out[page.to, page.severity]
        recent = [at for at in mine if at > page.time - HOUR]
        is_first = page.severity == "critical" and page.incident not in seen
        if len(recent) >= 2 and not is_first:
            found.append((page.to, page.severity, page.time, page.reason))
        mine.append(page.time)
        if page.severity == "critical":
            seen.add(page.incident)
    return found


@settings(max_examples=25)
@given(steps)
def test_in_no_storm_does_anybody_get_more_than_the_limit_and_nothing_is_hidden(story):
    t = Scenario(ESCALATED)
    for what, number in story:
        act(t, what, number)
    t.fast_forward(3 * HOUR)
    assert too_many(t) == []
    told = {page.incident for page in t.pages} | {
        each
        for case in t.router._state.cases.values()
        for page in case.pages.values()
        for each in page.speaks
    }
    for each in t.incidents:
        assert each.id in told or each.status != "triggered"
        assert each.held == () or each.status == "triggered"


@settings(max_examples=25)
@given(steps)
def test_what_is_acknowledged_in_a_storm_climbs_no_further(story):
    t = Scenario(ESCALATED)
    for what, number in story:
        act(t, what, number)
    for each in t.incidents:
        t.acknowledge(each.id)
    before = len(t.pages)
    t.fast_forward(29 * MINUTE)
    assert t.pages[before:] == []


def test_without_a_limit_the_measure_of_a_storm_finds_too_many():
    t = Scenario(UNLIMITED)
    burst(t, 5)
    assert len(too_many(t)) == 3


@settings(max_examples=25)
@given(steps, st.integers(0, 400))
def test_a_storm_that_is_restored_anywhere_goes_on_the_same(story, at):
    t = Scenario(ESCALATED)
    for what, number in story:
        act(t, what, number)
    t.fast_forward(2 * HOUR)
    whole, parts = Router(), Router()
    outputs = ([], [])
    for offset, value in enumerate(t.log):
        if offset == at % max(1, len(t.log)):
            saved = parts.save(KEY)
            parts = Router()
            parts.load(KEY, saved)
        for router, found in zip((whole, parts), outputs, strict=True):
            found += [encode(each.value) for each in router.apply(Record(offset, value))]
    assert outputs[0] == outputs[1]
    assert whole.save(KEY).body == parts.save(KEY).body


@pytest.mark.parametrize("every", [None, timedelta(seconds=7), timedelta(minutes=9)])
def test_storms_come_at_their_own_time_whenever_the_router_wakes(every):
    t = Scenario(ESCALATED, every=every)
    burst(t, 12)
    t.fast_forward(2 * HOUR)
    assert to(t, "ana")[:2] == [(0, "opened"), (60, "storm")]


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


def test_somebody_whom_two_escalations_name_is_told_once_of_what_waited():
    both = PATIENT.replace("'{{ labels.team }}'}", "'{{ labels.team }}'}, {escalation: too}")
    too = "  too: {steps: [{notify: [user: ana], via: [slack], wait: 5m}], exhausted: {receiver: triage}}\n"
    t = Scenario(both + too)
    burst(t, 3)
    t.fast_forward(2 * HOUR)
    assert to(t, "ana") == [(0, "opened"), (60, "storm")]


def test_a_page_that_is_no_longer_kept_is_not_edited():
    fold_due(cast("Turn", None), cast("Case", SimpleNamespace(pages={})), "page-gone")
