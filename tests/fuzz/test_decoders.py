"""Whatever bytes come from outside: each decoder takes them or refuses them with a reason, nothing else."""

import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bridge.raw import Unreadable
from bridge.unpacking import Unpacking
from routing.callbacks import pagerduty, requests, slack
from routing.callbacks.refused import Ignored, Refused
from routing.incidents.snapshot import unpack
from routing.matchers import MatcherSyntax, read_matchers
from routing.router import KEY
from routing.rules.durations import parse_duration
from schemas.record import Record, Saved
from schemas.wire import Malformed, binary, decode_cause, decode_event, decode_message, encode
from streams.hosting.packing import packed, unpacked
from tests.bridge.spans import as_json, as_proto, request, span
from tests.fuzz.mutating import mutants
from tests.routing.callbacks.presses import hook, press
from tests.routing.scenario import ESCALATED, MINUTE, Scenario

COUNT = 1_000_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 10_000
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
EVENTS = (Path(__file__).parents[1] / "schemas" / "examples.jsonl").read_bytes().splitlines()
pytestmark = pytest.mark.no_cover


@dataclass(frozen=True)
class Door:
    """A way in. `refusals`: what it may raise, each with a reason."""

    takes: Callable[[bytes], object]
    corpus: Sequence[bytes]
    refusals: tuple[type[Exception], ...]


def lived() -> Scenario:
    """A night in little, of which everything is known that routing writes."""
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(6 * MINUTE)
    t.acknowledge()
    t.comment("seen")
    t.silence('agent="refund-agent"')
    t.snooze(lasts=timedelta(hours=1))
    t.recover()
    return t


def saved() -> bytes:
    return msgspec.msgpack.encode(lived().router.save(KEY))


def headed(value: bytes) -> object:
    """An event in the binary binding: of each header the part up to the first line's end, data behind."""
    head, _, data = value.partition(b"\n")
    names = head.split(b";")
    return decode_event(
        data, [(name.decode("latin-1"), text) for name, _, text in (each.partition(b"=") for each in names)]
    )


def in_headers(line: bytes) -> bytes:
    value, headers = binary(decode_event(line))
    return b";".join(name.encode() + b"=" + (text or b"") for name, text in headers) + b"\n" + value


def asked(body: bytes) -> object:
    said = requests.read(body)
    delivery = requests.Delivery(id="d", incident="inc-0", now=NOW, via="http")
    return [_done(action, said, delivery) for action in requests.ACTIONS]


def _done(action: str, said: requests.Request, delivery: requests.Delivery) -> object:
    try:
        return requests.cause(action, said, delivery)
    except Refused as refused:
        return refused


def doors() -> dict[str, Door]:
    t = lived()
    spans = request(
        span(1, gen_ai__operation__name="chat", gen_ai__usage__input_tokens=5), span(2, 1, failed=True)
    )
    words = [b'{agent=~"a|b",env!="x"}', b"severity=critical", '{"größe"="x"}'.encode(), b'a!~"^x$"']
    bodies = [b'{"by":"ana","for":"1h"}', b'{"by":"ana","matchers":["a=b"],"until":"2026-01-06T09:00:00Z"}',
              b'{"by":"ana","user":"bo","text":"x","verdict":"useful","decision":"dec-1"}']  # fmt: skip
    presses = [press(f"oversight:{name}", "inc-0") for name in slack.MEANING]
    hooks = [hook(kind) for kind in ("incident.acknowledged", "incident.resolved", "incident.annotated")]
    text = (Malformed,)
    return {
        "events": Door(decode_event, EVENTS, text),
        "events in headers": Door(headed, [in_headers(each) for each in EVENTS[:50]], text),
        "causes": Door(decode_cause, t.log, text),
        "messages": Door(decode_message, [encode(each) for each in (*t.pages, *t.updates, *t.notices)], text),
        "requests": Door(asked, bodies, (Refused,)),
        "buttons of Slack": Door(lambda body: slack.pressed(body, NOW), presses, (Refused,)),
        "webhooks of PagerDuty": Door(lambda body: pagerduty.done(body, NOW), hooks, (Refused,)),
        "spans in JSON": Door(_apart, [as_json(spans)], (Unreadable,)),
        "spans in protobuf": Door(_apart, [as_proto(spans)], (Unreadable,)),
        "matchers": Door(
            lambda value: read_matchers(value.decode("utf-8", "surrogateescape")), words, (MatcherSyntax,)
        ),
        "durations": Door(
            lambda value: parse_duration(value.decode("utf-8", "surrogateescape")),
            [b"1h30m", b"5d", b"90ms"],
            (ValueError,),
        ),
        "pieces of state": Door(unpacked, [packed(b"state" * 99)], (zlib.error,)),
        "states of routing": Door(_restored, [saved()], (ValueError,)),
    }


def _apart(value: bytes) -> object:
    outputs = Unpacking().apply(Record(0, value))
    for each in outputs:
        reason = dict(each.headers).get("reason", b"").decode()
        if reason.startswith("Unreadable: "):
            raise Unreadable(reason)
    return outputs


def _restored(value: bytes) -> object:
    return unpack(msgspec.msgpack.decode(value, type=Saved))


DOORS = doors()


@pytest.mark.parametrize("name", DOORS)
def test_what_is_in_good_order_is_taken(name):
    for number, value in enumerate(DOORS[name].corpus):
        assert refusal(name, number, value) is None


@pytest.mark.parametrize("name", DOORS)
def test_whatever_comes_is_taken_or_refused_with_a_reason(name):
    refusals = [refusal(name, number, value) for number, value in mutants(DOORS[name].corpus, COUNT, name)]
    assert "" not in refusals
    assert sum(each is not None for each in refusals) > COUNT / 10


def refusal(name: str, number: int, value: bytes) -> str | None:
    """Why something is refused; None if it is taken, or nobody's business here."""
    door = DOORS[name]
    try:
        door.takes(value)
    except Ignored:
        return None
    except door.refusals as reason:
        return str(reason)
    except Exception as error:
        raise AssertionError(f"{name} {number} breaks its door: {value[:400]!r}") from error
    return None
