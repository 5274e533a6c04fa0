import base64

from stream.topics import DEAD_LETTER_BYTES, INPUT_BYTES, topics


def test_every_name_has_the_prefix() -> None:
    """The prefix stands before every name, and names are distinct."""
    plain = [topic.name for topic in topics("", 1, 1)]
    assert [topic.name for topic in topics("eu.", 1, 1)] == ["eu." + name for name in plain]
    assert len(set(plain)) == len(plain)


def test_all_topics_have_the_same_partitions() -> None:
    """What goes out keeps the partition of what came in, so no topic may have fewer partitions."""
    assert {(topic.partitions, topic.replication_factor) for topic in topics("", 7, 3)} == {(7, 3)}


def test_changelogs_alone_are_compacted() -> None:
    """Changelogs keep the last row of each key for ever; every other topic keeps all recent messages."""
    compacted = {topic.name for topic in topics("", 1, 1) if topic.config.get("cleanup.policy") == "compact"}
    jobs = ("customers", "merchants", "labels", "ticks", "applications", "rates", "positions", "portfolios")
    assert compacted == {f"changelog-{job}" for job in jobs}


def test_a_dead_letter_holds_the_largest_input() -> None:
    """The largest input fits a dead letter as base64, with a large key and room for the rest."""
    key_bytes, rest_bytes = 1024 * 1024, 1024 * 1024
    assert len(base64.b64encode(bytes(INPUT_BYTES))) + key_bytes + rest_bytes <= DEAD_LETTER_BYTES
