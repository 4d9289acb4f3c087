"""Runs a notifier: renders the message, does the calls it yields, bounds the attempt, tells the outcome."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import httpx
import structlog
from msgspec import structs

from routing.notifiers.notifier import Answer, Call, Delivery, Handover, Mail, Notifier, Print, Secrets, Step
from routing.notifiers.registry import discover
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message
from streams.delivering.long_tail import LongTail
from streams.delivering.mailing import posted
from streams.delivering.rendering import Renderer
from streams.delivering.secrets import Told, Unset

BOUND = timedelta(seconds=10)
LONGEST_ANSWER = 4 * 2**20
LONGEST_WORDS = 1000
CONNECTIONS = 1000
PRINTED = Answer(status=200)
log = structlog.get_logger(__name__)
# Both write addresses, and an address may be a secret.
for _loud in ("httpx", "httpcore"):
    logging.getLogger(_loud).setLevel(logging.WARNING)


class Known:
    """What is known of an attempt while it runs: what it comes to where its time runs out."""

    outcome: Outcome = Deferred(reason="timed out")

    def hear(self, step: Step) -> None:
        """A call that only tidies up says what became of the message."""
        if isinstance(step, Call) and step.known is not None:
            self.outcome = step.known


class Courier:
    """Makes one attempt at a time for each message, many messages at once.

    `show`: takes what notifiers print. `bound`: for a whole attempt. `client`: one is made where none is
    given; `close` ends either, and the renderer's process. `trust`: which certificates of mail servers are
    believed; the machine's, where nothing is said.
    """

    def __init__(
        self,
        secrets: Secrets,
        show: Callable[[str], None],
        *,
        renderer: Renderer | None = None,
        client: httpx.AsyncClient | None = None,
        notifiers: Mapping[str, type[Notifier]] | None = None,
        bound: timedelta = BOUND,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._secrets = secrets
        self._show = show
        self._renderer = renderer or Renderer()
        self._client = client or httpx.AsyncClient(
            timeout=bound.total_seconds(), limits=httpx.Limits(max_connections=CONNECTIONS)
        )
        self._notifiers = dict(discover() if notifiers is None else notifiers)
        self._bound = bound
        self._trust = trust
        self._long_tail = LongTail()

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of channel it can reach."""
        return frozenset(self._notifiers)

    async def attempt(self, message: Message, now: datetime) -> Outcome:
        """One attempt. It never raises, but for cancellation, and never says a secret."""
        notifier = self._notifiers.get(message.channel.kind)
        if notifier is None:
            known = ", ".join(sorted(self._notifiers))
            return Undeliverable(reason=f"unknown channel {message.channel.kind[:80]!r}, known are {known}")
        told = Told(self._secrets)
        outcome = _short(told.hidden(await self._bounded(notifier, message, told, now)))
        _record(message, outcome)
        return outcome

    async def close(self) -> None:
        """Ends connections and the process that fills templates."""
        await self._client.aclose()
        await self._renderer.close()
        self._long_tail.close()

    async def _bounded(
        self, notifier: type[Notifier], message: Message, told: Told, now: datetime
    ) -> Outcome:
        kind = message.channel.kind
        known = Known()
        try:
            async with asyncio.timeout(self._bound.total_seconds()):
                rendered = await self._renderer.render(message, now)
                return await self._run(notifier().deliver(message, rendered, told, now), known)
        except TimeoutError:
            return known.outcome
        except Unset as unset:
            return Undeliverable(reason=f"the variable {unset.args[0]} is not set")
        except Exception as error:  # noqa: BLE001 - a faulty notifier must not stop the others
            # Only the class: the words of an error may hold an address or a token.
            log.error("page.notifier_failed", page=message.id, channel=kind, error=type(error).__name__)  # noqa: TRY400 - a traceback may hold secrets
            return Undeliverable(reason=f"{kind}: {type(error).__name__}")

    async def _run(self, delivery: Delivery, known: Known) -> Outcome:
        """Does what the notifier yields until it returns."""
        answer: Answer | None = None
        try:
            while True:
                step = next(delivery) if answer is None else delivery.send(answer)
                known.hear(step)
                answer = await self._done(step)
        except StopIteration as end:
            if not isinstance(end.value, Outcome):
                raise TypeError("a notifier must return an outcome") from None
            return end.value
        finally:
            delivery.close()

    async def _done(self, step: Step) -> Answer:
        match step:
            case Print():
                self._show(step.markup)
                return PRINTED
            case Mail():
                return await posted(step, self._trusted())
            case Handover():
                return await self._long_tail.hand_over(step)
            case Call():
                return await self._called(step)

    def _trusted(self) -> ssl.SSLContext:
        """Made for the first letter: it reads every certificate that the machine trusts."""
        self._trust = self._trust or ssl.create_default_context()
        return self._trust

    async def _called(self, step: Call) -> Answer:
        try:
            return await self._call(step)
        except httpx.UnsupportedProtocol:
            raise
        except httpx.TimeoutException:
            return Answer(status=0, fault="no answer in time")
        except httpx.ConnectError:
            return Answer(status=0, fault="cannot connect")
        except httpx.RequestError as error:
            return Answer(status=0, fault=type(error).__name__)

    async def _call(self, call: Call) -> Answer:
        headers = dict(call.headers)
        async with self._client.stream(call.method, call.url, headers=headers, content=call.body) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    break
            named = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status_code, headers=named, body=bytes(body[:LONGEST_ANSWER]))


def _short(outcome: Outcome) -> Outcome:
    """No longer than the log surely takes; a reference that long is none of any channel that is known."""
    if isinstance(outcome, Delivered):
        return outcome if len(outcome.reference) <= LONGEST_WORDS else Delivered()
    return structs.replace(outcome, reason=outcome.reason[:LONGEST_WORDS])


def _record(message: Message, outcome: Outcome) -> None:
    log.info(
        "page.attempted",
        page=message.id,
        attempt=message.attempt,
        channel=message.channel.kind,
        outcome=type(outcome).__name__.lower(),
        reason=getattr(outcome, "reason", ""),
    )
