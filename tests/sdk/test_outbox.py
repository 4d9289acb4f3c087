"""The queue: it never holds the agent up, says what it lost, tries again, and ends in time."""

import asyncio
import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent_oversight import AgentEvents, Lost, Rejected, TooLarge
from agent_oversight.loop import Names
from agent_oversight.outbox import PAUSES_S
from tests.sdk.arrivals import Arrived

ROOT = Path(__file__).parents[2]


class Held(Arrived):
    """Takes nothing before it is let go."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()

    async def send(self, records):
        self.entered.set()
        while not self.go.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)
        await super().send(records)


class Deaf(Arrived):
    """Cannot even be reached, nor let go of."""

    async def start(self):
        raise OSError("unreachable")

    async def stop(self):
        raise OSError("not connected")


def test_what_does_not_fit_is_dropped_counted_and_told():
    arrived = Held()
    events = AgentEvents("refund-agent", arrived, most_waiting=3)
    events.received({})
    assert arrived.entered.wait(10)
    for _ in range(5):
        events.received({})
    assert events.lost == Lost(dropped=2, refused=0)
    assert events.waiting == 4
    arrived.go.set()
    assert events.flush(10.0)
    assert events.close(10.0)
    told = [each for each in arrived.events() if each.data.operation.name == "publish_events"]
    assert [each.data.attributes for each in told] == [{"dropped": 2, "refused": 0, "capacity": 3}]
    assert len(arrived.events()) == 4 + 1


def test_what_cannot_be_written_is_refused_and_the_rest_goes_out():
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived)
    events.publish("agent.operation.v1", operation={"name": "\ud800"})
    events.publish("agent.operation.v1", operation={"name": "big"}, attributes={"much": "x" * 1_000_000})
    events.publish("agent.operation.v1", operation={"name": "odd"}, attributes={"path": Path("a")})
    assert events.close(10.0)
    assert events.lost == Lost(dropped=0, refused=2)
    data = [each.data for each in arrived.events()]
    assert [each.attributes for each in data if each.operation.name == "odd"] == [{"path": "a"}]
    assert sum(each.attributes["refused"] for each in data if each.operation.name == "publish_events") == 2


class Picky(Held):
    """Refuses what is named so."""

    async def send(self, records):
        await super().send(records)
        if any(b"refused-by-the-broker" in each.value for each in records):
            self.records[-len(records) :] = []
            raise Rejected("policy violation")


def test_what_is_refused_last_of_all_is_told_too():
    arrived = Picky()
    events = AgentEvents("refund-agent", arrived)
    events.received({})
    assert arrived.entered.wait(10)
    events.publish("agent.operation.v1", operation={"name": "\ud800"})
    events.publish("agent.operation.v1", operation={"name": "refused-by-the-broker"})
    leaving = threading.Thread(target=events.close, args=(10.0,))
    leaving.start()
    while not events._outbox._closing:  # what waits is taken only then
        time.sleep(0.001)
    arrived.go.set()
    leaving.join()
    assert events.lost == Lost(dropped=0, refused=2)
    told = [each.data.attributes for each in arrived.events() if each.data.operation.name == "publish_events"]
    assert sum(each["refused"] for each in told) == 2


def test_while_the_broker_is_away_events_wait_and_are_sent_in_order():
    arrived = Arrived(away=1)
    events = AgentEvents("refund-agent", arrived)
    for name in "abc":
        events.publish("agent.operation.v1", operation={"name": name})
    assert events.flush(30.0)
    assert events.failure is None
    assert [each.data.operation.name for each in arrived.events()] == ["a", "b", "c"]
    assert (arrived.starts, arrived.stops) == (2, 1)
    assert events.close(10.0)
    assert arrived.stops == 2


def test_a_broker_that_never_comes_delays_the_end_by_no_more_than_its_time():
    events = AgentEvents("refund-agent", Deaf())
    events.received({})
    assert not events.flush(0.3)
    assert not events.close(10.0)
    assert events.failure == "OSError: unreachable"
    assert events.waiting == 1


class Odd(Arrived):
    """Its first call ends as no call should."""

    def __init__(self, ending):
        super().__init__()
        self.ending = ending

    async def send(self, records):
        await super().send(records)
        if self.calls == 1:
            self.records.clear()
            raise self.ending

    async def stop(self):
        raise self.ending


@pytest.mark.parametrize("ending", [asyncio.CancelledError("by itself"), SystemExit("by itself")])
def test_a_transport_that_ends_as_none_should_ends_nothing_here(ending):
    arrived = Odd(ending)
    events = AgentEvents("refund-agent", arrived)
    events.received({})
    assert events.flush(30.0)
    assert events.close(10.0)
    assert len(arrived.records) == 1


class Narrow(Arrived):
    """Takes `most` bytes at once, and no more ever."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    async def send(self, records):
        if sum(len(each.value) for each in records) > self.most:
            raise TooLarge("too much at once")
        await super().send(records)


def test_what_is_too_large_alone_is_given_up_and_all_else_goes_out(caplog):
    arrived = Narrow(1500)
    events = AgentEvents("refund-agent", arrived)
    for name in ("a", "b" * 256, "c", "d"):
        padding = {str(n): "x" * 100 for n in range(20)} if name[0] == "b" else {}
        events.publish("agent.operation.v1", operation={"name": name}, attributes=padding)
    assert events.close(10.0)
    assert events.lost == Lost(dropped=0, refused=1)
    assert [each.data.operation.name for each in arrived.events()] == ["a", "c", "d", "publish_events"]
    assert "an event is refused: too much at once" in caplog.text


class Choosy(Arrived):
    """Takes no event of this name, ever."""

    async def send(self, records):
        if any(b'"odd"' in each.value for each in records):
            raise Rejected("not that one")
        await super().send(records)


def test_what_a_transport_will_never_take_holds_up_nothing():
    arrived = Choosy()
    events = AgentEvents("refund-agent", arrived)
    for name in ("a", "odd", "c"):
        events.publish("agent.operation.v1", operation={"name": name})
    assert events.close(10.0)
    assert events.lost.refused == 1
    assert {"a", "c"} <= {each.data.operation.name for each in arrived.events()}


def test_where_nothing_is_ever_small_enough_it_ends_all_the_same():
    events = AgentEvents("refund-agent", Narrow(1))
    events.received({})
    assert events.close(10.0)


def test_a_broker_that_hangs_is_left_at_the_end():
    arrived = Held()
    events = AgentEvents("refund-agent", arrived)
    events.received({})
    assert arrived.entered.wait(10)
    assert not events.close(0.1)
    arrived.go.set()


def test_after_the_end_events_are_dropped_and_counted():
    events = AgentEvents("refund-agent", Arrived())
    assert events.close()
    assert events.flush()
    events.received({})
    assert events.lost.dropped == 1


def test_the_pauses_between_tries_grow_to_ten_seconds():
    assert list(PAUSES_S) == sorted(PAUSES_S)
    assert PAUSES_S[-1] == 10


def test_many_threads_lose_nothing_and_give_no_id_twice():
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived)

    def tell():
        for _ in range(200):
            with events.tool("search"):
                pass

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events.close(10.0)
    assert len({event.id for event in arrived.events()}) == 1600


def test_of_two_threads_that_publish_first_one_begins():
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived)
    events.received({})
    sender = events._outbox._thread
    events._outbox._begin()  # the other saw no thread a moment ago
    assert events._outbox._thread is sender
    assert events.close(10.0)
    assert len(arrived.records) == 1


def test_where_processes_are_begun_the_end_of_each_is_heard_of():
    util = importlib.import_module("multiprocessing.util")
    before = set(util._finalizer_registry)
    events = AgentEvents("refund-agent", Arrived())
    events.received({})
    assert len(set(util._finalizer_registry) - before) == 1
    assert events.close(10.0)


def test_where_no_thread_can_be_had_the_next_event_tries_again():
    arrived = Arrived()
    events = AgentEvents("refund-agent", arrived)
    outbox = events._outbox
    tries = []

    class Thread(threading.Thread):
        def start(self):
            tries.append(self)
            if len(tries) == 1:
                raise RuntimeError("can't start new thread")
            super().start()

    outbox._thread_kind = Thread
    events.received({})
    assert not events.flush(0.1)
    events.received({})
    assert events.close(10.0)
    assert len(arrived.records) == 2


def run(program: str) -> list[str]:
    """The lines that a program prints, with the sdk on its path."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk' / 'src'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.split("\n")[:-1]


PRINTING = """
import json, os, sys, socket, asyncio
from agent_oversight import AgentEvents
class Printing:
    async def start(self):
        await asyncio.get_running_loop().getaddrinfo("localhost", 9)  # as a client does
    async def send(self, records):
        for each in records:
            event = json.loads(each.value)
            os.write(1, f"{os.getpid()} {event['id']} {event['data']['operation']['name']}\\n".encode())
    async def stop(self): os.write(1, b"stopped\\n")
events = AgentEvents("refund-agent", Printing())
def tell(name): events.publish("agent.operation.v1", operation={"name": name})
"""
FORKED = """
tell('before'); pid = os.fork()
if pid: os.waitpid(pid, 0); tell('parent')
else: tell('child')
"""
PROCESS = """
import multiprocessing
child = multiprocessing.get_context('fork').Process(target=tell, args=('child',))
child.start(); child.join()
"""


def test_what_waits_when_python_ends_is_sent():
    *lines, stopped = run(PRINTING + "tell('last')")
    assert [line.split()[2] for line in lines] == ["last"]
    assert stopped == "stopped"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="NO FORK on this system")
def test_a_child_process_sends_its_own_events_under_ids_of_its_own():
    lines = run(PRINTING + FORKED)
    told = [line.split() for line in lines if line != "stopped"]
    assert sorted(name for _, _, name in told) == ["before", "child", "parent"]
    of = {name: (pid, number.partition("-")[0]) for pid, number, name in told}
    assert of["before"] == of["parent"]
    assert of["child"][0] != of["parent"][0]
    assert of["child"][1] != of["parent"][1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="NO FORK on this system")
def test_a_process_of_multiprocessing_sends_what_waits_when_it_ends():
    lines = run(PRINTING + PROCESS)
    assert [line.split()[2] for line in lines if line != "stopped"] == ["child"]


def test_a_fork_waits_for_a_look_up_no_longer_than_its_time():
    names = Names(0.01)
    names.before()
    assert names.lock.locked(), "while it forks, nobody looks a name up"
    names.after()
    with names.lock:
        names.before()
        names.after()
        assert names.lock.locked(), "what was not had is not given back"
    names.before()
    names.child()
    assert not names.lock.locked()
