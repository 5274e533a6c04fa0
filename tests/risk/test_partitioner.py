import pytest
from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import given
from hypothesis import strategies as st

from risk.partitioner import partitions_of

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(keys), st.integers(1, 5_000))
def test_partitions_are_those_of_the_client(drawn: list[str], count: int) -> None:
    """Keys of any length and script go where the partitioner of aiokafka sends them."""
    partitions = list(range(count))
    expected = [DefaultPartitioner()(key.encode(), partitions, partitions) for key in drawn]
    assert partitions_of(drawn, count).tolist() == expected


@given(st.lists(keys))
def test_hashes_are_those_of_the_client(drawn: list[str]) -> None:
    """All 31 bits of the hash that choose the partition are those of aiokafka's MurmurHash2."""
    assert partitions_of(drawn, 2**31).tolist() == [murmur2(key.encode()) & 0x7FFFFFFF for key in drawn]


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_hashes_are_those_that_kafka_publishes(key: str, hashed: int) -> None:
    """The hashes in `testMurmur2` of Apache Kafka's UtilsTest.java, of which the partitioner takes 31 bits."""
    assert partitions_of([key], 2**31).tolist() == [hashed & 0x7FFFFFFF]


def test_no_keys_have_no_partitions() -> None:
    """Nothing in, nothing out."""
    assert partitions_of([], 4).tolist() == []
