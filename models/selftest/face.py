"""A drawn face that is nobody's: ellipses, shaded as a lamp would. Needs numpy and OpenCV only.

This file must not know models: `FACE` was found by a search that is told of in `draw`.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE_PX = 160
FINER = 3
"""Drawn so many times larger, then averaged down: no hard edges."""

# Lengths in half widths of the face, colours 0..1 as red, green, blue; y points downwards.
FACE = {
    "size_px": 37.683, "x": 0.0, "y": 0.02, "chin": 1.685, "taper": 0.161, "skin_r": 1.003,
    "skin_g": 0.778, "skin_b": 0.529, "ground": 0.45, "lamp_x": -0.472, "lamp_y": -0.467,
    "shade": 0.692, "hair": 0.208, "hair_red": 0.066, "hair_line": 0.999, "hair_wide": 1.068,
    "hair_top": 1.594, "eye_x": 0.43, "eye_y": -0.14, "eye_wide": 0.18, "eye_tall": 0.055,
    "iris": 0.101, "socket": 0.285, "socket_wide": 0.338, "brow_y": 0.214, "brow_dark": 0.628,
    "brow_thick": 0.053, "brow_wide": 0.202, "brow_arch": 0.246, "nose_y": 0.427, "nose_wide": 0.23,
    "nose_shade": 0.294, "nostril": 0.457, "bridge": 0.181, "mouth_y": 0.781, "mouth_wide": 0.288,
    "lip": 0.109, "lip_red": 0.31, "smile": 0.052, "cheek": 0.078, "neck": 0.771, "shirt": 0.163,
    "blur_px": 0.524,
}


def spot(x, y, centre_x, centre_y, half_wide, half_tall, soft=0.15):
    """How much of an ellipse is here, 0..1, its rim `soft` of its radius wide."""
    radius = np.hypot((x - centre_x) / half_wide, (y - centre_y) / half_tall)
    return np.clip((1 - radius) / soft + 0.5, 0, 1)


def glow(x, y, centre_x, centre_y, half_wide, half_tall):
    """A blot without a rim, 1 in its middle."""
    return np.exp(-(((x - centre_x) / half_wide) ** 2 + ((y - centre_y) / half_tall) ** 2))


def drawn(p: dict[str, float]) -> np.ndarray:
    """The picture, `uint8[160, 160, 3]`, BGR."""
    side = SIDE_PX * FINER
    at = (np.arange(side) + 0.5) / FINER - SIDE_PX / 2
    x, y = np.meshgrid(at / p["size_px"] - p["x"], at / p["size_px"] - p["y"])
    skin = np.array([p["skin_r"], p["skin_g"], p["skin_b"]])
    hair = np.array([p["hair"] + p["hair_red"], p["hair"], p["hair"] * 0.8])
    shirt = p["shirt"] * np.array([0.7, 0.85, 1.1])
    picture = np.ones((side, side, 3)) * (p["ground"] + 0.05 * y[:, :, None])

    def lay(colour, how_much):
        nonlocal picture
        picture = picture + (np.asarray(colour) - picture) * how_much[:, :, None]

    def darken(by):
        nonlocal picture
        picture = picture * (1 - by[:, :, None])

    lay(hair, spot(x, y, 0, -0.25, p["hair_wide"], p["hair_top"] * 0.9))
    lay(skin * 0.62, spot(x, y, 0, 1.3, p["neck"], 1.1))
    lay(shirt, spot(x, y, 0, 3.0, 2.1, 1.35, 0.05))
    for sign in (-1, 1):
        lay(skin * 0.75, spot(x, y, sign * 1.0, 0.1, 0.13, 0.3))
    # The head: narrower towards the chin, lit as an egg is.
    narrow = x / (1 - p["taper"] * np.clip(y, 0, 2))
    head = spot(narrow, y, 0, 0, 1, p["chin"], 0.05)
    up = np.sqrt(np.clip(1 - narrow**2 - (y / p["chin"]) ** 2, 0, 1))
    light = narrow * p["lamp_x"] + y / p["chin"] * p["lamp_y"] + up
    lit = np.clip(1 - p["shade"] + p["shade"] * light, 0.15, 1.3)[:, :, None]
    picture = picture + (skin * lit - picture) * head[:, :, None]
    fringe = spot(narrow, y, 0, 0, 1.06, 1.06 * p["chin"], 0.05)
    lay(hair, fringe * np.clip((-p["hair_line"] - y + 0.12 * x**2) / 0.12 + 0.5, 0, 1))

    for sign in (-1, 1):
        lay([0.8, 0.35, 0.3], p["cheek"] * glow(x, y, sign * 0.55, 0.42, 0.3, 0.25))
        eye_x, eye_y = sign * p["eye_x"], p["eye_y"]
        wide, tall = p["eye_wide"], p["eye_tall"]
        darken(p["socket"] * glow(x, y, eye_x, eye_y - 0.03, p["socket_wide"], 0.2))
        white = spot(x, y, eye_x, eye_y, wide, tall, 0.3)
        lay([0.88, 0.86, 0.84], white)
        lay([0.2, 0.13, 0.1], white * spot(x, y, eye_x, eye_y, p["iris"], p["iris"], 0.25))
        pupil = 0.45 * p["iris"]
        lay([0.02, 0.02, 0.02], white * spot(x, y, eye_x, eye_y, pupil, pupil))
        lay([1, 1, 1], 0.8 * spot(x, y, eye_x - 0.03, eye_y - 0.03, 0.02, 0.02, 0.5))
        lid = eye_y - tall * (1 - ((x - eye_x) / wide) ** 2)
        near = (np.abs(x - eye_x) < wide) * np.clip(1 - np.abs(y - lid) / 0.04, 0, 1)
        lay([0.1, 0.07, 0.06], 0.85 * near)
        brow = eye_y - p["brow_y"] + p["brow_arch"] * (x - eye_x) ** 2
        reach = np.clip((p["brow_wide"] - np.abs(x - eye_x)) / 0.08, 0, 1)
        thick = np.clip(1.3 - np.abs(y - brow) / p["brow_thick"], 0, 1)
        lay(hair * 0.8, p["brow_dark"] * reach * thick)
        wing, tip = sign * p["nose_wide"], p["nose_y"]
        darken(p["nostril"] * glow(x, y, wing * 0.6, tip + 0.04, 0.07, 0.04))
        darken(p["nose_shade"] * 0.6 * glow(x, y, wing, tip - 0.06, 0.07, 0.12))
        darken(p["bridge"] * glow(x, y, sign * 0.14, -0.02, 0.06, 0.25))
    darken(p["nose_shade"] * glow(x, y, 0, p["nose_y"] + 0.1, p["nose_wide"] * 1.1, 0.06))
    lay([1, 0.95, 0.9], 0.25 * glow(x, y, 0, 0.1, 0.06, 0.3))

    bend = p["mouth_y"] - p["smile"] * (x / p["mouth_wide"]) ** 2
    within = np.clip((p["mouth_wide"] - np.abs(x)) / 0.08, 0, 1)
    taper = np.sqrt(np.clip(1 - (x / p["mouth_wide"]) ** 2, 0, 1))
    lips = within * np.clip((p["lip"] * taper - np.abs(y - bend)) / 0.03 + 0.5, 0, 1)
    lay(skin * [0.8, 1 - p["lip_red"] - 0.15, 1 - p["lip_red"]], lips)
    lay([0.2, 0.06, 0.06], 0.8 * within * np.clip(1 - np.abs(y - bend) / 0.03, 0, 1))
    darken(0.2 * glow(x, y, 0, p["mouth_y"] + 0.2, 0.25, 0.06))

    small = cv2.resize(picture, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.2, p["blur_px"]))
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)[:, :, ::-1].copy()
