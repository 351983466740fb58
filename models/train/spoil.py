"""What a camera does to a street: night, white balance, blur, noise, JPEG.

Every function takes and gives `uint8[h, w, 3]`, BGR, and moves no pixel: boxes stay true.
"""

from __future__ import annotations

import cv2
import numpy as np


def darken(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Day turned to night: dark, of low contrast, under warm or cold lamps."""
    lamp = np.array([rng.uniform(0.5, 1.0), rng.uniform(0.75, 1.0), rng.uniform(0.8, 1.1)])
    dark = (picture / 255.0) ** rng.uniform(1.1, 1.9) * rng.uniform(0.15, 0.55)
    return np.clip(dark * lamp * 255, 0, 255).astype(np.uint8)


def spoil(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """One picture as one of many cameras would have delivered it."""
    picture = _blurred(rng, picture)
    light = picture.astype(np.float32)
    if rng.random() < 0.5:
        light *= rng.uniform(0.7, 1.3, 3).astype(np.float32)
    if rng.random() < 0.12:  # infrared light at night: no colour at all
        light = np.repeat(light.mean(2, keepdims=True), 3, axis=2)
    gamma = float(np.exp(rng.uniform(-0.5, 0.5)))
    light = 255 * np.clip(light / 255, 0, 1) ** gamma
    light = light * rng.uniform(0.7, 1.3) + rng.uniform(-15, 15)
    if rng.random() < 0.5:
        light += rng.standard_normal(light.shape, dtype=np.float32) * rng.uniform(1, 12)
    picture = np.clip(light, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(22, 92))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    return picture


def _blurred(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Out of focus, moving, upscaled from a smaller stream, or sharp."""
    kind = rng.random()
    if kind < 0.14:
        return cv2.filter2D(picture, -1, disc(rng.uniform(0.8, 2.6)))
    if kind < 0.30:
        return cv2.filter2D(picture, -1, streak(rng.uniform(2, 9), rng.normal(0, 25)))
    if kind < 0.38:
        high, wide = picture.shape[:2]
        share = rng.uniform(0.45, 0.85)
        small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR)
    return picture


def disc(radius_px: float) -> np.ndarray:
    """Kernel of a defocused lens: a disc with a soft rim, sums to 1."""
    reach = int(np.ceil(radius_px))
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return kernel / kernel.sum()


def streak(length_px: float, angle_deg: float) -> np.ndarray:
    """Kernel of an even movement during the exposure: a soft line, sums to 1."""
    reach = int(np.ceil(length_px / 2)) + 1
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1]
    turn = np.deg2rad(angle_deg)
    along = np.abs(x * np.cos(turn) + y * np.sin(turn))
    aside = np.abs(-x * np.sin(turn) + y * np.cos(turn))
    kernel = np.clip(length_px / 2 + 0.5 - along, 0, 1) * np.clip(1 - aside, 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)
