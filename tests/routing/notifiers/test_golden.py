"""How messages look in each channel, kept in `golden/`, one file a channel and a case.

After a change that is meant, write them anew and read what changed before it is committed:

    GOLDEN=write .venv/bin/pytest tests/routing/notifiers/test_golden.py
    git diff tests/routing/notifiers/golden
"""

import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from routing.content import after_fault, built_in, worded
from routing.notifiers.registry import discover
from routing.words.sample import CONTENT, PAGE, SIGNAL, follow_up, too_long
from routing.words.showing import INSTEAD, addressed, rehearsed, shown
from schemas.decision import Offer
from schemas.deed import Deed
from schemas.page import Notice, Other, Storm

GOLDEN = Path(__file__).with_name("golden")
NOTIFIERS = discover()
HEBREW = "\u202e\u05e9\u05dc\u05d5\u05dd"
HOSTILE = f"<!channel> [x](http://evil.example) <b>&amp;</b> *b* {HEBREW}\n`c` {{{{ 7*7 }}}} [/] \\["
BARE = msgspec.structs.replace(
    CONTENT,
    signals=(),
    related=(),
    labels={},
    score_parts=(),
    runbook="",
    dashboard="",
    next_step="",
    team="",
)
HOSTILE_CONTENT = msgspec.structs.replace(
    CONTENT,
    title=HOSTILE,
    team=HOSTILE,
    next_step=HOSTILE,
    signals=(msgspec.structs.replace(SIGNAL, summary=HOSTILE, changes=(HOSTILE,)),),
    labels={"agent": HOSTILE, "tool": HOSTILE},
)


def with_content(content):
    return msgspec.structs.replace(PAGE, content=content)


def followed(kind: str, reason: str):
    """An update of the page that was delivered; of a comment, with what was said."""
    _, reference = rehearsed(NOTIFIERS[kind], PAGE, built_in(PAGE))
    said = Deed(at=PAGE.time, by="bo", did="commented", via="slack", note="rolling back <now>")
    deeds = (said,) if reason == "commented" else ()
    page = with_content(msgspec.structs.replace(CONTENT, deeds=deeds))
    return follow_up(page, reason, reference)


def drilled(message):
    """The same of a fire drill that has a room of its own."""
    replace = msgspec.structs.replace
    labels = {**CONTENT.labels, "drill": "error_rate/burst:tuesday"}
    signals = tuple(
        replace(each, labels=labels, summary=f"DRILL: {each.summary}") for each in message.content.signals
    )
    more = {"signals": signals, "labels": labels, "drill": labels["drill"], "instead": "ana (slack)"}
    return replace(message, content=replace(message.content, title=f"DRILL: {SIGNAL.summary}", **more))


FOLLOWING = ("updated", "acknowledged", "resolved", "commented")
NOTICE = Notice(
    **{name: getattr(PAGE, name) for name in PAGE.__struct_fields__}
    | {
        "content": msgspec.structs.replace(BARE, severity="info"),
        "incident": "handoff:night shift",
        "reason": "handoff_soon",
        "severity": "info",
        "summary": "ana takes over from bo in 1 h (night shift)",
    },
    facts=(("Begins", "2026-03-02 10:00 UTC"), ("Open", "inc-7f: payments-api is slow\ninc-80: costs rise")),
)
OTHERS = tuple(
    Other(
        incident=f"inc-{n}f54b1f4a5e38",
        severity="error",
        score=90 - n,
        status="acknowledged" if n == 4 else "triggered",
        since=PAGE.time - timedelta(minutes=n),
        summary=f"agent-{n}: half of its sessions <fail>",
        sessions=n % 3,
    )
    for n in range(5)
)
STORM = msgspec.structs.replace(
    BARE,
    title="37 incidents, here are the 5 that matter",
    severity="error",
    next_step="Begin with the first. Who acknowledges this takes all 37.",
    firing=40,
    storm=Storm(told=37, worst=OTHERS, ended=4),
)
UNTIL = PAGE.time + timedelta(minutes=12)
OFFER = Offer(
    decision="dec-0123456789abcdef0123",
    action="roll_back",
    subject={"agent": "retail", "release": "2.4.0"},
)
BEHIND = msgspec.structs.replace(CONTENT, storm=Storm(worst=OTHERS[:2], waiting=2, until=UNTIL, ended=1))
DIGEST = msgspec.structs.replace(
    NOTICE,
    incident="digest:agents",
    reason="digest",
    summary="agents, the last 1 h: 1 new, 1 resolved, 2 open",
    facts=(
        ("New", "warning 40: refund-agent: answers take longer (for 12 min)"),
        ("Resolved", "info 20: <b>cost</b> of agent-2 doubled (lasted 40 min)"),
        ("Still open", "warning 38: agent-3 answers in another language (for 2 h), acknowledged by ana"),
    ),
)
PAGES = {
    "digest": DIGEST,
    "storm": msgspec.structs.replace(
        with_content(STORM), reason="storm", severity="error", summary=STORM.title
    ),
    "waiting": with_content(BEHIND),
    "to-grant": with_content(msgspec.structs.replace(CONTENT, waiting=(OFFER,))),
    "page": PAGE,
    "bare": with_content(BARE),
    "hostile": with_content(HOSTILE_CONTENT),
    "notice": NOTICE,
    "drill": drilled(PAGE),
    "own-words": with_content(msgspec.structs.replace(CONTENT, template="x")),
}
CASES = (*PAGES, *FOLLOWING)


def looks(kind: str, case: str) -> str:
    message = PAGES[case] if case in PAGES else followed(kind, case)
    rendered = (
        worded(message, "refund-agent is ill:\n- look at <it>") if case == "own-words" else built_in(message)
    )
    steps, _ = rehearsed(NOTIFIERS[kind], message, rendered)
    return "\n".join(map(shown, steps)) or "nothing is sent\n"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", NOTIFIERS)
def test_a_message_looks_as_it_did(kind, case):
    path = GOLDEN / f"{kind}.{case}.txt"
    found = looks(kind, case)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.exists(), f"{path.name} is not there yet: write it as this file says"
    assert found == path.read_text(encoding="utf-8")


def test_every_file_is_of_a_channel_and_a_case():
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{kind}.{case}.txt" for kind in NOTIFIERS for case in CASES
    }


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_a_page_holds_what_a_page_must_hold(kind):
    """Severity, a sentence, numbers, since when, whom, what stands out, changes, samples, what to do."""
    told = (
        looks(kind, "page")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("\\[", "[")
    )
    for words in (
        "CRITICAL: 42 of 130 sessions of refund-agent failed since 09:08: customers get no refund",
        "32 % against 1.3 % (24.6 times)",
        "6 min (2026-03-02 09:08:05 UTC)",
        "rising ▁▁▁▁▁▁▁▂▃▅▇█",
        "42 sessions, 40 users, 5 tenants; 32 % of all",
        "tool=payments.refund: 95 % of the affected, 6.1 times as often as in the others",
        "09:05 UTC release refund-agent 2.4.0 (was 2.3.7)",
        "inc-7f: dependency payments-api is slow",
        "payments.refund: 503 Service Unavailable for <card>",
        "https://traces.example/t/4bf92f3577b34da6",
        "score 94 of 100",
        "Failures began with a release: roll it back.",
        "https://runbooks.example/refunds",
    ):
        assert words in told


@pytest.mark.parametrize("words", [built_in, lambda message: worded(message, "refund-agent is ill")])
@pytest.mark.parametrize("case", ["page", *FOLLOWING])
@pytest.mark.parametrize("kind", NOTIFIERS)
def test_every_message_of_a_drill_says_so_where_it_begins(kind, case, words):
    message = drilled(PAGE if case == "page" else followed(kind, case))
    steps, _ = rehearsed(NOTIFIERS[kind], message, words(message))
    told = [shown(step) for step in steps if "/priority?" not in shown(step)]
    assert all("DRILL" in each for each in told)
    assert told or case in ("updated", "commented")


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_what_became_of_a_drill_says_so_too(kind):
    replace = msgspec.structs.replace
    words = "DRILL: weekly of refund-agent passed"
    content = replace(NOTICE.content, title=words, drill="error_rate/burst:weekly")
    message = replace(NOTICE, incident="drill:weekly", reason="drilled", summary=words, content=content)
    steps, _ = rehearsed(NOTIFIERS[kind], message, built_in(message))
    told = [shown(step) for step in steps]
    assert told
    assert all(words in each for each in told)
    assert kind != "webhook" or '"drill": true' in told[0].replace(":true", ": true")


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_the_example_of_a_channel_is_one_that_works(kind):
    notifier = NOTIFIERS[kind]
    target = notifier.example["target"]
    assert target.startswith("env:") or notifier.fault(target) == ""
    assert addressed(notifier, PAGE).channel.kind == kind
    _, reference = rehearsed(notifier, PAGE, built_in(PAGE))
    assert reference


def test_pictures_are_shown_as_there_being_one():
    assert INSTEAD in looks("teams", "page")
    assert "[image/png: history.png]" in looks("email", "page")


def test_what_a_channel_would_cut_is_told():
    rendered = built_in(PAGE)
    assert [too_long(rendered, notifier.room) for notifier in NOTIFIERS.values()] == [[]] * len(NOTIFIERS)
    long = after_fault(with_content(msgspec.structs.replace(CONTENT, title="x" * 200)), "y" * 300)
    assert too_long(long, NOTIFIERS["opsgenie"].room) == ["the title has 150 characters, 130 are shown"]
    many = worded(PAGE, "🔥" * 3000)
    assert too_long(many, NOTIFIERS["teams"].room) == [
        "all texts have 12,002 bytes, 6,000 are shown: the longest are cut"
    ]
    room = msgspec.structs.replace(NOTIFIERS["slack"].room, text=100)
    assert too_long(many, room) == ["a text has 3,000 characters, 100 are shown"]
