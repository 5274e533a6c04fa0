"""The job that every contender runs ("velocity-v1"), and the stream it runs on.

Decode JSON; per customer, exponentially decayed count, sum and sum of squares at 1, 7 and 30 days; nine features from
them, the amount and the time of day; a scaled 64-32-1 network in ONNX; an alert for about one event in a hundred.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from schemas.encoding import encode
from schemas.transaction import Transaction

FEATURES = 11
CUSTOMERS = 5_000
MERCHANTS = 1_000
START_NS = 1_760_000_000_000_000_000
DAY_NS = 86_400_000_000_000
SPACING_NS = 60_000_000_000


def transactions(count: int, seed: int, after: int = 0, hot_fraction: float = 0.0) -> Iterator[tuple[str, bytes]]:
    """Yield (customer, JSON) for `count` transactions of 165 bytes each, the first in the place of number `after`.

    A `hot_fraction` of them is one customer's, at one merchant.
    """
    draw = np.random.default_rng(seed)
    customers = draw.integers(CUSTOMERS, size=count)
    merchants = draw.integers(MERCHANTS, size=count)
    amounts = np.round(draw.lognormal(3.5, 1.0, size=count), 2)
    hot = draw.random(count) < hot_fraction
    customers[hot] = merchants[hot] = 0
    for at in range(count):
        customer = f"c{customers[at]:06d}"
        yield (
            customer,
            encode(
                Transaction(
                    schema_version=1,
                    transaction_id=f"t{seed}-{at:09d}",
                    customer_id=customer,
                    merchant_id=f"m{merchants[at]:05d}",
                    amount=float(amounts[at]),
                    currency="EUR",
                    event_time_ns=START_NS + (after + at) * SPACING_NS,
                )
            ),
        )


def network() -> bytes:
    """Return the ONNX graph: double scaling, cast, Dense 64 relu, Dense 32 relu, Dense 1 sigmoid; seeded weights."""
    draw = np.random.default_rng(7)
    sizes = (FEATURES, 64, 32, 1)
    constants = [
        numpy_helper.from_array(np.full(FEATURES, 10.0), "centre"),
        numpy_helper.from_array(np.full(FEATURES, 25.0), "scale"),
    ]
    nodes = [
        helper.make_node("Sub", ["features", "centre"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["h0"], to=TensorProto.FLOAT),
    ]
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        weights = draw.normal(0, 1 / np.sqrt(inputs), (inputs, outputs)).astype(np.float32)
        constants += [
            numpy_helper.from_array(weights, f"w{layer}"),
            numpy_helper.from_array(np.zeros(outputs, np.float32), f"b{layer}"),
        ]
        nodes.append(helper.make_node("Gemm", [f"h{layer}", f"w{layer}", f"b{layer}"], [f"g{layer}"]))
        last = layer == len(sizes) - 2
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"g{layer}"], ["p" if last else f"h{layer + 1}"]))
    constants.append(numpy_helper.from_array(np.array([-1], np.int64), "flat"))
    nodes.append(helper.make_node("Reshape", ["p", "flat"], ["flat_p"]))
    nodes.append(helper.make_node("Cast", ["flat_p"], ["score"], to=TensorProto.DOUBLE))
    graph = helper.make_graph(
        nodes,
        "velocity",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["n", FEATURES])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, ["n"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def assemble(
    moments: NDArray[np.float64], amount: NDArray[np.float64], event_time_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the eleven features, float64[n, 11]: nine of the moments, the amount, the time of day (0 to 1)."""
    return np.column_stack([moments, amount, (event_time_ns % DAY_NS) / DAY_NS])
