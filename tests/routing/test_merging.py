"""Several files make one configuration, and no team's file reaches into another's."""

from routing.configuration import ConfigFaults, load
from schemas.cause import ConfigFile
from tests.routing.configs import LEAST, faults

MAIN = """
route:
  receiver: a
  routes:
  - {receiver: a, matchers: ['severity="critical"'], continue: true}
  - {receiver: a, matchers: ['severity="info"']}
receivers: [{name: a}]
agents: [{name: '*', team: t}, {name: first}]
teams: {t: {}}
users: {ana: {slack: U1}}
escalations: {t: {steps: [{notify: [user: ana], via: [slack]}]}}
"""
TEAM = """
team: t
routes: [{receiver: b, matchers: ['team="t"', 'finding="x"']}]
receivers: [{name: b}]
agents: [{name: second, team: t}]
users: {bo: {slack: U2}}
"""


def loaded(**texts):
    return load(
        [ConfigFile(name.replace("conf_d__", "conf.d/") + ".yml", text) for name, text in texts.items()]
    )


def refused(**texts):
    try:
        loaded(**texts)
    except ConfigFaults as caught:
        return [str(each) for each in caught.faults]
    return []


def test_a_teams_file_adds_routes_receivers_agents_and_people():
    found = loaded(conf_d__t=TEAM, oversight=MAIN)
    assert [route.receiver for route in found.route.routes] == ["a", "b", "a"]
    assert [each.name for each in found.agents] == ["first", "second", "*"]
    assert sorted(found.receivers) == ["a", "b"]
    assert sorted(found.users) == ["ana", "bo"]


def test_the_order_of_the_files_does_not_matter_for_which_is_the_main_one():
    assert loaded(oversight=MAIN, zz=TEAM).route == loaded(aa=TEAM, oversight=MAIN).route


def test_a_teams_routes_need_the_matcher_of_the_team():
    text = (
        "routes: [{receiver: a}, {receiver: a, matchers: [team=other]}, {receiver: a, matchers: [team=t]}]\n"
    )
    expected = 'expected the matcher team="t" in matchers: this is the file of a team'
    assert refused(main=MAIN, t=text) == [f"t.yml:1:10: {expected}", f"t.yml:1:25: {expected}"]


def test_the_team_is_the_files_name_unless_it_says_otherwise():
    text = "routes: [{receiver: a, matchers: ['team=\"t\"']}]\n"
    assert refused(main=MAIN, t=text) == []
    assert refused(main=MAIN, other=text) != []
    assert refused(main=MAIN, other="team: t\n" + text) == []


def test_routes_may_stand_under_the_route_without_changing_it():
    text = "route: {routes: [{receiver: a, matchers: [team=t]}]}\n"
    assert len(loaded(main=MAIN, t=text).route.routes) == 3
    assert loaded(main=MAIN, t="route: {}\n").route == loaded(main=MAIN).route
    assert refused(main=MAIN, t="route: {group_wait: 1s, routes: []}\n") == [
        "t.yml:1:9: only the main file may give the root route a group_wait"
    ]
    assert len(loaded(main=LEAST, t="team: t\n" + text).route.routes) == 1


def test_what_mutes_or_decides_concerns_the_own_team_only():
    text = (
        "inhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d]}]\n"
        "decisions: [{matchers: [], do: hold}, {matchers: [team=t, 'x=~\"(\"'], do: hold}]\n"
        "silences: [{name: s, matchers: [[x]], every: {months_day: 1}}, {name: r}]\n"
        "agents: [{name: '*', team: t}, {name: x, team: other}, {name: y}]\n"
    )
    told = ("this is the file of a team", "expected an agent of team")
    found = [line for line in refused(main=MAIN, t=text) if any(each in line for each in told)]
    assert [line.split(":")[1] for line in found] == ["1", "2", "3", "3", "4", "4", "4"]


def test_files_in_conf_d_have_no_say_in_what_concerns_all():
    text = "severity: {default: 90}\nlimits: {}\n"
    assert refused(main=MAIN, conf_d__t=text) == [
        "conf.d/t.yml:1:1: severity concerns all teams: only the main file may have it",
        "conf.d/t.yml:2:1: limits concerns all teams: only the main file may have it",
    ]


def test_a_section_that_is_no_list_or_mapping_stands_once():
    assert loaded(main=MAIN, other="version: 1\nseverity: {default: 90}\n").severity.default == 90
    assert refused(main=MAIN + "limits: {}\n", other="limits: {}\n") == [
        "other.yml:1:1: limits stands in main.yml already"
    ]


def test_a_name_that_another_file_has_is_refused_where_it_stands_again():
    assert refused(main=MAIN, other="users: {ana: {}}\n") == [
        'other.yml:1:9: "ana" stands in main.yml:10 already'
    ]
    assert refused(main=MAIN, other="receivers: [{name: a}]\n") == [
        'other.yml:1:20: "a" stands twice in receivers (first at main.yml:7)'
    ]


def test_what_cannot_be_joined_is_told():
    assert refused(main=MAIN, other="receivers: {}\nusers: []\n") == [
        "other.yml:1:12: expected a list of receivers",
        "other.yml:2:8: expected a mapping of users",
    ]
    assert loaded(main=LEAST + "users:\n", other="users: {ana: {}}\n").users != {}


def test_a_file_that_is_no_yaml_names_itself_and_hides_no_faults_of_the_others():
    found = refused(main="receivers: [{name: a, x: 1}]\n", other="a: [\n")
    assert [line.split(" ")[0] for line in found] == ["main.yml:1:23:", "other.yml:2:1:"]


def test_without_a_route_in_any_file_the_first_is_told():
    assert faults("receivers: [{name: a}]\n", "users: {}\n") == ['1.yml:1:1: missing field "route"']
    assert refused(main="route: [x]\n", t="routes: []\n") == [
        "main.yml:1:8: expected a mapping, found a list"
    ]


def test_an_unknown_section_of_any_file_is_told():
    assert refused(main=MAIN, other="recievers: []\n") == [
        'other.yml:1:1: unknown field "recievers" (did you mean "receivers"?)'
    ]
