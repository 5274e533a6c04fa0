"""A forwarder as a process: logs, topics, and an end when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stream.forward.forward_dead_letters import TOPIC
from stream.logs import configure_logs
from stream.settings import Settings
from stream.stop_signal import stop_on_signal
from stream.topics import create_topics, topics

Result = TypeVar("Result")


def run_forwarder(settings: Settings, forward: Callable[[asyncio.Event], Awaitable[Result]]) -> Result:
    """Make the topics that it uses, forward until SIGTERM or SIGINT sets the event, and return what came of it."""
    configure_logs(settings.log_level)
    return asyncio.run(_run(settings, forward))


async def _run(settings: Settings, forward: Callable[[asyncio.Event], Awaitable[Result]]) -> Result:
    used = {settings.topic("alerts"), settings.topic(TOPIC)}
    wanted = topics(settings.topic_prefix, settings.partitions, settings.replication_factor)
    await create_topics(settings.broker, [topic for topic in wanted if topic.name in used])
    stop = stop_on_signal()
    return await forward(stop)
