"""What is said of a bad configuration: every fault, each at its place."""

import pytest

from routing.configuration import ConfigFaults, examine, load
from routing.rules.detectors_named import DETECTORS
from routing.rules.document.notify import KINDS
from routing.rules.document.people import TELLING
from routing.rules.faults import Fault
from tests.routing.configs import LEAST, faults, files

COUNTRY = "expected a country such as GB or a part such as GB-SCT"
CHANNELS = ", ".join(KINDS)
DETECTOR = f"expected one of {', '.join(DETECTORS)}"


def after(text, least=LEAST):
    """Faults of a text that follows the least configuration, with lines counted from its own first."""
    found = [line.split(":", 1) for line in faults(least + text)]
    return [f"{int(line) - least.count(chr(10))}:{rest}" for line, rest in found]


def routed(text):
    return faults(f"route: {{receiver: a, {text}}}\nreceivers: [{{name: a}}]\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recievers: []", ['1:1: unknown field "recievers" (did you mean "receivers"?)']),
        ("users: {ana: {adress: x, slak: U1}}", [
            '1:15: unknown field "adress"',
            '1:26: unknown field "slak" (did you mean "slack"?)',
        ]),
        ("agents: [{name: x, slo: {sesions: 99%}}]", [
            "1:26: expected one of sessions, tools, models; found 'sesions' (did you mean \"sessions\"?)",
        ]),
        ("global: {slck_api_url: x}", ['1:10: unknown field "slck_api_url" (did you mean "slack_api_url"?)']),
        ("schedules: {s: {handoff: {notcie: 1h}}}", [
            '1:16: missing field "timezone"',
            '1:26: missing field "notice"',
            '1:27: unknown field "notcie" (did you mean "notice"?)',
        ]),
        ("schedules: {s: {timezone: UTC, layers: [{only: [{form: x}]}]}}", [
            '1:41: missing field "every"',
            '1:41: missing field "start"',
            '1:41: missing field "users"',
            '1:50: unknown field "form" (did you mean "from"?)',
        ]),
        ("tracing: {a: {b: c}}\nlimits: []", ["2:9: expected a mapping, found a list"]),
        ("1: x", ['1:1: unknown field "1"']),
        ("'*x': x", ['1:1: unknown field "*x"']),
        ("users: {a: {'*contacts': {}}}", ['1:12: unknown field "*contacts"']),
        ("severity: {rules: [{ad: 3, add: 1}]}", ['1:21: unknown field "ad" (did you mean "add"?)']),
    ],
)  # fmt: skip
def test_an_unknown_field_is_told_with_what_was_probably_meant(text, expected):
    assert after(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("users: []", "1:8: expected a mapping, found a list"),
        ("users:\n  ana:\n", "2:3: expected a mapping, found nothing"),
        ("agents: {}", "1:9: expected a list, found a mapping"),
        ("agents: [x]", "1:10: expected a mapping, found 'x'"),
        ("agents: [{name: [a]}]", "1:17: expected a name, found a list"),
        ("agents: [{name: ''}]", "1:17: expected a text that is not empty, found ''"),
        ("agents: [{team: t}]", '1:10: missing field "name"'),
        ("agents: [{name: x, runbook: []}]", "1:29: expected a text, found a list"),
        ("agents: [{name: x, consequence: hihg}]",
         "1:33: expected one of low, moderate, high, critical; found 'hihg' (did you mean \"high\"?)"),
        ("agents: [{name: x, consequence: []}]",
         "1:33: expected one of low, moderate, high, critical; found a list"),
        ("agents: [{name: x, slo: {tools: 90}}]", "1:33: expected a share such as 99.5%, found '90'"),
        ("agents: [{name: x, slo: {tools: 101%}}]", "1:33: expected a share such as 99.5%, found '101%'"),
        ("agents: [{name: x, slo: {tools: 100%}}]",
         "1:33: an objective of 100% leaves no error budget: expected less than 100%"),
        ("agents: [{name: x, budget: {usd: 0}}]", "1:34: expected a number greater than 0, found '0'"),
        ("agents: [{name: x, budget: {usd: nan}}]", "1:34: expected a finite number, found 'nan'"),
        ("agents: [{name: x, reference: some}]",
         "1:31: expected a number of inputs such as first 2000, or file and its path, found 'some'"),
        ("severity: {default: high}", "1:21: expected a whole number, found 'high'"),
        ("severity: {default: 101}", "1:21: expected a number less than or equal to 100, found '101'"),
        ("severity: {bands: {error: 70, warning: 80}}", "1:20: error must begin above warning"),
        ("severity: {bands: {warning: 50, critical: 50}}", "1:33: critical must begin above warning"),
        ("severity: {burn_rate: [[1h, 5m]]}",
         "1:24: expected [long, short, factor, score] such as [1h, 5m, 14.4, 90], found a list"),
        ("severity: {burn_rate: [[5m, 1h, 14.4, 90]]}",
         "1:24: the long window 5m is not longer than the short one 1h"),
        ("severity: {burn_rate: [[1h, 5m, 0, 90]]}",
         "1:24: expected a factor above 0 and a score from 0 to 100"),
        ("version: 2", "1:10: expected 1; found '2'"),
        ("drills: [{name: a, scenario: b, agent: c, every: {weekday: x}}]",
         "1:60: expected one of monday, tuesday, wednesday, thursday, friday, saturday, sunday; found 'x'"),
        ("decisions: [{do: hold, automatic: maybe}]", "1:35: expected true or false, found 'maybe'"),
        ("prices: {m: {input: x, output: 1}}", "1:21: expected a number, found 'x'"),
        ("limits: {pages_per_person: 2}", "1:28: expected a rate such as 2 per 1h, or unlimited; found '2'"),
        (
            "limits: {pages_per_channel: 0 per 1h}",
            "1:29: expected at least 1 per 1h, or unlimited; found '0 per 1h'",
        ),
        (
            "limits: {pages_per_persn: 1 per 1h}",
            '1:10: unknown field "pages_per_persn" (did you mean "pages_per_person"?)',
        ),
        ("limits: {pages_per_person: 2 per 0s}",
         "1:28: expected a duration longer than 0s, such as 5m, found '0s'"),
        ("rollouts: [{agent: a, steps: [5%, 1%]}]", "1:12: steps must ascend"),
        ("rollouts: [{agent: a, alpha: 2}]", "1:30: expected a number less than 1, found '2'"),
        ("rollouts: [{agent: a, unit: tenant}]", "1:29: expected one of session, user; found 'tenant'"),
        ("rollouts: [{agent: a, steps: []}]", "1:30: expected at least one entry, found none"),
        ("detectors: {cost: {enabled: off}}", "1:29: expected true or false, found 'off'"),
        ("detectors: {cots: {}}", f'1:13: no detector "cots" (did you mean "cost"?): {DETECTOR}'),
        ("detectors: {nope: {enabled: true}}", f'1:13: no detector "nope": {DETECTOR}'),
        ("severity: {base: {cost: 1, eror_rate: 40}}",
         f'1:28: no detector "eror_rate" (did you mean "error_rate"?): {DETECTOR}'),
        ("severity: {base: {sesion/loop: 40}}",
         f'1:19: no detector "sesion" (did you mean "session"?): {DETECTOR}'),
        ("severity: {base: {session/: 40}}",
         "1:19: expected a finding after the detector, such as session/loop, found 'session/'"),
        ("redact: ['']", "1:10: expected a regular expression that is not empty, found ''"),
        ("detectors: {cost: {redact: ['(']}}", "1:29: bad regular expression '(': missing ): ("),
        ("detectors: {cost: {redact: ['']}}",
         "1:29: expected a regular expression that is not empty, found ''"),
        ("redact: ['(']", "1:10: bad regular expression '(': missing ): ("),
        ("global: {resolve_timeout: 0s}", "1:27: expected a duration longer than 0s, such as 5m, found '0s'"),
        ("tests: [{at: '2026-01-01T00:00', labels: {}, expect: {}}]",
         "1:14: '2026-01-01T00:00': expected a time with an offset, such as 2026-03-30T08:00:00Z"),
        ("receivers: []", '1:1: duplicate key "receivers" (first on line 2)'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_is_expected(text, expected):
    assert after(text) == [expected] or (expected.endswith("line 2)") and expected in faults(LEAST + text)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mute_time_intervals: [n]",
         "1:22: the root route takes everything, always: it cannot have mute_time_intervals"),
        ("group_wait: 90", "1:34: expected a duration such as 30s, 1h30m or 1d, found '90'"),
        ("group_interval: 1.5h", "1:38: expected a duration such as 30s, 1h30m or 1d, found '1.5h'"),
        ("group_interval: 0s", "1:38: expected a duration longer than 0s, such as 5m, found '0s'"),
        ("repeat_interval: 0s", "1:39: expected a duration longer than 0s, such as 5m, found '0s'"),
        ("routes: [{matchers: ['a=~\"(\"']}]", "1:43: bad regular expression '(': missing ): ("),
        ("routes: [{match_re: {a: '['}}]", "1:46: bad regular expression '[': missing ]: ["),
        ("routes: [{matchers: ['a']}]", "1:43: expected one of = != =~ !~, found 'the end'"),
        ("routes: [{matchers: 'a=b'}]", "1:42: expected a list, found 'a=b'"),
        ("routes: [{matchers: [{a: b}]}]", "1:43: expected a matcher, found a mapping"),
        ("routes: [{receiver: b}]", '1:42: no receiver "b": expected a'),
        ("routes: [{continue: 2}]", "1:42: expected true or false, found '2'"),
        ("matchers: ['a=b']", "1:22: the root route takes everything, always: it cannot have matchers"),
        ("match: {a: b}", "1:22: the root route takes everything, always: it cannot have match"),
        ("continue: true", "1:22: the root route takes everything, always: it cannot have continue"),
        ("group_by: [x, y, x]", '1:39: "x" stands twice in group_by'),
        ("group_by: [x, '...']", '1:36: "..." groups by all labels: it stands alone in group_by'),
        ("routes: [{group_by: ['...', x]}]", '1:43: "..." groups by all labels: it stands alone in group_by'),
    ],
)  # fmt: skip
def test_routes_that_alertmanager_refuses_are_refused(text, expected):
    assert expected in routed(text)


def test_what_the_root_route_may_say_without_effect_is_fine():
    assert routed("matchers: [], continue: false, group_wait: 0s") == []


def rota(text):
    return after(f"users: {{u: {{slack: U1}}}}\nschedules:\n  s:\n    timezone: UTC\n    {text}")


def layer(text):
    return rota(f"layers:\n    - {{{text}}}")


def climb(text, more=""):
    return after(f"users: {{u: {{slack: U1}}}}\nescalations:\n  e:\n    steps: [{text}]{more}")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (after("users: {u: {tz: Europe/Londn}}"),
         "1:17: unknown time zone 'Europe/Londn': expected an IANA name such as Europe/London"),
        (after("schedules: {s: {timezone: UTC}}"),
         "1:16: an empty schedule: expected layers, overrides or ical"),
        (rota("layers: []"), "4:5: an empty schedule: expected layers, overrides or ical"),
        (layer("start: 2026-01-01T00:00, every: day, users: []"),
         "6:52: expected at least one entry, found none"),
        (layer("start: 2026-01-01T00:00, every: 0 days, users: [u]"),
         "6:40: expected a period such as 1 week, 2 days, 12 hours or 1 month, found '0 days'"),
        (layer("start: 2026-01-01, every: day, users: [u]"),
         "6:15: expected a time such as 2026-01-05T09:00, found '2026-01-01'"),
        (layer("start: soon, every: day, users: [u]"),
         "6:15: expected a time such as 2026-01-05T09:00, found 'soon'"),
        (layer("start: 0001-01-01T00:00, every: day, users: [u]"),
         "6:15: expected a time such as 2026-01-05T09:00, found '0001-01-01T00:00'"),
        (layer("start: 2026-01-01T00:00Z, every: day, users: [u]"),
         "6:15: '2026-01-01T00:00Z': expected wall time without an offset; the schedule has the time zone"),
        (rota("handoff: {notice: 1h}\n    layers: [{start: 2026-01-01T00:00, every: day, users: [u]}]"),
         f"5:14: a handoff is told somewhere: expected one of {', '.join(TELLING)}"),
        (layer("start: 2026-01-01T00:00, every: day, users: [u], skip_holidays: gb"),
         f"6:72: {COUNTRY}, found 'gb' (did you mean \"GB\"?)"),
        (layer("start: 2026-01-01T00:00, every: day, users: [u], skip_holidays: GB-X"),
         f"6:72: {COUNTRY}, found 'GB-X'; GB has ENG, NIR, SCT, WLS"),
        (rota("ical: rota.yml"),
         "5:11: expected env:NAME, an address or a file that ends with .ics, found 'rota.yml'"),
        (rota("overrides: [{user: u, start: 2026-01-02T00:00, end: 2026-01-01T00:00Z}]"),
         "5:17: the override ends before it starts"),
        (rota("overrides: [{user: u, start: 2026-01-02T00:00, end: 2026-01-02T00:00}]"),
         "5:17: the override ends before it starts"),
        (layer("start: 2026-01-01T00:00, every: day, users: [u], only: [{days: mo}]"),
         "6:71: expected days such as mon:fri or sat,sun, found 'mo'"),
        (layer("start: 2026-01-01T00:00, every: day, users: [u], only: [{days: 'mon:tue:fri'}]"),
         "6:71: expected days such as mon:fri or sat,sun, found 'mon:tue:fri'"),
        (layer("start: 2026-01-01T00:00, every: day, users: [u], only: [{from: '9:00'}]"),
         "6:71: expected a time of day such as 09:00 or 24:00, found '9:00'"),
        (layer("start: 2026-01-01T00:00, every: day, users: [u], only: [{from: '24:00'}]"),
         "6:64: a window begins before 24:00"),
        (climb("{notify: [user: u], via: [pagerduty]}"),
         '4:38: user "u" has no contact for any of: pagerduty'),
        (climb("{notify: [user: u]}"),
         "4:13: people are reached by a channel: expected via, such as [slack, pagerduty]"),
        (climb("{notify: [team: x], via: [slack]}"), '4:29: no team "x": there is none at all'),
        (after("users: {u: {slack: U1, contact: [{via: [pagerduty]}]}}"),
         '1:41: user "u" has no contact pagerduty'),
        (climb("{notify: [user: u], via: [slack], wait: 0s}", "\n    repeat: 3"),
         "5:13: its steps do not wait: expected a wait in one of them, such as 5m, or no repeat"),
        (climb("{notify: [], via: [slack]}"), "4:22: expected at least one entry, found none"),
        (climb(""), "4:12: expected at least one entry, found none"),
        (climb("{notify: [{}], via: [slack]}"),
         f"4:23: expected one of schedule, user, team, {CHANNELS} in an entry; found none"),
        (climb("{notify: [{user: u, slack: x}], via: [slack]}"),
         f"4:23: expected one of schedule, user, team, {CHANNELS} in an entry; found slack and user"),
    ],
)  # fmt: skip
def test_people_who_could_not_be_reached_are_told(found, expected):
    assert found == [expected]


TWO = "6:13: a swap is between two people: expected users such as [ana, bo]"
SWAPPED = (
    "layers: [{start: 2026-01-01T00:00, every: day, users: [u]}]\n"
    "    swaps: [{users: %s, start: %s, end: %s}]"
)


@pytest.mark.parametrize(
    ("users", "start", "end", "expected"),
    [
        ("[u, u]", "2026-01-02T00:00", "2026-01-03T00:00", [TWO]),
        ("[u]", "2026-01-02T00:00", "2026-01-03T00:00", [TWO]),
        ("[u, v]", "2026-01-02T00:00", "2026-01-02T00:00", ["6:13: the swap ends before it starts",
                                                            '6:25: no user "v": expected u']),
    ],
)  # fmt: skip
def test_a_swap_is_between_two_people_and_lasts(users, start, end, expected):
    assert rota(SWAPPED % (users, start, end)) == expected


def test_people_reached_through_a_schedule_need_a_contact_too():
    text = (
        "users: {u: {slack: U1}, v: {pagerduty: env:X}, w: {}, x: {}}\n"
        "schedules: {s: {timezone: UTC, layers: [{start: 2026-01-01T00:00, every: day, users: [u, v, w]}],\n"
        "  overrides: [{user: x, start: 2026-01-01T00:00, end: 2026-01-02T00:00}],\n"
        "  swaps: [{users: [u, w], start: 2026-01-01T00:00, end: 2026-01-02T00:00}]}}\n"
        "escalations: {e: {steps: [{notify: [schedule: s], via: [slack, pagerduty]}]}}\n"
    )
    assert after(text) == [
        '5:56: user "w" has no contact for any of: slack, pagerduty',
        '5:56: user "x" has no contact for any of: slack, pagerduty',
    ]


def test_a_team_s_people_need_a_contact_for_the_channels_of_the_step_that_asks_it():
    text = """
users: {ana: {slack: U1}, bo: {pagerduty: 'env:BO'}, cy: {email: cy@example.com}}
teams: {a: {escalation: a}, b: {escalation: b}}
escalations:
  a: {steps: [{notify: [user: ana, team: b], via: [slack, pagerduty]}, {notify: [user: cy], via: [email]}]}
  b: {steps: [{notify: [user: bo, team: a], via: [pagerduty, slack]}]}
  c:
    steps:
    - {notify: [team: a], via: [slack, terminal]}
    - {notify: [team: a], via: [email]}
    - {notify: [team: b], via: [slack]}
    - {notify: [team: a]}
"""
    assert after(text) == [
        '10:32: user "ana" has no contact for any of: email',
        '10:32: user "bo" has no contact for any of: email',
        '11:32: user "bo" has no contact for any of: slack',
    ]


def test_every_dangling_reference_is_told_at_its_place():
    text = (
        "route: {receiver: aa, routes: [{receiver: b, mute_time_intervals: [n],\n"
        "  active_time_intervals: [m]}]}\n"
        "receivers: [{name: a, notify: [{slack: x, template: t}, {escalation: e, fallback: f}]}]\n"
        "agents: [{name: x, team: t}]\n"
        "teams: {q: {}, r: {escalation: y}}\n"
        "schedules: {s: {timezone: UTC, layers: [{start: 2026-01-01T00:00, every: day, users: [u]}],\n"
        "  overrides: [{user: v, start: 2026-01-01T00:00, end: 2026-01-02T00:00}]}}\n"
        "escalations: {z: {steps: [{notify: [schedule: S, user: v], via: [slck]}],\n"
        "  exhausted: {receiver: r}}}\n"
        "tests: [{at: 2026-01-01T00:00Z, labels: {}, expect: {receivers: x}}]\n"
    )
    assert faults(text) == [
        '1:19: no receiver "aa" (did you mean "a"?)',
        '1:43: no receiver "b": expected a',
        '1:68: no time interval "n": there is none at all',
        '2:27: no time interval "m": there is none at all',
        '3:53: no message "t": there is none at all',
        '3:70: no team or escalation "e": expected one of q, r, z',
        '3:83: no team or escalation "f": expected one of q, r, z',
        '4:26: no team "t": expected one of q, r',
        '5:12: no escalation "q": expected z',
        '5:32: no escalation "y": expected z',
        '6:87: no user "u": there is none at all',
        '7:22: no user "v": there is none at all',
        '8:47: no schedule "S" (did you mean "s"?)',
        '8:56: no user "v": there is none at all',
        '8:66: no channel "slck" (did you mean "slack"?)',
        '9:25: no receiver "r": expected a',
        '10:65: no receiver "x": expected a',
    ]


def test_of_many_names_the_first_are_told():
    users = ", ".join(f"u{number}: {{}}" for number in range(20))
    (found,) = after(
        f"users: {{{users}}}\nteams: {{t: {{escalation: e}}}}\nescalations:\n  e:\n    steps:\n"
        "    - {notify: [user: somebody], via: [terminal]}\n"
    )
    shown = ", ".join(f"u{number}" for number in range(12))
    assert found == f'6:23: no user "somebody": expected one of {shown} and 8 more'


def test_names_that_stand_twice_are_told():
    text = "time_intervals: [{name: n}, {name: n}]\n"
    assert after(text) == ['1:36: "n" stands twice in time_intervals (first at 1.yml:3)']
    assert faults("route: {receiver: a}\nreceivers:\n- name: a\n- name: a\n- {name: [x]}\n- {}\n") == [
        '4:9: "a" stands twice in receivers (first at 1.yml:3)',
        "5:10: expected a name, found a list",
        '6:3: missing field "name"',
    ]


def test_a_receiver_that_stands_again_by_its_alias_stands_twice():
    text = "route: {receiver: a}\nreceivers: [&r {name: a}, *r]\n"
    assert faults(text) == ['2:23: "a" stands twice in receivers (first at 1.yml:2)']


def test_faults_of_shape_do_not_hide_what_dangles_nor_make_more_of_it():
    text = (
        "route: {receiver: a, gruop_by: [x], routes: [{receiver: nobody, group_wait: 1}]}\n"
        "receivers: [{name: a, notify: [{slack: []}]}, {name: b, notfy: 1}]\n"
        "escalations: {e: {steps: [{notify: [user: ghost], via: [slack], wait: x}]}}\n"
    )
    assert faults(text) == [
        '1:22: unknown field "gruop_by" (did you mean "group_by"?)',
        '1:57: no receiver "nobody": expected one of a, b',
        "1:77: expected a duration such as 30s, 1h30m or 1d, found '1'",
        "2:40: expected a target, found a list",
        '2:57: unknown field "notfy" (did you mean "notify"?)',
        '3:43: no user "ghost": there is none at all',
        "3:71: expected a duration such as 30s, 1h30m or 1d, found 'x'",
    ]


def test_a_template_that_does_not_parse_is_told_with_its_line():
    text = "messages:\n  m: |\n    fine\n    {{ n\n  q: '{% if %}'\n  r: >\n    a\n    {{ b\n"
    assert after(text) == [
        "4:1: bad template: unexpected end of template, expected 'end of print statement'.",
        "5:6: bad template: Expected an expression, got 'end of statement block'",
        "6:6: bad template: unexpected end of template, expected 'end of print statement'.",
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{slack: a, webhook: b}", "found slack and webhook"),
        ("{}", "found none"),
        ("{slack: a, escalation: b}", "found slack and escalation"),
        ("{slack: a, fallback: b}", "fallback stands in the same entry as an escalation"),
        ("{webhook: 'env:'}", "expected env: and the name of a variable, found 'env:'"),
        ("{slack: ' '}", "expected a text that is not empty, found ' '"),
        ("{webhok: a}", 'unknown field "webhok" (did you mean "webhook"?)'),
        ("{slack: a, template: '{{'}", 'no message "{{"'),
        ("{escalation: '{{ labels.team'}", "bad template"),
        ("{slack: a, digest: soon}", "expected a duration"),
        ("{slack: a, send_resolved: perhaps}", "expected true or false"),
    ],
)
def test_an_entry_of_notify_names_one_thing(entry, expected):
    found = faults(f"route: {{receiver: a}}\nreceivers: [{{name: a, notify: [{entry}]}}]\n")
    assert expected in found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("receivers: [{name: a}]\n", ['1:1: missing field "route"']),
        ("route: {}\n", ['1:8: missing field "receiver": the root route needs one']),
        ("route: [a]\n", ["1:8: expected a mapping, found a list"]),
        ("route: {receiver: a}\n", ['1:19: no receiver "a": there is none at all']),
        ("route: {receiver: a}\nreceivers: {}\n",
         ['1:19: no receiver "a": there is none at all', "2:12: expected a list, found a mapping"]),
        ("", ["1:1: the file is empty"]),
        ("- a\n", ["1:1: expected a mapping of sections, found another kind of value"]),
        ("route:\n\treceiver: a\n", ["2:1: a tab here: YAML is indented with spaces only"]),
    ],
)  # fmt: skip
def test_a_configuration_needs_a_root_route_and_its_receiver(text, expected):
    assert faults(text) == expected


def test_time_intervals_are_checked():
    text = (
        "time_intervals: [{name: n, time_intervals: [{times: [{start_time: '22:00', end_time: '06:00'}],\n"
        "  weekdays: [mon], days_of_month: ['0'], months: [foo], years: [x], location: Local}]}]\n"
    )
    assert [line.split(": ", 1)[1].split(",")[0] for line in after(text)] == [
        "22:00 is not before 06:00: a range may not wrap midnight; write two",
        "expected a weekday such as monday",
        "expected a day of the month from 1 to 31 or -31 to -1",
        "expected a month such as march or 3",
        "expected a year such as 2026",
        "unknown time zone 'Local': expected an IANA name such as Europe/London",
    ]
    assert after("time_intervals: [{name: n, time_intervals: [{weekdays: [[x]]}]}]") == [
        "1:57: expected a text, found a list"
    ]


def test_nothing_is_no_configuration():
    with pytest.raises(ConfigFaults) as caught:
        load(())
    assert caught.value.faults == (Fault("", 0, 0, "no configuration was given"),)


def test_faults_come_by_place_each_once_and_read_as_lines():
    found = ConfigFaults(
        [Fault("b", 1, 1, "x"), Fault("a", 2, 1, "y"), Fault("a", 2, 1, "y"), Fault("a", 1, 9, "z")]
    )
    assert str(found) == "a:1:9: z\na:2:1: y\nb:1:1: x"
    assert isinstance(found, ValueError)


def test_a_long_value_is_cut_in_the_message():
    (found,) = after(f"users: {{u: {{tz: {['x' * 500]}}}}}")
    assert len(found) < 200
    (found,) = after(f"agents: [{{name: x, consequence: {'x' * 500}}}]")
    assert len(found) < 200


def test_endless_aliases_of_faulty_parts_are_one_fault_each():
    text = "x: &x {group_wait: 1}\nroute: {receiver: a, routes: [*x, *x]}\nreceivers: [{name: a}]\n"
    found = examine(files(text))
    assert found.policy is None
    assert sorted(str(each) for each in set(found.faults)) == [
        '1.yml:1:1: unknown field "x"',
        "1.yml:1:20: expected a duration such as 30s, 1h30m or 1d, found '1'",
    ]


def test_what_a_terminal_would_obey_is_escaped():
    text = 'route: {receiver: "a\\u202eb\\u001b[31m"}\nreceivers: [{name: a}]\n'
    assert faults(text) == ['1:19: no receiver "a\\u202eb\\x1b[31m": expected a']
