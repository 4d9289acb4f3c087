"""What became of one attempt to deliver a page."""

from msgspec import Struct

from schemas.signal import Time


class Delivered(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="delivered", tag_field="outcome"):
    """The channel took it. `reference`: what the channel needs to edit it later (Slack `channel:ts`)."""

    reference: str = ""


class Deferred(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="deferred", tag_field="outcome"):
    """Not now: rate limited, 5xx, time-out.

    The router tries the same page again at `retry_at`, or by its own backoff.
    """

    reason: str
    retry_at: Time | None = None
    unsent: bool = False
    """True where nothing was sent: it says nothing of the channel."""


class Undeliverable(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag="undeliverable", tag_field="outcome"
):
    """Never: unknown channel, bad credentials, refused content.

    The router falls through to the next channel.
    """

    reason: str


Outcome = Delivered | Deferred | Undeliverable
