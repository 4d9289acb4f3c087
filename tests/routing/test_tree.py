"""The route tree takes labels as Alertmanager does."""

from datetime import timedelta

from routing.incidents.grouping import group, groups_of, incident_id, overflow
from routing.matchers import parse_matchers
from routing.policy import Route
from routing.tree import matching, nodes
from tests.routing.scenario import START


def route(receiver, matchers="{}", *routes, continues=False, group_by=()):
    return Route(
        id=receiver,
        receiver=receiver,
        matchers=parse_matchers(matchers),
        routes=routes,
        continues=continues,
        group_by=group_by,
    )


def taken(tree, **labels):
    return [each.receiver for each in matching(tree, labels)]


def test_what_no_child_takes_goes_to_the_node_itself():
    tree = route("root", "{}", route("a", 'team="a"'))
    assert taken(tree, team="b") == ["root"]


def test_a_node_that_does_not_match_takes_nothing():
    assert taken(route("a", 'team="a"', route("below", "{}")), team="b") == []


def test_a_parent_with_a_matched_child_does_not_take_it():
    tree = route("root", "{}", route("a", 'team="a"', route("deep", 'env="prod"')))
    assert taken(tree, team="a", env="prod") == ["deep"]
    assert taken(tree, team="a") == ["a"]


def test_the_first_child_that_matches_ends_the_search():
    tree = route("root", "{}", route("a", 'x="1"'), route("b", 'x="1"'))
    assert taken(tree, x="1") == ["a"]


def test_continue_asks_the_next_siblings_too():
    tree = route("root", "{}", route("a", 'x="1"', continues=True), route("b", 'x="1"'), route("c", "{}"))
    assert taken(tree, x="1") == ["a", "b"]


def test_continue_affects_siblings_only():
    inner = route("inner", "{}", continues=True)
    tree = route("root", "{}", route("a", "{}", inner), route("b", "{}"))
    assert taken(tree) == ["inner"]


def test_a_child_below_that_did_not_match_leaves_its_parent_the_labels_and_ends_the_search():
    tree = route("root", "{}", route("a", 'x="1"', route("deep", 'y="1"')), route("b", "{}"))
    assert taken(tree, x="1") == ["a"]


def test_all_nodes_are_found_parents_first():
    tree = route("root", "{}", route("a", "{}", route("b", "{}")), route("c", "{}"))
    assert [each.receiver for each in nodes(tree)] == ["root", "a", "b", "c"]


def test_group_labels_are_those_present_and_not_empty():
    found = group(route("a", group_by=("team", "agent", "env")), {"agent": "x", "env": "", "other": "y"})
    assert found.labels == {"agent": "x"}


def test_three_dots_group_by_all_labels():
    assert group(route("a", group_by=None), {"b": "2", "a": "1"}).labels == {"a": "1", "b": "2"}


def test_one_group_a_route_although_the_tree_names_it_twice():
    twin = route("a", "{}", continues=True)
    tree = route("root", "{}", twin, twin, route("b", "{}"))
    assert [each.route.receiver for each in groups_of(tree, {})] == ["a", "b"]


def test_groups_differ_by_route_and_by_labels():
    one, other = route("a", group_by=("x",)), route("b", group_by=("x",))
    keys = {group(each, {"x": value}).key for each in (one, other) for value in "12"}
    assert len({*keys, overflow(one, {}).key}) == 5


def test_an_incident_is_its_group_and_its_opening_time():
    ids = {incident_id(key, START + timedelta(seconds=s)) for key in "ab" for s in (0, 1)}
    assert len(ids) == 4
    assert incident_id("a", START) in ids
