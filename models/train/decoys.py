"""Things that look like plates and are none: camera captions, signs, shop fronts, headlights.

Without them a detector trained on few streets calls every bright rectangle with text a plate.
All draw into a copy and keep clear of the boxes they are given.
"""

from __future__ import annotations

import numpy as np
import cv2
from PIL import Image, ImageDraw

from place import Box, overlaps
from render import font, font_names, pick

CAPTIONS = ("CAM 01", "Camera 12", "REC", "25 fps", "Kruispunt N", "Plein", "PTZ 4", "Mo", "Di")
SIGNS = ((250, 250, 250), (255, 205, 0), (0, 70, 160), (0, 110, 60), (200, 20, 20), (40, 40, 40))
SIGNS_CHARACTERS = "ABCDEFGHIJKLMNOPRSTUVWZ0123456789  -:./"


def add_decoys(rng: np.random.Generator, picture: np.ndarray, boxes: list[Box]) -> np.ndarray:
    """A copy of `picture` (`uint8[h, w, 3]`, BGR) with one to four decoys beside `boxes`."""
    canvas = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 5))):
        (_caption if rng.random() < 0.4 else _sign)(rng, draw, canvas.size, boxes)
    drawn = np.asarray(canvas)[:, :, ::-1].copy()
    if rng.random() < 0.25:
        drawn = _headlights(rng, drawn, boxes)
    return drawn


def words(rng: np.random.Generator, longest: int) -> str:
    """Random characters that are no registration of any country but look like text."""
    count = int(rng.integers(1, longest + 1))
    return "".join(str(pick(rng, SIGNS_CHARACTERS)) for _ in range(count))


def _caption(rng, draw: ImageDraw.ImageDraw, size: tuple[int, int], boxes: list[Box]) -> None:
    """A line of text as cameras write it: time, name, or anything."""
    n = rng.integers(0, 60, 3)
    stamp = f"20{10 + n[0] % 20:02}-{1 + n[1] % 12:02}-{1 + n[2] % 28:02} {n[0] % 24:02}:{n[1]:02}"
    text = (stamp, str(pick(rng, CAPTIONS)), words(rng, 20))[int(rng.integers(3))]
    face = font(str(pick(rng, font_names())), int(rng.integers(8, 34)))
    _, _, wide, high = face.getbbox(text)
    x = int(rng.integers(0, max(1, size[0] - wide)))
    y = int(rng.integers(0, max(1, size[1] - high)))
    if overlaps((x, y, x + wide, y + high), boxes):
        return
    if rng.random() < 0.25:
        draw.rectangle((x, y, x + wide, y + high), fill=(int(rng.integers(0, 70)),) * 3)
    inks = ((255, 255, 255), (255, 255, 255), (255, 255, 0), (0, 255, 0), (0, 0, 0))
    draw.text((x, y), text, font=face, fill=pick(rng, inks))


def _sign(rng, draw: ImageDraw.ImageDraw, size: tuple[int, int], boxes: list[Box]) -> None:
    """A coloured board, of other proportions than plates where it bears text."""
    wide = int(np.exp(rng.uniform(np.log(12), np.log(max(16, size[0] * 0.6)))))
    bears_text = rng.random() < 0.65
    if bears_text:
        ratio = rng.uniform(0.4, 1.0) if rng.random() < 0.6 else rng.uniform(8, 14)
    else:
        ratio = rng.uniform(0.4, 8)
    high = max(5, int(wide / ratio))
    x = int(rng.integers(0, max(1, size[0] - wide)))
    y = int(rng.integers(0, max(1, size[1] - high)))
    if overlaps((x, y, x + wide, y + high), boxes):
        return
    anything = tuple(int(v) for v in rng.integers(0, 256, 3))
    fill = anything if rng.random() < 0.5 else pick(rng, SIGNS)
    ink = tuple(int(v) for v in rng.integers(0, 256, 3))
    draw.rectangle((x, y, x + wide, y + high), fill=fill, outline=ink)
    if not bears_text:
        return
    rows = 1 if ratio > 4 else int(rng.integers(2, 5))
    face = font(str(pick(rng, font_names())), max(6, int(high / rows * 0.7)))
    for row in range(rows):
        text = words(rng, 14)
        while len(text) > 1 and face.getlength(text) > wide * 0.9:
            text = text[:-1]
        draw.text((x + wide * 0.05, y + row * high / rows), text, font=face, fill=ink)


def _headlights(rng, picture: np.ndarray, boxes: list[Box]) -> np.ndarray:
    """A pair of lamps with their glow, at a car's distance from each other."""
    high, wide = picture.shape[:2]
    radius = float(np.exp(rng.uniform(np.log(2), np.log(14))))
    gap = radius * rng.uniform(8, 16)
    x, y = rng.uniform(0, wide), rng.uniform(0, high)
    near = (x - radius * 3, y - radius * 3, x + gap + radius * 3, y + radius * 3)
    if overlaps(near, boxes):
        return picture
    lamps = np.zeros((high, wide), np.float32)
    for at in (x, x + gap):
        cv2.circle(lamps, (int(at), int(y)), max(1, int(radius)), 1.0, -1)
    glow = cv2.GaussianBlur(lamps, (0, 0), radius * 1.5) + lamps
    colour = np.array([rng.uniform(190, 255), rng.uniform(210, 255), 255.0])
    return np.clip(picture + glow[:, :, None] * colour, 0, 255).astype(np.uint8)
