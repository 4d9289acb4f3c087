"""Channels that share an account and differ in whom they reach: each is told, none for another."""

import msgspec
import pytest

from routing.router import KEY, Router
from tests.routing.bursts import burst
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario, dead

A, B = "{opsgenie: 'env:OG', responders: 'team:a'}", "{opsgenie: 'env:OG', responders: 'team:b'}"


def both(first=A, second=B):
    return ONE_CHANNEL.replace("{slack: '#oncall'}", f"{first}, {second}")


def reached(t):
    return [(page.to, *page.channel.options.values()) for page in t.pages]


def test_two_teams_behind_one_account_are_both_paged_and_both_alerts_closed():
    t = Scenario(both())
    t.signal()
    t.fast_forward(MINUTE)
    assert reached(t) == [("oncall", "team:a"), ("oncall", "team:b")]
    assert len({page.id for page in t.pages}) == len({page.alert for page in t.pages}) == 2
    t.recover()
    closed = [(each.page, each.reason, each.reference) for each in t.updates]
    assert closed == [(page.id, "resolved", f"ref {page.id}") for page in t.pages]


def test_another_place_of_one_pager_is_another_channel():
    t = Scenario(both("{pagerduty: 'env:PD'}", "{pagerduty: 'env:PD', url: 'https://pd.example'}"))
    t.signal()
    t.fast_forward(MINUTE)
    assert reached(t) == [("oncall",), ("oncall", "https://pd.example")]


def test_how_a_room_is_told_makes_no_second_room_of_it():
    t = Scenario(both("{slack: '#a'}", "{slack: '#a', chart: thread}"))
    t.signal()
    t.fast_forward(MINUTE)
    assert reached(t) == [("oncall",)]


def test_one_of_two_teams_that_cannot_be_told_leaves_the_other_told():
    t = Scenario(both())
    t.answers["opsgenie"] = lambda page: dead(page) if "team:a" in page.channel.options.values() else None
    t.signal()
    t.fast_forward(MINUTE)
    assert reached(t)[:2] == [("oncall", "team:a"), ("oncall", "team:b")]
    assert t.complaints == []


STEP = """
route: {receiver: people, group_by: [agent], group_wait: 0s, group_interval: 2m, repeat_interval: 4h}
receivers: [{name: people, notify: [{escalation: all}]}]
severity: {base: {error_rate: 70}}
escalations: {all: {steps: [{notify: [%s, %s], wait: 5m}]}}
"""


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        (A, B, ['env:OG{responders="team:a"}', 'env:OG{responders="team:b"}']),
        ("{webhook: 'env:HOOK'}", "{teams: 'env:HOOK'}", ["env:HOOK", "teams env:HOOK"]),
        (A, A, ['env:OG{responders="team:a"}']),
    ],
)
def test_a_step_pages_each_of_its_channels_once(first, second, names):
    t = Scenario(STEP % (first, second))
    t.signal()
    assert [page.to for page in t.pages] == names


def test_limits_count_two_teams_apart_and_fold_nobody_into_the_page_of_another():
    t = Scenario(both() + "limits: {pages_per_channel: 2 per 1h}\n")
    burst(t, 5)
    t.fast_forward(2 * HOUR)
    for team in ("team:a", "team:b"):
        mine = [page for page in t.pages if team in page.channel.options.values()]
        told = [page.content.storm.told if page.content.storm else 0 for page in mine]
        assert sum(told or [0]) + sum(not each for each in told) == 5


def aged(value):
    """What an earlier version would have saved: it did not name options."""
    if isinstance(value, dict):
        return {aged(key) if isinstance(key, str) else key: aged(each) for key, each in value.items()}
    if isinstance(value, list):
        return [aged(each) for each in value]
    return value.replace('{responders="team:a"}', "") if isinstance(value, str) else value


class Upgraded(Scenario):
    """A scenario in which another version takes over."""

    def restart(self):
        saved = self.router.save(KEY)
        old = [aged(msgspec.msgpack.decode(each)) for each in (saved.body, *saved.parts.values())]
        body, *parts = map(msgspec.msgpack.encode, old)
        self.router = Router()
        self.router.load(
            KEY,
            msgspec.structs.replace(saved, body=body, parts=dict(zip(saved.parts, parts, strict=True))),
        )


def story(make, config, count, drill="", until=3 * MINUTE):
    """Incidents, a worker that takes over, and their end."""
    t = make(config)
    burst(t, count)
    if drill:
        t.signal("drill", agent="a", drill=drill)
    t.fast_forward(until)
    t.restart()
    before = len(t.pages)
    t.fast_forward(2 * HOUR)
    for name in tuple(t.firing):
        t.recover(name)
    t.fast_forward(HOUR)
    return reached(t), [(page.time, page.content.title) for page in t.pages[before:]], len(t.updates)


LIMITED = "limits: {pages_per_channel: 2 per 1h}\n"
ONE = ONE_CHANNEL.replace("{slack: '#oncall'}", A)


BESIDE = ESCALATED.replace("{slack: '#triage'}", A).replace(
    "[schedule: payments]", f"[schedule: payments, {A}]"
)


@pytest.mark.parametrize(
    ("config", "until"),
    [(ONE, MINUTE), (ONE + LIMITED, MINUTE / 6), (ONE + LIMITED, 3 * MINUTE), (BESIDE + LIMITED, 3 * MINUTE)],
    ids=["each", "waiting", "storm", "people"],
)
def test_what_an_earlier_version_told_is_not_told_again(config, until):
    assert story(Upgraded, config, 4, until=until) == story(Scenario, config, 4, until=until)


def test_an_earlier_version_s_drill_is_followed_too():
    assert story(Upgraded, ONE, 2, drill="d") == story(Scenario, ONE, 2, drill="d")
