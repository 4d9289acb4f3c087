"""`check`, `route`, `oncall`, `project`: what they say about a configuration."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from routing.configuration import load
from schemas.cause import ConfigFile
from streams.cli import main
from streams.demonstration.demo import configuration
from streams.files import config_files

SET = {"SLACK_BOT_TOKEN": "x"}
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CONFIGURATIONS = sorted(
    {each.relative_to(EXAMPLES).parts[0] for each in EXAMPLES.rglob("*.yml") if each.is_file()}
)
"""Examples that are no scripts of agents."""
RULES = """\
route: {receiver: everybody, routes: [{receiver: owner, matchers: ['severity="critical"']}]}
receivers:
- {name: everybody, notify: [{slack: '#all'}]}
- {name: owner, notify: [{escalation: ops}]}
users:
  ana: {tz: Europe/London, slack: U1}
  bo: {slack: U2}
schedules:
  ops:
    timezone: Europe/London
    layers: [{name: week, start: '2026-01-05T09:00', every: 1 week, users: [ana, bo]}]
    overrides: [{user: bo, start: '2026-01-07T00:00', end: '2026-01-08T00:00'}]
  night:
    timezone: UTC
    layers:
    - {name: n, start: '2026-01-05T22:00', every: 1 day, users: [bo], only: [{from: '22:00', to: '06:00'}]}
escalations:
  ops: {steps: [{notify: [schedule: ops], via: [slack]}]}
"""


@pytest.fixture(name="rules")
def _rules(tmp_path):
    path = tmp_path / "oversight.yml"
    path.write_text(RULES)
    return path


def run(*arguments: object, text: str | None = None, **environment: str):
    return CliRunner().invoke(main, list(map(str, arguments)), input=text, env=environment)


def records(ran) -> list:
    return [json.loads(line) for line in ran.stdout.splitlines()]


class TestCheck:
    def test_what_holds_says_so_with_the_number_of_its_own_tests(self, rules):
        ran = run("check", rules, **SET)
        assert (ran.exit_code, ran.stdout) == (0, "✓ it holds; 0 tests of its own passed\n")

    def test_what_no_detector_could_follow_is_a_fault_at_its_place(self, rules):
        rules.write_text(
            RULES + "rollouts:\n- {agent: a, steps: [5%]}\n- {agent: 'b*', steps: [5%], strata: [x]}\n"
        )
        ran = run("check", rules, **SET)
        assert ran.exit_code == 1
        assert 'oversight.yml:21:39: rollouts: b*: no part of an event "x": expected one of' in ran.stdout
        assert ran.stdout.endswith("✗ 1 fault\n")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "detectors: {cost: {enbled: true}}",
                (
                    '20: detectors: cost: no option "enbled": expected one of enabled, arl '
                    '(did you mean "enabled"?)'
                ),
            ),
            (
                "detectors: {latency: {arl: 7d}}",
                '23: detectors: latency: no option "arl": expected enabled',
            ),
            (
                "detectors: {input_shift: {arl: 0d}}",
                "32: detectors: input_shift: arl: '0d' is no span of time: expected one such as 30d or 1h30m",
            ),
            (
                "detectors: {input_shift: {apart_s: soon}}",
                "36: detectors: input_shift: apart_s: expected a number from 0 on, found 'soon'",
            ),
            (
                "detectors: {input_shift: {arl: 7d, texts_apart: 100}}",
                "26: detectors: input_shift: expected arl or texts_apart, found both: they say the same",
            ),
            (
                "detectors: {session: {floors: {stps: 9}}}",
                (
                    '32: detectors: session: no floor "stps": expected one of steps, tokens, cost, time, '
                    'repeats, pause (did you mean "steps"?)'
                ),
            ),
            (
                "detectors: {isolation: {shared_sessions: maybe}}",
                "42: detectors: isolation: shared_sessions: expected true or false, found 'maybe'",
            ),
            (
                "detectors: {quality: {lower_is_better: risk}}",
                "40: detectors: quality: lower_is_better: expected a list, found 'risk'",
            ),
            (
                "rollouts: [{agent: a, steps: [1%], margins: {tools: 2, eror: 1.5}}]",
                (
                    '56: rollouts: a: no metric "eror": expected one of sessions, tools, cost, duration, '
                    'tokens, evaluation, error, errors, cost_usd, duration_s (did you mean "error"?)'
                ),
            ),
            (
                "rollouts: [{agent: a, strata: [task.type, modl]}]",
                (
                    '43: rollouts: a: no part of an event "modl": expected one of tenant, tenant.id, '
                    "operation, operation.name, model, request.model, a name with a dot "
                    '(did you mean "model"?)'
                ),
            ),
        ],
    )
    def test_an_option_that_no_detector_follows_is_a_fault_where_it_stands(self, rules, text, expected):
        rules.write_text(RULES + text)
        line = RULES.count("\n") + 1
        (fault,) = records(run("check", rules, "--json", **SET))
        assert (fault["line"], f"{fault['column']}: {fault['message']}") == (line, expected)

    def test_every_option_that_does_not_hold_is_told(self, rules):
        rules.write_text(RULES + "detectors: {session: {arl: 0d, floors: {stps: 9}}, cots: {}}\n")
        assert len(records(run("check", rules, "--json", **SET))) == 1
        rules.write_text(rules.read_text().replace(", cots: {}", ""))
        assert len(records(run("check", rules, "--json", **SET))) == 2

    def test_the_demos_own_rules_hold_and_so_do_their_tests(self, tmp_path):
        path = tmp_path / "demo.yml"
        path.write_text(configuration())
        ran = run("check", path)
        assert ran.exit_code == 0
        assert "1 test of its own passed" in ran.stdout

    @pytest.mark.parametrize("name", CONFIGURATIONS)
    def test_every_example_holds(self, name):
        assert run("check", EXAMPLES / name).exit_code == 0

    def test_each_fault_is_a_line_that_editors_can_follow(self, rules):
        rules.write_text(
            RULES.replace("receiver: owner,", "receiver: ownr,").replace("users: [ana", "users: [anna")
        )
        ran = run("check", rules)
        assert ran.exit_code == 1
        lines = ran.stdout.splitlines()
        assert lines[0].startswith(f"{rules}:1:")
        assert "ownr" in lines[0]
        assert lines[1].startswith(f"{rules}:11:")
        assert "anna" in lines[1]
        assert lines[2] == "✗ 2 faults"

    def test_on_request_it_tells_which_detectors_are_on_and_how_long_each_must_warm_up(self, rules):
        rules.write_text(RULES + "detectors: {silence: {enabled: false}}\n")
        lines = run("check", rules, "--detectors").stdout.splitlines()
        budget, warm_up = (
            "one false finding in 30 days at most",
            "200 answers, or 200 scores of an evaluation.",
        )
        assert f"on  quality; {budget}; warm-up: {warm_up}" in lines
        assert "off silence" in lines
        assert not [line for line in run("check", rules).stdout.splitlines() if "warm-up" in line]

    def test_faults_can_be_read_by_machines(self, rules):
        rules.write_text("route: [\n")
        ran = run("check", rules, "--json")
        (fault,) = records(ran)
        assert ran.exit_code == 1
        assert fault["level"] == "error"
        assert fault["line"] > 0
        assert set(fault) == {"level", "file", "line", "column", "message"}

    def test_a_test_that_does_not_hold_is_a_fault_at_its_place(self, rules):
        rules.write_text(
            RULES
            + "tests:\n- {at: '2026-01-06T10:00:00Z', labels: {severity: critical}, expect: {on_call: bo}}\n"
        )
        ran = run("check", rules)
        assert ran.exit_code == 1
        assert f"{rules}:20:" in ran.stdout
        assert "expected on_call bo, found ana" in ran.stdout

    def test_a_variable_that_is_not_set_is_a_warning(self, rules):
        rules.write_text(RULES.replace("slack: U1", "slack: 'env:OVERSIGHT_TEST_ANA'"))
        ran = run("check", rules)
        assert ran.exit_code == 0
        assert "env:OVERSIGHT_TEST_ANA is not set here (warning)" in ran.stdout
        assert f"{rules}:3:38: env:SLACK_BOT_TOKEN is not set here (warning)" in ran.stdout
        assert "not set" not in run("check", rules, OVERSIGHT_TEST_ANA="U1", **SET).stdout

    def test_it_is_as_of_the_time_that_is_asked_for(self, rules):
        rules.write_text(RULES + "silences: [{name: x, matchers: [a=b], end: '2026-01-07T00:00'}]\n")
        over = 'silence "x" ended at 2026-01-07T00:00Z: it mutes nothing any more (warning)'
        assert over in run("check", rules, **SET).stdout
        assert over not in run("check", rules, "--at", "2026-01-06T10:00:00Z", **SET).stdout

    def test_what_is_only_kept_for_alertmanager_is_told_at_its_place(self, rules):
        rules.write_text(RULES.replace("'#all'}]", "'#all'}], slack_configs: [{}]"))
        said = "oversight.yml:3:48: slack_configs of receiver everybody: kept for projection\n"
        ran = run("check", rules, **SET)
        assert "not acted on yet: " in ran.stdout
        assert said in ran.stdout

    def test_a_burn_rate_that_an_objective_leaves_out_is_told_and_one_that_none_reaches_is_refused(
        self, rules
    ):
        for objective, code in (("90%", 0), ("80%", 1)):
            rules.write_text(RULES + f"agents: [{{name: x, slo: {{tools: {objective}}}}}]\n")
            ran = run("check", rules, **SET)
            assert (ran.exit_code, f"with an objective of {objective} a burn rate is" in ran.stdout) == (
                code,
                True,
            )

    def test_what_cannot_be_read_is_exit_code_2(self, tmp_path):
        ran = run("check", tmp_path / "absent.yml")
        assert ran.exit_code == 2
        assert "absent.yml: No such file or directory" in ran.stderr


class TestRoute:
    def test_a_label_set_leads_to_receivers_and_a_person(self, rules):
        ran = run("route", rules, "severity=critical", "--at", "2026-01-06T10:00:00Z", "--json")
        (led,) = records(ran)
        assert (led["receivers"], led["on_call"], led["severity"]) == (["owner"], ["ana"], "critical")

    def test_it_tells_why_in_words(self, rules):
        ran = run("route", rules, "severity=critical", "team=[ops]", "--at", "2026-01-06T10:00:00Z")
        assert ran.exit_code == 0
        for words in ("team=[ops]", "critical", "owner", "ana (Europe/London)", "takes it"):
            assert words in ran.stdout

    def test_it_explains_each_step_of_the_way(self, rules):
        ran = run("route", rules, "severity=critical", "a=b", "--at", "2026-01-06T10:00:00Z", "--explain")
        assert ran.exit_code == 0
        for words in (
            "↓ leads on  everybody",
            "✓ takes it  owner",
            '✓ severity="critical" found "critical"',
            "only findings (a label set with `detector`) are scored",
            "no rule has it as a target",
            "at once  Tue 10:00 UTC (10:00 Europe/London)  owner",
        ):
            assert words in ran.stdout
        ran = run("route", rules, "severity=low", "--at", "2026-01-06T10:00:00Z", "--explain")
        assert '✗ severity="critical" found "low"' in ran.stdout

    def test_it_explains_for_machines_too_and_what_fires_beside_counts(self, rules):
        text = rules.read_text() + "inhibit_rules: [{source_matchers: [x=1], target_matchers: [y=1]}]\n"
        rules.write_text(text)
        (led,) = records(run("route", rules, "y=1", "--firing", "x=1 z=2", "--explain", "--json"))
        assert (led["answer"]["told"], led["inhibition"]) == ([], ['rule 1: inhibited by x="1"'])
        assert [each["verdict"] for each in led["tree"]["routes"]] == ["does not match"]
        ran = run("route", rules, "y=1", "--firing", "x=1", "--explain")
        assert "it is muted now" in ran.stdout

    def test_nobody_on_call_is_said(self, rules):
        assert "nobody" in run("route", rules, "severity=info", "--at", "2026-01-06T10:00:00Z").stdout

    def test_label_sets_from_standard_input_are_answered_line_by_line(self, rules):
        sets = '{"severity": "critical"}\n\n{"a": "b"}\n{}\n'
        ran = run("route", rules, "--stdin", "--json", text=sets)
        assert [led["receivers"] for led in records(ran)] == [["owner"], ["everybody"], ["everybody"]]

    @pytest.mark.parametrize("line", ["[]", '{"a": 1}', "{"])
    def test_what_is_no_label_set_is_told_with_its_line(self, rules, line):
        ran = run("route", rules, "--stdin", "--json", text=f"{{}}\n{line}\n")
        assert ran.exit_code == 2
        assert "<stdin>:2: expected a JSON object of labels" in ran.stderr

    @pytest.mark.parametrize(
        "arguments", [["severity"], ["=x"], ["a=b", "--stdin"], ["a=b", "--at", "tomorrow"]]
    )
    def test_wrong_usage_is_exit_code_2(self, rules, arguments):
        assert run("route", rules, *arguments).exit_code == 2

    def test_rules_that_do_not_hold_are_refused_with_their_faults(self, rules):
        rules.write_text("route: {receiver: nobody}\n")
        ran = run("route", rules, "a=b")
        assert ran.exit_code == 2
        assert f"{rules}:1:" in ran.stderr


class TestOncall:
    def test_an_instant_gives_the_whole_shift(self, rules):
        ran = run("oncall", rules, "ops", "--at", "2026-01-06T10:00:00Z", "--json")
        assert json.loads(ran.stdout) == [
            {
                "user": "ana",
                "start": "2026-01-05T09:00:00Z",
                "end": "2026-01-07T00:00:00Z",
                "layer": "week",
                "schedule": "ops",
            }
        ]

    def test_a_time_gives_every_shift_and_the_gaps_between_are_left_out(self, rules):
        ran = run("oncall", rules, "night", "--from", "2026-01-06", "--to", "2026-01-08", "--json")
        shifts = [(each["start"], each["end"]) for each in json.loads(ran.stdout)]
        assert shifts == [
            ("2026-01-06T00:00:00Z", "2026-01-06T06:00:00Z"),
            ("2026-01-06T22:00:00Z", "2026-01-07T06:00:00Z"),
            ("2026-01-07T22:00:00Z", "2026-01-08T00:00:00Z"),
        ]

    def test_without_a_schedule_all_are_shown(self, rules):
        at = run("oncall", rules, "--at", "2026-07-06T12:00+01:00")
        assert at.exit_code == 0
        assert "Mon 2026-07-13 09:00" in at.stdout
        assert "nobody   Mon 2026-07-06 22:00" in at.stdout
        assert run("oncall", rules).exit_code == 0

    def test_a_calendar_shows_the_wall_clock_and_who_is_missing(self, rules):
        ran = run("oncall", rules, "--from", "2026-06-01")
        assert ran.exit_code == 0
        assert "ops (Europe/London)" in ran.stdout
        assert "Mon 2026-06-08 09:00" in ran.stdout
        assert "Mon 2026-06-29 01:00" in ran.stdout
        assert "nobody" in ran.stdout

    @pytest.mark.parametrize(
        "arguments",
        [
            ["nobodys"],
            ["ops", "--at", "2026-01-01", "--from", "2026-01-01"],
            ["ops", "--to", "2026-01-01"],
            ["ops", "--from", "2026-01-02", "--to", "2026-01-01"],
            ["ops", "--at", "noon"],
            ["ops", "--at", "2026-01-01", "--calendar"],
        ],
    )
    def test_wrong_usage_is_exit_code_2(self, rules, arguments):
        assert run("oncall", rules, *arguments).exit_code == 2

    def test_weeks_are_rows_and_people_bars_and_nobody_is_seen(self, rules):
        ran = run("oncall", rules, "ops", "--calendar", "--from", "2026-01-05", "--to", "2026-01-13")
        assert ran.exit_code == 0
        lines = ran.stdout.splitlines()
        assert lines[0] == "ops (Europe/London)"
        assert " ".join(lines[1].split()) == "Jan 2026 Mon 05 Tue 06 Wed 07 Thu 08 Fri 09 Sat 10 Sun 11"
        assert lines[2].split()[:3] == ["!!!!!ana────", "ana─────────", "bo──────────"]
        assert lines[4].split() == ["ana──bo─────"]
        assert " ana  144 h" in ran.stdout
        assert " nobody  Mon 2026-01-05 00:00 to Mon 2026-01-05 09:00, 9 h" in ran.stdout

    def test_a_calendar_begins_now_and_many_gaps_are_counted(self, rules):
        ran = run("oncall", rules, "--calendar", COLUMNS="30")
        assert ran.exit_code == 0
        # How many depends on the hour at which this runs.
        assert any(f"and {count} more such times" in ran.stdout for count in (21, 22))

    def test_an_unknown_schedule_is_told_which_there_are(self, rules):
        assert "no schedule 'x'; there are: ops, night" in run("oncall", rules, "x").stderr


class TestProject:
    def test_what_is_printed_is_a_configuration_that_leads_the_same_way(self, rules):
        ran = run("project", rules)
        assert ran.exit_code == 0
        assert "slack" not in ran.stdout
        again = load([ConfigFile("projected.yml", ran.stdout)])
        before = load(config_files(rules))
        assert [route.id for route in again.route.routes] == [route.id for route in before.route.routes]
        assert list(again.receivers) == list(before.receivers)
        assert ran.stderr == ""

    def test_what_older_versions_refuse_is_told_beside_it(self, rules):
        rules.write_text(RULES.replace("receiver: everybody,", "receiver: everybody, group_by: [größe],"))
        ran = run("project", rules)
        assert 'oversight.yml:1:41: "größe" is the name of a label from Alertmanager 0.27 on' in ran.stderr
        assert "größe" in ran.stdout
