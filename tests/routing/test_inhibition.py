"""What another signal says more loudly pages nobody; it pages when that one is over and it still holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.incidents.inhibition import Sources
from routing.matchers import parse_matchers
from routing.policy import InhibitRule
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario

RULE = """
inhibit_rules:
- source_matchers: ['detector="dependency"']
  target_matchers: ['detector=~"error_rate|cost"']
  equal: [env]
"""
INHIBITED = ONE_CHANNEL.replace("[agent]", "[agent, detector]") + RULE


def rule(source, target, *equal):
    return InhibitRule(source=parse_matchers(source), target=parse_matchers(target), equal=equal)


def muted(rules, target, *firing):
    sources = Sources(rules)
    for number, labels in enumerate(firing):
        sources.add(labels, f"s{number}")
    return sources.muting(target)


@pytest.mark.parametrize(
    ("rules", "target", "firing", "expected"),
    [
        ([rule("a=1", "b=1")], {"b": "1"}, [{"a": "1"}], "s0"),
        ([rule("a=1", "b=1")], {"b": "2"}, [{"a": "1"}], ""),
        ([rule("a=1", "b=1")], {"b": "1"}, [{"a": "2"}], ""),
        ([rule("a=1", "b=1", "e")], {"b": "1", "e": "x"}, [{"a": "1", "e": "y"}], ""),
        ([rule("a=1", "b=1", "e")], {"b": "1", "e": "x"}, [{"a": "1", "e": "y"}, {"a": "1", "e": "x"}], "s1"),
        ([rule("a=1", "b=1", "e")], {"b": "1", "e": ""}, [{"a": "1"}], "s0"),
        # What matches both sides mutes what matches the target's alone, and not what matches both.
        ([rule("a=1", "{}")], {"b": "1"}, [{"a": "1"}], "s0"),
        ([rule("a=1", "{}")], {"a": "1"}, [{"a": "1", "b": "1"}], ""),
        ([rule("a=1", "b=1")], {"a": "1", "b": "1"}, [{"a": "1"}], "s0"),
        ([rule("a=1", "b=1")], {"a": "1", "b": "1"}, [{"a": "1", "b": "1"}], ""),
        # A muted signal still mutes others; several sources, several rules.
        ([rule("a=1", "b=1"), rule("b=1", "c=1")], {"c": "1"}, [{"b": "1"}, {"a": "1"}], "s0"),
        ([rule("a=2", "b=1"), rule("a=1", "b=1")], {"b": "1"}, [{"a": "1"}, {"a": "1", "x": "y"}], "s0"),
        ([], {"b": "1"}, [{"a": "1"}], ""),
    ],
)
def test_a_target_is_muted_while_some_source_with_equal_labels_fires(rules, target, firing, expected):
    assert muted(rules, target, *firing) == expected


def test_every_source_counts_until_the_last_one_ends():
    sources = Sources([rule("a=1", "b=1")])
    for each in ("s1", "s0", "s2", "s0"):
        sources.add({"a": "1"}, each)
    assert sources.muting({"b": "1"}) == "s0"
    sources.drop({"a": "1"}, "s0")
    assert sources.muting({"b": "1"}) == "s0"
    sources.drop({"a": "1"}, "s0")
    assert sources.muting({"b": "1"}) == "s1"
    sources.add({"a": "1"}, "s0")
    assert sources.muting({"b": "1"}) == "s0"
    for each in ("s0", "s1", "s2"):
        sources.drop({"a": "1"}, each)
    assert sources.muting({"b": "1"}) == ""


LABELS = st.dictionaries(st.sampled_from("abe"), st.sampled_from(["", "1", "2"]))
RULES = [rule("a=1", "b=~'1|2'", "e"), rule("a!=1", "a=2,b=1"), rule("e=1", "{}", "a", "b")]


@given(st.lists(st.tuples(LABELS, st.booleans()), max_size=12), LABELS)
def test_the_index_says_what_a_search_through_all_that_fires_says(steps, target):
    sources, firing = Sources(RULES), {}
    for number, (labels, is_over) in enumerate(steps):
        if is_over and firing:
            name = min(firing)
            sources.drop(firing.pop(name), name)
        firing[f"s{number:02}"] = labels
        sources.add(labels, f"s{number:02}")
    assert bool(sources.muting(target)) is any(
        _mutes(each, target, one) for one in firing.values() for each in RULES
    )


def _mutes(one, target, source):
    def fits(matchers, labels):
        return all(each.matches(labels) for each in matchers)

    equal = all(source.get(name, "") == target.get(name, "") for name in one.equal)
    both = fits(one.source, target) and fits(one.target, source)
    return equal and fits(one.source, source) and fits(one.target, target) and not both


def test_an_inhibited_signal_pages_nobody_and_is_related_to_its_source():
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.fast_forward(MINUTE)
    t.signal("calls")
    t.fast_forward(30 * MINUTE)
    assert [page.summary for page in t.pages] == ["down of other fails"]
    source, target = t.incidents
    assert target.status == "triggered"
    assert target.muted_by == (f"incident {source.id}",)
    assert t.updated == [(130, "#oncall", "updated")]
    assert t.updates[0].content.related == (target.id,)


def test_what_was_muted_pages_when_its_source_is_over_and_it_still_holds():
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.signal("calls")
    t.fast_forward(9 * MINUTE)
    t.recover("down")
    t.fast_forward(2 * MINUTE)
    assert t.told == [(10, "oncall", "opened"), (610, "oncall", "opened")]
    assert t.incident.muted_by == ()
    assert t.pages[1].content.related == ()


def test_what_ends_while_it_is_muted_pages_nobody():
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.signal("calls")
    t.fast_forward(5 * MINUTE)
    t.recover("calls")
    t.recover("down")
    t.fast_forward(10 * MINUTE)
    assert len(t.pages) == 1
    assert {each.status for each in t.incidents} == {"resolved"}
    assert {each.muted_by for each in t.incidents} == {()}


def test_a_resolution_follows_a_page_although_the_signal_is_inhibited_by_then():
    t = Scenario(INHIBITED)
    t.signal("calls")
    t.fast_forward(MINUTE)
    t.signal("down", detector="dependency", agent="other")
    t.fast_forward(MINUTE)
    t.recover("calls")
    assert t.updated == [(120, "#oncall", "resolved")]


def test_a_second_source_keeps_a_target_quiet_when_the_first_ends():
    t = Scenario(INHIBITED)
    t.signal("first", detector="dependency", agent="x")
    t.signal("second", detector="dependency", agent="y")
    t.signal("calls")
    t.fast_forward(5 * MINUTE)
    t.recover("first")
    t.fast_forward(10 * MINUTE)
    assert "calls of refund-agent fails" not in [page.summary for page in t.pages]
    first, second, target = t.incidents
    assert first.status == "resolved"
    assert target.muted_by == (f"incident {second.id}",)


def test_a_restart_leaks_nothing_that_is_inhibited_and_still_pages_when_the_source_ends():
    """Alertmanager's issues 4064 and 2229."""
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.signal("calls")
    t.restart()
    t.fast_forward(5 * MINUTE)
    t.restart()
    t.fast_forward(5 * MINUTE)
    assert [page.summary for page in t.pages] == ["down of other fails"]
    t.recover("down")
    t.restart()
    t.fast_forward(2 * MINUTE)
    assert [page.summary for page in t.pages][1:] == ["calls of refund-agent fails"]


def test_a_restart_shows_the_same_related_incidents():
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.signal("calls")
    t.fast_forward(5 * MINUTE)
    source, target = t.incidents
    t.restart()
    t.acknowledge(source.id)
    assert t.updates[-1].content.related == (target.id,)


def test_another_rule_mutes_from_the_reload_on_and_a_rule_that_is_gone_no_longer():
    t = Scenario(INHIBITED.replace(RULE, ""))
    t.signal("calls")
    t.configure(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.fast_forward(5 * MINUTE)
    assert [page.summary for page in t.pages] == ["down of other fails"]
    t.configure(INHIBITED.replace(RULE, ""))
    t.fast_forward(2 * MINUTE)
    assert [page.summary for page in t.pages][1:] == ["calls of refund-agent fails"]


def test_the_climb_stands_still_while_a_source_fires():
    t = Scenario(ESCALATED.replace("[agent]", "[agent, detector]") + RULE)
    t.signal("calls")
    t.fast_forward(MINUTE)
    t.signal("down", detector="dependency", agent="other", team="nobody")
    paged = len(t.pages)
    t.fast_forward(20 * MINUTE)
    assert "bo" not in [page.to for page in t.pages if page.summary.startswith("calls")]
    t.recover("down")
    t.fast_forward(MINUTE)
    assert ("bo", "escalated") in [
        (page.to, page.reason) for page in t.pages[paged:] if page.summary.startswith("calls")
    ]


def test_one_incident_may_hold_source_and_target():
    t = Scenario(ONE_CHANNEL + RULE)
    t.signal("calls")
    t.signal("down", detector="dependency")
    t.fast_forward(5 * MINUTE)
    assert len(t.pages) == 1
    assert t.incident.muted_by == (f"incident {t.incident.id}",)


def test_a_source_that_somebody_closed_by_hand_still_mutes_while_it_fires():
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.fast_forward(MINUTE)
    t.close()
    source = t.incident
    t.signal("calls")
    t.fast_forward(10 * MINUTE)
    assert len(t.pages) == 1
    assert t.incident.muted_by == (f"incident {source.id}",)


def test_a_hundred_muted_incidents_edit_their_sources_page_once_a_round():
    t = Scenario(INHIBITED)
    t.signal("down", detector="dependency", agent="other")
    t.fast_forward(MINUTE)
    for number in range(100):
        t.signal(f"calls {number}", agent=f"agent-{number}")
    t.fast_forward(10 * MINUTE)
    assert len(t.pages) == 1
    assert t.updated == [(130, "#oncall", "updated")]
    assert len(t.updates[0].content.related) == 5


def test_inhibition_does_not_grow_with_what_came_and_went():
    t = Scenario(INHIBITED)
    for number in range(5):
        t.signal("down", detector="dependency", agent="other", finding=str(number))
        t.signal("calls")
        t.fast_forward(3 * MINUTE)
        t.recover("calls")
        t.recover("down")
        t.fast_forward(7 * MINUTE)
    t.fast_forward(7 * HOUR)
    assert not [part for part in t.router.save("router").parts if part.startswith("cases-")]
