"""Links in letters and cards: made for one action on one incident, for a day; nobody else can make one."""

from datetime import timedelta
from email import message_from_bytes
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from msgspec.structs import replace

from routing.callbacks.links import LASTS, Wanted, address, pressed, prove_link
from routing.callbacks.refused import Forged
from routing.content import built_in
from routing.notifiers.email import Email
from routing.notifiers.notifier import Answer
from routing.notifiers.teams import Teams
from routing.words.deed_links import deed_links
from schemas.cause import Acknowledged, Resolved, Silenced
from schemas.page import Storm
from tests.fakes import NOW, body_of, content, driven, page, update

SIGNED = "a-secret-of-links"
UNTIL = int((NOW + LASTS).timestamp())
WANTED = Wanted("acknowledge", "inc-1/ä?&", "ana & bo", UNTIL)
SET = {
    "env:OVERSIGHT_LINK_URL": "https://pager.example/oversight/",
    "env:OVERSIGHT_LINK_SECRET": f"{SIGNED}, an-older-secret-of-links",
    "env:SMTP_SERVER": "mail.example",
    "env:SMTP_FROM": "o@example.com",
    "ana@example.com": "ana@example.com",
    "https://flows.example/1": "https://flows.example/1",
}


def parts(url):
    """Action, incident and query of a link."""
    place = urlsplit(url)
    action, incident = place.path.rpartition("/links/")[2].split("/")
    return action, unquote(incident), dict(parse_qsl(place.query, keep_blank_values=True))


def proved(url, secrets=(SIGNED,), now=NOW):
    return prove_link(secrets, *parts(url), now)


def test_a_link_says_again_what_it_was_made_for():
    url = address("https://pager.example/", SIGNED, WANTED)
    assert url.startswith("https://pager.example/links/acknowledge/inc-1%2F")
    assert proved(url) == WANTED
    assert proved(url, ("the-next-secret-of-it", SIGNED)) == WANTED


@pytest.mark.parametrize(
    "change",
    [
        {"action": "resolve"},
        {"incident": "inc-2"},
        {"by": "mallory"},
        {"until": UNTIL + 1},
    ],
)
def test_whatever_is_changed_in_a_link_makes_it_nobody_s(change):
    action, incident, query = parts(address("https://x", SIGNED, WANTED))
    query = query | {name: str(value) for name, value in change.items() if name in query}
    with pytest.raises(Forged, match="not ours"):
        prove_link([SIGNED], change.get("action", action), change.get("incident", incident), query, NOW)


def test_another_s_secret_and_none_at_all_prove_nothing():
    url = address("https://x", SIGNED, WANTED)
    for secrets in ((), ("another-secret-of-links",)):
        with pytest.raises(Forged, match="not ours"):
            proved(url, secrets)


def test_what_no_link_does_is_not_done_even_if_it_is_signed():
    with pytest.raises(Forged, match="not ours"):
        proved(address("https://x", SIGNED, replace(WANTED, action="explode")))


def test_a_link_holds_for_a_day():
    url = address("https://x", SIGNED, WANTED)
    assert proved(url, now=NOW + LASTS) == WANTED
    with pytest.raises(Forged, match="too old"):
        proved(url, now=NOW + LASTS + timedelta(seconds=1))


@pytest.mark.parametrize("until", [None, "", "soon", "-1", "9" * 13, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_link_without_its_time_is_not_whole(until):
    action, incident, query = parts(address("https://x", SIGNED, WANTED))
    query.pop("until")
    with pytest.raises(Forged, match="not whole"):
        prove_link([SIGNED], action, incident, query | ({} if until is None else {"until": until}), NOW)


def test_what_each_link_does_and_that_it_does_it_once():
    later = NOW + timedelta(hours=1)
    known = {"at": NOW, "incident": WANTED.incident, "by": "ana & bo", "via": "link"}
    for action, made in {
        "acknowledge": Acknowledged,
        "resolve": Resolved,
        "silence": lambda **said: Silenced(**said, until=later),
    }.items():
        wanted = replace(WANTED, action=action)
        cause = pressed(wanted, NOW)
        assert cause == made(id=cause.id, **known)
        assert pressed(wanted, NOW + timedelta(seconds=1)).id == cause.id
        assert pressed(wanted, later).id != cause.id
    assert pressed(replace(WANTED, by="cy"), NOW).id != pressed(WANTED, NOW).id


def test_a_letter_has_a_link_for_each_thing_that_is_still_to_be_done():
    message = page("email", "ana@example.com")
    (mail,), _ = driven(Email(), message, built_in(message), SET.__getitem__, Answer(status=250))
    letter = message_from_bytes(mail.content)
    text, html = (
        part.get_payload(decode=True).decode()
        for part in letter.walk()
        if part.get_content_type() in ("text/plain", "text/html")
    )
    for each in deed_links(message, SET.__getitem__):
        assert f"{each.name}: {each.url}\n" in text.replace("\r\n", "\n")
        assert each.url.replace("&", "&amp;") in html
        assert proved(each.url).by == message.to


def test_a_card_has_them_as_buttons_before_its_other_links():
    message = page("teams", "https://flows.example/1")
    (call,), _ = driven(Teams(), message, built_in(message), SET.__getitem__, Answer(status=202))
    (attachment,) = body_of(call)["attachments"]
    assert [each["title"] for each in attachment["content"]["actions"]] == [
        "Acknowledge",
        "Silence 1 h",
        "Resolve",
        "runbook",
        "dashboard",
        "trace",
    ]


def names(message, secrets=SET.__getitem__):
    return [each.name for each in deed_links(message, secrets)]


def test_what_was_done_is_not_offered_again():
    first = page("email", "ana@example.com")
    taken = update(first, "acknowledged", content=content(status="acknowledged"))
    assert names(taken) == ["Silence 1 h", "Resolve"]
    assert names(update(first, "resolved", content=content(status="resolved"))) == []


def test_of_many_at_once_nothing_is_offered_that_would_concern_one_of_them_alone():
    storm = replace(content(), storm=Storm(told=37))
    first = page("email", "ana@example.com", content=storm)
    assert names(first) == ["Acknowledge"]
    assert names(update(first, "acknowledged", content=replace(storm, status="acknowledged"))) == []


def test_a_repeated_attempt_has_the_same_links():
    first = page("email", "ana@example.com")
    again = replace(first, attempt=2, began=first.time, time=first.time + timedelta(minutes=5))
    assert deed_links(again, SET.__getitem__) == deed_links(first, SET.__getitem__)


@pytest.mark.parametrize(
    "setting",
    [
        {"env:OVERSIGHT_LINK_URL": ""},
        {"env:OVERSIGHT_LINK_URL": "pager.example"},
        {"env:OVERSIGHT_LINK_SECRET": "short"},
        {"env:OVERSIGHT_LINK_SECRET": ""},
    ],
)
def test_without_both_settings_there_are_no_links(setting):
    assert names(page("email", "ana@example.com"), (SET | setting).__getitem__) == []
    assert names(page("email", "ana@example.com"), {}.__getitem__) == []


def test_a_hostile_name_makes_no_hostile_link():
    message = page("email", "ana@example.com", to='ana"><script>\n' + "x" * 10_000)
    for each in deed_links(message, SET.__getitem__):
        assert len(each.url) < 1_000
        assert not set('"<>\n ') & set(each.url)
        assert proved(each.url).by.startswith('ana"><script>')
