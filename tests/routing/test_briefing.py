"""What a page is filled with."""

from datetime import UTC, timedelta, timezone

from msgspec.structs import replace

from routing.incidents.next_steps import ANY_STEP, next_step
from schemas.cause import Signalled
from schemas.signal import Sample, Signal
from tests.routing.scenario import MINUTE, ONE_CHANNEL, START, Scenario

OWNED = (
    ONE_CHANNEL
    + """
agents:
- {name: 'refund-*', team: payments, runbook: 'https://runbooks.example/refunds'}
- {name: '*', team: platform}
users: {ana: {slack: U01}}
teams: {payments: {escalation: only}, platform: {escalation: only}}
escalations: {only: {steps: [{notify: [user: ana], via: [slack]}]}}
messages: {sec: 'take a look'}
"""
)


def page_of(t):
    t.fast_forward(MINUTE)
    return t.pages[-1]


def test_a_page_says_what_happens_to_whom_since_when_and_why_it_matters():
    t = Scenario(OWNED.replace("'#oncall'", "'#oncall', template: sec"))
    t.signal(env="prod")
    page = page_of(t)
    content = page.content
    assert page.summary == content.title == "s1 of refund-agent fails"
    assert (content.severity, content.score, content.status) == ("error", 70, "triggered")
    assert sum(part.points for part in content.score_parts) == 70
    assert content.since == START
    assert content.labels == {
        "agent": "refund-agent",
        "detector": "error_rate",
        "finding": "sessions",
        "env": "prod",
        "team": "payments",
        "severity": "error",
    }
    assert (content.team, content.runbook) == ("payments", "https://runbooks.example/refunds")
    assert (content.firing, content.resolved) == (1, 0)
    assert content.template == "take a look"
    assert content.next_step == next_step(t.firing["s1"])
    assert [signal.id for signal in content.signals] == ["s1"]


def test_the_worst_five_signals_are_shown_and_only_what_they_share_is_a_label():
    t = Scenario()
    for number in range(7):
        t.signal(f"s{number}", tool=f"tool-{number}")
    t.signal("worst", detector="silence")
    content = page_of(t).content
    assert [signal.id for signal in content.signals] == ["worst", "s0", "s1", "s2", "s3"]
    assert content.firing == 8
    assert content.title == "worst of refund-agent fails (and 7 more signals)"
    assert content.labels == {"agent": "refund-agent", "finding": "sessions"}


def test_resolved_signals_come_last_and_are_counted_after_they_left():
    t = Scenario()
    t.signal("s1", detector="silence")
    t.signal("s2")
    t.fast_forward(MINUTE)
    t.recover("s1")
    t.fast_forward(2 * MINUTE)
    first = t.updates[-1].content
    assert [signal.id for signal in first.signals] == ["s2", "s1"]
    assert (first.firing, first.resolved) == (1, 1)
    t.signal("s3")
    t.fast_forward(2 * MINUTE)
    assert (t.updates[-1].content.firing, t.updates[-1].content.resolved) == (2, 1)


def test_related_incidents_are_the_agent_s_then_the_team_s():
    t = Scenario(OWNED.replace("group_by: [agent]", "group_by: [agent, tool]"))
    for agent, tool in (("refund-1", "a"), ("refund-2", "b"), ("other", "c"), ("refund-1", "d")):
        t.signal(tool, agent=agent, tool=tool)
        t.now += timedelta(seconds=1)
    ids = [each.id for each in t.incidents]
    related = {page.content.labels["tool"]: page.content.related for page in t.pages} if page_of(t) else {}
    assert related["d"] == (ids[0], ids[1])
    assert related["c"] == ()


def test_resolved_incidents_are_related_to_none():
    t = Scenario(ONE_CHANNEL.replace("group_by: [agent]", "group_by: [agent, tool]"))
    t.signal("a", tool="a")
    t.recover("a")
    t.signal("b", tool="b")
    assert page_of(t).content.related == ()


def test_signals_of_no_agent_are_related_to_none():
    t = Scenario(ONE_CHANNEL.replace("group_by: [agent]", "group_by: [tool]"))
    for name in "ab":
        t.signal(name, agent="", tool=name)
    assert page_of(t).content.related == ()


def step(detector, finding="x", **labels):
    basics = {"id": "", "state": "firing", "time": START, "onset": START, "summary": ""}
    return next_step(Signal(detector=detector, finding=finding, labels=labels, **basics))


def test_the_next_step_is_the_finding_s_or_the_detector_s_and_knows_error_classes():
    assert step("session", "loop") != step("session", "stuck")
    assert ANY_STEP not in {step("traffic", "drop"), step("traffic", "surge")}
    assert step("unheard_of") == ANY_STEP
    assert "Retries will not help" in step("error_rate", "tools", error_class="non_retryable")
    assert "A person must decide" in step("error_rate", **{"class": "escalation"})


def test_times_in_other_zones_are_told_in_utc():
    t = Scenario()
    t.signal()
    there = timezone(timedelta(hours=2))
    sample = Sample(event="e", time=START.astimezone(there))
    t.firing["s1"] = replace(t.firing["s1"], onset=START.astimezone(there), samples=(sample,))
    t.write(Signalled(at=START.astimezone(there), signal=t.firing["s1"]))
    content = page_of(t).content
    assert content.since.tzinfo is UTC
    assert content.signals[0].samples[0].time.tzinfo is UTC
    assert (content.since, content.signals[0].samples[0].time) == (START, START)
