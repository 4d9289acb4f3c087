"""`oversight silences` lists what is silenced, by whom, and until when."""

import json
from datetime import UTC, datetime, timedelta

from click.testing import CliRunner

from schemas.cause import Silenced, Wake
from schemas.wire import encode
from streams.cli import main
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES
from streams.silences import recorded
from tests.memory_log import Disk, MemoryLog

RULES = """
route: {receiver: a}
receivers: [{name: a}]
silences:
- name: load
  matchers: ['env="staging"', 'tool=~"x|y"']
  every: {weekday: tuesday, times: [{start_time: '02:00', end_time: '04:00'}]}
  location: Europe/Paris
  author: ana
  comment: load test
- {name: move, matchers: [env=x], start: '2026-01-05T09:00', end: '2026-01-05T11:00'}
- {name: past, matchers: [env=x], end: '2025-01-01T00:00'}
"""
NOON = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(tmp_path, *arguments):
    path = tmp_path / "rules.yml"
    path.write_text(RULES, "utf-8")
    return CliRunner().invoke(main, ["silences", str(path), *arguments], env={"OVERSIGHT_KAFKA": ""})


def test_each_silence_says_when_it_holds_next(tmp_path):
    ran = run(tmp_path, "--at", "2026-01-05T10:00Z", "--json")
    assert ran.exit_code == 0
    load, move, past = map(json.loads, ran.stdout.splitlines())
    assert (load["state"], load["start"], load["end"]) == (
        "planned",
        "2026-01-06T01:00:00Z",
        "2026-01-06T03:00:00Z",
    )
    assert (load["by"], load["comment"], load["matchers"]) == (
        "ana",
        "load test",
        ['env="staging"', 'tool=~"x|y"'],
    )
    assert (move["state"], move["start"], move["end"]) == (
        "holds",
        "2026-01-05T10:00:00Z",
        "2026-01-05T11:00:00Z",
    )
    assert (past["state"], past["start"], past["end"]) == ("over", None, None)


def test_a_table_is_for_people(tmp_path):
    ran = run(tmp_path, "--at", "2026-01-05T10:00Z")
    assert ran.exit_code == 0
    assert "Tue 2026-01-06 01:00Z" in ran.stdout
    assert "load test" in ran.stdout


def test_a_configuration_without_silences_says_so(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text("route: {receiver: a}\nreceivers: [{name: a}]\n", "utf-8")
    ran = CliRunner().invoke(main, ["silences", str(path)], env={"OVERSIGHT_KAFKA": ""})
    assert (ran.exit_code, ran.stdout) == (0, "no silences\n")


def test_a_broker_that_is_not_there_is_told(tmp_path):
    ran = run(tmp_path, "--from", "127.0.0.1:1")
    assert ran.exit_code == 2
    assert "127.0.0.1:1" in ran.stderr


def silence(name, until, matchers=("a=b",), start=None):
    return Silenced(at=NOON - HOUR, id=name, matchers=matchers, by="bo", until=until, start=start)


async def test_silences_that_people_made_are_those_of_the_causes_that_are_not_over():
    disk = Disk()
    causes = [
        silence("long", NOON + 3 * HOUR),
        Wake(at=NOON),
        silence("short", NOON + HOUR),
        silence("over", NOON),
        silence("ended", NOON + HOUR),
        silence("ended", NOON - HOUR),
        silence("later", NOON + 2 * HOUR, start=NOON + HOUR),
    ]
    values = [b"{broken", *map(encode, causes)]
    disk.put(CAUSES, 0, [Outgoing(key=None, value=each) for each in values])
    found = await recorded(MemoryLog(disk), NOON)
    assert [each.id for each in found] == ["short", "later", "long"]
