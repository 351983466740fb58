"""The trained network as an ONNX file, in the form the gateway reads.

Input `input` `float32[1, 3, h, w]` (BGR less the mean, h and w multiples of 32). Outputs for the
first class: `scores` `float32[1, n]` (0..1) and `boxes` `float32[1, n, 4]` (xyxy, input pixels);
for every further class `scores_<class>` and `boxes_<class>`. Only non-maximum suppression is left.
"""

from __future__ import annotations

import copy
import inspect
from pathlib import Path

import torch
from torch import nn

from net import Conv, Detector

OPSET = 13


class Flat(nn.Module):
    """A detector in evaluation, batch norms folded, with a tuple of tensors as its result."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = copy.deepcopy(detector).cpu().eval()
        for conv in [m for m in self.detector.modules() if isinstance(m, Conv)]:
            conv.fuse()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        flat: list[torch.Tensor] = []
        for logits, boxes in self.detector(x).values():
            flat += [torch.sigmoid(logits), boxes]
        return tuple(flat)


def output_names(classes: list[str]) -> list[str]:
    """Names of the outputs, in order."""
    names = ["scores", "boxes"]
    for name in classes[1:]:
        names += [f"scores_{name}", f"boxes_{name}"]
    return names


def export(detector: Detector, path: Path) -> None:
    """Writes `path` whole or not at all."""
    names = output_names(list(detector.heads))
    axes = {"input": {2: "h", 3: "w"}} | {name: {1: "n"} for name in names}
    part = path.with_suffix(".part")
    # Newer torch has a second exporter that needs more packages; the file is the same by either.
    tracing = "dynamo" in inspect.signature(torch.onnx.export).parameters
    choice = {"dynamo": False} if tracing else {}
    with torch.no_grad():
        torch.onnx.export(Flat(detector), torch.zeros(1, 3, 96, 160), str(part),
                          input_names=["input"], output_names=names, dynamic_axes=axes,
                          opset_version=OPSET, **choice)
    part.replace(path)
