"""What people did to an incident: who, when, by which way."""

from typing import Literal

from schemas.signal import Time, Words

Did = Literal[
    "acknowledged",
    "resolved",
    "silenced",
    "snoozed",
    "reassigned",
    "commented",
    "judged",
    "granted",
    "refused",
]
Verdict = Literal["false_alarm", "useful"]


class Deed(Words, frozen=True):
    """One thing that somebody did. `via`: slack, pagerduty, link, api, cli; empty where it was not said.

    `note`: a comment's text, to whom it was reassigned, the verdict, the decision, or until when it is quiet.
    """

    at: Time
    by: str
    did: Did
    via: str = ""
    note: str = ""
