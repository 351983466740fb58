"""Draws `face.png` and `plate.png`, the pictures in which a working detector finds its thing:
`models/train/.venv/bin/python models/selftest/draw.py` (`models/train/run.sh --setup` makes that).

Both are drawn from nothing: no photograph, nobody's face. The face was found by changing the
numbers of `face.FACE` at random and keeping what both face models were surer of, at four sizes, and
once darkened as a poor JPEG.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "train"))

import face  # noqa: E402
import render  # noqa: E402

REGISTRATION = "GR-EY-00"
"""Made up."""
SIZE_PX = (256, 128)
PLATE_PX = (78, 76, 178, 98)
"""Where the plate is: left, top, right, bottom."""
FINER = 4


def plate() -> np.ndarray:
    """A yellow plate on the back of a car, `uint8[128, 256, 3]`, BGR."""
    canvas = Image.new("RGB", tuple(FINER * side for side in SIZE_PX), (112, 114, 118))
    draw = ImageDraw.Draw(canvas)

    def box(at: tuple[int, int, int, int], fill: tuple[int, int, int], round_px: int = 0) -> None:
        draw.rounded_rectangle([FINER * v for v in at], FINER * round_px, fill=fill)

    box((0, 108, 256, 128), (78, 78, 80))  # road
    box((38, 98, 62, 122), (16, 16, 18), 6)  # wheels
    box((194, 98, 218, 122), (16, 16, 18), 6)
    box((58, 2, 198, 60), (52, 62, 84), 22)  # roof
    box((70, 10, 186, 44), (24, 28, 34), 14)  # window
    box((28, 36, 228, 112), (58, 70, 96), 16)  # body
    box((34, 50, 62, 66), (150, 24, 26), 5)  # lamps
    box((194, 50, 222, 66), (150, 24, 26), 5)
    box((34, 100, 222, 110), (32, 36, 44), 5)  # bumper
    box((72, 72, 184, 102), (46, 56, 78), 3)  # the plate's recess
    left, top, right, bottom = PLATE_PX
    box(PLATE_PX, (250, 200, 10), 2)
    box((left, top, left + 9, bottom), render.BAND, 2)
    wide, high = FINER * (right - left - 17), FINER * (bottom - top - 7)
    ink = render.text_mask(REGISTRATION, "LiberationSansNarrow-Bold.ttf", wide, high)
    at = (FINER * (left + 13), FINER * top + (FINER * (bottom - top) - high) // 2)
    canvas.paste(Image.new("RGB", ink.size, render.BLACK), at, ink)
    drawn = np.asarray(canvas, np.float32)[:, :, ::-1]
    drawn = drawn * np.linspace(1.1, 0.85, drawn.shape[0])[:, None, None]
    small = cv2.resize(drawn, SIZE_PX, interpolation=cv2.INTER_AREA)
    return np.clip(cv2.GaussianBlur(small, (0, 0), 0.6), 0, 255).astype(np.uint8)


def main() -> None:
    for name, picture in (("face", face.drawn(face.FACE)), ("plate", plate())):
        cv2.imwrite(str(HERE / f"{name}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
