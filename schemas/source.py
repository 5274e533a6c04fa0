"""Where a message lies in the log."""

import msgspec


class Source(msgspec.Struct, frozen=True, gc=False):
    """Topic, partition and offset of the message that another was made from."""

    topic: str
    partition: int
    offset: int
