"""Takes the declared extents out of an ONNX file, so that it runs at any picture size, and the weights out
of its inputs, so that a runtime may fold them.

An ONNX file is a protobuf message. The few fields on the way to an input's extents are rewritten here;
everything else is copied byte by byte. Field numbers are those of the published onnx.proto. Without
a library, because the sum of the result must not depend on a library's version.
"""

GRAPH = 7  # ModelProto.graph
INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 5, 11, 12, 13  # GraphProto
TENSOR_NAME = 8  # TensorProto.name
VALUE_NAME, VALUE_TYPE = 1, 2  # ValueInfoProto
TENSOR_TYPE, SHAPE, DIM = 1, 2, 1  # TypeProto.tensor_type, its .shape, TensorShapeProto.dim
DIM_PARAM = 2  # TensorShapeProto.Dimension.dim_param
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(data: bytes):
    """Each field as its number, its raw bytes, and its content where it is a byte string."""
    at = 0
    while at < len(data):
        start = at
        key, at = read_varint(data, at)
        kind = key & 7
        payload = None
        if kind == VARINT:
            _, at = read_varint(data, at)
        elif kind == BYTES:
            length, at = read_varint(data, at)
            payload = data[at : at + length]
            at += length
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind} at byte {start}: not an ONNX file")
        if at > len(data):
            raise ValueError("the file is cut short")
        yield key >> 3, data[start:at], payload


def field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | BYTES) + varint(len(payload)) + payload


def rewritten(data: bytes, number: int, change) -> bytes:
    """The message with every byte-string field `number` replaced by what `change` makes of it."""
    return b"".join(
        field(n, change(payload)) if n == number and payload is not None else raw
        for n, raw, payload in fields(data)
    )


def name(message: bytes, number: int) -> bytes:
    return next((payload for n, _, payload in fields(message) if n == number), b"")


def free(value: bytes) -> bytes:
    """A ValueInfoProto with named instead of numbered extents, its channels (axis 1) kept."""

    def shape(message: bytes) -> bytes:
        out, axis = [], 0
        for number, raw, _ in fields(message):
            if number == DIM:
                if axis != 1:
                    raw = field(DIM, field(DIM_PARAM, b"nchw"[axis : axis + 1] or b"d"))
                axis += 1
            out.append(raw)
        return b"".join(out)

    def tensor(message: bytes) -> bytes:
        return rewritten(message, SHAPE, shape)

    return rewritten(value, VALUE_TYPE, lambda t: rewritten(t, TENSOR_TYPE, tensor))


def with_free_extents(model: bytes) -> bytes:
    """The model with batch, rows and columns of its inputs and outputs left open, its weights constant."""

    def graph(message: bytes) -> bytes:
        # Old files list their weights among the inputs. A runtime must then expect others with
        # every picture: it joins no normalisation with its convolution.
        weights = {name(p, TENSOR_NAME) for n, _, p in fields(message) if n == INITIALIZER}
        out = []
        for number, raw, payload in fields(message):
            if number == VALUE_INFO:
                continue  # extents in between, worked out for the old ones
            if number == INPUT:
                if name(payload, VALUE_NAME) in weights:
                    continue
                raw = field(INPUT, free(payload))
            if number == OUTPUT:
                # Outputs at different strides: equal names would say equal extents.
                raw = field(OUTPUT, without_shape(payload))
            out.append(raw)
        return b"".join(out)

    return rewritten(model, GRAPH, graph)


def without_shape(value: bytes) -> bytes:
    def tensor(message: bytes) -> bytes:
        return b"".join(raw for n, raw, _ in fields(message) if n != SHAPE)

    return rewritten(value, VALUE_TYPE, lambda t: rewritten(t, TENSOR_TYPE, tensor))
