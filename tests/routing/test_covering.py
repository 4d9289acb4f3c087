"""One outage, one page: what a dependency's incident and an agent's say of the same calls."""

import pytest
from msgspec import structs

from routing.incidents.covering import GRACE, MOST_COVERED, SAME_OUTAGE
from schemas.cause import Signalled
from schemas.signal import Sample, Signal
from tests.routing.scenario import HOUR, MINUTE, SECOND, Scenario

CONFIG = """
route: {receiver: quiet, group_by: [agent, detector, finding], group_wait: 0s, group_interval: 1m,
        routes: [{receiver: oncall, matchers: ['severity=~"error|critical"'],
                  routes: [{matchers: ['detector="dependency"'], group_by: [kind, dependency]}]}]}
receivers: [{name: oncall, notify: [{slack: '#oncall'}]}, {name: quiet, notify: []}]
severity: {base: {error_rate: 70, dependency: 70, dependency/slow: 70, latency: 70, silence: 10,
                  traffic/drop: 70, traffic/surge: 70}}
"""


class Outage(Scenario):
    """Signals by detector and finding, each paged as an error unless something covers it."""

    def __init__(self, config=CONFIG):
        super().__init__(config)

    def says(self, detector, finding, agent="a", magnitude=None, unit="burn_rate", **labels):
        """A detector's finding opens now and is asserted each minute."""
        known = {"agent": agent, "detector": detector, "finding": finding, **labels}
        name = f"{detector} {finding} {agent} {labels}"
        signal = Signal(
            id=name,
            detector=detector,
            finding=finding,
            state="firing",
            labels=known,
            time=self.now,
            onset=self.now,
            summary=name,
            magnitude=magnitude,
            magnitude_unit=unit if magnitude else "",
        )
        self.firing[name] = signal
        self.write(Signalled(at=self.now, signal=signal))
        self.fast_forward(SECOND)
        return name

    def grows(self, name, magnitude):
        self.firing[name] = structs.replace(
            self.firing[name], magnitude=magnitude, magnitude_unit="burn_rate"
        )
        self.say_again(name)
        self.fast_forward(SECOND)

    @property
    def paged_for(self):
        return [page.summary.split(" {")[0] for page in self.pages]


def provider(t, agent="a", finding="failing", **more):
    return t.says("dependency", finding, agent, kind="provider", dependency="openai", **more)


def test_a_provider_that_is_down_is_one_page_over_all_agents_and_covers_what_they_say_of_their_calls():
    t = Outage()
    for agent in "abc":
        provider(t, agent)
        t.says("error_rate", "models", agent)
    t.fast_forward(30 * MINUTE)
    assert t.paged_for == ["dependency failing a"]
    covered = [each for each in t.incidents if each.labels.get("detector") == "error_rate"]
    assert {each.severity for each in covered} == {"warning"}


def test_whichever_comes_first_covers_the_other():
    t = Outage()
    t.says("error_rate", "models")
    provider(t)
    assert t.paged_for == ["error_rate models a"]


def test_other_calls_other_agents_and_what_is_no_outage_are_not_covered():
    t = Outage()
    provider(t)
    t.says("error_rate", "tools")
    t.says("error_rate", "models", "b")
    t.says("dependency", "slow", "b", kind="provider", dependency="google")
    assert len(t.paged_for) == 4


def test_a_dependency_that_pages_nobody_covers_nothing():
    t = Outage()
    t.configure(CONFIG.replace("dependency: 70", "dependency: 40"))
    provider(t)
    t.says("error_rate", "models")
    assert t.paged_for == ["error_rate models a"]


def test_an_agent_that_is_known_to_lose_its_sessions_is_not_told_of_its_dependency_but_others_are():
    t = Outage()
    t.says("error_rate", "sessions")
    provider(t)
    assert t.paged_for == ["error_rate sessions a"]
    provider(t, "b")
    assert t.paged_for == ["error_rate sessions a", "dependency failing b"]


def test_calls_that_fail_long_after_sessions_were_lost_are_something_new():
    t = Outage()
    t.says("error_rate", "sessions")
    t.says("error_rate", "models")
    t.fast_forward(SAME_OUTAGE + MINUTE)
    t.says("error_rate", "tools")
    assert t.paged_for == ["error_rate sessions a", "error_rate tools a"]


def test_lost_sessions_are_covered_by_a_critical_dependency_only():
    t = Outage()
    provider(t)
    t.says("error_rate", "sessions", "b")
    t.says("error_rate", "sessions")
    assert t.paged_for == ["dependency failing a", "error_rate sessions b", "error_rate sessions a"]
    t = Outage()
    name = provider(t)
    t.grows(name, 20.0)
    t.says("error_rate", "sessions")
    assert t.paged_for == ["dependency failing a"]


def test_what_goes_on_after_the_cover_has_ended_pages_after_a_while():
    t = Outage()
    name = provider(t)
    t.says("error_rate", "models")
    t.fast_forward(5 * MINUTE)
    t.recover(name)
    t.fast_forward(GRACE - MINUTE)
    assert t.paged_for == ["dependency failing a"]
    t.fast_forward(3 * MINUTE)
    assert t.paged_for == ["dependency failing a", "error_rate models a"]


@pytest.mark.parametrize(("after", "paged"), [(-MINUTE, 1), (GRACE + MINUTE, 2)])
def test_what_few_calls_show_the_end_of_stays_covered_until_one_fails_again(after, paged):
    t = Outage()
    name = provider(t)
    models = t.says("error_rate", "models")
    t.fast_forward(5 * MINUTE)
    last = t.now
    t.recover(name)
    t.fast_forward(2 * MINUTE)
    failed = Sample(event="s/1", time=last + after)
    t.firing[models] = structs.replace(t.firing[models], samples=(failed,))
    t.fast_forward(4 * 60 * MINUTE)
    assert len(t.paged_for) == paged


def test_a_restart_forgets_no_cover():
    t = Outage()
    provider(t)
    t.restart()
    t.says("error_rate", "models")
    assert t.paged_for == ["dependency failing a"]


def test_only_so_many_agents_have_covers_and_the_oldest_makes_room():
    t = Outage()
    for number in range(MOST_COVERED + 1):
        signal = Signal(
            id=str(number),
            detector="error_rate",
            finding="models",
            state="firing",
            labels={"agent": f"agent{number}"},
            time=t.now,
            onset=t.now,
            summary="",
        )
        t.write(Signalled(at=t.now, signal=signal))
    provider(t, "agent1")
    assert "dependency failing agent1" not in t.paged_for
    provider(t, "agent0")
    assert t.paged_for[-1] == "dependency failing agent0"


# -- calls that take longer -------------------------------------------------------------------------------


def beside_harm():
    """Slowness alone is a shift: it pages only beside harm."""
    t = Outage()
    t.says("silence", "agent_down")
    return t


def test_a_slow_tool_pages_once_whoever_says_it_first():
    t = beside_harm()
    t.says("dependency", "slow", kind="tool", dependency="search")
    t.says("latency", "slow", operation="execute_tool", tool="search")
    assert t.paged_for == ["dependency slow a"]
    other = beside_harm()
    other.says("latency", "slow", operation="execute_tool", tool="search")
    other.says("dependency", "slow", kind="tool", dependency="search")
    assert other.paged_for == ["latency slow a"]


def test_slow_models_and_their_slow_provider_page_once():
    t = beside_harm()
    t.says("latency", "first_chunk", operation="chat", model="m")
    t.says("dependency", "slow", kind="provider", dependency="openai")
    assert t.paged_for == ["latency first_chunk a"]


def test_what_is_slow_for_another_reason_pages_too():
    t = beside_harm()
    t.says("dependency", "slow", kind="tool", dependency="search")
    t.says("latency", "slow", operation="execute_tool", tool="pay")
    t.says("latency", "slow", operation="chat", model="m")
    t.says("latency", "queue_wait", operation="execute_tool", tool="search")
    assert t.paged_for == ["dependency slow a", "latency slow a", "latency queue_wait a"]


def test_a_slow_call_says_nothing_of_one_that_fails():
    t = beside_harm()
    t.says("latency", "slow", operation="chat", model="m")
    provider(t)
    assert t.paged_for == ["latency slow a", "dependency failing a"]


@pytest.mark.parametrize("gone", [("silence", "agent_down"), ("traffic", "drop")])
def test_an_agent_to_which_hardly_anything_comes_and_then_nothing_pages_once(gone):
    config = CONFIG.replace("silence: 10", "silence: 80")
    t, (other,) = Outage(config), {("silence", "agent_down"), ("traffic", "drop")} - {gone}
    first = t.says(*gone, magnitude=0.05, unit="ratio")
    t.fast_forward(20 * MINUTE)
    name = t.says(*other, magnitude=0.05, unit="ratio")
    # What was heard last is its sample, as of a real silence.
    t.firing[name] = structs.replace(t.firing[name], samples=(Sample(event="s/1", time=t.now),))
    t.fast_forward(HOUR)
    assert t.paged_for == [" ".join((*gone, "a"))]
    t.recover(first)
    t.fast_forward(2 * GRACE)
    assert t.paged_for[1:] == [" ".join((*other, "a"))]


def test_a_surge_says_nothing_of_a_silence():
    t = Outage(CONFIG.replace("silence: 10", "silence: 80"))
    t.says("traffic", "surge", magnitude=10.0, unit="ratio")
    t.says("silence", "agent_down")
    assert t.paged_for == ["traffic surge a", "silence agent_down a"]


@pytest.mark.parametrize(
    ("rules", "silence"),
    [
        (CONFIG, 'detector="dependency"'),
        (CONFIG.replace("notify: [{slack: '#oncall'}]", "notify: [{slack: '#oncall', digest: 1h}]"), ""),
        (
            CONFIG.replace("[kind, dependency]", "[kind, dependency], mute_time_intervals: [winter]")
            + "time_intervals: [{name: winter, time_intervals: [{months: ['january']}]}]\n",
            "",
        ),
    ],
    ids=["silenced", "gathered for a digest", "asleep"],
)
def test_what_nobody_is_told_of_covers_nothing(rules, silence):
    t = Outage(rules)
    if silence:
        t.silence(silence, lasts=10 * HOUR)
    provider(t)
    t.says("error_rate", "models")
    t.fast_forward(MINUTE)
    assert [each.severity for each in t.incidents] == ["error", "error"]


def test_what_somebody_closed_covers_what_it_covered():
    t = Outage()
    provider(t)
    t.close()
    t.fast_forward(MINUTE)
    t.says("error_rate", "models")
    assert [each.severity for each in t.incidents] == ["error", "warning"]
