"""How a process is told to end: by SIGTERM, as a supervisor does, or SIGINT, as Ctrl-C does."""

import asyncio
import signal


def stop_on_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set from now on; called within the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return stop
