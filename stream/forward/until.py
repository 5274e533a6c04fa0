"""Waits that end when a process is told to."""

import asyncio
from collections.abc import Coroutine


async def until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do some work to its end, or cancel it once `stop` is set; what the work raises is raised."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        stopping.cancel()


async def interrupted(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so many seconds; return whether `stop` was set before they were over."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
