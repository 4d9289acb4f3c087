"""The file that says that the worker works."""

import asyncio

from streams.hosting.heartbeat import beating


async def test_the_file_is_touched_from_the_start_and_no_more_once_it_is_cancelled(tmp_path):
    alive = tmp_path / "alive"
    task = asyncio.create_task(beating(alive))
    await asyncio.sleep(0)
    assert alive.exists()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
