"""Channels that refuse for ever: the page goes on, attempts have bounds, and it is known which and why."""

from datetime import timedelta

from routing.addressing import channel_key, channels
from routing.incidents.refusals import CAP, FORGOTTEN_AFTER, LASTING, note
from routing.incidents.turn import Turn
from routing.router import Router
from schemas.cause import Concluded, Drilled
from schemas.outcome import Deferred, Delivered, Undeliverable
from schemas.page import Channel
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario, busy, dead

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


def test_what_the_notifiers_did_not_even_send_blames_no_channel():
    t = Scenario(answers={"slack": lambda _: Deferred(reason="asked for too long ago", unsent=True)})
    t.signal()
    t.fast_forward(HOUR)
    assert t.router._state.core.refusals == {}


def test_a_fire_drill_blames_no_channel():
    t = Scenario(answers={"slack": dead})
    t.write(Drilled(at=t.now, id=DRILL, by="ana", agent="refund-agent"))
    t.signal(drill=DRILL)
    t.fast_forward(20 * MINUTE)
    assert t.pages
    assert refusing(t) == {}


def test_word_of_a_fire_drill_that_does_not_arrive_blames_no_channel():
    t = Scenario(GATHERED, answers={"slack": dead})
    room = Channel("slack", "#other")
    t.write(Drilled(at=t.now, id=DRILL, by="ana", agent="refund-agent", name="weekly", channel=room))
    t.write(Concluded(at=t.now, id=DRILL))
    t.fast_forward(HOUR)
    assert [each.reason for each in t.notices] == ["drilled"]
    assert t.router._state.core.refusals == {}


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


GATHERED = """
route: {receiver: low, group_by: [agent], group_wait: 0s}
receivers:
- {name: low, notify: [{webhook: 'https://hooks.example/token', digest: 1h}]}
- {name: other, notify: [{slack: '#other'}]}
"""


def test_a_channel_that_gets_digests_alone_is_told_of_too_until_one_arrives():
    t = Scenario(GATHERED, answers={"webhook": dead})
    t.signal()
    t.fast_forward(HOUR)
    t.signal("s2", agent="other")
    t.fast_forward(HOUR)
    assert set(refusing(t)) == {"webhook:https://hooks.example/token"}
    assert all("webhook https://hooks.example/…: " in each for each in t.complaints)
    t.answers = {}
    t.signal("s3", agent="third")
    t.fast_forward(HOUR)
    assert refusing(t) == {}


def test_the_channels_that_are_remembered_are_bounded_and_those_that_refused_last_are_kept():
    rooms = [f"#c{n}" for n in range(CAP + 20)]
    others = "".join(f"- {{name: r{n}, notify: [{{slack: '{room}'}}]}}\n" for n, room in enumerate(rooms))
    t = Scenario(ESCALATED.replace("agents:", f"{others}agents:"), answers={"slack": dead})
    t.signal()
    t.fast_forward(MINUTE)
    state, gone = t.router._state, Undeliverable(reason="gone\nfor good")
    turn = Turn(state, t.router._policy, t.now, [])
    state.core.refusals.clear()
    for room in rooms:
        note(turn, "ana", Channel("slack", room), gone)
    known = state.core.refusals
    assert (len(known), list(known)[-1]) == (CAP, f"slack:#c{CAP + 19}")
    assert {each.reason for each in known.values()} == {"gone for good"}
    assert t.router.counts["channels that refuse forgotten at the cap"] == 20
    assert t.router.refused_until("slack:#c0") == "stale"


MOVED = ESCALATED.replace("U01", "U07")


def refused() -> Scenario:
    """A channel takes nothing for a while."""
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(HOUR)
    assert set(refusing(t)) == {"slack:#oncall"}
    return t


def test_a_channel_that_the_rules_have_under_another_address_by_now_is_told_no_more():
    t = refused()
    t.answers = {}
    t.configure(ONE_CHANNEL.replace("#oncall", "#other"))
    assert refusing(t) == {}
    assert t.router.refused_until("slack:#oncall") == "gone"
    t.configure(ONE_CHANNEL)
    assert refusing(t) == {}
    assert t.router.refused_until("slack:#oncall") == "stale"


def test_a_page_to_an_address_of_earlier_rules_that_is_tried_again_blames_no_channel():
    t = Scenario(ESCALATED, answers={"U01": busy})
    t.signal()
    t.configure(MOVED)
    t.fast_forward(HOUR)
    assert ("U01", 2) in [(each.channel.target, each.attempt) for each in t.pages]
    assert t.router._state.core.refusals == {}


def test_other_rules_with_the_same_channels_change_nothing_of_it():
    t = refused()
    t.configure(ONE_CHANNEL.replace("group_wait: 10s", "group_wait: 20s"))
    assert set(refusing(t)) == {"slack:#oncall"}


def test_the_channels_of_steps_of_handoffs_and_with_options_are_of_the_rules_too():
    own = ESCALATED.replace("ana: {slack: U01,", "ana: {slack: {to: U01, token: 'env:OTHER'},")
    own = own.replace("timezone: UTC", "timezone: UTC\n    handoff: {notice: 1h, slack: '#shifts'}")
    own = own.replace("notify: [user: bo], via: [pagerduty]", "notify: [{webhook: 'https://a.example/1'}]")
    t = Scenario(own)
    found = {channel_key(each) for each in channels(t.router._policy) if each.kind != "terminal"}
    assert found == {"slack:#triage", "webhook:https://a.example/1", 'slack:U01{token="env:OTHER"}',
                     "pagerduty:env:PD_ANA", "slack:U02", "pagerduty:env:PD_BO", "slack:#shifts"}  # fmt: skip


def test_why_nothing_is_told_any_more_is_known_for_a_while():
    t = refused()
    t.answers = {}
    t.signal("s2", agent="other")
    t.fast_forward(MINUTE)
    assert t.router.refused_until("slack:#oncall") == "recovered"
    t.restart()
    assert t.router.refused_until("slack:#oncall") == "recovered"
    t.fast_forward(HOUR)
    t.answers = {"U07": dead}
    t.configure(MOVED)
    t.configure(ONE_CHANNEL)
    assert t.router._state.core.refusals == {}


def test_what_refuses_again_does_so_since_then():
    t = refused()
    t.answers = {}
    t.signal("s2", agent="other")
    t.fast_forward(MINUTE)
    t.answers = {"slack": dead}
    t.signal("s3", agent="third")
    t.fast_forward(timedelta(seconds=10))
    known = t.router._state.core.refusals["slack:#oncall"]
    assert (known.since, known.last, known.taken) == (t.now, t.now, None)
    assert refusing(t) == {}


def test_what_took_something_long_ago_is_remembered_no_more_once_another_refuses():
    t = Scenario(ESCALATED, answers={"U01": dead})
    t.signal()
    t.answers = {}
    t.signal("s2", detector="cost", agent="b")
    t.fast_forward(HOUR)
    known = t.router._state.core.refusals
    assert known["slack:U01"].taken is not None
    t.answers = {"pagerduty": dead}
    t.signal("s3", agent="c")
    t.fast_forward(HOUR)
    assert set(known) == {"pagerduty:env:PD_BO"}


def test_without_rules_that_can_be_followed_nobody_knows_why():
    assert Router().refused_until("slack:#oncall") == "stale"
