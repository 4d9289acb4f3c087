"""The benchmark that pairs the router with Alertmanager measures the same work on both sides."""

from benchmarks.grouping import ours, theirs

ALERTS = 200


def test_the_router_and_alertmanager_make_the_same_groups_of_the_alerts_that_are_timed():
    mine, labels = ours(ALERTS)
    their = theirs(labels)
    assert len(labels) == ALERTS
    assert len(mine.groups) > ALERTS // 2
    assert mine.groups == their.groups
    assert {"critical", "quiet", "payments", "costs", "triage"} == {
        receiver for receiver, _, _ in mine.groups
    }


def test_each_side_says_what_it_took():
    mine, labels = ours(ALERTS)
    for side in (mine, theirs(labels)):
        assert side.first_s > 0
        assert side.again_s > 0
