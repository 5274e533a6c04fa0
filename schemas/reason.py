"""Why a score is high."""

import msgspec


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One feature that raised the score: its value, what is usual, by how much it raised the score; and it in words."""

    code: str
    feature: str
    value: float
    usual_value: float
    contribution: float
    text: str = ""
