"""Why a decision on an application is no better."""

import msgspec


class DecisionReason(msgspec.Struct, frozen=True, gc=False):
    """One column that told against the applicant, and its value as text: a category or a number.

    Of a scorecard: the points that the value gives, and the best that the column can give. Of another model: the
    usual value, and the column's contribution to the probability beside it.
    """

    code: str
    column: str
    value: str
    points: int | None = None
    best_points: int | None = None
    usual_value: str | None = None
    contribution: float | None = None
