"""What Alertmanager's users ask for since years, issue by issue; each is one scenario.

Muted hours, inhibition and silences have files of their own, which name their issues.
"""

import pytest

from tests.routing.scenario import HOUR, MINUTE, ONE_CHANNEL, SECOND, START, Scenario, arrives, busy

HOURS = """
time_intervals: [{name: later, time_intervals: [{times: [{start_time: '09:05', end_time: '12:00'}]}]}]
"""
RULE = """
inhibit_rules: [{source_matchers: [detector=dependency], target_matchers: [detector=error_rate]}]
"""
BELOW = "group_by: [agent], routes: [{matchers: ['detector=error_rate'], mute_time_intervals: [later]}]"


def by_silence(t):
    t.silence('detector="error_rate"', lasts=5 * HOUR)


def by_inhibition(t):
    t.signal("source", detector="dependency", agent="another")


def by_hours(t):
    del t


@pytest.mark.parametrize("mute", [by_silence, by_inhibition, by_hours])
def test_whatever_mutes_a_signal_later_its_page_is_resolved(mute):
    """Issues 226, 3664, 5247: a muted alert never sends its resolution."""
    config = ONE_CHANNEL + RULE
    if mute is by_hours:
        config = config.replace("group_by: [agent]", BELOW) + HOURS
    t = Scenario(config)
    t.signal()
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1
    mute(t)
    t.fast_forward(20 * MINUTE)
    t.recover()
    own = [each for each in t.updates if each.page == t.pages[0].id]
    assert own[-1].reason == "resolved"
    assert own[-1].time == t.now


def test_an_incident_of_which_one_signal_still_fires_is_not_told_as_resolved():
    """Issue 5247, also where the one that still fires is muted."""
    t = Scenario()
    t.signal("s1")
    t.signal("s2", detector="cost")
    t.fast_forward(MINUTE)
    t.silence('detector="cost"')
    t.recover("s1")
    t.fast_forward(20 * MINUTE)
    assert "resolved" not in [each.reason for each in t.updates]
    t.recover("s2")
    assert t.updates[-1].reason == "resolved"


def test_a_resolution_does_not_wait_for_group_interval():
    """Issue 1510."""
    t = Scenario(ONE_CHANNEL.replace("group_interval: 2m", "group_interval: 1h"))
    t.signal()
    t.fast_forward(3 * MINUTE)
    t.recover()
    assert t.updated == [(180, "#oncall", "resolved")]


@pytest.mark.parametrize("seconds", [5, 65])
def test_a_reload_neither_sends_again_nor_forgets(seconds):
    """Issues 2492, 3407, 3097: in group_wait, and after the page."""
    t = Scenario()
    t.signal()
    t.fast_forward(seconds * SECOND)
    t.configure(ONE_CHANNEL + "# another text\n")
    t.fast_forward(HOUR)
    assert t.told == [(10, "oncall", "opened")]
    t.recover()
    assert t.updates[-1].reason == "resolved"


@pytest.mark.parametrize("seconds", [5, 65])
def test_a_restart_neither_sends_again_nor_forgets(seconds):
    """Measured: Alertmanager killed in group_wait sends nothing."""
    t = Scenario()
    t.signal()
    t.fast_forward(seconds * SECOND)
    t.restart()
    t.fast_forward(HOUR)
    assert t.told == [(10, "oncall", "opened")]


def test_a_receiver_that_is_out_of_order_for_a_while_gets_one_page():
    """Measured: where a receiver answers 500 for ten seconds, Alertmanager delivers twice."""
    t = Scenario()
    t.answers["#oncall"] = lambda message: _busy_until(t, message)
    t.signal()
    t.fast_forward(10 * MINUTE)
    assert len({page.id for page in t.pages}) == 1
    assert t.pages[-1].attempt > 1


def _busy_until(t, message):
    return busy(message) if t.now < START + 20 * SECOND else arrives(message)


def test_a_silence_that_is_about_to_end_tells_its_author():
    """Issue 730."""
    t = Scenario(ONE_CHANNEL + "users: {ana: {slack: U01}}\n")
    t.silence('agent="refund-agent"', lasts=8 * HOUR)
    t.signal()
    t.fast_forward(8 * HOUR - MINUTE)
    assert [(each.time - START, each.to, each.reason) for each in t.notices] == [
        (7.5 * HOUR, "ana", "expiring")
    ]


def test_the_same_silence_comes_again():
    """Issue 3339."""
    every = "{times: [{start_time: '09:00', end_time: '10:00'}]}"
    again = f"silences: [{{name: s, matchers: [agent=x], every: {every}}}]\n"
    t = Scenario(ONE_CHANNEL + again)
    for _ in range(3):
        t.signal(agent="x")
        t.fast_forward(50 * MINUTE)
        t.recover()
        t.fast_forward(24 * HOUR - 50 * MINUTE)
    assert t.pages == []
