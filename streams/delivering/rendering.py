"""Words for a message: the team's own template where it has one and it works, else the built-in text.

A page never fails for its template. One that raises, loops or grows gives the built-in text and says why; one
that was late is left alone for a while, so that it does not hold up the others.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

from routing.content import after_fault, built_in, variables, worded
from routing.notifiers.notifier import Rendered
from schemas.page import Message
from streams.delivering.template_process import Gone, Late, TemplateProcess
from streams.delivering.template_worker import Request

DEADLINE = timedelta(seconds=1)
REST = timedelta(minutes=1)
REMEMBERED = 256


class Renderer:
    """Renders messages. `deadline`: for one template; `rest`: how long a late one is not tried again."""

    def __init__(self, deadline: timedelta = DEADLINE, rest: timedelta = REST) -> None:
        self._process = TemplateProcess(deadline)
        self._rest = rest
        self._resting: dict[bytes, datetime] = {}

    @property
    def pid(self) -> int | None:
        """Of the process that fills templates, while one runs."""
        return self._process.pid

    async def render(self, message: Message, now: datetime) -> Rendered:
        """Always words, whatever the template does."""
        template = message.content.template
        if not template:
            return built_in(message)
        digest = blake2b(template.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        until = self._resting.get(digest)
        if until is not None and now < until:
            return after_fault(message, "it took too long a moment ago")
        return await self._filled(message, template, digest, now)

    async def close(self) -> None:
        """Ends the worker process and waits for it."""
        await self._process.close()

    async def _filled(self, message: Message, template: str, digest: bytes, now: datetime) -> Rendered:
        try:
            reply = await self._process.ask(Request(template, variables(message)))
        except Late as late:
            self._let_rest(digest, now + self._rest)
            return after_fault(message, str(late))
        except Gone as gone:
            return after_fault(message, str(gone))
        if reply.fault:
            return after_fault(message, reply.fault)
        if not reply.text.strip():
            return after_fault(message, "it came out empty")
        return worded(message, reply.text)

    def _let_rest(self, digest: bytes, until: datetime) -> None:
        self._resting.pop(digest, None)
        if len(self._resting) >= REMEMBERED:
            del self._resting[next(iter(self._resting))]
        self._resting[digest] = until
