"""The network: one small backbone, three scales, no anchors; one head for each class.

The backbone is MobileNet v1 at a quarter of its width (arXiv 1704.04861), joined top down as a
feature pyramid (arXiv 1612.03144) with a context block as in SSH (arXiv 1708.03979); each cell says
how likely it is the centre of an object and where that object's box lies (as in FCOS, arXiv
1904.01355). Weights start from random numbers. This file must not know plates or data.

Input: `float32[b, 3, h, w]`, BGR 0..255 less `MEAN_BGR`, h and w multiples of 32.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

MEAN_BGR = (104.0, 117.0, 123.0)
STRIDES_PX = (8, 16, 32)
MULTIPLE_PX = 32
MAX_PARAMETERS = 450_000

# (channels out, stride) of each depthwise-separable block after the stem.
STEM = 8
TO_STRIDE_8 = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1))
TO_STRIDE_16 = ((128, 2), (128, 1), (128, 1), (128, 1), (128, 1), (128, 1))
TO_STRIDE_32 = ((256, 2), (256, 1))
NECK = 64

LOG_SIZE_RANGE = (-4.0, 5.0)
"""Box sides are exp(v) strides; the range keeps an untrained network finite."""
FIRST_GUESS = (0.0, 0.0, math.log(3.0), math.log(0.9))
"""Offset and log size, in strides, that a fresh head says everywhere."""
RARE = -math.log(99.0)
"""Logit of a fresh head: one cell in a hundred."""


def to_input(picture: np.ndarray) -> np.ndarray:
    """`uint8[h, w, 3]`, BGR → `float32[3, h, w]` as the network takes it."""
    return np.ascontiguousarray((picture - np.float32(MEAN_BGR)).transpose(2, 0, 1))


class Conv(nn.Sequential):
    """Convolution, batch norm, and ReLU unless `bare`. Keeps the size at stride 1."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1,
                 bare: bool = False) -> None:
        conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        layers = [conv, nn.BatchNorm2d(c_out, momentum=0.03)]
        super().__init__(*layers, *([] if bare else [nn.ReLU(inplace=True)]))

    def fuse(self) -> None:
        """Folds the batch norm into the convolution; only after `eval()`, and once."""
        self[0] = fuse_conv_bn_eval(self[0], self[1])
        self[1] = nn.Identity()


def stage(c_in: int, blocks: tuple[tuple[int, int], ...]) -> nn.Sequential:
    """Depthwise-separable blocks, one for each (channels out, stride)."""
    layers: list[nn.Module] = []
    for c_out, stride in blocks:
        layers += [Conv(c_in, c_in, 3, stride, groups=c_in), Conv(c_in, c_out, 1)]
        c_in = c_out
    return nn.Sequential(*layers)


class Backbone(nn.Module):
    """Input → features at strides 8, 16 and 32 with 64, 128 and 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(Conv(3, STEM, 3, 2), stage(STEM, TO_STRIDE_8))
        self.middle = stage(TO_STRIDE_8[-1][0], TO_STRIDE_16)
        self.coarse = stage(TO_STRIDE_16[-1][0], TO_STRIDE_32)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        fine = self.fine(x)
        middle = self.middle(fine)
        return [fine, middle, self.coarse(middle)]


class Context(nn.Module):
    """Looks 3, 5 and 7 cells around at once: `[b, 64, h, w]` → `[b, 64, h, w]`."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = NECK // 2, NECK // 4
        self.near = Conv(NECK, half, 3, bare=True)
        self.wider = Conv(NECK, quarter, 3)
        self.five = Conv(quarter, quarter, 3, bare=True)
        self.seven = nn.Sequential(Conv(quarter, quarter, 3), Conv(quarter, quarter, 3, bare=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wider = self.wider(x)
        return F.relu(torch.cat([self.near(x), self.five(wider), self.seven(wider)], 1))


class Neck(nn.Module):
    """Features of the backbone → 64 channels at each stride, coarse ones added to fine ones."""

    def __init__(self) -> None:
        super().__init__()
        widths = (TO_STRIDE_8[-1][0], TO_STRIDE_16[-1][0], TO_STRIDE_32[-1][0])
        self.lateral = nn.ModuleList(Conv(c, NECK, 1) for c in widths)
        self.merge = nn.ModuleList(Conv(NECK, NECK, 3) for _ in widths[1:])
        self.context = nn.ModuleList(Context() for _ in widths)

    def forward(self, features: list[torch.Tensor]) -> list[torch.Tensor]:
        fine, middle, coarse = (f(x) for f, x in zip(self.lateral, features))
        middle = self.merge[1](middle + F.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        fine = self.merge[0](fine + F.interpolate(middle, scale_factor=2.0, mode="nearest"))
        return [f(x) for f, x in zip(self.context, (fine, middle, coarse))]


class Head(nn.Module):
    """Features → `(logits [b, n], boxes [b, n, 4])`, xyxy in input pixels.

    n counts the cells of stride 8 row by row, then those of 16, then those of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.ModuleList(nn.Conv2d(NECK, 1, 1) for _ in STRIDES_PX)
        self.box = nn.ModuleList(nn.Conv2d(NECK, 4, 1) for _ in STRIDES_PX)
        for score, box in zip(self.score, self.box):
            nn.init.normal_(score.weight, 0, 0.01)
            nn.init.constant_(score.bias, RARE)
            nn.init.normal_(box.weight, 0, 0.01)
            box.bias.data = torch.tensor(FIRST_GUESS)

    def forward(self, features: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        logits, boxes = [], []
        for x, score, box, stride in zip(features, self.score, self.box, STRIDES_PX):
            logits.append(score(x).flatten(1))
            boxes.append(decode(box(x), stride))
        return torch.cat(logits, 1), torch.cat(boxes, 1)


def decode(raw: torch.Tensor, stride_px: int) -> torch.Tensor:
    """`[b, 4, h, w]` (centre offset and log size, in strides) → `[b, h*w, 4]`, xyxy in pixels."""
    high, wide = raw.shape[2], raw.shape[3]
    x = torch.arange(wide, dtype=raw.dtype, device=raw.device) + 0.5
    y = torch.arange(high, dtype=raw.dtype, device=raw.device) + 0.5
    centre_x = raw[:, 0] + x[None, None, :]
    centre_y = raw[:, 1] + y[None, :, None]
    half = torch.exp(raw[:, 2:].clamp(*LOG_SIZE_RANGE)) / 2
    sides = [centre_x - half[:, 0], centre_y - half[:, 1],
             centre_x + half[:, 0], centre_y + half[:, 1]]
    return (torch.stack(sides, 3) * float(stride_px)).flatten(1, 2)


class Detector(nn.Module):
    """Backbone and neck, shared, and a `Head` for each class in `classes`."""

    def __init__(self, classes: tuple[str, ...] = ("plate",)) -> None:
        super().__init__()
        self.backbone, self.neck = Backbone(), Neck()
        self.heads = nn.ModuleDict({name: Head() for name in classes})

    def forward(self, x: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        features = self.neck(self.backbone(x))
        return {name: head(features) for name, head in self.heads.items()}


def parameters(net: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in net.parameters())
