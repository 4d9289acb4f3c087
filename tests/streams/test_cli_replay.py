"""`oversight replay`, as a process would be used."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from click.testing import CliRunner

from schemas.cause import Acknowledged, Configured, Signalled, Wake
from schemas.wire import encode
from streams.cli import main
from streams.demonstration.cast import CAST
from streams.demonstration.fleet import Fleet, Scripted
from streams.replay import BUILT_IN
from tests.streams.words import MINUTE, NOON, signal

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUIET = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
pytestmark = pytest.mark.xdist_group("oversight replay")  # an outage is replayed once


@cache
def outage() -> bytes:
    """Four hours of two agents; in the last of them one fails."""
    scripted = Scripted(
        kind="outage", agents=("refund-agent",), start=START + 3 * HOUR, end=START + 3.5 * HOUR, story=""
    )
    fleet = Fleet(profiles=CAST[:2], start=START, end=START + 4 * HOUR, scripted=[scripted])
    return b"".join(encode(event) + b"\n" for event in fleet.events())


@pytest.fixture(name="events")
def _events(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(outage())
    return path


def replay(*arguments: object, text: bytes | None = None):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)], input=text)


@pytest.fixture(name="records", scope="module")
def _records(tmp_path_factory) -> str:
    """What is told of the outage as JSON."""
    path = tmp_path_factory.mktemp("outage") / "events.jsonl"
    path.write_bytes(outage())
    return replay(path, "--json").stdout


def test_pages_are_one_line_each_and_the_figures_follow(events):
    ran = replay(events)
    assert ran.exit_code == 0
    assert "03-02 03:" in ran.stdout
    assert "sessions failed" in ran.stdout
    assert "error_rate/sessions" in ran.stdout
    assert "on-call" in ran.stdout
    assert f"{len(outage().splitlines()):,}" in ran.stdout


def test_records_are_json_lines_in_the_order_of_time_and_nothing_else(events):
    ran = replay(events, "--json")
    assert ran.exit_code == 0
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    times = [datetime.fromisoformat(record["time"]) for record in records]
    assert times == sorted(times)
    assert {record["kind"] for record in records} >= {"signal", "incident", "page"}
    ids = [record["id"] for record in records if record["kind"] == "page"]
    assert len(set(ids)) == len(ids) > 0


def test_two_files_are_taken_as_one(tmp_path, records):
    lines = outage().splitlines(keepends=True)
    halves = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for path, some in zip(halves, (lines[:1000], lines[1000:]), strict=True):
        path.write_bytes(b"".join(some))
    assert replay(*halves, "--json").stdout == records


def test_standard_input_is_a_file(records):
    assert replay("-", "--json", text=outage()).stdout == records


def test_what_is_no_event_is_counted_and_shown_and_stops_nothing(events):
    events.write_bytes(b"{}\nnothing\n" + outage())
    ran = replay(events)
    assert ran.exit_code == 0
    assert "2 lines could not be taken (dead letters), such as" in ran.stdout
    assert f"{events}:1: " in ran.stdout


def test_a_run_that_pages_as_before_is_no_finding(events, tmp_path, records):
    before = tmp_path / "before.jsonl"
    before.write_text(records)
    ran = replay(events, "--compare", before)
    assert ran.exit_code == 0
    assert ran.stderr == "no page differs (2 of each)\n"


def test_other_rules_that_page_otherwise_are_a_finding(events, tmp_path, records):
    before, rules = tmp_path / "before.jsonl", tmp_path / "rules.yml"
    before.write_text(records)
    rules.write_text(QUIET)
    ran = replay(events, "--config", rules, "--compare", before)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("- 03-02 03:")
    assert "0 new, 0 moved" in ran.stderr


@pytest.mark.no_cover  # it replays six times, and is several times as fast unmeasured
def test_another_configuration_is_compared_over_the_same_events(events, tmp_path):
    old, rules = tmp_path / "old.yml", tmp_path / "rules.yml"
    old.write_text(BUILT_IN.text)
    rules.write_text(BUILT_IN.text.replace("terminal: screen", "terminal: another"))
    assert replay(events, "--config", old, "--compare", old).exit_code == 0
    moved = replay(events, "--config", rules, "--compare", old)
    assert moved.exit_code == 1
    assert "(terminal:screen → terminal:another)" in moved.stderr
    rules.write_text(QUIET)
    ran = replay(events, "--config", rules, "--compare", old)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("- 03-02 03:")
    assert "What it means for people" in ran.stderr


def test_standard_input_cannot_be_run_twice(tmp_path):
    old = tmp_path / "old.yml"
    old.write_text(QUIET)
    ran = replay("-", "--compare", old)
    assert ran.exit_code == 2
    assert "standard input can be read once only" in ran.stderr


def test_nothing_to_replay_is_nothing_found(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    ran = replay(empty)
    assert ran.exit_code == 0
    assert replay(empty, "--json").stdout == ""


def test_rules_that_do_not_hold_are_wrong_input_with_their_place(events, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("route: {receiver: absent}\n")
    ran = replay(events, "--config", rules)
    assert ran.exit_code == 2
    assert f"{rules}:1:" in ran.stderr


@pytest.mark.parametrize("option", ["--config", "--compare"])
def test_a_file_that_is_not_there_is_wrong_input(events, tmp_path, option):
    ran = replay(events, option, tmp_path / "absent")
    assert ran.exit_code == 2
    assert "absent: No such file or directory" in ran.stderr


def test_events_that_are_not_there_are_wrong_input(tmp_path):
    assert replay(tmp_path / "absent.jsonl").exit_code == 2


class TestRecordedCauses:
    CLIMBED = """
route: {receiver: a, group_by: [agent], group_wait: 0s}
receivers: [{name: a, notify: [{escalation: e, fallback: t}]}]
users: {ana: {slack: U1}, bo: {slack: U2}}
teams: {t: {escalation: e}}
escalations:
  e:
    steps: [{notify: [user: ana], via: [slack], wait: 5m}, {notify: [user: bo], via: [slack], wait: 5m}]
"""

    @pytest.fixture
    def rules(self, tmp_path):
        path = tmp_path / "rules.yml"
        path.write_text(self.CLIMBED)
        return path

    @pytest.fixture
    def recorded(self, tmp_path):
        """Of a finding that nobody answered, as the router read it."""
        path = tmp_path / "causes.jsonl"
        causes = [
            Configured(at=NOON, digest="old", files=()),
            Signalled(at=NOON, signal=signal()),
            *(Wake(at=NOON + MINUTE * minutes) for minutes in (1, 6, 12)),
        ]
        path.write_bytes(b"".join(encode(each) + b"\n" for each in causes))
        return path

    def pages(self, recorded, rules):
        ran = replay(recorded, "--config", rules, "--json")
        assert ran.exit_code == 0
        return [each for each in map(json.loads, ran.stdout.splitlines()) if each["kind"] == "page"]

    def test_are_routed_by_the_rules_of_today(self, recorded, rules):
        assert [each["to"] for each in self.pages(recorded, rules)] == ["ana", "bo"]
        told = replay(recorded, "--config", rules).stdout
        assert "causes" in told

    def test_tell_what_people_did(self, recorded, rules):
        incident = self.pages(recorded, rules)[0]["incident"]
        lines = recorded.read_bytes().splitlines(keepends=True)
        taken = encode(Acknowledged(at=NOON + 2 * MINUTE, id="1", by="ana", incident=incident)) + b"\n"
        recorded.write_bytes(b"".join([b"{}\n", *lines[:3], taken, *lines[3:]]))
        assert [each["to"] for each in self.pages(recorded, rules)] == ["ana"]

    def test_are_compared_under_two_sets_of_rules(self, recorded, rules, tmp_path):
        changed = tmp_path / "changed.yml"
        changed.write_text(self.CLIMBED.replace("[user: bo]", "[user: ana]"))
        ran = replay(recorded, "--config", changed, "--compare", rules)
        assert ran.exit_code == 1
        assert "0 gone, 0 new, 1 moved" in ran.stderr
        assert "bo → ana" in ran.stderr


def test_files_of_something_else_are_wrong_input(tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_bytes(b"{}\n[]\n")
    ran = replay(other)
    assert ran.exit_code == 2
    assert "2 lines could not be taken" in ran.stdout
    assert "no line of these files could be taken" in ran.stderr
