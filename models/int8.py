"""Makes the convolutions of an ONNX file compute in 8-bit integers: CenterFace takes 0.6 of the CPU time.

What a tensor between two layers can hold (its range) must be measured before, over pictures
(`calibrate.py`); weights are rounded here, for each output channel by its own step. Written in the
form that ONNX calls QDQ, which a runtime turns into integer convolutions. As in `onnxfile`, without
a library: the sum of the result must not depend on a library's version. Sums and products here are
IEEE doubles, so every machine writes the same bytes.

Weights take seven bits, not eight: on a CPU without VNNI two products are added in 16 bits, and
with seven they always fit.
"""

import struct

from onnxfile import BYTES, DIM, GRAPH, INITIALIZER, TENSOR_NAME, VARINT
from onnxfile import field, fields, read_varint, rewritten, varint

NODE = 1  # GraphProto.node
NODE_INPUT, NODE_OUTPUT, NODE_NAME, OPERATOR, ATTRIBUTE = 1, 2, 3, 4, 5  # NodeProto
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_KIND, KIND_INT = 1, 3, 20, 2  # AttributeProto
TENSOR_DIM, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_RAW = 1, 2, 4, 9  # TensorProto
FLOAT, UINT8, INT8, INT32 = 1, 2, 3, 6  # TensorProto.data_type
OPSET, OPSET_VERSION = 8, 2  # ModelProto.opset_import, OperatorSetIdProto.version
WANTED_OPSET = 13
"""The first in which weights have a step for each channel; what CenterFace uses is as in 11."""
LARGEST_WEIGHT = 63
LARGEST_BIAS = 2**31 - 1
LEVELS = 255

Ranges = dict[str, tuple[float, float]]
"""The least and the largest value of each tensor that shall be held in integers."""


class Node:
    """One layer: what goes in, what comes out, what it does."""

    def __init__(self, message: bytes) -> None:
        self.raw = field(NODE, message)
        parts = [(n, bytes(p or b"").decode("latin-1")) for n, _, p in fields(message)]
        self.inputs = [p for n, p in parts if n == NODE_INPUT]
        self.outputs = [p for n, p in parts if n == NODE_OUTPUT]
        self.operator = next(p for n, p in parts if n == OPERATOR)
        self.attributes = [raw for n, raw, _ in fields(message) if n == ATTRIBUTE]


def node(operator: str, inputs: list[str], output: str, attributes: list[bytes] = ()) -> bytes:
    """A layer as a field of its graph."""
    parts = [field(NODE_INPUT, name.encode()) for name in inputs]
    parts += [field(NODE_OUTPUT, output.encode()), field(NODE_NAME, output.encode())]
    parts += [field(OPERATOR, operator.encode()), *attributes]
    return field(NODE, b"".join(parts))


def tensor(name: str, kind: int, extents: list[int], data: bytes) -> bytes:
    """A constant as a field of its graph."""
    dims = b"".join(varint(TENSOR_DIM << 3 | VARINT) + varint(n) for n in extents)
    kind_field = varint(TENSOR_TYPE << 3 | VARINT) + varint(kind)
    named = field(TENSOR_NAME, name.encode()) + field(TENSOR_RAW, data)
    return field(INITIALIZER, dims + kind_field + named)


def floats(message: bytes) -> tuple[list[int], tuple[float, ...]]:
    """Extents and values of a constant; refuses what is no block of 32-bit floats."""
    extents: list[int] = []
    for number, raw, payload in fields(message):
        key, at = read_varint(raw, 0)
        if number == TENSOR_DIM and key & 7 == VARINT:
            extents.append(read_varint(raw, at)[0])
        elif number == TENSOR_DIM:
            at = 0
            while at < len(payload):
                extent, at = read_varint(payload, at)
                extents.append(extent)
        elif number == TENSOR_TYPE and read_varint(raw, at)[0] != FLOAT:
            raise ValueError("a weight is not in 32-bit floats")
        elif number in (TENSOR_FLOATS, TENSOR_RAW) and payload:
            return extents, struct.unpack(f"<{len(payload) // 4}f", payload)
    raise ValueError("a weight is not stored in one block")


def in_32_bits(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def step_and_zero(low: float, high: float) -> tuple[float, int]:
    """What one step of the integer is worth, and which integer means 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = in_32_bits((high - low) / LEVELS)
    if not step > 0:
        raise ValueError(f"a range from {low} to {high} has no extent")
    return step, min(LEVELS, max(0, round(-low / step)))


class Writer:
    """The graph in its new form, field by field."""

    def __init__(self, graph: bytes, ranges: Ranges) -> None:
        self.parts = list(fields(graph))
        self.nodes = [Node(p) for n, _, p in self.parts if n == NODE]
        self.constants = {self.name_of(p): p for n, _, p in self.parts if n == INITIALIZER}
        self.steps = {name: step_and_zero(*limits) for name, limits in ranges.items()}
        self.replaced: dict[str, str] = {}
        """Tensor → what its readers read instead."""
        self.dropped: set[str] = set()
        """Constants that nobody reads any more."""
        self.new: list[bytes] = []

    @staticmethod
    def name_of(constant: bytes) -> str:
        return next(bytes(p).decode() for n, _, p in fields(constant) if n == TENSOR_NAME)

    def written(self) -> bytes:
        readers: dict[str, list[Node]] = {}
        for layer in self.nodes:
            for name in layer.inputs:
                readers.setdefault(name, []).append(layer)
        skip: set[int] = set()
        for layer in self.nodes:
            if id(layer) in skip:
                continue
            result = layer.outputs[0]
            if layer.operator == "Conv" and layer.inputs[0] in self.replaced:
                after = readers.get(result, [])
                if len(after) == 1 and after[0].operator == "Relu":
                    rectified = after[0].outputs[0]
                    # A range from 0 up cuts off what is below, as the layer after it would.
                    if self.steps.get(rectified, (0, 1))[1] == 0:
                        result = rectified
                        skip.add(id(after[0]))
                if result in self.steps:
                    self.convolution(layer, result)
                    continue
            self.copy(layer)
            if result in self.steps:
                self.round_off(result, result)
        kept = [
            raw
            for n, raw, p in self.parts
            if n != NODE and not (n == INITIALIZER and self.name_of(p) in self.dropped)
        ]
        return b"".join(self.new) + b"".join(kept)

    def copy(self, layer: Node) -> None:
        inputs = [self.replaced.get(name, name) for name in layer.inputs]
        self.new.append(node(layer.operator, inputs, layer.outputs[0], layer.attributes))

    def round_off(self, source: str, name: str) -> None:
        """Brings `source` to the integers of `name` and back; readers of `name` read that."""
        step, zero = self.steps[name]
        by = [f"{name}_step", f"{name}_zero"]
        self.new.append(tensor(by[0], FLOAT, [], struct.pack("<f", step)))
        self.new.append(tensor(by[1], UINT8, [], bytes([zero])))
        self.new.append(node("QuantizeLinear", [source, *by], f"{name}_integer"))
        self.new.append(node("DequantizeLinear", [f"{name}_integer", *by], f"{name}_again"))
        self.replaced[name] = f"{name}_again"

    def convolution(self, layer: Node, result: str) -> None:
        source, weight, bias = layer.inputs
        extents, values = floats(self.constants[weight])
        _, offsets = floats(self.constants[bias])
        self.dropped |= {weight, bias}
        size = len(values) // extents[0]
        source_step = self.steps[source][0]
        steps, integers, biases = [], [], []
        for channel in range(extents[0]):
            part = values[channel * size : (channel + 1) * size]
            largest = max(map(abs, part))
            step = in_32_bits(largest / LARGEST_WEIGHT) if largest > 1e-30 else 1.0
            steps.append(step)
            integers += [round(v / step) for v in part]
            offset = round(offsets[channel] / (source_step * step))
            biases.append(max(-LARGEST_BIAS, min(LARGEST_BIAS, offset)))
        count = extents[0]
        axis = field(ATTRIBUTE_NAME, b"axis")
        axis += varint(ATTRIBUTE_INT << 3 | VARINT) + varint(0)
        axis += varint(ATTRIBUTE_KIND << 3 | VARINT) + varint(KIND_INT)
        along = [field(ATTRIBUTE, axis)]
        bias_steps = [in_32_bits(source_step * s) for s in steps]
        for name, kind, shape, numbers, letter, scale in (
            (weight, INT8, extents, integers, "b", steps),
            (bias, INT32, [count], biases, "i", bias_steps),
        ):
            zero = bytes(count * (4 if kind == INT32 else 1))
            self.new.append(tensor(f"{name}_integer", kind, shape,
                                   struct.pack(f"<{len(numbers)}{letter}", *numbers)))
            self.new.append(tensor(f"{name}_step", FLOAT, [count],
                                   struct.pack(f"<{count}f", *scale)))
            self.new.append(tensor(f"{name}_zero", kind, [count], zero))
            by = [f"{name}_integer", f"{name}_step", f"{name}_zero"]
            self.new.append(node("DequantizeLinear", by, f"{name}_again", along))
        inputs = [self.replaced[source], f"{weight}_again", f"{bias}_again"]
        self.new.append(node("Conv", inputs, f"{result}_exact", layer.attributes))
        self.round_off(f"{result}_exact", result)


def with_integers(model: bytes, ranges: Ranges) -> bytes:
    """The model with every convolution between two tensors of `ranges` in integers."""

    def opset(message: bytes) -> bytes:
        if any(n == 1 and p for n, _, p in fields(message)):
            return message  # of another domain
        return varint(OPSET_VERSION << 3 | VARINT) + varint(WANTED_OPSET)

    model = rewritten(model, OPSET, opset)
    return rewritten(model, GRAPH, lambda graph: Writer(graph, ranges).written())
