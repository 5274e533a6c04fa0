import asyncio

from stream.page.client_queue import ClientQueue


def test_the_oldest_are_dropped_and_counted_once() -> None:
    """A full queue lets the oldest go; who takes is told how many, and the count begins anew."""

    async def scenario() -> None:
        queue = ClientQueue(3)
        assert sum(queue.put(b"%d" % at) for at in range(10)) == 7
        assert await queue.take(100) == (7, [b"7", b"8", b"9"])
        queue.put(b"10")
        assert await queue.take(100) == (0, [b"10"])

    asyncio.run(scenario())


def test_what_is_taken_at_once_is_bounded() -> None:
    """As many as fit are given together, one that is larger alone, and none is lost or told out of order."""

    async def scenario() -> None:
        queue = ClientQueue(5)
        for event in (b"aaa", b"bbb", b"c" * 9, b"d"):
            queue.put(event)
        assert [(await queue.take(6))[1] for _ in range(3)] == [[b"aaa", b"bbb"], [b"c" * 9], [b"d"]]

    asyncio.run(scenario())


def test_taking_waits_until_something_comes_or_all_ends() -> None:
    """An empty queue keeps its reader waiting; a closed one lets it go."""

    async def scenario() -> None:
        queue = ClientQueue(3)
        taking = asyncio.create_task(queue.take(100))
        await asyncio.sleep(0)
        assert not taking.done()
        queue.put(b"1")
        assert await taking == (0, [b"1"])
        queue.close()
        assert await asyncio.wait_for(queue.take(100), 5) == (0, [])

    asyncio.run(scenario())
