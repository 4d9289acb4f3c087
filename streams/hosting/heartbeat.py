"""A file that is touched while the worker works, for whoever watches its process from outside."""

import asyncio
from datetime import timedelta
from pathlib import Path

EVERY = timedelta(seconds=5)


async def beating(path: Path) -> None:
    """Touches the file until it is cancelled: a loop that is stuck, or folds that failed, let it grow old."""
    while True:
        path.touch()  # noqa: ASYNC240 - a local file: microseconds
        await asyncio.sleep(EVERY.total_seconds())
