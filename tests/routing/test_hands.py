"""What people do to incidents: each once, noted, and followed."""

from datetime import timedelta

import msgspec
import pytest

from routing.incidents.deeds import DEEDS_CAP, NAME, NOTE
from routing.incidents.saying import JUDGES_CAP
from routing.router import KEY
from schemas.cause import Acknowledged, Commented, Judged
from schemas.outcome import Deferred, Undeliverable
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    ONE_CHANNEL,
    SECOND,
    START,
    Scenario,
    dead,
    says_nothing,
)

TEAMS = ESCALATED.replace("teams: {payments", "teams: {platform: {escalation: platform}, payments").replace(
    "escalations:\n", "escalations:\n  platform: {steps: [{notify: [user: cy], via: [slack], wait: 3m}]}\n"
)
TEAMS = TEAMS.replace("users:\n", "users:\n  cy: {slack: U03}\n  mute: {}\n")


def deeds(t):
    return [(each.by, each.did, each.note) for each in t.incident.deeds]


def test_who_did_what_when_and_how_stands_on_the_incident():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    acknowledgement = {"id": "d1", "incident": t.incident.id, "by": "ana", "via": "slack"}
    t.write(Acknowledged(at=t.now, **acknowledgement))
    t.comment("the provider is down")
    t.hand("bo")
    t.snooze(lasts=10 * MINUTE)
    t.judge("useful")
    t.close(by="bo")
    first = t.incident.deeds[0]
    assert (first.at, first.by, first.did, first.via) == (START + MINUTE, "ana", "acknowledged", "slack")
    assert deeds(t)[1:] == [
        ("ana", "commented", "the provider is down"),
        ("ana", "reassigned", "to user bo"),
        ("ana", "snoozed", "until 2026-01-05T09:11:00+00:00"),
        ("ana", "judged", "useful"),
        ("bo", "resolved", ""),
    ]


def test_what_is_noted_is_bounded():
    t = Scenario()
    t.signal()
    for number in range(DEEDS_CAP + 5):
        t.comment("x" * 10_000, by="y" * 10_000, name=f"c{number}")
    assert len(t.incident.deeds) == DEEDS_CAP
    assert {(len(each.by), len(each.note)) for each in t.incident.deeds} == {(NAME, NOTE)}


@pytest.mark.parametrize("do", ["acknowledge", "snooze", "comment", "judge", "hand", "hush", "close"])
def test_a_repeated_callback_changes_nothing(do):
    t = Scenario(TEAMS)
    t.signal()
    said = {"comment": ["hm"], "judge": ["useful"], "hand": ["cy"]}.get(do, [])
    getattr(t, do)(*said, name="delivery")
    pages, updates, deeds_before = len(t.pages), len(t.updates), t.incident.deeds
    getattr(t, do)(*said, name="delivery")
    assert (len(t.pages), len(t.updates), t.incident.deeds) == (pages, updates, deeds_before)
    assert sum(t.router.counts.values()) == 1


def test_a_snooze_over_a_channel_pages_it_again_if_it_still_fires():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=30 * MINUTE)
    assert (t.incident.status, t.incident.acknowledged_by) == ("acknowledged", "ana")
    assert t.incident.snoozed_until == START + 31 * MINUTE
    t.fast_forward(HOUR)
    assert t.told == [(10, "oncall", "opened"), (31 * 60, "oncall", "repeated")]
    assert (t.incident.status, t.incident.snoozed_until) == ("triggered", None)


def test_a_snooze_over_an_escalation_climbs_it_again():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=HOUR)
    t.fast_forward(HOUR + 6 * MINUTE)
    assert t.told[1:] == [(61 * 60, "ana", "repeated"), (66 * 60, "bo", "escalated")]


def test_what_is_over_by_the_end_of_a_snooze_pages_nobody():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=30 * MINUTE)
    t.fast_forward(10 * MINUTE)
    t.recover()
    t.fast_forward(HOUR)
    assert t.told == [(10, "oncall", "opened")]


def test_a_snooze_before_the_first_page_holds_it_back_until_its_end():
    t = Scenario()
    t.signal()
    t.snooze(lasts=10 * MINUTE)
    t.fast_forward(9 * MINUTE)
    assert t.pages == []
    t.fast_forward(3 * MINUTE)
    assert [reason for *_, reason in t.told] == ["opened"]


def test_a_snooze_survives_a_restart():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=30 * MINUTE)
    t.restart()
    t.fast_forward(31 * MINUTE)
    assert t.told[1:] == [(31 * 60, "oncall", "repeated")]


def test_an_acknowledgement_ends_a_snooze():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=5 * MINUTE)
    t.acknowledge(by="bo")
    t.fast_forward(HOUR)
    assert t.told == [(10, "oncall", "opened")]
    assert (t.incident.acknowledged_by, t.incident.snoozed_until) == ("bo", None)


def test_a_snooze_without_end_is_cut_and_one_that_is_over_is_refused():
    t = Scenario()
    t.signal()
    t.snooze(lasts=timedelta(days=3000))
    assert t.incident.snoozed_until == START + timedelta(days=7)
    t.snooze(lasts=-SECOND, name="late")
    assert t.complaints == ["snooze late: it was over before it came"]


def test_a_reassignment_pages_the_new_person_at_once_and_nobody_else():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.hand("cy")
    assert t.told == [(0, "ana", "opened"), (60, "cy", "reassigned")]
    assert (t.incident.status, t.incident.assigned) == ("triggered", "user cy")
    t.acknowledge(by="cy")
    t.fast_forward(29 * MINUTE)
    assert len(t.pages) == 2


def test_where_the_new_person_does_not_answer_the_escalation_is_climbed():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.fast_forward(20 * MINUTE)
    told = [(60, "cy", "reassigned"), (360, "ana", "escalated"), (660, "bo", "escalated")]
    assert t.told[1:] == [*told, (1260, "triage", "escalated")]


def test_where_the_new_person_s_acknowledgement_lapses_they_are_paged_first():
    t = Scenario(TEAMS)
    t.signal()
    t.hand("cy")
    t.acknowledge(by="cy")
    t.fast_forward(36 * MINUTE)
    assert t.told[2:] == [(1800, "cy", "repeated"), (2100, "ana", "escalated")]


def test_a_new_person_whose_channels_are_dead_gives_way_at_once():
    t = Scenario(TEAMS, answers={"U03": dead})
    t.signal()
    t.hand("cy")
    t.fast_forward(MINUTE)
    assert t.told[1:] == [(0, "cy", "reassigned"), (60, "ana", "fallback")]


def test_a_new_person_without_contacts_gives_way_at_once():
    t = Scenario(TEAMS)
    t.signal()
    t.hand("mute")
    assert t.told[1:] == [(0, "ana", "reassigned")]


def test_a_reassignment_to_a_team_climbs_that_team_s_escalation():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    t.hand(team="platform")
    t.fast_forward(20 * MINUTE)
    assert t.told[1:] == [(60, "cy", "reassigned"), (240, "triage", "escalated")]
    assert t.incident.assigned == "team platform"


@pytest.mark.parametrize("answer", [Undeliverable(reason="gone"), Deferred(reason="503")])
def test_who_handed_it_on_is_not_pursued_over_other_channels(answer):
    t = Scenario(TEAMS, answers={"U01": says_nothing, "U03": says_nothing})
    t.signal()
    t.fast_forward(SECOND)
    t.hand("cy")
    t.report(t.pages[0], answer)
    t.fast_forward(MINUTE)
    t.hand("bo")
    t.report(t.pages[1], answer)
    t.fast_forward(2 * MINUTE)
    assert [to for _, to, _ in t.told] == ["ana", "cy", "bo"]


def test_a_page_of_a_channel_is_still_tried_where_the_incident_was_handed_on():
    t = Scenario(ONE_CHANNEL + "users: {cy: {slack: U03}}\n", answers={"#oncall": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.report(t.pages[0], Deferred(reason="503"))
    t.fast_forward(MINUTE)
    assert [(page.to, page.attempt) for page in t.pages] == [("oncall", 1), ("cy", 1), ("oncall", 2)]


def test_a_second_reassignment_pages_again_even_the_same_person():
    t = Scenario(TEAMS)
    t.signal()
    t.hand("cy")
    t.hand("bo")
    t.hand("cy")
    assert [to for _, to, _ in t.told] == ["ana", "cy", "bo", "cy"]


def test_an_incident_of_a_channel_can_be_handed_to_a_person_and_falls_back_to_the_root():
    t = Scenario(ONE_CHANNEL + "users: {cy: {slack: U03}}\n")
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.fast_forward(6 * MINUTE)
    assert t.told[1:] == [(60, "cy", "reassigned"), (360, "oncall", "escalated")]


def test_a_reassigned_incident_keeps_climbing_after_a_reload():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.configure(TEAMS.replace("group_interval: 2m", "group_interval: 3m"))
    t.fast_forward(6 * MINUTE)
    assert t.told[1:] == [(60, "cy", "reassigned"), (360, "ana", "escalated")]


def test_who_got_a_reassigned_incident_is_not_passed_over_by_the_repetition():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(3 * HOUR + 58 * MINUTE)
    before = len(t.pages)
    t.hand("cy")
    t.fast_forward(4 * MINUTE)
    assert [to for _, to, _ in t.told[before:]] == ["cy"]


@pytest.mark.parametrize(
    ("whom", "complaint"),
    [({"user": "zoe"}, "there is no user 'zoe'"), ({"team": "none"}, "there is no team 'none'")],
)
def test_a_reassignment_to_nobody_is_told_and_the_climb_goes_on(whom, complaint):
    t = Scenario(TEAMS)
    t.signal()
    t.hand(**whom, name="r1")
    assert t.complaints == [f"reassignment r1: {complaint}"]
    t.fast_forward(6 * MINUTE)
    assert t.told[1:] == [(300, "bo", "escalated")]


def test_a_comment_appears_with_each_page():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.comment("looking at it")
    assert t.updated == [(60, "#oncall", "commented")]
    assert [each.note for each in t.updates[-1].content.deeds] == ["looking at it"]


def test_a_comment_before_the_page_arrives_follows_it():
    t = Scenario(answers={"slack": lambda _: Deferred(reason="503")})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.comment("looking at it")
    t.answers = {}
    t.fast_forward(MINUTE)
    assert [reason for *_, reason in t.updated] == ["commented"]


def test_a_comment_and_a_verdict_may_follow_the_resolution():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(2 * HOUR)
    t.comment("it was the provider")
    t.judge("useful")
    assert t.incident.status == "resolved"
    assert t.incident.feedback == {"useful": 1}
    assert [reason for *_, reason in t.updated] == ["resolved", "commented"]


def test_feedback_is_counted_by_person_and_the_last_verdict_counts():
    t = Scenario()
    t.signal()
    t.judge("useful", by="ana")
    t.judge("false_alarm", by="ana")
    t.judge("false_alarm", by="bo")
    t.judge("useful", by="cy")
    assert t.incident.feedback == {"false_alarm": 2, "useful": 1}


def test_so_many_people_are_heard_and_no_more():
    t = Scenario()
    t.signal()
    for number in range(JUDGES_CAP + 1):
        t.judge("useful", by=f"p{number}")
    t.judge("false_alarm", by="p0")
    assert t.incident.feedback == {"false_alarm": 1, "useful": JUDGES_CAP - 1}
    assert t.router.counts == {"verdicts refused at the cap": 1}


def test_a_silence_from_a_page_covers_what_is_like_it():
    t = Scenario()
    t.signal("s1", detector="cost")
    t.fast_forward(MINUTE)
    t.hush(lasts=HOUR)
    assert [reason for *_, reason in t.updated] == ["updated"]
    t.signal("s2", detector="silence")
    t.fast_forward(MINUTE)
    t.recover("s1")
    assert len(t.pages) == 2
    t.recover("s2")
    t.fast_forward(10 * MINUTE)
    t.signal("s3", detector="cost")
    t.fast_forward(30 * MINUTE)
    assert len(t.pages) == 2
    assert t.incident.muted_by == ("silence hush",)


def test_a_silence_from_a_page_names_only_that_on_which_its_signals_agree():
    t = Scenario()
    t.signal("s1")
    t.signal("s2", detector="cost")
    t.hush()
    t.signal("s3", detector="silence")
    t.fast_forward(MINUTE)
    assert t.pages == []


def test_hostile_labels_can_be_silenced():
    t = Scenario()
    t.signal("s1", agent='a"b\\c\nd')
    t.hush()
    t.fast_forward(MINUTE)
    assert (t.pages, t.complaints) == ([], [])


def test_a_silence_of_nothing_is_refused():
    t = Scenario()
    t.silence(name="all")
    assert t.complaints == ["silence all: it says nothing of what is to be silenced"]
    t.signal()
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


@pytest.mark.parametrize("matcher", ["", "{}", 'nosuch=~".*"', 'nosuch=""'])
def test_a_silence_of_everything_is_refused(matcher):
    t = Scenario()
    t.silence(matcher, name="all")
    assert t.complaints == ["silence all: it would silence everything"]
    t.signal()
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


@pytest.mark.parametrize("do", ["acknowledge", "snooze", "hand", "hush", "close"])
def test_what_is_over_is_taken_by_nobody(do):
    t = Scenario(TEAMS)
    t.signal()
    t.recover()
    getattr(t, do)(*(["cy"] if do == "hand" else []))
    assert t.router.counts == {"words about incidents that are not open": 1}
    assert t.incident.deeds == ()


@pytest.mark.parametrize(
    "said",
    [
        Commented(at=START, id="1", by="a", incident="x", text="t"),
        Judged(at=START, id="1", by="a", incident="x", verdict="useful"),
    ],
)
def test_words_about_unknown_incidents_are_counted(said):
    t = Scenario()
    t.write(said)
    assert t.router.counts == {"words about incidents that are not open": 1}


def test_a_snapshot_from_before_people_could_do_so_much_still_loads():
    t = Scenario(ESCALATED)
    t.signal()
    saved = t.router.save(KEY)
    fresh = {"snoozed", "assigned", "deeds", "judged"}
    for name, part in saved.parts.items():
        if name.startswith("cases-"):
            (case,) = msgspec.msgpack.decode(part)
            assert not fresh & case.keys()
    t.restart()
    t.hand("bo")
    assert t.told[1:] == [(0, "bo", "reassigned")]
