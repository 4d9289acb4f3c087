"""What routes inherit, and what they are called."""

from datetime import timedelta

from routing.tree import nodes
from tests.routing.configs import policy


def tree(text):
    return policy(
        f"route:\n{text}\nreceivers: [{{name: a}}, {{name: b}}]\ntime_intervals: [{{name: n}}]\n"
    ).route


def test_receiver_grouping_and_waits_are_inherited_and_the_rest_is_not():
    root = tree(
        "  receiver: a\n  group_by: [x]\n  group_wait: 1s\n  group_interval: 2s\n  repeat_interval: 3s\n"
        "  routes:\n  - matchers: [p=q]\n    continue: true\n"
        "    mute_time_intervals: [n]\n    active_time_intervals: [n]\n"
        "    receiver: b\n    routes: [{}]"
    )
    child = root.routes[0].routes[0]
    assert (child.receiver, child.group_by) == ("b", ("x",))
    assert (child.group_wait, child.group_interval, child.repeat_interval) == tuple(
        timedelta(seconds=n) for n in (1, 2, 3)
    )
    assert (child.matchers, child.continues, child.mute_time_intervals, child.active_time_intervals) == (
        (),
        False,
        (),
        (),
    )


def test_all_labels_are_inherited_as_a_group_until_a_child_says_otherwise():
    root = tree(
        "  receiver: a\n  group_by: ['...']\n  routes: [{matchers: [a=b]}, {group_by: [x]}, {group_by: []}]"
    )
    assert [each.group_by for each in nodes(root)] == [None, None, ("x",), ()]


def test_a_wait_of_nothing_is_a_wait():
    root = tree("  receiver: a\n  group_wait: 1m\n  routes: [{group_wait: 0s}]")
    assert root.routes[0].group_wait == timedelta(0)


def test_the_id_is_the_path_of_matchers_in_any_order():
    root = tree(
        "  receiver: a\n  routes:\n  - matchers: [z=1, 'a=~\"x|y\"']\n"
        "    routes: [{match: {k: v}, match_re: {e: f}}]"
    )
    assert [each.id for each in nodes(root)] == [
        "{}",
        '{}/{a=~"x|y",z="1"}',
        '{}/{a=~"x|y",z="1"}/{e=~"f",k="v"}',
    ]
    turned = tree("  receiver: b\n  routes:\n  - matchers: ['{a=~\"x|y\", z=1}']\n")
    assert turned.routes[0].id == root.routes[0].id


def test_siblings_with_the_same_matchers_have_ids_of_their_own():
    root = tree("  receiver: a\n  routes: [{matchers: [a=b]}, {matchers: [a=b]}, {}, {matchers: [a=b]}]")
    assert [each.id for each in root.routes] == ['{}/{a="b"}', '{}/{a="b"}#2', "{}/{}", '{}/{a="b"}#3']
