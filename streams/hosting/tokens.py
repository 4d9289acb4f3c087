"""Bearer tokens for the brokers (SASL OAUTHBEARER): from a file, or for a client's credentials over HTTP."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import msgspec
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from streams.hosting.addresses import is_address, shown

WITHIN_S = 10.0
SPARE_SHARE = 0.2
"""A token is replaced when this share of its life is left."""
LONGEST_S = 300.0
"""How long a token is taken for good where its life is not told."""
LARGEST = 65_536
YEAR_S = 365 * 86_400.0


class NoToken(KafkaError):  # type: ignore[misc] # noqa: N818 - aiokafka is untyped; says what is missing
    """There is none to show; the message says why, and never what was sent or answered."""

    def __str__(self) -> str:
        """The sentence alone."""
        return str(self.args[0])


class Granted(msgspec.Struct):
    """What an authorisation server answers (RFC 6749, 5.1)."""

    access_token: str
    expires_in: Annotated[float, msgspec.Meta(ge=0, le=YEAR_S)] = LONGEST_S / (1 - SPARE_SHARE)

    def __repr__(self) -> str:
        """Never the token."""
        return f"Granted(expires_in={self.expires_in:g})"


class BearerFile(AbstractTokenProvider):  # type: ignore[misc] # aiokafka is untyped
    """A file that somebody keeps fresh, as Kubernetes does; read anew for each connection."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    async def token(self) -> str:
        """The token.

        Raises:
            NoToken: the file cannot be read, or holds none.
        """
        try:
            text = await asyncio.to_thread(self._path.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NoToken(
                f"OVERSIGHT_KAFKA_OAUTH_TOKEN_FILE: {self._path} cannot be read: {type(error).__name__}"
            ) from error
        if not text.strip():
            raise NoToken(f"OVERSIGHT_KAFKA_OAUTH_TOKEN_FILE: {self._path} is empty; expected a token")
        return text.strip()


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc] # aiokafka is untyped
    """The grant of client credentials (RFC 6749, 4.4); a token is kept for most of its life."""

    def __init__(
        self, url: str, client: str, secret: str, scope: str, monotonic_s: Callable[[], float]
    ) -> None:
        """`url`: where tokens are given.

        Raises:
            ValueError: the secret would be sent where others can read it; says what was expected.
        """
        if not _keeps_a_secret(url):
            raise ValueError("an https:// address without user and password (http:// only of this machine)")
        self._url = url
        self._client = client
        self._secret = secret
        self._scope = scope
        self._monotonic_s = monotonic_s
        self._token = ""
        self._good_until_s = 0.0

    async def token(self) -> str:
        """The token.

        Raises:
            NoToken: none is given; nothing of the answer is told, which may hold secrets.
        """
        now_s = self._monotonic_s()
        if now_s >= self._good_until_s:
            granted = await self._granted()
            self._token = granted.access_token
            self._good_until_s = now_s + (1 - SPARE_SHARE) * granted.expires_in
        return self._token

    async def _granted(self) -> Granted:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        # `str.__str__`: the characters of what is hidden.
        auth = httpx.BasicAuth(self._client, str.__str__(self._secret))
        try:
            async with httpx.AsyncClient(timeout=WITHIN_S, follow_redirects=False) as http:
                answer = await http.post(self._url, data=form, auth=auth)
        except Exception as error:  # a certificate or a name that cannot be used is no HTTPError
            raise NoToken(f"no token from {shown(self._url)}: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise NoToken(f"no token from {shown(self._url)}: it answers {answer.status_code}")
        try:
            # Not strict: some servers write the number of seconds as a text.
            granted = msgspec.json.decode(answer.content[:LARGEST], type=Granted, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise NoToken(f"no token from {shown(self._url)}: expected JSON with access_token") from None
        if not granted.access_token:
            raise NoToken(f"no token from {shown(self._url)}: access_token is empty")
        return granted


def _keeps_a_secret(url: str) -> bool:
    """Whether what is sent there is read by nobody else, and the address tells none itself."""
    if not is_address(url):
        return False
    parts = urlsplit(url)
    near = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return "@" not in parts.netloc and (parts.scheme == "https" or near)
