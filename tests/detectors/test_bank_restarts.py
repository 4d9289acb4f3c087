"""A bank that is restarted anywhere goes on as if it had not been."""

from math import inf, nan

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from detectors.agent import Body, last_event
from detectors.bank import Bank
from detectors.registry import discover
from detectors.settings import Watch
from detectors.shadow import PART
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import (
    KINDS,
    Tape,
    config,
    reasons,
    settings_of,
    settings_record,
    signals,
)
from tests.simulation.counting import Counter

DAMAGED = (
    lambda _: b"?",
    lambda body: body.replace(b"\xa4told", b"\xa4t\xffld"),
    lambda _: b"\x91" * 100_000,
)
"""What becomes of a state: no MessagePack, text that is no UTF-8, nesting without end."""


class TestRestarts:
    def test_an_agent_stays_bytes_until_its_first_event_beyond_what_was_saved(self):
        tape = Tape()
        tape.event(0)
        tape.event(1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.event(0)
        heir.event(1)
        assert not heir.bank._keys.awake
        assert not signals(heir.tick(10))
        heir.rebase(1, agent="ana")
        assert not heir.bank._keys.asleep

    def test_an_agent_that_slept_is_asked_when_it_wished_to_be(self):
        tape = Tape()
        tape.told(0, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.offset = 1
        assert heir.bank.wake_at == START_S + 5
        assert signals(heir.tick(5)) == signals(tape.tick(5))

    def test_an_agent_is_asked_nothing_by_what_its_state_contains(self):
        tape = Tape()
        tape.event(0)
        tape.told(1, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        assert not heir.tick(6)

    def test_an_agent_that_wished_nothing_is_asked_nothing(self):
        tape = Tape()
        tape.event(0)
        tape.tick(5)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        assert heir.bank.wake_at is None

    def test_a_piece_of_state_that_cannot_be_read_is_told_and_costs_the_others_nothing(self):
        class Newer(KINDS["told"]):
            name = "told"
            version = 2

        tape = Tape(kinds={**KINDS, "told": Newer})
        tape.told(0, find=1)
        heir = Tape(kinds=KINDS)
        heir.offset = 1
        heir.bank.load("ana", tape.bank.save("ana"))
        assert reasons(heir.event(1)) == ["Told.load: ValueError: version 2"]
        heir.event(2)
        assert [each.summary for each in signals(heir.tick(5))] == ["3 seen "]

    def test_state_of_a_format_that_is_not_known_is_not_loaded(self):
        tape = Tape()
        tape.event(0)
        saved = msgspec.structs.replace(tape.bank.save("ana"), version=2)
        with pytest.raises(ValueError, match="state of ana has version 2, expected 1"):
            Tape().bank.load("ana", saved)

    @pytest.mark.parametrize("damaged", DAMAGED)
    def test_an_agent_whose_state_cannot_be_read_begins_anew_and_that_is_told(self, damaged):
        tape = Tape()
        tape.told(0, find=1)
        tape.tick(10)
        heir = Tape()
        saved = tape.bank.save("ana")
        heir.bank.load("ana", structs.replace(saved, body=damaged(saved.body), wake_at=None))
        heir.bank.resume(tape.bank.mark())
        heir.offset = tape.offset
        heir.told(11, find=1)
        heir.tick(20)
        assert [each.split(":")[0] for each in heir.reasons] == ["AgentState.load"]
        assert [each.labels["agent"] for each in heir.signals] == ["ana"]

    @pytest.mark.parametrize(
        "change",
        [
            {"digests": b"seven b"},
            {"ages": [(1.0, 9)]},
            {"standing": "late"},
            {"standing": "never"},
            {"last_event": nan},
            {"last_event": inf},
            {"last_event": -1e300},
        ],
    )
    def test_an_agent_that_remembers_what_cannot_be_begins_anew_and_that_is_told(self, change):
        tape = Tape()
        tape.told(0, find=1)
        tape.tick(10)
        saved = tape.bank.save("ana")
        body = msgspec.msgpack.decode(saved.body, type=Body)
        if "standing" in change:
            times = {"late": {"onset": 1e300}, "never": {"asserted": nan}}[change["standing"]]
            change = {"standing": [structs.replace(each, **times) for each in body.standing]}
        heir = Tape()
        wrong = msgspec.msgpack.encode(structs.replace(body, **change))
        heir.bank.load("ana", structs.replace(saved, body=wrong))
        heir.bank.resume(tape.bank.mark())
        heir.offset = tape.offset
        heir.told(11, find=1)
        heir.tick(20)
        assert [each.split(":")[0] for each in heir.reasons] == ["AgentState.load"]
        assert [each.labels["agent"] for each in heir.signals] == ["ana"]

    @pytest.mark.parametrize("heard", [nan, inf, 1e300])
    def test_of_an_agent_that_was_heard_of_at_no_time_nothing_is_of_use(self, heard):
        tape = Tape()
        tape.event(5)
        saved = tape.bank.save("ana")
        body = msgspec.msgpack.decode(saved.body, type=Body)
        assert last_event(saved) == body.last_event > 0
        wrong = msgspec.msgpack.encode(structs.replace(body, last_event=heard))
        assert last_event(structs.replace(saved, body=wrong)) == 0.0

    @pytest.mark.parametrize("wake_at", [nan, inf])
    def test_a_wish_for_a_time_that_is_none_is_refused(self, wake_at):
        tape = Tape()
        tape.event(0)
        saved = structs.replace(tape.bank.save("ana"), wake_at=wake_at)
        heir = Tape()
        with pytest.raises(ValueError, match="state of ana wishes for"):
            heir.bank.load("ana", saved)
        assert "ana" not in heir.bank._keys

    def test_an_agent_with_a_copy_of_a_drill_that_cannot_be_read_is_refused_whole(self):
        tape = Tape()
        tape.event(0)
        saved = tape.bank.save("ana")
        heir = Tape()
        with pytest.raises(msgspec.MsgspecError):
            heir.bank.load("ana", structs.replace(saved, parts={**saved.parts, PART: b"?"}))
        assert "ana" not in heir.bank._keys

    @pytest.mark.parametrize("wish", ["nan", "inf"])
    def test_a_detector_that_wishes_for_a_time_that_is_none_is_asked_nothing(self, wish):
        tape = Tape()
        tape.told(0, wake=wish)
        tape.tick(10)
        assert tape.bank._keys.state("ana", tape.offset).woken_at is None

    def test_a_detector_that_cannot_say_when_to_ask_it_is_asked_nothing_and_that_is_told(self):
        class Lost(KINDS["told"]):
            @property
            def wake_at(self):
                raise ValueError("math domain error")

            @wake_at.setter
            def wake_at(self, wish):
                pass

        tape = Tape(kinds={**KINDS, "told": Lost})
        tape.told(0)
        tape.tick(10)
        tape.told(11)
        tape.tick(20)
        assert tape.bank._keys.state("ana", tape.offset).woken_at is None
        assert [each for each in tape.reasons if "math domain error" in each]

    def test_a_detector_that_cannot_be_saved_begins_anew_and_that_is_told(self):
        class Dumb(KINDS["told"]):
            def save(self):
                if self.state[3] > 1:
                    raise TypeError("no words")
                return super().save()

        tape = Tape(kinds={**KINDS, "told": Dumb})
        tape.told(0, find=1)
        tape.told(1, find=1)
        saved = tape.bank.save("ana")
        tape.tick(10)
        (told,) = [each for each in tape.reasons if "no words" in each]
        assert told.endswith("Dumb.save: TypeError: no words")
        body = msgspec.msgpack.decode(saved.body, type=Body)
        assert body.detectors["told"][1] == Dumb(Watch(agent="ana"), {}).save().body
        assert "told" not in {each.detector for each in tape.signals}

    @pytest.mark.parametrize("damaged", DAMAGED[::2])
    def test_an_agent_whose_state_cannot_be_read_stops_no_day(self, damaged):
        tape = Tape()
        tape.event(0)
        heir = Tape()
        saved = tape.bank.save("ana")
        heir.bank.load("ana", structs.replace(saved, body=damaged(saved.body), wake_at=None))
        heir.bank.resume(tape.bank.mark())
        heir.offset = tape.offset
        heir.event(2 * 86400, "bob")
        assert "ana" not in heir.bank._keys
        assert "bob" in heir.bank._keys

    def test_settings_that_hold_no_more_are_wanted_anew(self):
        tape = Tape()
        tape.bank.begin(config({}), "d1")
        tape.control(settings_record({"told": {"unfit": "*"}}, "d2"))
        picky = Bank(settings_of, kinds=KINDS)
        mark = msgspec.msgpack.decode(tape.bank.mark())
        mark[3], mark[4] = ["d1", "d2"], [["rules", "no JSON"]]
        picky.resume(msgspec.msgpack.encode(mark))
        assert picky.digests == ()

    def test_a_detector_that_was_switched_off_and_on_while_an_agent_slept_starts_anew(self):
        tape = Tape()
        tape.told(0, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.offset = 1
        for each in (tape, heir):
            each.control(settings_record({"told": {"enabled": False}}, "off"))
            each.control(settings_record({}, "on"))
        assert heir.event(6) == tape.event(6)
        assert heir.bank.save("ana") == tape.bank.save("ana")


KINDS_HERE = {**discover(), "told": KINDS["told"], "counter": Counter}
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["event"] * 9 + ["tick", "rebase", "settings", "bad settings", "again"] + ["drill"] * 3
        ),
        st.sampled_from(["ana", "bo", "vip", "dora"]),
        st.floats(-20, 30),
        st.integers(0, 9),
    ),
    max_size=60,
)
SAID = [
    {},
    {"told": {"enabled": False}},
    {"told": {"label": "x"}, "error_rate": {"arl": "7d"}},
    {"cost": {"enabled": False}, "input_shift": {"per_minute": 3}},
    {"redact": {"patterns": ["a+"]}},
]


def play(tape: Tape, step, now_s: float) -> None:
    what, agent, _, n = step
    match what:
        case "tick":
            tape.tick(now_s)
        case "rebase":
            tape.rebase(now_s, agent)
        case "settings":
            tape.control(settings_record(SAID[n % len(SAID)], f"d{n}"))
        case "bad settings":
            tape.control(settings_record("{", f"d{n}"))
        case "again":
            tape.event(now_s, agent, id=f"again-{n}")
        case "drill":
            said = {"find": n % 3, "fail": n == 7, "mute": n == 8, "wake": START_S + now_s + 60 * n}
            tape.event(now_s, agent, drill=f"told/odd:{n % 2}", attributes=said)
        case _:
            failed = {"error": {"type": "Timeout"}} if n % 3 == 0 else {}
            usage = {"cost_amount": 0.1 * n, "cost_currency": "USD"}
            talk = {"id": f"s{n % 4}", "state": "ended"}
            told = {"find": n % 3, "fail": n == 7, "mute": n == 8, "wake": START_S + now_s + 60 * n}
            tape.event(
                now_s,
                agent,
                kind="agent.session.v1" if n % 2 else "agent.operation.v1",
                usage=usage,
                conversation=talk,
                input={"text": f"refund order {n}"},
                attributes=told,
                **failed,
            )


def restarted(tape: Tape) -> Tape:
    """Another owner, who finds what this one saved just now, or found itself and did not wake."""
    heir = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
    heir.offset = tape.offset
    for name in sorted(tape.bank._keys.awake.keys() | tape.bank._keys.asleep):
        if name in tape.bank._keys.awake:
            heir.bank.load(name, tape.bank.save(name))
        else:
            heir.bank.load(name, tape.bank._keys.asleep[name])
    heir.bank.resume(tape.bank.mark())
    return heir


A_COPY_IS_LEFT = [
    *[("event", "ana", 0.0, 0)] * 9,
    ("drill", "ana", 11.0, 0),
    ("event", "ana", 0.0, 0),
    ("tick", "ana", 0.0, 0),
]
RATES_CHANGE = [*[("event", "ana", 0.0, 0)] * 5, ("settings", "ana", 0.0, 3)]


@given(steps, st.lists(st.integers(0, 60), max_size=4))
@example(RATES_CHANGE, [5])
@example(A_COPY_IS_LEFT, [11])
def test_restarts_at_any_place_change_neither_outputs_nor_state(drawn, cuts):
    whole = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
    broken = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
    outputs = []
    now_s = 0.0
    for at, step in enumerate(drawn):
        if at in cuts:
            outputs += broken.outputs
            broken = restarted(broken)
        now_s += step[2]
        play(whole, step, now_s)
        play(broken, step, now_s)
    assert outputs + broken.outputs == whole.outputs
    assert broken.bank.mark() == whole.bank.mark()
    assert broken.bank.wake_at == whole.bank.wake_at
    for name in sorted(whole.bank._keys.awake):
        if name in broken.bank._keys.asleep:
            broken.bank._keys.state(name, broken.offset)
        assert broken.bank.save(name).body == whole.bank.save(name).body
        assert broken.bank.save(name).parts == whole.bank.save(name).parts
