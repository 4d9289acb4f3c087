"""A worker says what keeps letters and cards from having links."""

import pytest
from structlog.testing import capture_logs

from schemas.cause import ConfigFile
from streams.delivering.linking import REMEDY, warn_of_lacks, with_link_secret
from streams.hosting.rulebook import followable
from streams.hosting.variables import Misconfigured

SECRET = "link-" * 5
WHOLE = {"OVERSIGHT_LINK_URL": "https://pager.example", "OVERSIGHT_LINK_SECRET": f"{SECRET}, old"}
BY_MAIL = "users: {ana: {email: ana@example.com}}\n"


def told(more, variables, notify="{terminal: here}"):
    text = f"route: {{receiver: all}}\nreceivers: [{{name: all, notify: [{notify}]}}]\n{more}"
    rules = followable((ConfigFile("rules.yaml", text),), {"FLOW": "https://flow.example"})
    with capture_logs() as logs:
        warn_of_lacks(rules, variables)
    return [(each["event"], each["log_level"], each["channels"], each["reason"]) for each in logs]


def test_nothing_is_said_where_links_can_be_made_or_nobody_would_get_one():
    assert told(BY_MAIL, WHOLE) == []
    assert told("", {}) == []


def test_what_lacks_is_said_once_with_a_remedy():
    both = "OVERSIGHT_LINK_URL is not set; OVERSIGHT_LINK_SECRET is not set"
    assert told(BY_MAIL, {}) == [("links.impossible", "warning", ["email"], both)]
    assert "OVERSIGHT_LINK_SECRET_FILE" in REMEDY


def test_what_is_no_address_or_can_be_guessed_makes_no_links():
    odd = {"OVERSIGHT_LINK_URL": "pager.example", "OVERSIGHT_LINK_SECRET": f"short,{SECRET}"}
    [(*_, reason)] = told(BY_MAIL, odd)
    assert reason == (
        "OVERSIGHT_LINK_URL is no address that begins with https:// or http://; "
        "OVERSIGHT_LINK_SECRET is shorter than 16 characters"
    )
    assert "short," not in reason


CLIMBED = """teams: {a: {escalation: a}}
escalations: {a: {steps: [{notify: [{teams: 'env:FLOW'}]}]}}
"""


@pytest.mark.parametrize(
    ("more", "notify"), [("", "{teams: 'env:FLOW'}"), (CLIMBED, "{terminal: here}")], ids=["told", "climbed"]
)
def test_cards_have_links_wherever_they_go(more, notify):
    [(*_, channels, _)] = told(more, {}, notify)
    assert channels == ["teams"]


def test_the_secret_may_be_in_a_file(tmp_path):
    path = tmp_path / "links"
    path.write_text(f"{SECRET}\n")
    known = {
        "OVERSIGHT_LINK_URL": "https://pager.example",
        "OVERSIGHT_LINK_SECRET_FILE": str(path),
        "OTHER": "x",
    }
    variables = with_link_secret(known)
    assert (variables["OVERSIGHT_LINK_SECRET"], variables["OTHER"]) == (SECRET, "x")
    assert told(BY_MAIL, variables) == []
    assert with_link_secret(WHOLE)["OVERSIGHT_LINK_SECRET"] == f"{SECRET}, old"
    with pytest.raises(Misconfigured, match="OVERSIGHT_LINK_SECRET_FILE"):
        with_link_secret({"OVERSIGHT_LINK_SECRET_FILE": str(tmp_path / "none")})
