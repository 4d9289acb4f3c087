import asyncio
import os
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO

import pytest

from schemas.page import Page
from streams.delivering.rendering import REMEMBERED, Renderer
from streams.delivering.template_process import Gone, Late, TemplateProcess
from streams.delivering.template_worker import LENGTH, Reply, Request, answer, frame, serve
from tests.fakes import BODY, NOW, content, page

LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
SECOND = timedelta(seconds=1)


def with_template(text: str) -> Page:
    return page(content=content(template=text))


@asynccontextmanager
async def renderer(deadline: timedelta = SECOND):
    one = Renderer(deadline=deadline)
    try:
        yield one
    finally:
        await one.close()
        assert one.pid is None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_without_a_template_no_process_is_needed():
    async with renderer() as one:
        assert (await one.render(page(), NOW)).body == BODY
        assert one.pid is None


async def test_a_teams_template_is_filled_in_another_process_that_stays():
    async with renderer() as one:
        rendered = await one.render(with_template("{{ n }} on {{ labels.agent }}"), NOW)
        assert rendered.body == "1 on retail"
        pid = one.pid
        assert pid != os.getpid()
        await one.render(with_template("{{ severity }}"), NOW)
        assert one.pid == pid
    assert not is_alive(pid)


async def test_many_at_once_each_get_their_own_text():
    async with renderer() as one:
        messages = [with_template(f"number {n}") for n in range(20)]
        rendered = await asyncio.gather(*(one.render(message, NOW) for message in messages))
        assert [each.body for each in rendered] == [f"number {n}" for n in range(20)]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ broken", "line 1"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ 'x' * 3001 }}", "longer than 3,000"),
        ("{{ 'x' * 10**9 }}", "MemoryError"),
        ("{{ labels.__class__.__mro__[1] }}", ""),
        ("{{ '  ' }}", "came out empty"),
    ],
)
async def test_a_template_that_fails_gives_the_built_in_text_and_says_why(template, why):
    async with renderer(5 * SECOND) as one:
        rendered = await one.render(with_template(template), NOW)
        assert rendered.body.startswith(BODY)
        note = rendered.body.removeprefix(f"{BODY}\nNote: the team's message template failed: ")
        assert why in note
        assert (await one.render(with_template("fine"), NOW)).body == "fine"


async def test_a_template_that_loops_is_killed_and_left_alone_for_a_while():
    async with renderer(timedelta(milliseconds=300)) as one:
        await one.render(with_template("fine"), NOW)
        pid = one.pid
        rendered = await one.render(with_template(LOOP), NOW)
        assert rendered.body.endswith("failed: no answer within 0.3 s")
        assert not is_alive(pid)
        rendered = await one.render(with_template(LOOP), NOW + timedelta(seconds=59))
        assert rendered.body.endswith("failed: it took too long a moment ago")
        assert one.pid is None
        rendered = await one.render(with_template(LOOP), NOW + timedelta(seconds=61))
        assert rendered.body.endswith("failed: no answer within 0.3 s")
        assert (await one.render(with_template("fine"), NOW)).body == "fine"


async def test_the_process_knows_no_secret():
    process = TemplateProcess(SECOND)
    await process.ask(Request("x", {}))
    with open(f"/proc/{process.pid}/environ", "rb") as file:  # noqa: ASYNC230, PTH123 - a few bytes of memory
        names = {pair.split(b"=")[0] for pair in file.read().split(b"\0") if pair}
    await process.close()
    assert names <= {b"PYTHONPATH", b"PYTHONDONTWRITEBYTECODE", b"LC_CTYPE"}


async def test_an_attempt_that_is_cut_off_does_not_leave_its_answer_to_the_next():
    async with renderer(5 * SECOND) as one:
        await one.render(with_template("fine"), NOW)
        pid = one.pid
        task = asyncio.create_task(one.render(with_template(LOOP), NOW))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_alive(pid)
        assert (await one.render(with_template("mine"), NOW)).body == "mine"


async def test_a_process_that_died_is_replaced():
    async with renderer() as one:
        await one.render(with_template("fine"), NOW)
        os.kill(one.pid, 9)
        rendered = await one.render(with_template("fine"), NOW)
        assert rendered.body.endswith("failed: the process that fills templates ended")
        assert (await one.render(with_template("fine"), NOW)).body == "fine"


async def test_late_and_gone_are_told_apart():
    process = TemplateProcess(timedelta(milliseconds=200))
    with pytest.raises(Late):
        await process.ask(Request(LOOP, {}))
    await process.ask(Request("x", {}))
    os.kill(process.pid, 9)
    with pytest.raises(Gone):
        await process.ask(Request("x", {}))
    await process.close()


@pytest.mark.parametrize("program", ["pass", "import time; time.sleep(60)", "print('x' * 99)"])
async def test_a_process_that_does_not_start_is_gone(program):
    command = (sys.executable, "-c", program)
    process = TemplateProcess(SECOND, start=timedelta(milliseconds=500), command=command)
    with pytest.raises(Gone, match="did not start"):
        await process.ask(Request("x", {}))
    assert process.pid is None


async def test_a_start_that_is_cut_off_leaves_nothing_behind():
    process = TemplateProcess(SECOND, command=(sys.executable, "-c", "import time; time.sleep(60)"))
    task = asyncio.create_task(process.ask(Request("x", {})))
    while process.pid is None:  # noqa: ASYNC110 - another process tells nothing
        await asyncio.sleep(0.01)
    pid = process.pid
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(pid)


async def test_late_templates_are_remembered_within_bounds():
    async with renderer() as one:
        for n in range(REMEMBERED + 5):
            one._let_rest(n.to_bytes(4, "big"), NOW)
        assert len(one._resting) == REMEMBERED
        assert min(one._resting) == (5).to_bytes(4, "big")


def test_the_worker_answers_until_its_requests_end():
    requests = BytesIO(frame(Request("{{ n }}", {"n": 3})) + frame(Request("{{ 1 / 0 }}", {})))
    replies = BytesIO()
    serve(requests, replies)
    assert replies.getvalue() == b"".join(
        frame(reply)
        for reply in (Reply(), Reply(text="3"), Reply(fault="ZeroDivisionError: division by zero"))
    )


def test_a_fault_of_a_template_is_an_answer():
    assert answer(Request("{{ broken", {})).fault.startswith("line 1: ")
    assert len(frame(Reply())) == LENGTH + 2
