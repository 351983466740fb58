"""Measures what the tensors of a model hold over pictures and clips, for `int8`:
`models/train/.venv/bin/python models/calibrate.py MODEL.onnx OUT.json PICTURE_OR_CLIP=LICENCE…`

Every eighteenth picture of a folder, six frames of a clip, brought to 640×384, RGB. Needs
onnxruntime, numpy and OpenCV (`models/train/run.sh --setup`).
"""

import json
import pathlib
import sys

import cv2
import numpy as np
import onnxruntime

from int8 import NODE, Node
from onnxfile import GRAPH, OUTPUT, VALUE_NAME, field, fields, rewritten

SIZE_PX = (640, 384)
EVERY = 18
CLIP_FRAMES = 6
SOURCE = "input.1"


def pictures(path: pathlib.Path):
    if path.is_dir():
        for file in sorted(path.glob("*.jpg"))[::EVERY]:
            yield cv2.imread(str(file))
        return
    clip = cv2.VideoCapture(str(path))
    total = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    for number in np.linspace(5, total - 5, CLIP_FRAMES).astype(int):
        clip.set(cv2.CAP_PROP_POS_FRAMES, int(number))
        good, picture = clip.read()
        if good:
            yield picture


def wanted(model: bytes) -> list[str]:
    """What convolutions, norms and sums give, after the ReLU where one follows; not what leaves the
    network, which stays exact."""
    graph = next(p for n, _, p in fields(model) if n == GRAPH)
    nodes = [Node(p) for n, _, p in fields(graph) if n == NODE]
    exact = {bytes(next(q for m, _, q in fields(p) if m == VALUE_NAME)).decode()
             for n, _, p in fields(graph) if n == OUTPUT}
    exact |= {name for n in nodes if n.operator == "Sigmoid" for name in n.inputs}
    rectified = {n.inputs[0]: n.outputs[0] for n in nodes if n.operator == "Relu"}
    results = [n.outputs[0] for n in nodes if n.operator in ("Conv", "Add", "BatchNormalization")]
    held = [name for name in (rectified.get(r, r) for r in results) if name not in exact]
    # The first layer has three channels, too few for integers to pay; nor does what follows it.
    return held[1:]


def main() -> None:
    file, out, *texts = sys.argv[1:]
    model = pathlib.Path(file).read_bytes()
    names = wanted(model)
    shown = b"".join(field(OUTPUT, field(VALUE_NAME, n.encode())) for n in names)
    session = onnxruntime.InferenceSession(rewritten(model, GRAPH, lambda g: g + shown))
    low = dict.fromkeys(names, 0.0)
    high = dict.fromkeys(names, 0.0)
    made_from = []
    for text in texts:
        path, _, licence = text.rpartition("=")
        count = 0
        for picture in pictures(pathlib.Path(path)):
            small = cv2.resize(picture, SIZE_PX, interpolation=cv2.INTER_AREA)
            rgb = np.ascontiguousarray(small[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
            for name, value in zip(names, session.run(names, {SOURCE: rgb})):
                low[name] = min(low[name], float(value.min()))
                high[name] = max(high[name], float(value.max()))
            count += 1
        source = pathlib.Path(path)
        name = source.parent.name if source.is_dir() else source.name
        made_from.append({"name": name, "pictures": count, "licence": licence})
    ranges = {n: [float(f"{low[n]:.5g}"), float(f"{high[n]:.5g}")] for n in names}
    rows = ",\n  ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in ranges.items())
    text = f'{{\n "made_from": {json.dumps(made_from)},\n "ranges": {{\n  {rows}\n }}\n}}\n'
    pathlib.Path(out).write_text(text)


if __name__ == "__main__":
    main()
