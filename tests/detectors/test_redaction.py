"""Texts leave the process without secrets and personal data, in linear time."""

import csv
import gzip
import json

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.redaction import expression, redact

MASKED = [
    ("mail ana.b+x@mail.example.org now", "mail [e-mail] now"),
    ("card 4111 1111 1111 1111 please", "card [card] please"),
    ("card 4111-1111-1111-1111", "card [card]"),
    ("pay 5 5500005555555559", "pay [card]"),
    ("call +49 30 1234567", "call [phone]"),
    ("call (555) 123-4567 ext", "call [phone] ext"),
    ("two 555-123-4567 555.123.9999", "two [phone]"),
    ("mobil 0171 2345678", "mobil [phone]"),
    ("ssn 078-05-1120", "ssn [number]"),
    ("account 9523456873", "account [number]"),
    ("to DE89 3704 0044 0532 0130 00 today", "to [iban] today"),
    ("to nl91abna0417164300", "to [iban]"),
    ("to AT61 1904 3002 3457 3201 soon", "to [iban] soon"),
    ("Authorization: Token abc def", "Authorization: [secret]"),
    ("use bearer abcdef123456.x", "use bearer [secret]"),
    ('{"api_key": "abc", "n": 1}', '{"api_key": "[secret]", "n": 1}'),
    ("my password is hunter2 ok", "my password is [secret] ok"),
    ("key sk-proj-abcdefghijkl123", "key [secret]"),
    ("ghp_abcdefghijklmnop1234", "[secret]"),
    ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[secret]"),
    ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJ", "[secret]"),
    ("https://ana:pw@example.org/x", "https://ana:[secret]@example.org/x"),
    ("a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3 x", "[secret] x"),
    ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- x", "[secret] x"),
    ("-----BEGIN PRIVATE KEY-----\nabc", "[secret]"),
]

KEPT = [
    "",
    "order #W5199551 of 2026-02-20 13:42 for sofia_rossi_8776",
    "it was 01.02.2026 14:30:00",
    "host 192.168.100.200 answered 503",
    "card 4111 1111 1111 1112",
    "flight XA01 AAAA BBBB CCCC DDDD 01",
    "================================ supercalifragilisticexpialidocious",
    "ping +12 34",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_secrets_and_personal_data_are_masked(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_stays_readable(text):
    assert redact(text) == text


def test_a_team_adds_its_own_patterns():
    assert redact("member M-1234 of club", [r"M-\d+"]) == "member [redacted] of club"


def test_a_pattern_that_matches_nothing_at_all_places_masks_nowhere():
    assert redact("abc", ["x*"]) == "abc"


def test_a_pattern_that_is_no_expression_is_named():
    with pytest.raises(ValueError, match=r"'\(' must be an RE2 expression: missing \)"):
        expression("(")


def test_a_half_character_is_no_fault():
    assert redact("a\ud800b\x00c") == "a?b\x00c"


@given(st.text(st.sampled_from("0123456789+-() ./aAeE@:=_[]kstokenberpwdiBasicDE89"), max_size=80))
@example("token is token=x")
@example("+1.2@3.4")
def test_what_was_masked_once_is_left_alone(text):
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=20), st.emails(), st.text(max_size=20))
def test_no_address_survives(before, address, after):
    assert not re2.search(re2.escape(address), redact(f"{before} {address} {after}"))


HOSTILE = [
    "-----BEGIN PRIVATE KEY----- " * 200,
    "a@" * 2000,
    "1 " * 2000,
    "token is " * 500,
    "DE89 " * 800,
    "a://b:" * 700,
    "eyJ." * 1000,
    "9" * 4000,
    "a1" * 2000,
    "(" * 4000,
    "a." * 1999 + "@",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:8] for text in HOSTILE])
@pytest.mark.timeout(30)  # linear: well below a second; the rest is for a busy machine under coverage
def test_hostile_text_costs_little(text):
    assert len(redact(text * 4)) > 0


def luhn(digits: str) -> str:
    """The digits and the one that makes a card's number of them (ISO/IEC 7812-1)."""
    total = sum(sum(divmod(int(each) * (2 - n % 2), 10)) for n, each in enumerate(reversed(digits)))
    return digits + str(-total % 10)


@given(st.text("0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-"]))
def test_no_card_survives_however_it_is_grouped(digits, gap):
    card = luhn("4" + digits[1:])
    said = gap.join(card[at : at + 4] for at in range(0, len(card), 4))
    assert redact(f"pay with {said} now") == "pay with [card] now"


@given(st.sampled_from(["DE", "FR", "GB", "NL", "PL"]), st.text("0123456789", min_size=16, max_size=24))
def test_no_account_survives_in_groups_or_not(country, digits):
    number = "".join(str(int(each, 36)) for each in f"{digits}{country}00")
    iban = f"{country}{98 - int(number) % 97:02}{digits}"
    for said in (iban, iban.lower(), " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))):
        assert redact(f"to {said}, please") == "to [iban], please"


@given(
    st.sampled_from(["sk-", "ghp_", "xoxb-", "hf_", "glpat-"]), st.text("abcXYZ019", min_size=20, max_size=40)
)
def test_no_key_of_a_provider_survives(head, tail):
    assert tail not in redact(f"use {head}{tail} for it")


@pytest.mark.data
def test_of_real_conversations_no_address_is_left_and_of_real_questions_nothing_is_masked(shared_data):
    with gzip.open(shared_data("tau2_retail_sessions.jsonl.gz")) as lines:
        sessions = [json.loads(line) for n, line in enumerate(lines) if n % 40 == 0]
    said = [str(each.get("content")) for session in sessions for each in session["messages"]]
    addresses = re2.findall(r"[\w.+-]+@[\w-]+\.\w+", "\n".join(said))
    clean = "\n".join(map(redact, said))
    assert len(addresses) > 20
    assert [each for each in addresses if each in clean] == []
    with gzip.open(shared_data("clinc150.csv.gz"), "rt") as rows:
        asked = [row[1] for row in csv.reader(rows)][::10]
    assert [each for each in asked if redact(each) != each] == []
