"""Why a curve point that decodes cannot be taken."""

from risk.rates.closed_curves import ClosedCurves
from risk.rates.decode_rates import RateColumns
from risk.rates.open_curve import MOST_TENORS
from risk.rejection import Rejection


def refused_points(columns: RateColumns, curves: ClosedCurves) -> list[Rejection]:
    """Return the rejections of the points that came too late, or of one tenor too many."""
    late = [
        Rejection(
            int(columns.index[at]),
            "event_too_late",
            f"event_time_ns={columns.event_time_ns[at]}: the {columns.currency[at]} curve of that time has closed;"
            " send the points of a curve before any of the next",
        )
        for at in curves.late.tolist()
    ]
    too_many = [
        Rejection(
            int(columns.index[at]),
            "out_of_range",
            f"tenor_months={columns.tenor_months[at]}: the {columns.currency[at]} curve has {MOST_TENORS} tenors"
            " already; send fewer",
        )
        for at in curves.no_room.tolist()
    ]
    return late + too_many
