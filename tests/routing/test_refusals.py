"""Channels that refuse for ever: the page goes on, attempts have bounds, and it is known which and why."""

from msgspec.structs import replace

from routing.incidents.refusals import CAP, FORGOTTEN_AFTER, LASTING, note
from routing.incidents.turn import Turn
from schemas.cause import Drilled
from schemas.outcome import Delivered, Undeliverable
from schemas.page import Channel
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, Scenario, busy, dead

DRILL = "error_rate/sessions:1"
CUSTOM = ESCALATED.replace(
    "ana: {slack: U01, pagerduty: 'env:PD_ANA'}",
    "ana: {webhook: 'env:HOOK', apprise: 'env:TELEGRAM', slack: U01}",
).replace("via: [slack, pagerduty]", "via: [webhook, apprise, slack]")


def refusing(t: Scenario) -> dict[str, str]:
    """Why each channel takes nothing."""
    return {key: each.reason for key, each in t.router.refusing(t.now).items()}


def test_a_webhook_that_is_gone_gives_way_at_once_and_one_of_apprise_that_fails_after_four_attempts():
    t = Scenario(CUSTOM, answers={"webhook": dead, "apprise": busy})
    t.signal()
    assert t.paged == [(0, "webhook env:HOOK"), (0, "apprise env:TELEGRAM")]
    t.fast_forward(2 * MINUTE)
    assert t.paged[2:] == [(15, "apprise env:TELEGRAM"), (45, "apprise env:TELEGRAM"),
                           (105, "apprise env:TELEGRAM"), (105, "slack U01")]  # fmt: skip
    assert t.complaints == []


def test_while_all_refuse_for_a_day_attempts_are_bounded_and_the_page_arrives_when_one_does_not():
    t = Scenario(CUSTOM, answers=dict.fromkeys(("webhook", "apprise", "slack", "pagerduty"), dead))
    t.signal()
    t.fast_forward(24 * HOUR)
    assert 6 * 24 <= len(t.pages) <= 7 * 24 + 20
    t.answers = {"webhook": dead}
    t.fast_forward(10 * MINUTE)
    assert t.paged[-1][1] == "slack #triage"
    assert t.incident.status == "triggered"


def test_what_took_nothing_for_ten_minutes_is_told_with_its_reason_until_it_takes_something():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(MINUTE)
    assert refusing(t) == {}
    t.fast_forward(LASTING)
    assert refusing(t) == {"slack:#oncall": "channel_not_found"}
    t.restart()
    assert refusing(t) == {"slack:#oncall": "channel_not_found"}
    t.answers = {}
    t.fast_forward(10 * MINUTE)
    assert refusing(t) == {}


def test_what_is_busy_for_long_is_told_too_and_an_update_that_arrives_ends_it():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.answers = {"slack": busy}
    t.signal("s2", agent="other")
    t.fast_forward(LASTING + 5 * MINUTE)
    assert refusing(t) == {"slack:#oncall": "503"}
    t.answers = {}
    t.recover("s1")
    assert refusing(t) == {}


def test_of_what_nobody_tried_for_a_day_nothing_is_known():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(LASTING + MINUTE)
    t.recover()
    t.fast_forward(FORGOTTEN_AFTER + MINUTE)
    assert refusing(t) == {}
    t.signal("s2")
    t.fast_forward(MINUTE)
    assert refusing(t) == {}


def test_a_fire_drill_blames_no_channel():
    t = Scenario(answers={"slack": dead})
    t.write(Drilled(at=t.now, id=DRILL, by="ana", agent="refund-agent"))
    t.signal(drill=DRILL)
    t.fast_forward(20 * MINUTE)
    assert t.pages
    assert refusing(t) == {}


def test_a_handoff_that_arrives_shows_that_the_channel_takes_something():
    handed = ESCALATED.replace("timezone: UTC", "timezone: UTC\n    handoff: {notice: 1h, slack: '#triage'}")
    everything = {"slack": dead, "pagerduty": dead}
    t = Scenario(handed.replace("1 week", "1 day"), answers=everything)
    t.fast_forward(22 * HOUR)
    t.signal()
    t.fast_forward(HOUR - MINUTE)
    assert "slack:#triage" in refusing(t)
    t.answers = {
        **everything,
        "#triage": lambda message: Delivered() if hasattr(message, "facts") else dead(message),
    }
    t.fast_forward(2 * MINUTE)
    assert "slack:#triage" not in refusing(t)


def test_the_channels_that_are_remembered_are_bounded_and_those_that_refused_last_are_kept():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(MINUTE)
    state, gone = t.router._state, Undeliverable(reason="gone\nfor good")
    (case,) = state.cases.values()
    (sent,) = case.pages.values()
    turn = Turn(state, t.router._policy, t.now, [])
    for n in range(CAP + 20):
        note(turn, case, replace(sent, channel=Channel("slack", f"#c{n}")), gone)
    known = state.core.refusals
    assert (len(known), list(known)[-1]) == (CAP, f"slack:#c{CAP + 19}")
    assert {each.reason for each in known.values()} == {"gone for good"}
