"""Whether each channel could be reached, without telling anybody anything.

A notifier is asked for the first step of a sample page, and the step is not done: only the server that it
names is looked for. Slack is asked whose token it is (auth.test), a mail server lets us sign in and go.
"""

import asyncio
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
from msgspec import structs

from routing import addressing
from routing.notifiers.notifier import Call, Mail, Notifier, Rendered, Step
from routing.notifiers.registry import discover
from routing.policy import Policy
from routing.words.sample import PAGE
from schemas.page import Channel
from streams.delivering.mailing import DONE, greeted
from streams.delivering.secrets import Told, Unset, environment
from streams.doctoring.finding import Finding, Level
from streams.hosting.addresses import is_address
from streams.hosting.clock import Clock

WITHIN_S = 10.0
AT_ONCE = 10
PUBLIC = frozenset({"opsgenie", "pagerduty"})
"""Of these a front page tells the time, and nobody is told of a visit."""
WORDS = Rendered(title="a page that is not sent", body="it is not sent")


class Asked:
    """What servers were asked, each once. `dates`: who said what time it is, and what it was here."""

    def __init__(self, clock: Clock) -> None:
        self.dates: list[tuple[str, str, float]] = []
        self._clock = clock
        self._answers: dict[tuple[str, str, str], asyncio.Task[httpx.Response]] = {}

    async def ask(self, method: str, url: str, authorization: str = "") -> httpx.Response:
        """What it answers; asked again, the same."""
        question = (method, url, authorization)
        if question not in self._answers:
            self._answers[question] = asyncio.ensure_future(self._asked(*question))
        return await asyncio.shield(self._answers[question])

    async def _asked(self, method: str, url: str, authorization: str) -> httpx.Response:
        headers = {"authorization": authorization} if authorization else {}
        async with httpx.AsyncClient(timeout=WITHIN_S) as http:
            answer = await http.request(method, url, headers=headers)
        half_s = answer.elapsed.total_seconds() / 2
        host = urlsplit(url).hostname or ""
        self.dates.append((host, answer.headers.get("date", ""), self._clock.now().timestamp() - half_s))
        return answer


def channels(policy: Policy) -> Sequence[Channel]:
    """Every channel that a page or a notice may take, each once."""
    return list({_named(each): each for each in _all(policy)}.values())


def _named(channel: Channel) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return channel.kind, channel.target, tuple(sorted(channel.options.items()))


def _all(policy: Policy) -> Iterator[Channel]:
    kinds = discover()
    return (each for each in addressing.channels(policy) if each.kind in kinds)


async def examine(
    wanted: Sequence[Channel], variables: Mapping[str, str], asked: Asked, trust: ssl.SSLContext | None = None
) -> Sequence[Finding]:
    """Each of these channels. `trust`: whose certificates are believed; None: the system's authorities."""
    turns = asyncio.Semaphore(AT_ONCE)
    trusted = trust or ssl.create_default_context()

    async def one(channel: Channel) -> Finding:
        async with turns:
            return await _Examination(channel, variables, asked, trusted).made()

    return await asyncio.gather(*map(one, wanted))


class _Examination:
    """Of one channel."""

    def __init__(
        self, channel: Channel, variables: Mapping[str, str], asked: Asked, trust: ssl.SSLContext
    ) -> None:
        self._channel = channel
        self._told = Told(environment(variables))
        self._asked = asked
        self._trust = trust

    async def made(self) -> Finding:
        """What was found; no secret is told, nor an address that holds one."""
        kind = self._channel.kind
        try:
            step = _first_step(discover()[kind], self._channel, self._told)
        except Unset as unset:
            name = unset.args[0]
            return self._finding(
                "fail", f"the variable {name} is not set", f"set {name} where the worker runs"
            )
        except Exception as error:  # noqa: BLE001 - a notifier of somebody's own may raise anything
            remedy = "look at its target and options: `oversight check`"
            return self._finding("fail", f"it cannot be asked: {type(error).__name__}", remedy)
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._reached(step)
        except (OSError, httpx.HTTPError, ValueError) as error:
            remedy = "look at the address, the name service, proxies and firewalls of where the worker runs"
            return self._finding("fail", f"{_server(step)} is not reached: {_why(error)}", remedy)

    async def _reached(self, step: Step | None) -> Finding:
        match step:
            case Call(url=url) if not is_address(url):
                remedy = "look at its target: expected https://host/path, and a port that there is"
                return self._finding("fail", "its address cannot be called", remedy)
            case Call(url=url, headers=headers) if self._channel.kind == "slack":
                return await self._asked_slack(url, headers.get("authorization", ""))
            case Call(url=url):
                await self._looked_for(url)
                return self._finding("ok", f"{_server(step)} is reached; what it says to a page is not known")
            case Mail():
                answer = await greeted(step, self._trust)
                fine = answer.status == DONE
                said = answer.fault or f"{answer.status} {answer.body.decode('utf-8', 'replace')[:200]}"
                remedy = "" if fine else "look at SMTP_SERVER, SMTP_USERNAME and SMTP_PASSWORD"
                what = "takes letters" if fine else f"does not let us in: {said}"
                return self._finding("ok" if fine else "fail", f"{_server(step)} {what}", remedy)
            case None:
                return self._finding("warn", "it sends nothing", "look at its target: `oversight check`")
        return self._finding("ok", "needs no server that we know of")

    async def _asked_slack(self, url: str, token: str) -> Finding:
        answer = await self._asked.ask("POST", f"{url.rpartition('/')[0]}/auth.test", token)
        said = answer.json()
        said = said if isinstance(said, dict) else {}
        if said.get("ok"):
            whose = f"{said.get('user', '?')} in {said.get('team', '?')}"
            return self._finding(
                "ok", f"the token is that of {whose}; whether it may write there is not known"
            )
        remedy = "look at SLACK_BOT_TOKEN: it needs chat:write, and the bot must be in the channel"
        why = said.get("error", answer.status_code)
        return self._finding("fail", f"Slack does not take the token: {why}", remedy)

    async def _looked_for(self, url: str) -> None:
        """As far as TLS, and not a byte further; of a service that many use, also its front page."""
        parts = urlsplit(url)
        if self._channel.kind in PUBLIC:
            await self._asked.ask("HEAD", f"{parts.scheme}://{parts.netloc}/")
            return
        tls = self._trust if parts.scheme == "https" else None
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if tls else 80), ssl=tls)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def _finding(self, level: Level, what: str, remedy: str = "") -> Finding:
        target = self._channel.target
        about = f"{self._channel.kind} {target if len(target) <= 40 and '://' not in target else '…'}"  # noqa: PLR2004 - fits a table
        return Finding(
            part="channels", about=about, level=level, what=self._told.blotted(what), remedy=remedy
        )


def _first_step(notifier: type[Notifier], channel: Channel, told: Told) -> Step | None:
    page = structs.replace(PAGE, channel=channel)
    delivery = notifier().deliver(page, WORDS, told, PAGE.time)
    try:
        return next(delivery)
    except StopIteration:
        return None
    finally:
        delivery.close()


def _server(step: Step | None) -> str:
    """Host and port; the rest of an address may be a secret."""
    match step:
        case Call(url=url):
            parts = urlsplit(url)
            return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        case Mail(server=server, port=port):
            return f"{server}:{port}"
    return "it"


def _why(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {WITHIN_S:g} s"
        case ssl.SSLCertVerificationError():
            return f"TLS: {error.verify_message}"
        case OSError() if error.strerror:
            return error.strerror
    return type(error).__name__
