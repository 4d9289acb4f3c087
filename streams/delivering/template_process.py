"""The worker process for templates, as its host sees it: asked one at a time, killed when it is late."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import cast

import msgspec

from streams.delivering.template_worker import LENGTH, Reply, Request, frame

START = timedelta(seconds=5)
LONGEST_REPLY = 64 * 1024
COMMAND = (sys.executable, "-m", "streams.delivering.template_worker")


class Late(Exception):  # noqa: N818 - what happened to the process
    """It did not answer within the deadline and was killed."""


class Gone(Exception):  # noqa: N818 - what happened to the process
    """It ended, or could not be started."""


class TemplateProcess:
    """Starts with the first request and stays. After `Late` or `Gone` the next request starts another.

    `deadline`: for one template; `start`: for the process itself, which is not counted. `command`: runs
    `streams.delivering.template_worker`.
    """

    def __init__(
        self, deadline: timedelta, *, start: timedelta = START, command: Sequence[str] = COMMAND
    ) -> None:
        self._deadline = deadline
        self._start_within = start
        self._command = command
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process else None

    async def ask(self, request: Request) -> Reply:
        """One request, in turn.

        Raises:
            Late: it was killed.
            Gone: it ended by itself.
        """
        async with self._turn:
            process = self._process or await self._start()
            try:
                async with asyncio.timeout(self._deadline.total_seconds()):
                    return await _exchange(process, request)
            except TimeoutError:
                await self._end()
                raise Late(f"no answer within {self._deadline.total_seconds():g} s") from None
            except (OSError, EOFError, msgspec.DecodeError) as error:
                await self._end()
                raise Gone("the process that fills templates ended") from error
            except asyncio.CancelledError:
                # It would answer the next one's question with this one's text.
                await self._end()
                raise

    async def close(self) -> None:
        """Ends it and waits until it is gone."""
        await self._end()

    async def _start(self) -> Process:
        # Nothing of the host's environment: a template must find no secret whatever hole it finds.
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, start_new_session=True
        )
        try:
            async with asyncio.timeout(self._start_within.total_seconds()):
                await _reply(self._process)
        except (TimeoutError, OSError, EOFError) as error:
            await self._end()
            raise Gone("the process that fills templates did not start") from error
        except asyncio.CancelledError:
            await self._end()
            raise
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):  # it may have ended by itself
            process.kill()
        _stdin(process).close()
        await process.wait()


async def _exchange(process: Process, request: Request) -> Reply:
    _stdin(process).write(frame(request))
    await _stdin(process).drain()
    return await _reply(process)


async def _reply(process: Process) -> Reply:
    stdout = cast("asyncio.StreamReader", process.stdout)
    length = int.from_bytes(await stdout.readexactly(LENGTH), "big")
    if length > LONGEST_REPLY:
        raise EOFError
    return msgspec.json.decode(await stdout.readexactly(length), type=Reply)


def _stdin(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)
