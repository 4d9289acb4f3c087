"""Who a request is from: HMAC-SHA256 over its very bytes, compared in constant time.

Slack signs `v0:TIMESTAMP:BODY` (https://docs.slack.dev/authentication/verifying-requests-from-slack);
PagerDuty the body, with each secret that is valid (https://developer.pagerduty.com/docs/verifying-signatures).
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from routing.callbacks.refused import Forged

NEAR = timedelta(minutes=5)
"""A signature of Slack's that is older, or from the future, may have been recorded by somebody."""
LONGEST = 20
SLACK, PAGERDUTY = "v0=", "v1="


def prove_slack(secrets: Sequence[str], timestamp: str, signature: str, body: bytes, now: datetime) -> None:
    """Returns where one of the secrets signed this lately.

    Raises:
        Forged: none did.
    """
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > LONGEST:
        raise Forged("the time of the signature is missing or no number")
    if abs(now.timestamp() - int(timestamp)) > NEAR.total_seconds():
        raise Forged("the signature is more than five minutes old, or from the future")
    signed = b"v0:" + timestamp.encode() + b":" + body
    _prove(secrets, SLACK, [signature], signed)


def prove_pagerduty(secrets: Sequence[str], signatures: str, body: bytes) -> None:
    """Returns where one of the signatures, which are separated by commas, is of one of the secrets.

    Raises:
        Forged: none is.
    """
    found = [each.strip() for each in signatures.split(",")[:LONGEST]]
    _prove(secrets, PAGERDUTY, found, body)


def _prove(secrets: Sequence[str], version: str, found: Sequence[str], signed: bytes) -> None:
    """Every pair is compared, so that the time tells nothing."""
    wanted = [
        version + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for secret in secrets
        if secret
    ]
    matches = [
        hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
        for one in wanted
        for other in found
    ]
    if not any(matches):
        raise Forged("no signature is ours")
