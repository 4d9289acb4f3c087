"""What `check` doubts: what can never match, fire, be reached or be used."""

import pytest

from detectors.registry import discover
from routing.checking import check
from routing.rules.detectors_named import DETECTORS
from tests.routing.configs import LEAST, example, files

ROUTES = "route: {receiver: a, routes: [%s]}\nreceivers: [{name: a}]\n"


def doubts(text):
    """Warnings as lines, without the file's name."""
    report = check(files(text))
    assert report.failed == ()
    return [str(each).removeprefix("1.yml:") for each in report.warnings]


def test_every_detector_is_known_to_the_check():
    assert set(DETECTORS) == set(discover())


@pytest.mark.parametrize("name", ["minimal.yml", "retail", "complete"])
def test_nothing_in_the_examples_is_in_vain(name):
    assert [each for each in check(example(name)).warnings if "not at hand" not in each.message] == []


KNOWN = ", ".join(DETECTORS)


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        (
            "['detector=\"errorrate\"']",
            f'detector="errorrate" never matches: detector is one of {KNOWN} (did you mean "error_rate"?)',
        ),
        (
            "['severity=~\"bad|worse\"']",
            'severity=~"bad|worse" never matches: severity is one of critical, error, warning, info',
        ),
        (
            "['detectr=\"cost\"']",
            'detectr="cost" may never match: no finding has a label "detectr" (did you mean "detector"?)',
        ),
        ("[env=prod, env=staging]", 'never matches: env cannot be "prod" and "staging" at once'),
    ],
)
def test_matchers_that_never_match_are_told_with_what_was_meant(matchers, expected):
    assert doubts(ROUTES % f"{{matchers: {matchers}}}") == [f"1:42: {expected}"]


@pytest.mark.parametrize(
    "matchers",
    [
        "['detector=~\"cost|error.*\"']",
        "['detector!=\"nothing\"']",
        "[cell=eu-1]",
        "['severity=\"\"']",
        "[env=a, 'env=~\"a|b\"']",
    ],
)
def test_matchers_that_may_match_are_not_doubted(matchers):
    assert doubts(ROUTES % f"{{matchers: {matchers}}}") == []


def test_conditions_are_looked_at_wherever_they_stand():
    text = LEAST + (
        "inhibit_rules: [{source_matchers: [detector=x], target_match: {detector: y}}]\n"
        "decisions: [{matchers: [detector=z], do: hold}]\n"
        "severity: {rules: [{matchers: [detector=w], add: 5}]}\n"
    )
    assert sorted(each.split(" ")[1] for each in doubts(text)) == [
        'detector="w"',
        'detector="x"',
        'detector="y"',
        'detector="z"',
    ]


def test_a_route_that_an_earlier_one_takes_all_from_is_never_reached():
    shadowed = "{matchers: [env=prod]}, {matchers: [env=prod, tool=x]}"
    assert doubts(ROUTES % shadowed) == [
        "1:55: never reached: the route at 1.yml:1 takes all of it and does not continue".replace(":31", "")
    ]
    assert doubts(ROUTES % shadowed.replace("prod]}, ", "prod], continue: true}, ")) == []
    assert doubts(ROUTES % "{matchers: [env=prod, tool=x]}, {matchers: [env=prod]}") == []


def test_a_route_that_contradicts_those_above_it_is_never_reached():
    below = "{matchers: [env=prod], routes: [{matchers: ['env=~\"s.*\"']}, {matchers: [tool=x]}]}"
    assert doubts(ROUTES % below) == ['1:63: never reached: env=~"s.*" contradicts env="prod" above it']
    above = "{matchers: ['env!=\"prod\"'], routes: [{matchers: [env=prod]}, {matchers: ['env!=\"dev\"']}]}"
    assert doubts(ROUTES % above) == ['1:68: never reached: env="prod" contradicts env!="prod" above it']


def test_names_that_nothing_uses_are_told():
    text = (
        "route: {receiver: a, routes: [{mute_time_intervals: [n], active_time_intervals: [d]}]}\n"
        "receivers: [{name: a, notify: [{slack: '#x', template: used}]}, {name: spare}, {name: last}]\n"
        "time_intervals: [{name: n}, {name: d}, {name: idle}]\n"
        "messages: {used: x, unused: y}\n"
        "users: {u: {slack: U1}}\n"
        "escalations: {e: {steps: [{notify: [user: u], via: [slack]}], exhausted: {receiver: last}}}\n"
    )
    assert [each.partition(": ")[2] for each in doubts(text)] == [
        'nothing leads to receiver "spare"',
        'no route uses time interval "idle"',
        'nothing uses message "unused"',
    ]


def test_scores_of_what_no_detector_here_finds_are_told():
    text = "severity: {base: {cost: 40, session/loop: 25, budget: 45}}\n"
    assert doubts(LEAST + text) == [f'3:47: no detector here is called "budget": expected one of {KNOWN}']


def test_patterns_that_leave_nothing_of_a_sample_are_told():
    text = "redact: ['ACME-[0-9]+', '.*']\ndetectors: {cost: {redact: ['\\w+']}, latency: {}}\n"
    text += "rollouts: [{agent: a}, {agent: b, redact: [order, '.']}]\n"
    assert doubts(LEAST + text) == [
        "3:25: '.*' blanks every sample: expected what is to be masked",
        "5:51: '.' blanks every sample: expected what is to be masked",
    ]


@pytest.mark.parametrize(
    ("globs", "told"),
    [
        (["*", "refund-*"], [(1, 0)]),
        (["refund-*", "*"], []),
        (["a", "b", "a"], [(2, 0)]),
        (["pay-*", "pay-eu-*", "pay-?"], [(1, 0), (2, 0)]),
        (["pay-?", "pay-*", "[p]ay"], []),
        (["*a*", "[ab]"], []),
    ],
)
def test_agents_behind_an_entry_that_takes_all_of_theirs_are_told(globs, told):
    agents = "".join(f"- {{name: '{each}'}}\n" for each in globs)
    rollouts = "".join(f"- {{agent: '{each}'}}\n" for each in globs)
    said = [
        f'"{globs[at]}" is never reached: "{globs[first]}" at 1.yml:{4 + first} takes all of it'
        for at, first in told
    ]
    wins = ", and the first match wins"
    expected = [f"{4 + at}:10: {each}{wins}" for (at, _), each in zip(told, said, strict=True)]
    assert doubts(f"{LEAST}agents:\n{agents}") == expected
    expected = [f"{4 + at}:11: {each}{wins}" for (at, _), each in zip(told, said, strict=True)]
    assert doubts(f"{LEAST}rollouts:\n{rollouts}") == expected


def test_two_rules_that_mute_each_other_mute_both():
    one = "{source_matchers: ['detector=\"dependency\"'], target_match: {detector: cost}, equal: [agent]}"
    other = "{source_match: {detector: cost}, target_match: {detector: dependency}, equal: [agent]}"
    harmless = "{source_match: {env: a}, target_match: {env: a}}"
    text = f"{LEAST}inhibit_rules:\n- {one}\n- {harmless}\n- {other}\n- {one}\n"
    said = "mutes what the rule at 1.yml:%d mutes by: where both fire, both are muted"
    assert doubts(text) == ["6:3: " + said % 4, "7:3: " + said % 6]


def test_a_silence_of_everything_and_a_channel_that_is_named_twice_are_doubted():
    silence = (
        "silences: [{name: x, matchers: ['agent=~\".*\"'], author: a, comment: c, end: '2027-01-01T00:00'}]\n"
    )
    twice = "[{slack: '#a'}, {slack: '#b'}, {slack: '#a', send_resolved: false}]"
    rules = f"route: {{receiver: a}}\nreceivers: [{{name: a, notify: {twice}}}]\n{silence}"
    assert doubts(rules) == [
        "2:62: a tells slack #a once, as it is written first",
        "3:32: silences everything: while it holds nobody is paged of anything",
    ]
