"""Training batches: crops of labelled frames and of empty streets, with rendered plates in them.

A batch is a pure function of (seed, step): a run that is resumed sees the same pictures as one
that never stopped, with any number of loader processes. Labels on disk are `data`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from data import Frame
from decoys import add_decoys
from loss import Truth, assign
from net import to_input
from place import MAX_WIDTH_PX, MIN_WIDTH_PX, Box, place, width_for
from spoil import darken, spoil

SMALLEST_BOX_PX = (6.0, 2.0)
"""Width and height under which a box is neither plate nor background for the loss."""
VISIBLE_SHARE = 0.4
"""Share of a box inside the crop under which it is neither."""
MOST_EMPTY = 0.3
"""Largest share of crops from pictures without plates."""
NONE = np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Shape:
    """Sizes of training crops (side in px, multiples of 32), their odds, and pixels per batch.

    Large crops teach wide plates, small ones are cheap: with the pixels of a batch fixed, a batch
    costs the same at every size.
    """

    sides_px: tuple[int, ...] = (320, 416, 640)
    odds: tuple[float, ...] = (0.30, 0.45, 0.25)
    batch_px: int = 16 * 416 * 416


class Batches(torch.utils.data.Dataset):
    """`batches[step]` is `(x, truth)`: input `float32[b, 3, s, s]` and what should be found."""

    def __init__(self, frames: list[Frame], empty: list[np.ndarray], shape: Shape, seed: int,
                 steps: int) -> None:
        """`empty` may be none: then crops of labelled frames serve, and a plain grey."""
        # Decoded once: some 2.7 MB for each 720p frame, where decoding would be a third of a step.
        self.pictures = [f.picture() for f in frames]
        self.boxes = [(f.boxes, f.unsure) for f in frames]
        self.empty = empty
        # Few empty pictures are soon known by heart: no more often than a labelled frame each.
        self.empty_share = min(MOST_EMPTY, len(empty) / max(1, len(empty) + len(frames)))
        self.shape, self.seed, self.steps = shape, seed, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[torch.Tensor, Truth]:
        rng = np.random.default_rng((self.seed, step))
        side = int(rng.choice(self.shape.sides_px, p=self.shape.odds))
        count = max(1, round(self.shape.batch_px / side**2))
        samples = [self.sample(rng, side) for _ in range(count)]
        x = np.stack([to_input(picture) for picture, _, _ in samples])
        truths = [assign(boxes, unsure, (side, side)) for _, boxes, unsure in samples]
        return torch.from_numpy(x), Truth.stack(truths)

    def sample(self, rng: np.random.Generator, side: int) -> tuple[np.ndarray, list, list]:
        """One crop `uint8[side, side, 3]`, its plates and the boxes that are neither."""
        if self.pictures and rng.random() >= self.empty_share:
            number = int(rng.integers(len(self.pictures)))
            source, (known, doubtful) = self.pictures[number], self.boxes[number]
        elif self.empty:
            source, known, doubtful = self.empty[int(rng.integers(len(self.empty)))], NONE, NONE
        else:
            source, known, doubtful = np.full((side, side, 3), 110, np.uint8), NONE, NONE
        picture, boxes, unsure = crop(rng, source, known, doubtful, side)
        if rng.random() < 0.5:
            tint(rng, picture, boxes + unsure)
        night = rng.random() < 0.2
        if night:
            picture = darken(rng, picture)
        if rng.random() < 0.6:
            for _ in range(int(rng.integers(1, 4))):
                wide = width_for(rng, 0.92 * side)
                box = place(rng, picture, boxes + unsure, wide, night)
                if box is not None:
                    boxes.append(box)
        if rng.random() < 0.5:
            picture = add_decoys(rng, picture, boxes + unsure)
        return spoil(rng, picture), boxes, unsure


def crop(rng: np.random.Generator, picture: np.ndarray, boxes: np.ndarray, doubtful: np.ndarray,
         side: int) -> tuple[np.ndarray, list[Box], list[Box]]:
    """A turned, scaled, perhaps mirrored square `uint8[side, side, 3]` of `picture`.

    Mostly around one of `boxes`, so scaled that plates of every width are as frequent. Returns the
    picture, the boxes that are to be found, and those that are neither plate nor background: the
    doubtful ones, the too small and those too far outside.
    """
    high, wide = picture.shape[:2]
    smallest = side / (1.4 * max(high, wide))
    if len(boxes) and rng.random() < 0.85:
        box = boxes[int(rng.integers(len(boxes)))]
        top = min(MAX_WIDTH_PX, 0.95 * side)
        wanted = np.exp(rng.uniform(np.log(MIN_WIDTH_PX), np.log(top)))
        scale = float(np.clip(wanted / (box[2] - box[0]), smallest, 3.5))
        centre = (box[:2] + box[2:]) / 2 + rng.uniform(-0.42, 0.42, 2) * side / scale
    else:
        scale = float(np.clip(np.exp(rng.uniform(np.log(0.35), np.log(1.6))), smallest, 3.5))
        centre = rng.uniform(0, 1, 2) * [wide, high]
    if rng.random() < 0.8:  # keep the crop inside the picture where it fits
        half = np.minimum(side / scale / 2, [wide / 2, high / 2])
        centre = np.clip(centre, half, np.array([wide, high]) - half)

    turn = np.deg2rad(np.clip(rng.normal(0, 2), -6, 6))
    stretch = np.sqrt(rng.uniform(0.85, 1.18))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = scale * np.diag([mirror * stretch, 1 / stretch]) @ rotation
    shift = side / 2 - linear @ centre
    grey = tuple(float(v) for v in rng.integers(0, 160, 1).repeat(3))
    if scale < 0.8:  # average before sampling, as a scaler does
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        warp = np.c_[linear / scale, shift]
    else:
        warp = np.c_[linear, shift]
    square = cv2.warpAffine(picture, warp, (side, side), flags=cv2.INTER_LINEAR, borderValue=grey)

    found, unsure = carried(boxes, linear, shift, side)
    unsure += [box for part in carried(doubtful, linear, shift, side) for box in part]
    return square, found, unsure


def carried(boxes: np.ndarray, linear: np.ndarray, shift: np.ndarray, side: int
            ) -> tuple[list[Box], list[Box]]:
    """`boxes` under `p → linear p + shift`, cut to the square: those to be found, those unsure."""
    found: list[Box] = []
    unsure: list[Box] = []
    for x1, y1, x2, y2 in boxes:
        corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) @ linear.T + shift
        low, top = corners.min(0), corners.max(0)
        inner_low, inner_top = np.clip(low, 0, side), np.clip(top, 0, side)
        extent = inner_top - inner_low
        if extent.min() <= 0:
            continue
        clipped = (*map(float, inner_low), *map(float, inner_top))
        seen = extent.prod() / (top - low).prod()
        small = extent[0] < SMALLEST_BOX_PX[0] or extent[1] < SMALLEST_BOX_PX[1]
        (unsure if small or seen < VISIBLE_SHARE else found).append(clipped)
    return found, unsure


def tint(rng: np.random.Generator, picture: np.ndarray, boxes: list[Box]) -> None:
    """Colours real plates in place, mostly yellow: few labelled streets are Dutch, users' are."""
    if rng.random() < 0.75:
        colour = np.array([rng.uniform(0.05, 0.5), rng.uniform(0.72, 0.95), 1.0])
    else:
        colour = rng.uniform(0.5, 1.0, 3)
    for box in boxes:
        x1, y1, x2, y2 = (max(0, int(v)) for v in box)
        picture[y1:y2, x1:x2] = (picture[y1:y2, x1:x2] * colour).astype(np.uint8)
