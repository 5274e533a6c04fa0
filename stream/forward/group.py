"""A member of a consumer group that reads alerts, and commits by hand what it has done with them."""

from aiokafka import AIOKafkaConsumer

from stream.settings import Settings

POLL_MS = 200


def group_consumer(settings: Settings, group: str, release_seconds: float) -> AIOKafkaConsumer:
    """Return a consumer of a group, not yet started; a new group begins with the oldest alert that there is.

    `release_seconds` is the longest that giving partitions up may take in a rebalance; the group waits that long.
    """
    session_ms = int(settings.session_timeout_seconds * 1000)
    return AIOKafkaConsumer(
        bootstrap_servers=settings.broker,
        client_id=group,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 4,
        rebalance_timeout_ms=session_ms + int(release_seconds * 1000),
    )
