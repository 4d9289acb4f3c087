"""Links of letters and cards, as a browser and as a mail scanner follow them."""

import httpx
import pytest

from routing.callbacks.links import Wanted, address
from schemas.wire import encode
from streams.hosting.variables import Misconfigured
from streams.ingress.access import Access
from streams.ingress.access import read as read_access
from tests.memory_log import Act
from tests.routing.scenario import MINUTE, START
from tests.streams.test_ingress import place

SIGNED = "a-secret-of-links"
OPEN = Access(links=(SIGNED,), api=("a-token-of-the-api",))
UNTIL = int(START.timestamp()) + 3600


def link(here, action="acknowledge", key=SIGNED, incident=""):
    return address(here.url, key, Wanted(action, incident or here.incident, "ana", UNTIL))


async def follow(url, method="GET"):
    async with httpx.AsyncClient() as client:
        return await client.request(method, url)


async def test_opening_a_link_asks_and_changes_nothing():
    async with place(OPEN) as here:
        for method in ("GET", "HEAD"):
            answer = await follow(link(here), method)
            assert answer.status_code == 200
        asked = await follow(link(here))
        assert "<h1>Acknowledge, ana?</h1>" in asked.text
        assert '<form method="post">' in asked.text
        assert "ERROR: s1 of refund-agent fails" in asked.text
        assert (here.causes, here.desk.counts) == ([], {})
        assert "default-src 'none'" in asked.headers["Content-Security-Policy"]
        assert (asked.headers["Cache-Control"], asked.headers["Referrer-Policy"]) == (
            "no-store",
            "no-referrer",
        )


async def test_pressing_it_does_it_and_once():
    async with place(OPEN) as here:
        for _ in range(2):
            answer = await follow(link(here), "POST")
            assert (answer.status_code, "<h1>It will be yours.</h1>" in answer.text) == (200, True)
        here.follow()
        here.t.fast_forward(20 * MINUTE)
        assert here.t.told == [(0, "ana", "opened")]
        (deed,) = here.t.incident.deeds
        assert (deed.by, deed.did, deed.via) == ("ana", "acknowledged", "link")
        assert here.desk.counts == {"link taken": 2}


async def test_what_is_theirs_already_is_said():
    async with place(OPEN) as here:
        here.t.acknowledge()
        here.desk.board.take(encode(here.t.incident))
        assert "<h1>It is yours.</h1>" in (await follow(link(here), "POST")).text


@pytest.mark.parametrize(("action", "status"), [("resolve", "resolved"), ("silence", "triggered")])
async def test_the_others_do_what_they_say(action, status):
    async with place(OPEN) as here:
        assert (await follow(link(here, action), "POST")).status_code == 200
        here.follow()
        assert here.t.incident.status == status
        assert here.t.incident.deeds[0].did == f"{action.rstrip('e')}ed"


async def test_a_forged_link_is_refused_and_counted():
    async with place(OPEN) as here:
        for method in ("GET", "POST"):
            answer = await follow(link(here, key="another-secret-of-links"), method)
            assert (answer.status_code, "the link is not ours" in answer.text) == (403, True)
        assert (here.causes, here.desk.counts) == ([], {"link forged": 2})


async def test_what_is_over_is_said_and_not_done():
    async with place(OPEN) as here:
        here.t.recover()
        here.desk.board.take(encode(here.t.incident))
        answer = await follow(link(here))
        assert (answer.status_code, "It is over" in answer.text, "<form" in answer.text) == (200, True, False)
        assert (await follow(link(here), "POST")).status_code == 409
        assert here.causes == []


async def test_who_has_it_is_said_before_it_is_taken_from_them():
    async with place(OPEN) as here:
        here.t.acknowledge(by="bo")
        here.desk.board.take(encode(here.t.incident))
        assert "(acknowledged by bo)" in (await follow(link(here, "resolve"))).text


async def test_an_incident_that_was_not_read_yet_can_be_taken():
    async with place(OPEN) as here:
        assert "This incident · inc-new" in (await follow(link(here, incident="inc-new"))).text
        assert (await follow(link(here, incident="inc-new"), "POST")).status_code == 200
        assert here.causes[0].incident == "inc-new"


async def test_words_of_others_are_no_html():
    async with place(OPEN) as here:
        here.t.signal("<script>alert(1)</script>", detector="silence")
        here.t.fast_forward(3 * MINUTE)
        here.desk.board.take(encode(here.t.incident))
        text = (await follow(link(here))).text
        assert "&lt;script&gt;" in text
        assert "<script>" not in text


async def test_what_cannot_be_written_is_said():
    async with place(OPEN, acts=[Act.FAIL]) as here:
        answer = await follow(link(here), "POST")
        assert (answer.status_code, "Nothing was written" in answer.text) == (503, True)
        assert here.desk.counts == {"link failed": 1}


async def test_without_a_secret_there_are_no_links():
    async with place(Access()) as here:
        assert (await follow(link(here))).status_code == 404


def test_the_secret_comes_from_the_environment_and_is_long_enough():
    assert read_access({"OVERSIGHT_LINK_SECRET": f"{SIGNED}, {SIGNED}2"}).links == (SIGNED, f"{SIGNED}2")
    with pytest.raises(Misconfigured, match="OVERSIGHT_LINK_SECRET is too short"):
        read_access({"OVERSIGHT_LINK_SECRET": "short"})
