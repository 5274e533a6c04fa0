"""Why a score is high."""

import msgspec


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One feature that raised the score: its value, what is usual, and by how much it raised the score."""

    code: str
    feature: str
    value: float
    usual_value: float
    contribution: float
