import asyncio

from hypothesis import given
from hypothesis import strategies as st

from schemas.cause import Reported
from schemas.outcome import Deferred, Delivered
from schemas.page import Channel
from schemas.wire import encode
from streams.delivering.desk import TELLING, Desk
from streams.delivering.outcomes import Outcomes
from tests.fakes import NOW, InHand, Script, Wire, page
from tests.memory_log import Act, Disk, MemoryLog

DONE = Delivered(reference="r")


def desk(script=None, wire=None, log=None, **options):
    script, wire = script or Script(), wire or Wire()
    outcomes = Outcomes(log or MemoryLog(Disk()), ("outcomes", 0), "owner")
    one = Desk(
        script,
        outcomes,
        report=wire.report,
        bury=wire.bury,
        now=lambda: NOW,
        at=lambda message: message.time,
        **options,
    )
    return one, script, wire


async def handled(one: Desk, *messages):
    arrivals = [InHand(encode(message)) for message in messages]
    for arrival in arrivals:
        one.take(arrival)
    await one.idle()
    return arrivals


def to(name: str, n: int, **changes):
    return page(id=f"pag-{n}", channel=Channel(kind="slack", target=name), **changes)


async def test_a_page_is_attempted_recorded_reported_and_then_done():
    log = MemoryLog(Disk())
    one, script, wire = desk(log=log)
    (arrival,) = await handled(one, page())
    assert script.attempted == [("pag-1", 1)]
    assert [each.key for each in log.disk.records("outcomes")] == [b"delivered/pag-1"]
    (report,) = wire.reported
    assert (report.page, report.attempt, report.outcome, report.at) == ("pag-1", 1, DONE, NOW)
    assert arrival.fate == "done"


async def test_a_page_that_comes_again_is_reported_again_and_not_sent():
    one, script, wire = desk()
    first, second = await handled(one, page(), page())
    assert script.attempted == [("pag-1", 1)]
    assert wire.reported[0] == wire.reported[1]
    assert first.fate == second.fate == "done"


async def test_the_next_attempt_is_another_one():
    one, script, wire = desk(Script(Deferred(reason="HTTP 500"), DONE))
    await handled(one, page(), page(attempt=2))
    assert script.attempted == [("pag-1", 1), ("pag-1", 2)]
    assert [report.outcome for report in wire.reported] == [Deferred(reason="HTTP 500"), DONE]


async def test_what_does_not_decode_is_buried_whole():
    one, script, wire = desk()
    arrival = InHand(b'{"kind": "pigeon"}')
    one.take(arrival)
    await one.idle()
    assert wire.buried[0][0] == arrival.value
    assert "pigeon" in wire.buried[0][1]
    assert (script.attempted, arrival.fate) == ([], "done")


async def test_what_is_nested_beyond_reading_is_buried_too():
    one, _, wire = desk()
    arrival = InHand(b'{"kind":"page","x":' + b"[" * 100_000)
    one.take(arrival)
    await one.idle()
    assert len(wire.buried) == 1
    assert arrival.fate == "done"


async def test_a_failure_in_handling_is_buried_and_stops_nothing():
    one, _, wire = desk(Script(RuntimeError("secret"), DONE))
    first, second = await handled(one, to("#a", 1), to("#a", 2))
    assert wire.buried == [(first.value, "handling it failed: RuntimeError")]
    assert [report.page for report in wire.reported] == ["pag-2"]
    assert first.fate == second.fate == "done"


class SlowWire(Wire):
    """Counts how many report at a time; each waits for the log."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.most = 0, 0
        self.gate = asyncio.Event()

    async def report(self, cause: Reported) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.gate.wait()
        self.waiting -= 1
        await super().report(cause)


async def test_of_a_flood_of_pages_few_are_reported_at_a_time_and_all_are_sent_and_reported():
    wire = SlowWire()
    one, script, _ = desk(wire=wire)
    arrivals = [InHand(encode(to(f"#{n}", n))) for n in range(5 * TELLING)]
    for arrival in arrivals:
        one.take(arrival)
    for _ in range(20 * len(arrivals)):
        await asyncio.sleep(0)
    assert (len(script.attempted), wire.waiting) == (len(arrivals), TELLING)
    wire.gate.set()
    await one.idle()
    assert wire.most == TELLING
    assert len(wire.reported) == len(arrivals)
    assert {arrival.fate for arrival in arrivals} == {"done"}


async def test_a_report_is_insisted_on_while_the_log_is_away():
    one, script, wire = desk(wire=Wire(failures=2))
    (arrival,) = await handled(one, page())
    assert len(wire.reported) == len(script.attempted) == 1
    assert arrival.fate == "done"


async def test_a_report_that_cannot_be_made_is_the_next_owners():
    one, script, wire = desk(wire=Wire(failures=99))
    arrival = InHand(encode(page()))
    one.take(arrival)
    await asyncio.sleep(0.05)
    arrival.ours = False
    await one.idle()
    assert (len(script.attempted), wire.reported, arrival.fate) == (1, [], "")


async def test_what_runs_when_partitions_go_is_finished_and_what_waits_is_let_go():
    script = Script()
    script.gates["pag-1"] = asyncio.Event()
    one, script, wire = desk(script)
    arrivals = [InHand(encode(to("#a", n))) for n in (1, 2)]
    for arrival in arrivals:
        one.take(arrival)
    await asyncio.sleep(0.01)
    for arrival in arrivals:
        arrival.ours = False
    script.gates["pag-1"].set()
    await one.idle()
    assert script.attempted == [("pag-1", 1)]
    assert [report.page for report in wire.reported] == ["pag-1"]
    assert [arrival.fate for arrival in arrivals] == ["done", ""]


async def test_order_is_kept_for_an_incident_and_channel_and_others_do_not_wait():
    script = Script()
    script.gates["pag-1"] = asyncio.Event()
    one, script, _ = desk(script)
    for message in (to("#a", 1), to("#a", 2), to("#b", 3), to("#a", 4, incident="inc-2")):
        one.take(InHand(encode(message)))
    await asyncio.sleep(0.01)
    assert [id_ for id_, _ in script.attempted] == ["pag-1", "pag-3", "pag-4"]
    script.gates["pag-1"].set()
    await one.idle()
    assert script.attempted[-1] == ("pag-2", 1)


async def test_attempts_are_bounded_for_each_kind_of_channel():
    script = Script()
    script.gates = {f"pag-{n}": asyncio.Event() for n in range(9)}
    one, script, _ = desk(script, room=3)
    for n in range(9):
        one.take(InHand(encode(to(f"#{n}", n))))
    one.take(InHand(encode(page(id="pag-hook"))))
    one.take(InHand(encode(page("pigeon", id="pag-pigeon"))))
    await asyncio.sleep(0.01)
    assert (script.most, len(script.attempted)) == (4, 5)
    for gate in script.gates.values():
        gate.set()
    await one.idle()
    assert len(script.attempted) == 11


async def test_what_is_in_hand_is_counted_and_nothing_of_it_is_kept():
    script = Script()
    script.gates["pag-1"] = asyncio.Event()
    one, script, _ = desk(script)
    one.take(InHand(encode(to("#a", 1))))
    one.take(InHand(encode(to("#a", 2))))
    await asyncio.sleep(0.01)
    assert one.in_hand == 2
    script.gates["pag-1"].set()
    await one.idle()
    assert one.in_hand == 0
    assert not one._last


async def test_an_outcome_that_cannot_be_written_is_insisted_on_before_it_is_reported():
    log = MemoryLog(Disk(), [Act.FAIL, Act.FAIL_WRITTEN])
    one, script, wire = desk(log=log)
    (arrival,) = await handled(one, page())
    assert (len(script.attempted), len(wire.reported), arrival.fate) == (1, 1, "done")
    assert {each.key for each in log.disk.records("outcomes")} == {b"delivered/pag-1"}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=30))
def test_whatever_comes_however_often_each_page_is_sent_once_and_every_arrival_is_done(arrivals):
    async def run():
        one, script, wire = desk()
        hands = await handled(one, *(to(f"#{n % 2}", n, attempt=attempt) for n, attempt in arrivals))
        return script, wire, hands

    script, wire, hands = asyncio.run(run())
    assert sorted(sent for sent, _ in script.attempted) == sorted({f"pag-{n}" for n, _ in arrivals})
    assert [report.outcome for report in wire.reported] == [DONE] * len(arrivals)
    assert all(hand.fate == "done" for hand in hands)
