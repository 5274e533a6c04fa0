"""Builds an ONNX graph node by node: from `features`, double [rows, F], to `score`, double [rows]."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8
FEATURES = "features"
"""The name of the graph's one input."""

Tensor = str
"""The name of a tensor in a graph."""


class Graph:
    """Nodes and constants in the order in which they were added, which names them: equal calls give equal bytes.

    >>> graph = Graph()
    >>> doubled = graph.node("Mul", FEATURES, graph.constant(np.array(2.0)))
    >>> model = graph.serialise({"score": graph.node("Reshape", doubled, graph.constant(np.array([-1])))}, width=1)
    >>> len(model) > 0
    True
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: npt.NDArray[Any]) -> Tensor:
        """Add a constant and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, *inputs: Tensor, domain: str = "", **attributes: Any) -> Tensor:
        """Add a node of one output and return the output's name."""
        output = f"tensor_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], domain=domain, **attributes))
        return output

    def columns(self, tensor: Tensor, numbers: list[int]) -> Tensor:
        """Return some columns of a tensor [rows, F], in the order given."""
        return self.node("Gather", tensor, self.constant(np.array(numbers, dtype=np.int64)), axis=1)

    def side_by_side(self, *tensors: Tensor) -> Tensor:
        """Return tensors [rows, *] as one."""
        return tensors[0] if len(tensors) == 1 else self.node("Concat", *tensors, axis=1)

    def as_float(self, tensor: Tensor) -> Tensor:
        """Return a tensor in float32."""
        return self.node("Cast", tensor, to=TensorProto.FLOAT)

    def as_double(self, tensor: Tensor) -> Tensor:
        """Return a tensor in double."""
        return self.node("Cast", tensor, to=TensorProto.DOUBLE)

    def flat(self, tensor: Tensor) -> Tensor:
        """Return a tensor [rows, 1] as [rows]."""
        return self.node("Reshape", tensor, self.constant(np.array([-1])))

    def serialise(self, outputs: dict[str, Tensor], *, width: int, matrices: tuple[str, ...] = ()) -> bytes:
        """Return the model's bytes: `width` features in, the named outputs out.

        Outputs are double [rows], those in `matrices` double [rows, F']. Raises onnx.checker.ValidationError, or
        ShapeInferenceError, for an invalid model.
        """
        results = [
            helper.make_tensor_value_info(
                name, TensorProto.DOUBLE, ["rows", "columns"] if name in matrices else ["rows"]
            )
            for name in outputs
        ]
        return self._serialised("scorer", {FEATURES: width}, outputs, results)

    def serialise_recursion(self, name: str, inputs: dict[str, int], outputs: dict[str, tuple[Tensor, int]]) -> bytes:
        """Return the bytes of a model whose inputs and outputs are matrices, double [rows, width], of the widths given.

        Raises as `serialise` does.
        """
        results = [
            helper.make_tensor_value_info(output, TensorProto.DOUBLE, ["rows", width])
            for output, (_, width) in outputs.items()
        ]
        return self._serialised(name, inputs, {output: tensor for output, (tensor, _) in outputs.items()}, results)

    def _serialised(
        self, name: str, inputs: dict[str, int], outputs: dict[str, Tensor], results: list[onnx.ValueInfoProto]
    ) -> bytes:
        for output, tensor in outputs.items():
            self._nodes.append(helper.make_node("Identity", [tensor], [output]))
        given = [
            helper.make_tensor_value_info(one, TensorProto.DOUBLE, ["rows", width]) for one, width in inputs.items()
        ]
        graph = helper.make_graph(self._nodes, name, given, results, self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))
