"""What each cell should say, and how far it is from saying it.

Cells are counted as `net.Head` counts them. This file must not know pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from net import STRIDES_PX
from place import Box

EXTENT_PX = ((0.0, 88.0), (56.0, 200.0), (150.0, float("inf")))
"""Extents (the larger of width and 2.2 × height) that the cells of each stride answer for.
They overlap: near a limit two strides may both find an object."""
BACKGROUND, OBJECT, UNSURE = 0, 1, 2


@dataclass
class Truth:
    """Per cell: `state` `int64[.., n]` (BACKGROUND, OBJECT, UNSURE), `box` `float32[.., n, 4]`."""

    state: torch.Tensor
    box: torch.Tensor

    @classmethod
    def stack(cls, truths: list[Truth]) -> Truth:
        """Pictures of one size into a batch."""
        return cls(torch.stack([t.state for t in truths]), torch.stack([t.box for t in truths]))

    def to(self, device: torch.device | str) -> Truth:
        return Truth(self.state.to(device), self.box.to(device))


def assign(boxes: list[Box], unsure: list[Box], size_px: tuple[int, int]) -> Truth:
    """What the cells of a picture of `size_px` (width, height) should say.

    The middle of an object (half its width and height, or a little more than a cell) is OBJECT;
    where two overlap, the smaller wins. Cells inside an unsure box are UNSURE: not trained.
    """
    states, targets = [], []
    for stride, (low, high) in zip(STRIDES_PX, EXTENT_PX):
        columns, rows = size_px[0] // stride, size_px[1] // stride
        x, y = np.meshgrid((np.arange(columns) + 0.5) * stride, (np.arange(rows) + 0.5) * stride)
        state = np.full((rows, columns), BACKGROUND, np.int64)
        target = np.zeros((rows, columns, 4), np.float32)
        for x1, y1, x2, y2 in unsure:
            edge = stride / 2
            state[(x > x1 - edge) & (x < x2 + edge) & (y > y1 - edge) & (y < y2 + edge)] = UNSURE
        # Largest first, so that a smaller object is written over a larger one.
        for box in sorted(boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1])):
            wide, tall = box[2] - box[0], box[3] - box[1]
            if not low <= max(wide, 2.2 * tall) < high:
                continue
            near_x = np.abs(x - (box[0] + box[2]) / 2) < max(0.8 * stride, wide / 4)
            near_y = np.abs(y - (box[1] + box[3]) / 2) < max(0.8 * stride, tall / 4)
            state[near_x & near_y] = OBJECT
            target[near_x & near_y] = box
        states.append(state.reshape(-1))
        targets.append(target.reshape(-1, 4))
    return Truth(torch.from_numpy(np.concatenate(states)),
                 torch.from_numpy(np.concatenate(targets)))


def generalised_iou(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`(iou, giou)` of boxes `[n, 4]` pair by pair (arXiv 1902.09630). IoU 0..1, GIoU −1..1."""
    shared = (torch.min(a[:, 2:], b[:, 2:]) - torch.max(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    hull = (torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])).prod(1) + 1e-6
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared + 1e-6
    iou = shared / union
    return iou, iou - (hull - union) / hull


def losses(logits: torch.Tensor, boxes: torch.Tensor, truth: Truth
           ) -> tuple[torch.Tensor, torch.Tensor]:
    """`(score loss, box loss)`, each a sum divided by the number of objects' cells.

    A cell of an object should say how well its box fits (the root of its IoU); background counts
    the more the surer it is of an object (as in varifocal loss, arXiv 2008.13367).
    """
    found = truth.state == OBJECT
    share = torch.sigmoid(logits)
    wanted = torch.zeros_like(logits)
    weight = torch.where(truth.state == BACKGROUND, 0.75 * share.detach() ** 2,
                         torch.zeros_like(share))
    box_loss = boxes.sum() * 0.0
    if bool(found.any()):
        iou, giou = generalised_iou(boxes[found], truth.box[found])
        box_loss = box_loss + (1 - giou).sum()
        wanted[found] = iou.detach().clamp(0.1, 1).sqrt()
        weight[found] = 1.0
    score_loss = (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
                  * weight).sum()
    count = max(int(found.sum()), 20)
    return score_loss / count, box_loss / count
