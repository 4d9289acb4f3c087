"""A file that is touched while the worker works, for whoever watches its process from outside."""

import asyncio
from datetime import timedelta
from pathlib import Path

EVERY = timedelta(seconds=5)


async def beating(path: Path) -> None:
    """Touches the file until it is cancelled. A loop that is stuck, or folds that failed, leave it to grow old."""
    while True:
        path.touch()
        await asyncio.sleep(EVERY.total_seconds())
