"""Receivers, groups and inhibition of random rules equal those of the real Alertmanager."""

import os
from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from routing.incidents.grouping import groups_of
from routing.incidents.inhibition import Sources
from routing.projection import project
from tests.routing.configs import policy
from tests.routing.judge.alertmanager import checked, daemon, flat, judge
from tests.routing.judge.cases import CASE, CASES, batch

pytestmark = pytest.mark.no_cover  # the judge sees whole rules: a line is to have a test of its own
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
TOTAL = 10_000 if NIGHTLY else 300
AT_ONCE = 500
"""Cases of one configuration: one start of the daemon judges them all."""


def drawn(total):
    """Random cases, drawn before they are judged: the judge takes hundreds in one go."""
    found = []

    @settings(
        max_examples=total, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(CASES)
    def draw(case):
        found.append(case)

    draw()
    return found


def ours(rules, alerts):
    """Groups as the judge tells them, and for each alert that is inhibited, all that may inhibit it."""
    members = defaultdict(set)
    places = {}
    for labels in map(dict, map(flat, alerts)):
        for place in groups_of(rules.route, labels):
            places[place.key] = (place.route.receiver, flat(place.labels))
            members[place.key].add(flat(labels))
    groups = Counter((*places[key], tuple(sorted(found))) for key, found in members.items())
    sources = Sources(rules.inhibit_rules)
    for number, labels in enumerate(alerts):
        sources.add(dict(flat(labels)), f"{number:06}")
    muted = {flat(each) for each in alerts if sources.muting(dict(flat(each)))}
    return groups, muted


def of_case(number, found):
    """What of an answer, alerts or groups of them, is about one case."""
    return [
        each for each in found if (CASE, str(number)) in (each[2][0] if isinstance(each[0], str) else each)
    ]


def differences(cases, theirs, groups, muted):
    """One text for each case that is judged differently."""
    doubtful = [*(theirs.groups - groups), *(groups - theirs.groups), *(theirs.inhibited.keys() ^ muted)]
    for number, case in enumerate(cases):
        if of_case(number, doubtful):
            yield (
                f"route: {case.route}\ninhibit_rules: {case.inhibit_rules}\nalerts: {case.alerts}\n"
                f"theirs: {of_case(number, theirs.groups)}, inhibited {of_case(number, theirs.inhibited)}\n"
                f"ours:   {of_case(number, groups)}, inhibited {of_case(number, muted)}\n"
            )


@pytest.mark.timeout(7200 if NIGHTLY else 600)
def test_receivers_groups_and_inhibition_are_those_of_alertmanager(tmp_path_factory):
    judged = inhibited = 0
    for begin in range(0, TOTAL, AT_ONCE):
        some = drawn(min(AT_ONCE, TOTAL - begin))
        whole = batch(some)
        rules = policy(whole.text)
        folder = tmp_path_factory.mktemp("alertmanager")
        with daemon(folder, whole.text) as address:
            theirs = judge(address, whole.alerts, whole.over)
        groups, muted = ours(rules, whole.alerts)
        assert "\n".join(differences(some, theirs, groups, muted)) == ""
        code, said = checked(folder, project(rules))
        assert code == 0, said
        inhibited += len(muted)
        judged += len(some)
    assert judged > 0.9 * TOTAL
    assert inhibited > judged // 4


def test_the_projection_of_random_rules_means_the_same_to_alertmanager(tmp_path):
    cases = drawn(100)
    whole = batch(cases)
    rules = policy(whole.text)
    with daemon(tmp_path, project(rules)) as address:
        theirs = judge(address, whole.alerts, whole.over)
    groups, muted = ours(rules, whole.alerts)
    assert "\n".join(differences(cases, theirs, groups, muted)) == ""


def test_a_case_that_is_judged_differently_is_told(tmp_path):
    """The judge can fail: a tree that is not the one that was judged."""
    cases = drawn(30)
    whole = batch(cases)
    with daemon(tmp_path, whole.text) as address:
        theirs = judge(address, whole.alerts, whole.over)
    turned = batch([case._replace(route={"receiver": "r0", "group_by": ["..."]}) for case in cases])
    groups, muted = ours(policy(turned.text), whole.alerts)
    assert list(differences(cases, theirs, groups, muted))


def test_only_before_version_0_31_an_empty_group_by_is_inherited(tmp_path):
    """A documented difference: here, as from 0.31 on, it means one group."""
    text = (
        '{"route": {"receiver": "r0", "group_by": ["a"], "group_wait": "1h",'
        ' "routes": [{"matchers": ["b=x"], "group_by": []}]}, "receivers": [{"name": "r0"}]}'
    )
    alerts = [{"b": "x", "a": value} for value in "xy"]
    with daemon(tmp_path, text) as address:
        theirs = judge(address, alerts)
    groups, _ = ours(policy(text), alerts)
    assert len(theirs.groups) in (1, 2)
    assert len(groups) == 1
