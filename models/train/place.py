"""Puts flat plates into pictures: perspective, light, dirt, what stands before them.

Boxes are `(x1, y1, x2, y2)` in pixels of the picture. A plate that is partly hidden keeps the box
of the whole plate: what must be covered is the plate, not what is seen of it. This file must not
know labels on disk.
"""

from __future__ import annotations

import cv2
import numpy as np

from render import flat_plate

Box = tuple[float, float, float, float]

MIN_WIDTH_PX = 8.0
MAX_WIDTH_PX = 600.0


def overlaps(box: Box, others: list[Box], gap_px: float = 3.0) -> bool:
    """True where `box` comes nearer than `gap_px` to one of `others`."""
    return any(
        box[0] < o[2] + gap_px and o[0] < box[2] + gap_px
        and box[1] < o[3] + gap_px and o[1] < box[3] + gap_px
        for o in others
    )


def turned(rng: np.random.Generator, aspect: float) -> np.ndarray:
    """Corners `float64[4, 2]` (clockwise from top left) of a plate seen through a pinhole.

    The plate is `aspect` wide and 1 high, turned by yaw, pitch and roll, a few widths away; the
    result is centred on its own box and scaled so that the box is 1 wide.
    """
    yaw, pitch, roll = np.deg2rad([
        np.clip(rng.normal(0, 22), -55, 55), np.clip(rng.normal(8, 12), -25, 40),
        np.clip(rng.normal(0, 4), -15, 15),
    ])
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    flat = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * [aspect / 2, 0.5, 0]
    solid = flat @ (about_z @ about_x @ about_y).T
    solid[:, 2] += aspect * rng.uniform(1.8, 12)
    seen = solid[:, :2] / solid[:, 2:]
    low, high = seen.min(0), seen.max(0)
    return (seen - (low + high) / 2) / (high[0] - low[0])


def place(
    rng: np.random.Generator, picture: np.ndarray, taken: list[Box], width_px: float, night: bool
) -> Box | None:
    """Draws one plate about `width_px` wide into `picture` (`uint8[h, w, 3]`, changed in place).

    Returns its box, or `None` (picture unchanged) where it does not fit beside `taken`.
    """
    plate, _ = flat_plate(rng)
    plate = _weathered(rng, plate)
    shape = turned(rng, plate.shape[1] / plate.shape[0]) * width_px
    reach = np.abs(shape).max(0) + 2
    high, wide = picture.shape[:2]
    if wide <= 2 * reach[0] or high <= 2 * reach[1]:
        return None
    for _ in range(6):
        centre = rng.uniform(reach, [wide, high] - reach)
        corners = shape + centre
        box = (*corners.min(0), *corners.max(0))
        if not overlaps(box, taken):
            _blend(rng, picture, plate, corners, box, night)
            return tuple(float(v) for v in box)
    return None


def width_for(rng: np.random.Generator, largest_px: float) -> float:
    """A plate's width: mostly even in log scale, now and then anything up to the largest."""
    top = min(largest_px, MAX_WIDTH_PX)
    if rng.random() < 0.25:
        return float(rng.uniform(MIN_WIDTH_PX, top))
    return float(np.exp(rng.uniform(np.log(MIN_WIDTH_PX), np.log(top))))


def _weathered(rng: np.random.Generator, plate: np.ndarray) -> np.ndarray:
    """Shade across the plate, and sometimes dirt and something that hangs before it."""
    high, wide = plate.shape[:2]
    across = np.linspace(*rng.uniform(0.7, 1.1, 2), wide)[None, :, None]
    down = np.linspace(*rng.uniform(0.75, 1.1, 2), high)[:, None, None]
    plate = plate * across * down
    if rng.random() < 0.3:
        coarse = rng.random((4, 8), dtype=np.float32)
        patch = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)
        dirt = np.clip(patch - rng.uniform(0.3, 0.7), 0, 1)[:, :, None] * rng.uniform(0.5, 1.5)
        mud = np.array([60, 80, 95]) * rng.uniform(0.4, 1.2)
        plate = plate * (1 - np.clip(dirt, 0, 0.9)) + mud * np.clip(dirt, 0, 0.9)
    if rng.random() < 0.15:
        cover = rng.uniform(0.08, 0.32)
        colour = rng.uniform(5, 120, 3)
        if rng.random() < 0.5:  # a bar, a tow ball, a lamp post
            x = int(rng.uniform(0, 1 - cover) * wide)
            plate[:, x:x + int(cover * wide)] = colour
        else:  # a bumper, the roof of the car in front
            edge = int(cover * high)
            plate[(slice(0, edge) if rng.random() < 0.4 else slice(high - edge, high))] = colour
    return plate.astype(np.float32)


def _blend(rng: np.random.Generator, picture: np.ndarray, plate: np.ndarray,
           corners: np.ndarray, box: Box, night: bool) -> None:
    """Warps `plate` onto `corners` and mixes it into `picture` with fitting light."""
    if rng.random() < 0.55:
        _bumper(rng, picture, box)
    high, wide = picture.shape[:2]
    pad = 3 + int(0.25 * (box[3] - box[1]))
    x1, y1 = max(0, int(box[0]) - pad), max(0, int(box[1]) - pad)
    x2, y2 = min(wide, int(box[2]) + pad + 1), min(high, int(box[3]) + pad + 1)

    shrink = (box[2] - box[0]) * 1.5 / plate.shape[1]
    if shrink < 0.75:  # average before sampling, or thin strokes turn to noise
        size = max(4, round(plate.shape[1] * shrink)), max(3, round(plate.shape[0] * shrink))
        plate = cv2.resize(plate, size, interpolation=cv2.INTER_AREA)
    ph, pw = plate.shape[:2]
    source = np.array([[0, 0], [pw, 0], [pw, ph], [0, ph]], np.float32) - 0.5
    target = (corners - [x1, y1] - 0.5).astype(np.float32)
    warp = cv2.getPerspectiveTransform(source, target)
    size = (x2 - x1, y2 - y1)
    ink = cv2.warpPerspective(plate, warp, size, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.ones((ph, pw), np.float32), warp, size)[:, :, None]

    under = picture[y1:y2, x1:x2].astype(np.float32)
    light = float(under.mean()) / 255
    if night and rng.random() < 0.6:  # plates throw headlights straight back
        gain = rng.uniform(0.6, 1.6)
    else:
        gain = float(np.clip(rng.uniform(0.5, 1.1) * (0.4 + 1.5 * light), 0.25, 1.1))
    mixed = under * (1 - mask) + ink * gain * mask
    if night and gain > 0.9:
        glow = cv2.GaussianBlur(ink * gain * mask, (0, 0), max(1.0, 0.2 * (box[3] - box[1])))
        mixed += glow * rng.uniform(0.1, 0.5)
    if rng.random() < 0.5:
        mixed = cv2.GaussianBlur(mixed, (0, 0), rng.uniform(0.4, 1.1))
    picture[y1:y2, x1:x2] = np.clip(mixed, 0, 255).astype(np.uint8)


def _bumper(rng: np.random.Generator, picture: np.ndarray, box: Box) -> None:
    """A plain patch around the plate, as bodywork is, so that the sky is no cue."""
    high, wide = picture.shape[:2]
    dx, dy = (box[2] - box[0]) * rng.uniform(0.05, 0.5), (box[3] - box[1]) * rng.uniform(0.1, 1.2)
    x1, y1 = max(0, int(box[0] - dx)), max(0, int(box[1] - dy))
    x2, y2 = min(wide, int(box[2] + dx) + 1), min(high, int(box[3] + dy) + 1)
    paint = rng.uniform(8, 110) if rng.random() < 0.75 else rng.uniform(110, 230)
    colour = np.clip(paint + rng.normal(0, 12, 3), 0, 255)
    share = rng.uniform(0.5, 1.0)
    patch = picture[y1:y2, x1:x2].astype(np.float32)
    picture[y1:y2, x1:x2] = (patch * (1 - share) + colour * share).astype(np.uint8)
