"""`oversight report`, as a process would be used."""

import json
from datetime import timedelta

from click.testing import CliRunner

from schemas.cause import Acknowledged, ConfigFile, Configured, Judged, Probed, Signalled, Wake
from schemas.page import Notice
from schemas.record import Origin
from schemas.wire import encode
from streams.cli import main
from streams.files import Line
from streams.replay import replay_any
from tests.streams.words import NOON, signal

RULES = """
route: {receiver: a, group_by: [agent], group_wait: 0s}
receivers: [{name: a, notify: [{slack: '#a'}]}]
"""


def report(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def causes():
    """A finding is told, taken after two minutes and judged a false alarm."""
    opened = [encode(Signalled(at=NOON, signal=signal())), encode(Wake(at=NOON + timedelta(minutes=1)))]
    config = (ConfigFile("rules.yml", RULES),)
    words = [word for _, told in replay_any([Line(each) for each in opened], config) for word in told]
    incident = next(word.incident for word in words if hasattr(word, "channel"))
    later = {"at": NOON + timedelta(minutes=2), "by": "ana", "incident": incident}
    return [
        encode(Configured(at=NOON, digest="old", files=())),
        *opened,
        encode(Acknowledged(id="1", **later)),
        encode(Judged(id="2", verdict="false_alarm", **later)),
        b"{}",
    ]


def written(tmp_path):
    path, rules = tmp_path / "causes.jsonl", tmp_path / "rules.yml"
    path.write_bytes(b"\n".join(causes()))
    rules.write_text(RULES)
    return path, rules


def test_recorded_causes_say_how_soon_pages_were_taken_and_what_was_thought_of_them(tmp_path):
    path, rules = written(tmp_path)
    ran = report(path, "--config", rules, "--json")
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert [(each["to"], each["pages"], each["acknowledged_within_s"]) for each in told["loads"]] == [
        ("a", 1, 120.0)
    ]
    assert told["false_alarm_share"] == 1.0


def test_probes_among_recorded_causes_are_nothing_to_report(tmp_path):
    path, rules = written(tmp_path)
    without = report(path, "--config", rules, "--json")
    probe = Probed(at=NOON, sent=NOON, partition=0, partitions=1, origin=Origin("agent.events/0", 7, 0))
    path.write_bytes(b"\n".join([*causes(), encode(probe)]))
    beside = report(path, "--config", rules, "--json")
    assert beside.exit_code == 0
    assert beside.stdout == without.stdout


ROTATED = (
    RULES
    + """
users: {ana: {slack: U1}, bo: {slack: U2}}
schedules:
  ops:
    timezone: UTC
    handoff: {notice: 1h, slack: '#ops'}
    layers: [{start: '1970-01-01T%s', every: 1 day, users: [ana, bo]}]
"""
)


def test_shifts_begin_with_what_was_recorded():
    recorded = [Line(each) for each in causes()[:-1]]
    recorded.append(Line(encode(Wake(at=NOON + timedelta(minutes=40)))))
    for handoff, notices in (("00:00", []), ("12:10", ["handoff_soon", "handoff"])):
        told = replay_any(recorded, (ConfigFile("rules.yml", ROTATED % handoff),))
        assert [word.reason for _, words in told for word in words if isinstance(word, Notice)] == notices


def test_the_report_is_a_table_for_people(tmp_path):
    path, rules = written(tmp_path)
    ran = report(path, "--config", rules)
    assert "cost/spike" in ran.stdout
    assert "100% of the incidents that somebody judged were false alarms" in ran.stdout


def test_events_of_which_nobody_was_paged_are_said_so(tmp_path):
    empty = tmp_path / "events.jsonl"
    empty.write_bytes(b"")
    assert report(empty).stdout == "nobody was paged\n"


def test_what_cannot_be_read_is_wrong_input(tmp_path):
    assert report(tmp_path / "absent").exit_code == 2
    path, rules = written(tmp_path)
    rules.write_text("route: {}\n")
    ran = report(path, "--config", rules)
    assert ran.exit_code == 2
    assert "missing field" in ran.stderr


def test_lines_that_cannot_be_taken_are_counted_and_shown_beside_the_report(tmp_path):
    path, rules = written(tmp_path)
    ran = report(path, "--config", rules)
    assert "1 line could not be taken (dead letters), such as" in ran.stderr
    assert f"{path}:6: " in ran.stderr
    assert report(path, "--config", rules, "--json").stdout.count("\n") == 1


def test_a_file_of_something_else_is_wrong_input(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_bytes(b"[]\n[]\n")
    ran = report(path)
    assert ran.exit_code == 2
    assert "no line of these files could be taken" in ran.stderr


def test_drills_are_told_apart_and_change_nothing_else(tmp_path):
    path, rules = written(tmp_path)
    plain = json.loads(report(path, "--config", rules, "--json").stdout)
    labels = {"agent": "a", "drill": "cost/spike:x"}
    drilled = Signalled(at=NOON + timedelta(minutes=3), signal=signal(id="d", labels=labels))
    path.write_bytes(b"\n".join([*causes(), encode(drilled)]))
    found = json.loads(report(path, "--config", rules, "--json").stdout)
    assert found.pop("drilled") == {"drills": 1, "pages": 1}
    assert plain.pop("drilled") == {"drills": 0, "pages": 0}
    assert found == plain
    assert "not counted: 1 pages of 1 fire drills" in report(path, "--config", rules).stdout
