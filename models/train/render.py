"""European number plates as flat pictures, drawn from seeds.

A flat plate is what a scanner would see: `float32[h, w, 3]`, BGR, 0..255, about one pixel per
millimetre. Perspective, light and dirt are `place`'s, the camera's faults are `spoil`'s. This
file must not know pictures of streets.

Sizes and colours are approximate on purpose: the detector has to find plates, not read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]

FONT_NAMES = (
    "DejaVuSans-Bold.ttf",
    "DejaVuSansCondensed-Bold.ttf",
    "DejaVuSansMono-Bold.ttf",
    "LiberationSans-Bold.ttf",
    "LiberationSansNarrow-Bold.ttf",
    "LiberationMono-Bold.ttf",
)

# Plate shapes in millimetres (width, height) and rows of characters.
ONE_ROW = (520, 110, 1)
SHORT_ROW = (440, 110, 1)
TWO_ROWS = (340, 220, 2)
SQUARE = (280, 200, 2)
MOTORCYCLE = (210, 145, 2)
MOPED = (145, 125, 2)
CARS = ((ONE_ROW, 0.76), (SHORT_ROW, 0.06), (TWO_ROWS, 0.10), (SQUARE, 0.08))
BIKES = ((MOTORCYCLE, 0.7), (MOPED, 0.3))

LETTERS = "BCDFGHJKLMNPRSTVWXYZ"
BLACK: Rgb = (14, 14, 16)
BAND: Rgb = (0, 45, 150)


@dataclass(frozen=True)
class Style:
    """One family of plates. `weight` is its share, `formats` use A for a letter, 9 for a digit."""

    name: str
    weight: float
    paper: Rgb
    ink: Rgb
    formats: tuple[str, ...]
    shapes: tuple[tuple[tuple[int, int, int], float], ...] = CARS
    band: float = 0.9
    """Probability of the blue band at the left."""
    band_right: float = 0.0
    countries: tuple[str, ...] = ("NL",)


DUTCH = ("AA-999-A", "A-999-AA", "9-AAA-99", "99-AAA-9", "99-AA-AA", "AA-AA-99", "AAA-99-A")
WHITE_FORMATS = (
    "AA-999-AA", "A AA 9999", "AA 99 AAA", "A 99 AAA", "AAA 999", "9999 AAA", "AA 99999",
    "AA 999 AA", "9A9 9999", "AA AA 999",
)
EU = ("D", "F", "I", "E", "PL", "RO", "A", "CZ", "SK", "H", "P", "L", "S", "DK", "FIN", "IRL")

STYLES = (
    Style("nl-yellow", 0.38, (250, 200, 10), BLACK, DUTCH),
    Style("nl-motorcycle", 0.07, (250, 200, 10), BLACK, ("AA-99-AA", "99-AA-99"), BIKES),
    Style("nl-moped", 0.02, (110, 190, 235), BLACK, ("A-999-AA",), ((MOPED, 1.0),)),
    Style("nl-taxi", 0.06, (100, 180, 235), BLACK, DUTCH),
    Style("nl-trade", 0.05, (60, 175, 95), BLACK, ("AA-99-99", "99-99-AA", "AAA-99-A")),
    Style("nl-vintage", 0.02, (25, 45, 120), (235, 235, 240), ("AA-99-99",), band=0.0),
    Style("eu-white", 0.24, (240, 242, 245), BLACK, WHITE_FORMATS, countries=EU),
    Style("eu-white-two-bands", 0.05, (240, 242, 245), BLACK, ("AA-999-AA",), band=1.0,
          band_right=1.0, countries=("F", "I")),
    Style("eu-motorcycle", 0.03, (240, 242, 245), BLACK, ("AA 999", "AA 9999"), BIKES,
          band=0.6, countries=EU),
    Style("be-red", 0.04, (242, 242, 240), (165, 20, 35), ("9-AAA-999",), countries=("B",)),
    Style("green-ink", 0.01, (242, 242, 240), (0, 110, 60), ("A AA 999",), countries=("D",)),
    Style("yellow-other", 0.03, (245, 195, 20), BLACK, ("AA 9999", "AA99 AAA"), band=0.5,
          countries=("L", "GB")),
)
_WEIGHTS = np.array([s.weight for s in STYLES])


@lru_cache(maxsize=1)
def font_names() -> tuple[str, ...]:
    """The fonts of `FONT_NAMES` that this machine has, found by name in its font folders.

    Which fonts exist changes the pictures: train.py writes them into the figures.
    """
    found = []
    for name in FONT_NAMES:
        try:
            ImageFont.truetype(name, 20)
        except OSError:
            continue
        found.append(name)
    if not found:
        raise SystemExit("no font found: install DejaVu or Liberation fonts "
                         "(Debian: fonts-dejavu-core fonts-liberation)")
    return tuple(found)


@lru_cache(maxsize=256)
def font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    """One font at one size, kept."""
    return ImageFont.truetype(name, size_px)


def pick(rng: np.random.Generator, items: tuple) -> object:
    """One of `items`, each as likely, without turning it into an array."""
    return items[int(rng.integers(len(items)))]


def registration(rng: np.random.Generator, pattern: str) -> str:
    """A registration that follows `pattern`; characters other than A and 9 stand for themselves."""
    swap = {"A": LETTERS, "9": "0123456789"}
    return "".join(str(pick(rng, swap[c])) if c in swap else c for c in pattern)


def text_mask(text: str, font_name: str, width_px: int, height_px: int) -> Image.Image:
    """`text` drawn tightly into `width_px` × `height_px`, mode L, 255 where there is ink."""
    face = font(font_name, 96)
    left, top, right, bottom = face.getbbox(text)
    mask = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, font=face, fill=255)
    return mask.resize((max(1, width_px), max(1, height_px)), Image.Resampling.BILINEAR)


def _rows(text: str, rows: int) -> list[str]:
    """`text` in one row, or broken at the separator nearest to its middle."""
    if rows == 1:
        return [text]
    breaks = [i for i, c in enumerate(text) if c in "- "]
    middle = len(text) / 2
    at = min(breaks, key=lambda i: abs(i + 0.5 - middle)) if breaks else int(middle)
    return [text[:at], text[at + 1 if breaks else at:]]


def _jitter(rng: np.random.Generator, colour: Rgb, by: int) -> Rgb:
    return tuple(int(np.clip(c + rng.integers(-by, by + 1), 0, 255)) for c in colour)


def flat_plate(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """One plate and the name of its style. Picture: `float32[h, w, 3]`, BGR, 0..255."""
    style = STYLES[int(rng.choice(len(STYLES), p=_WEIGHTS / _WEIGHTS.sum()))]
    odds = np.array([share for _, share in style.shapes])
    shape = style.shapes[int(rng.choice(len(odds), p=odds / odds.sum()))][0]
    width, height, rows = shape
    paper, ink = _jitter(rng, style.paper, 14), _jitter(rng, style.ink, 10)

    sheet = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(sheet)
    left, right = 8, width - 8
    band_px = min(int(rng.uniform(38, 50)), width // 6)
    if rng.random() < style.band:
        _band(rng, sheet, 0, band_px, str(pick(rng, style.countries)))
        left = band_px + 5
    if rng.random() < style.band_right:
        _band(rng, sheet, width - band_px, band_px, "")
        right = width - band_px - 5

    text = registration(rng, str(pick(rng, style.formats)))
    if rng.random() < 0.3:
        text = text.replace("-", " ")
    face = str(pick(rng, font_names()))
    row_px = (height - 12) / rows
    for number, row in enumerate(_rows(text, rows)):
        high = int(row_px * rng.uniform(0.68, 0.84))
        share = min(1.0, len(row) / (7.5 / rows)) * rng.uniform(0.84, 0.98)
        wide = int((right - left) * share)
        x = left + (right - left - wide) // 2
        y = int(6 + row_px * number + (row_px - high) / 2)
        mask = text_mask(row, face, wide, high)
        sheet.paste(Image.new("RGB", mask.size, ink), (x, y), mask)

    border = int(rng.integers(0, 6))
    if border:
        draw.rectangle((0, 0, width - 1, height - 1), outline=ink, width=border)
    if rng.random() < 0.3:
        _bolts(rng, draw, width, height)
    return np.asarray(sheet, np.float32)[:, :, ::-1].copy(), style.name


def _band(rng: np.random.Generator, sheet: Image.Image, x: int, wide: int, country: str) -> None:
    """The blue band with its ring of stars (a ring at this size) and the country's letters."""
    high = sheet.height
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((x, 0, x + wide, high), fill=_jitter(rng, BAND, 15))
    radius = wide * 0.3
    centre = (x + wide / 2, high * 0.3)
    draw.ellipse((centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius),
                 outline=(240, 210, 40), width=max(1, wide // 14))
    if country:
        mask = text_mask(country, font_names()[0], int(wide * 0.7), int(min(high * 0.22, 30)))
        ink = Image.new("RGB", mask.size, (240, 240, 240))
        sheet.paste(ink, (x + int(wide * 0.15), int(high * 0.66)), mask)


def _bolts(rng: np.random.Generator, draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Two screws, as many plates have."""
    grey = int(rng.integers(40, 200))
    radius = int(rng.integers(3, 7))
    for x in (int(width * 0.2), int(width * 0.8)):
        y = int(height * rng.uniform(0.1, 0.9))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(grey, grey, grey))
