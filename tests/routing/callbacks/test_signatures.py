"""Who a request is from is proved, or it is refused."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.signature import SignatureVerifier

from routing.callbacks.refused import Forged
from routing.callbacks.signatures import prove_pagerduty, prove_slack

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b"payload=%7B%7D"


def signed(key="s3cret", stamp=STAMP, body=BODY):
    """As Slack's own library signs."""
    return SignatureVerifier(key).generate_signature(timestamp=stamp, body=body)


def v1(secret, body):
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_what_slack_signed_is_genuine():
    prove_slack(["s3cret"], STAMP, signed(), BODY, NOW)
    prove_slack(["new", "s3cret"], STAMP, signed(), BODY, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("stamp", "signature", "body", "now"),
    [
        (STAMP, signed("another"), BODY, NOW),
        (STAMP, signed(), BODY + b" ", NOW),
        (STAMP, "", BODY, NOW),
        (STAMP, "v0=é", BODY, NOW),
        (STAMP, signed().removeprefix("v0="), BODY, NOW),
        (STAMP, signed(), BODY, NOW + timedelta(minutes=5, seconds=1)),
        (STAMP, signed(), BODY, NOW - timedelta(minutes=5, seconds=1)),
        (str(int(STAMP) + 1), signed(), BODY, NOW),
        ("", signed(stamp=""), BODY, NOW),
        ("-1", signed(), BODY, NOW),
        ("٣", signed(), BODY, NOW),
        ("9" * 400, signed(), BODY, NOW),
    ],
)
def test_what_slack_did_not_sign_lately_is_forged(stamp, signature, body, now):
    with pytest.raises(Forged) as raised:
        prove_slack(["s3cret"], stamp, signature, body, now)
    assert "s3cret" not in str(raised.value)


def test_where_no_secret_is_known_everything_is_forged():
    with pytest.raises(Forged):
        prove_slack([""], STAMP, signed(), BODY, NOW)
    with pytest.raises(Forged):
        prove_pagerduty([], v1("", BODY), BODY)


def test_one_of_several_signatures_of_pagerduty_is_enough():
    prove_pagerduty(["new", "old"], f"{v1('unknown', BODY)}, {v1('old', BODY)}", BODY)
    for signatures in ("", "v1=", v1("unknown", BODY), "v1=é," * 1000, v1("old", b"x")):
        with pytest.raises(Forged):
            prove_pagerduty(["new", "old"], signatures, BODY)
