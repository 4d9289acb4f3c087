"""Before a silence ends that still hides something, whoever made it is told."""

from routing.content import title
from routing.incidents.notices import LEAD, notice_timer
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    ONE_CHANNEL,
    START,
    Scenario,
    busy,
    dead,
    says_nothing,
)

PEOPLE = ONE_CHANNEL + "users: {ana: {pagerduty: 'env:PD', slack: U01}, bo: {pagerduty: 'env:PD'}}\n"
SIX = 6 * HOUR


def notices(t):
    return [
        (each.time - START, each.to, each.channel.target) for each in t.notices if each.reason == "expiring"
    ]


def test_the_author_is_told_half_an_hour_before_over_a_quiet_channel():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.fast_forward(SIX - MINUTE)
    assert notices(t) == [(SIX - LEAD, "ana", "U01")]
    (said,) = t.notices
    assert said.severity == said.content.severity == "info"
    assert dict(said.facts) == {"Hides": f"error: s1 of refund-agent fails ({t.incident.id})"}
    assert title(said) == said.summary == said.content.title
    assert said.summary == (
        "Silence quiet by ana (known) ends at 2026-01-05 15:00 UTC and hides 1 signal still: "
        "s1 of refund-agent fails"
    )
    t.fast_forward(10 * MINUTE)
    assert [(each.to, each.reason) for each in t.pages] == [("oncall", "opened")]


def test_a_silence_made_after_the_page_is_noticed_too():
    t = Scenario(PEOPLE)
    t.signal()
    t.fast_forward(10 * MINUTE)
    t.silence('agent="refund-agent"', lasts=SIX)
    t.fast_forward(SIX)
    assert notices(t) == [(SIX - LEAD + 10 * MINUTE, "ana", "U01")]


def test_of_a_silence_that_hides_nothing_any_more_nobody_is_told():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.fast_forward(5 * HOUR)
    t.recover()
    t.fast_forward(2 * HOUR)
    assert t.notices == []


def test_whoever_is_no_user_or_has_only_loud_channels_is_told_over_the_receivers_channel():
    for by in ("bo", "stranger"):
        t = Scenario(PEOPLE)
        t.silence('agent="refund-agent"', lasts=SIX, by=by)
        t.signal()
        t.fast_forward(SIX - MINUTE)
        assert notices(t) == [(SIX - LEAD, "oncall", "#oncall")]


def test_where_the_receiver_has_no_channel_of_its_own_the_root_receivers_is_told():
    t = Scenario(ESCALATED)
    t.silence('agent="refund-agent"', lasts=SIX, by="stranger")
    t.signal()
    t.fast_forward(SIX - MINUTE)
    assert notices(t) == [(SIX - LEAD, "triage", "#triage")]


def test_where_nobody_can_be_told_quietly_it_is_counted():
    t = Scenario(ONE_CHANNEL.replace("slack: '#oncall'", "pagerduty: 'env:PD'"))
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.fast_forward(SIX - MINUTE)
    assert t.notices == []
    assert t.router.counts["silences that end without a notice"] == 1


def test_one_notice_counts_all_that_is_hidden_and_names_the_worst():
    t = Scenario(PEOPLE)
    t.silence('env="staging"', lasts=SIX)
    for number, detector in enumerate(["cost", "silence", "cost"]):
        t.signal(f"s{number}", detector=detector, agent=f"agent-{number}", env="staging")
    t.fast_forward(SIX - MINUTE)
    (page,) = t.notices
    assert "hides 3 signals still: s1 of agent-1 fails" in page.summary


def test_a_silence_that_is_prolonged_is_noticed_before_its_new_end_only():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=2 * HOUR)
    t.signal()
    t.fast_forward(HOUR)
    t.silence('agent="refund-agent"', lasts=5 * HOUR)
    t.fast_forward(5 * HOUR - MINUTE)
    assert notices(t) == [(SIX - LEAD, "ana", "U01")]


def test_a_silence_that_is_told_twice_is_the_same_silence():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=80 * MINUTE)
    t.signal()
    t.fast_forward(25 * MINUTE)
    t.silence('agent="refund-agent"', lasts=55 * MINUTE)
    t.fast_forward(50 * MINUTE)
    assert [at for at, _, _ in notices(t)] == [60 * MINUTE]


def test_a_silence_of_something_else_begins_anew():
    t = Scenario(PEOPLE)
    t.silence('agent="chat-agent"', lasts=80 * MINUTE)
    t.signal()
    t.fast_forward(10 * MINUTE)
    t.silence('agent="refund-agent"', lasts=60 * MINUTE)
    t.fast_forward(58 * MINUTE)
    assert [at for at, _, _ in notices(t)] == [55 * MINUTE]


def test_a_silence_that_is_prolonged_after_its_notice_is_noticed_again():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=2 * HOUR)
    t.signal()
    t.fast_forward(2 * HOUR - MINUTE)
    t.silence('agent="refund-agent"', lasts=2 * HOUR)
    t.fast_forward(2 * HOUR - MINUTE)
    assert [at for at, _, _ in notices(t)] == [2 * HOUR - LEAD, 4 * HOUR - MINUTE - LEAD]


def test_a_short_silence_ends_without_a_notice():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=59 * MINUTE)
    t.signal()
    t.fast_forward(58 * MINUTE)
    assert t.notices == []


def test_an_hour_is_noticed_a_quarter_before_its_end():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=HOUR)
    t.signal()
    t.fast_forward(HOUR - MINUTE)
    assert notices(t) == [(45 * MINUTE, "ana", "U01")]


def test_a_planned_silence_is_noticed_and_a_recurring_one_is_not():
    move = "silences: [{name: move, matchers: [env=x], author: ana, %s}]\n"
    once = move % "start: '2026-01-05T09:00', end: '2026-01-05T11:00'"
    again = move % "every: {times: [{start_time: '09:00', end_time: '11:00'}]}"
    for text, expected in ((once, [(2 * HOUR - LEAD, "ana", "U01")]), (again, [])):
        t = Scenario(PEOPLE + text)
        t.signal(env="x")
        t.fast_forward(2 * HOUR - MINUTE)
        assert notices(t) == expected


def test_a_planned_silence_without_an_author_or_a_beginning_is_noticed_too():
    t = Scenario(PEOPLE + "silences: [{name: move, matchers: [env=x], end: '2026-01-05T11:00'}]\n")
    t.signal(env="x")
    t.fast_forward(2 * HOUR - MINUTE)
    assert notices(t) == [(2 * HOUR - LEAD, "oncall", "#oncall")]
    assert t.notices[0].summary.startswith("Silence move ends at 2026-01-05 11:00 UTC")


def test_a_notice_that_cannot_be_delivered_pages_nobody_else():
    t = Scenario(PEOPLE, answers={"U01": dead})
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.fast_forward(SIX - MINUTE)
    assert [each.to for each in t.notices] == ["ana"]
    assert (t.pages, t.incident.paged) == ([], ())
    assert t.complaints == ["silence quiet: a notice did not reach slack U01: channel_not_found"]


def test_a_notice_of_which_nothing_is_heard_is_sent_four_times():
    t = Scenario(PEOPLE, answers={"U01": says_nothing})
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.fast_forward(SIX - LEAD)
    t.restart()
    t.fast_forward(LEAD - MINUTE)
    assert [each.attempt for each in t.notices] == [1, 2, 3, 4]
    assert len({each.id for each in t.notices}) == 1
    assert t.complaints == ["silence quiet: a notice did not reach slack U01: no outcome was reported"]


def test_a_notice_outlives_other_rules():
    t = Scenario(PEOPLE, answers={"U01": busy})
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.fast_forward(SIX - LEAD)
    t.configure(PEOPLE + "# changed\n")
    t.fast_forward(5 * MINUTE)
    assert [each.attempt for each in t.notices] == [1, 2, 3]


def test_notices_outlive_a_restart_and_are_not_repeated():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=SIX)
    t.signal()
    t.signal("s2", agent="refund-agent", detector="cost")
    t.fast_forward(HOUR)
    t.restart()
    t.fast_forward(SIX - HOUR - LEAD)
    t.restart()
    t.fast_forward(LEAD - MINUTE)
    assert len(notices(t)) == 1


def test_of_an_incident_that_was_closed_by_hand_nobody_is_told_although_it_fires_still():
    t = Scenario(PEOPLE)
    t.signal()
    t.fast_forward(MINUTE)
    t.silence('agent="refund-agent"', lasts=2 * HOUR)
    t.fast_forward(10 * MINUTE)
    t.close()
    t.fast_forward(2 * HOUR)
    assert notices(t) == []
    assert t.complaints == []


def test_one_that_was_closed_by_hand_leaves_the_notice_to_those_that_are_open():
    t = Scenario(PEOPLE)
    t.silence("env=staging", lasts=SIX)
    t.signal("s1", agent="one", env="staging")
    t.signal("s2", agent="two", env="staging")
    t.fast_forward(MINUTE)
    t.close()
    t.fast_forward(SIX - 2 * MINUTE)
    assert notices(t) == [(SIX - LEAD, "ana", "U01")]
    assert "hides 1 signal still: s1 of one fails" in t.notices[0].summary


def test_a_notice_that_an_earlier_version_left_armed_of_a_closed_incident_is_not_told():
    t = Scenario(PEOPLE)
    t.silence('agent="refund-agent"', lasts=2 * HOUR)
    t.signal()
    t.fast_forward(MINUTE)
    t.close()
    state = t.router._state
    state.timers.arm(state.cases[t.incident.id], notice_timer("quiet"), START + 2 * HOUR - LEAD)
    t.restart()
    t.fast_forward(2 * HOUR)
    assert t.notices == []
    assert t.complaints == []
