"""Channels as they are written: what is told of options and targets that cannot be right."""

import pytest

from routing.checking import check
from routing.configuration import load
from schemas.page import Channel
from tests.routing.configs import LEAST, faults, files

RECEIVER = "route: {receiver: a}\nreceivers: [{name: a, notify: [%s]}]\n"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{slack: '#x', secret: 'env:S'}", '2:46: no option "secret" here: slack takes chart, token, url'),
        ("{terminal: x, url: 'http://x'}", '2:46: no option "url" here: terminal takes none'),
        (
            "{escalation: '{{ labels.team }}', url: 'http://x'}",
            '2:66: no option "url" here: only channels take options',
        ),
        ("{webhook: hooks.example}",
         "2:42: expected an address that begins with https:// or http://, found 'hooks.example'"),
        ("{teams: '#general'}",
         "2:40: expected an address that begins with https:// or http://, found '#general'"),
        ("{teams: 'https://flows.example/?sig=0123456789abcdefgh'}",
         "2:40: looks like an address with a signature: write env:NAME, and put it into that variable"),
        ("{opsgenie: 0dd5bba1}",
         "2:43: an API key is a secret: write env:NAME, and put it into that variable"),
        ("{slack: '#x', chart: below}", "2:53: expected thread, found 'below'"),
        ("{slack: '#x', url: example}",
         "2:51: expected an address that begins with https:// or http://, found 'example'"),
        ("{email: ana}", "2:40: expected an address such as oncall@example.com, found 'ana'"),
        ("{email: a@x.org, security: ssl}", "2:59: expected one of starttls, tls, none; found 'ssl'"),
        ("{email: a@x.org, server: 'a b'}",
         "2:57: expected a server such as smtp.example.com:587, found 'a b'"),
        ("{email: a@x.org, password: word}",
         "2:59: looks like a secret: write env:NAME, and put it into that variable"),
        ("{apprise: 'tgram://x'}",
         "2:42: an address of apprise holds secrets: write env:NAME, and put it into that variable"),
        ("{slack: 'two words'}",
         "2:40: expected a channel such as #triage, or the id of one, found 'two words'"),
    ],
)  # fmt: skip
def test_an_option_or_a_target_that_cannot_be_right_is_told_at_its_place(entry, expected):
    assert faults(RECEIVER % entry) == [expected]


def test_contacts_steps_and_handoff_notices_are_checked_too():
    text = LEAST + (
        "users: {u: {teams: here, phone: x, slack: U1}}\n"
        "schedules: {s: {timezone: UTC, layers: [{start: '2026-01-01T00:00', every: day, users: [u]}], "
        "handoff: {notice: 1h, teams: there}}}\n"
        "escalations:\n"
        "  e: {steps: [{notify: [{webhook: w, url: 'http://x'}, {user: u}], via: [slack]}]}\n"
    )
    text += "  f: {steps: [{notify: [{schedule: s}, {user: u}], via: [slack]}]}\n"
    text = text.replace("schedules: {", "schedules: {t: {timezone: UTC, ical: 'env:I'}, ")
    found = [fault.split(": ", 1) for fault in faults(text)]
    assert [(place.split(":")[0], message[:20]) for place, message in found] == [
        ("3", "expected an address "),
        ("4", "expected an address "),
        ("6", "expected an address "),
        ("6", 'no option "url" here'),
    ]


def test_options_of_a_channel_are_kept_with_it():
    entry = "{opsgenie: 'env:OG', responders: 'team:payments', send_resolved: false}"
    (target,) = load(files(RECEIVER % entry)).receivers["a"].notify
    assert target.channel.options == {"responders": "team:payments"}
    assert not target.send_resolved


def test_a_contact_may_have_options_of_its_channel():
    contacts = "slack: {to: U1, token: 'env:OTHER'}, email: u@x.example, phone: '1', pagerduty: 'env:P'"
    user = load(files(LEAST + f"users: {{u: {{{contacts}}}}}\n")).users["u"]
    assert user.contacts["slack"] == "U1"
    assert user.channel("slack") == Channel(kind="slack", target="U1", options={"token": "env:OTHER"})
    assert user.channel("email") == Channel(kind="email", target="u@x.example")


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("slack: {token: 'env:T'}", '3:20: missing field "to"'),
        ("slack: {to: U1, secret: 'env:S'}", '3:29: no option "secret" here: slack takes chart, token, url'),
        ("slack: {to: U1, tokn: 'env:S'}", '3:29: unknown field "tokn" (did you mean "token"?)'),
        ("slack: {to: 'a b'}", "3:25: expected a channel such as #triage, or the id of one, found 'a b'"),
        ("email: {to: u}", "3:25: expected an address such as oncall@example.com, found 'u'"),
        ("phone: {to: '1', url: 'http://x'}", '3:30: no option "url" here: only channels take options'),
        ("pagerduty: {to: 0123456789abcdef0123456789abcdef}",
         "3:29: looks like a PagerDuty key: write env:NAME, and put it into that variable"),
        ("slack: [U1]", "3:20: expected a target, found a list"),
    ],
)  # fmt: skip
def test_a_contact_that_cannot_be_right_is_told_at_its_place(contact, expected):
    assert faults(LEAST + f"users: {{u: {{{contact}}}}}\n") == [expected]


def test_variables_that_channels_need_are_told_where_they_are_used():
    text = RECEIVER % "{slack: '#x'}, {slack: '#y', token: 'env:T'}, {email: a@x.example}, {escalation: e}"
    text += (
        "users: {u: {slack: U1, email: u@x.example}, v: {email: v@x.example}}\n"
        "escalations: {e: {steps: [{notify: [{user: u}], via: [slack]}]}}\n"
    )
    found = [(each.name, each.place.line, each.place.column) for each in check(files(text)).variables]
    assert found == [
        ("T", 2, 68),
        ("SLACK_BOT_TOKEN", 2, 40),
        ("SMTP_FROM", 2, 86),
        ("SMTP_SERVER", 2, 86),
        ("SLACK_BOT_TOKEN", 4, 54),
    ]
