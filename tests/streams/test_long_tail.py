"""Services that the library apprise knows: handed over to a real one on loopback, and to stand-ins."""

import asyncio
import time
from contextlib import asynccontextmanager
from importlib import import_module
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from routing.notifiers.notifier import Handover
from schemas.outcome import Deferred, Delivered, Undeliverable
from streams.cli import main
from streams.delivering.delivery import Courier
from streams.delivering.long_tail import REMEDY, LongTail, is_absent, is_needed
from streams.delivering.secrets import environment
from tests.conftest import IN_CI
from tests.fakes import NOW, page
from tests.fakes_http import Sink
from tests.routing.configs import policy

STEP = Handover(address="json://x", title="t", body="b", tone="info")
installed = pytest.mark.skipif(
    is_absent() and not IN_CI, reason="APPRISE ABSENT: install agent-oversight[apprise]; this was NOT tested"
)

# The library imports what Python itself is about to drop.
deprecated = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")


class Library:
    """Stands for apprise: what `add` and `notify` answer is data."""

    def __init__(self, known=True, sent=True, seconds=0.0) -> None:  # noqa: FBT002 - the library's own answers
        self.known = known
        self.sent = sent
        self.seconds = seconds
        self.told = []

    def Apprise(self):  # noqa: N802 - its name
        return SimpleNamespace(add=self.add, notify=self.notify)

    def add(self, address) -> bool:
        del address
        return self.known

    def notify(self, *said, **more) -> object:
        time.sleep(self.seconds)
        self.told.append((said, more))
        return self.sent


@asynccontextmanager
async def tail(load):
    one = LongTail(load)
    yield one
    one.close()


async def attempted(address: str):
    """The outcome of one page to an address of apprise."""
    one = Courier(environment({"ADDRESS": address}), print)
    outcome = await one.attempt(page("apprise", "env:ADDRESS"), NOW)
    await one.close()
    return outcome


@pytest.mark.parametrize(
    ("library", "status"),
    [(Library(), 200), (Library(sent=False), 503), (Library(sent=None), 503), (Library(known=False), 400)],
)
async def test_what_the_library_says_is_the_answer(library, status):
    async with tail(lambda: library) as one:
        assert (await one.hand_over(STEP)).status == status
    assert library.told in ([], [(("b", "t", "info"), {"body_format": "text"})])


async def test_without_the_library_it_is_said_how_to_get_it():
    def load():
        return import_module("a_library_that_nobody_has")

    async with tail(load) as one:
        answer = await one.hand_over(STEP)
    assert (answer.status, answer.body.decode()) == (412, REMEDY)


async def test_a_slow_service_holds_up_nobody_else():
    async with tail(lambda: Library(seconds=0.2)) as one:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(one.hand_over(STEP) for _ in range(8)))
        assert asyncio.get_running_loop().time() - began < 1.2


def test_nothing_was_begun_nothing_is_ended():
    LongTail().close()


@installed
@deprecated
async def test_a_page_reaches_a_service_by_the_library():
    async with Sink([200]).running() as sink:
        outcome = await attempted(sink.url.replace("http://", "json://"))
        assert outcome == Delivered(reference="pag-1")
        (body,) = sink.bodies
        assert body["title"] == "CRITICAL: retail: 35 of 35 sessions fail"
        assert body["message"].endswith("inc-1 · to ana · opened · pag-1")
        assert body["type"] == "failure"


@installed
@deprecated
async def test_a_service_that_fails_is_tried_again_and_an_unknown_address_is_not(caplog):
    with capture_logs() as logs:
        async with Sink([500] * 3).running() as sink:
            outcome = await attempted(sink.url.replace("http://", "json://me:ADDRESS-SECRET@"))
            assert outcome == Deferred(reason="HTTP 503")
        outcome = await attempted("pigeon://ADDRESS-SECRET")
        assert outcome == Undeliverable(reason="apprise knows no such address")
    assert "ADDRESS-SECRET" not in str(logs) + caplog.text


RULES = """\
route: {receiver: a}
receivers: [{name: a, notify: [%s]}]
users: {u: {apprise: 'env:A', slack: U1}}
escalations: {e: {steps: [{notify: [%s], via: [%s]}]}}
"""


@pytest.mark.parametrize(
    ("parts", "needed"),
    [
        (("{slack: '#x'}", "user: u", "slack"), False),
        (("{apprise: 'env:A'}", "user: u", "slack"), True),
        (("{escalation: e}", "user: u", "apprise"), True),
        (("{slack: '#x'}", "apprise: 'env:A'", "slack"), True),
    ],
)
def test_rules_that_need_the_library_are_known(parts, needed):
    assert is_needed(policy(RULES % parts)) == needed


def test_check_warns_where_the_library_is_needed_and_absent(tmp_path):
    path = tmp_path / "oversight.yml"
    path.write_text(RULES % ("{apprise: 'env:A'}", "user: u", "slack"))
    ran = CliRunner().invoke(main, ["check", str(path)], env={"A": "x"})
    assert ran.exit_code == 0
    assert (REMEDY in ran.stdout) == is_absent()
