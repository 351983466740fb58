"""Labelled frames from disk: reading, splitting by street, and pictures without plates.

A dataset is a folder with `labels.json`: a list of `{image, width, height, boxes: [{class, xyxy}]}`
in pixels of the image. Every source is named as `PATH=SPDX`; a licence that is not on the list is
refused, so that what a model was trained on can always be told. Nothing is drawn here.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

LICENCES = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0",
    "EUPL-1.2", "ISC", "MIT", "Unlicense", "LicenseRef-own",
})
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
CLIPS = frozenset({".avi", ".mp4", ".mkv", ".mov"})
CLIP_FRAMES = 40
"""Frames taken from each clip, evenly spread."""


@dataclass(frozen=True)
class Source:
    """A folder or file and the SPDX name of the licence it is used under."""

    path: Path
    licence: str

    @classmethod
    def parse(cls, text: str) -> Source:
        """From `PATH=SPDX`; refuses unknown licences and missing paths, with the remedy."""
        path, _, licence = text.rpartition("=")
        if not path or licence not in LICENCES:
            raise SystemExit(f"source {text!r}: write PATH=LICENCE, where LICENCE is one of "
                             f"{', '.join(sorted(LICENCES))}")
        if not Path(path).exists():
            raise SystemExit(f"source {text!r}: there is no such file or folder")
        return cls(Path(path), licence)

    def record(self) -> dict[str, str]:
        """What goes into the figures: the name without the folders above it."""
        return {"name": self.path.resolve().name, "licence": self.licence}


@dataclass(frozen=True)
class Frame:
    """One labelled picture. Boxes are `float32[n, 4]`, xyxy in its own pixels."""

    path: Path
    boxes: np.ndarray
    clip: str
    number: int
    unsure: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    """Where something may be that nobody labelled: neither to be found nor background."""

    def picture(self) -> np.ndarray:
        """`uint8[h, w, 3]`, BGR."""
        return read_picture(self.path)


def read_picture(path: Path) -> np.ndarray:
    """A picture from disk, `uint8[h, w, 3]`, BGR; ends the program where it cannot be read."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path}: not a readable picture")
    return picture


def read_labels(folder: Path, label: str = "plate") -> list[Frame]:
    """All frames of a dataset with their boxes of class `label`.

    A frame's clip and number come from its name (`ride_001_1054.jpg` is number 1054 of
    `ride_001`); a name without a number is a clip of its own.
    """
    file = folder / "labels.json"
    if not file.is_file():
        raise SystemExit(f"{folder}: no labels.json in it")
    frames = []
    for place, row in enumerate(json.loads(file.read_text())):
        try:
            boxes = [b["xyxy"] for b in row["boxes"] if b["class"] == label]
            name, size = row["image"], (float(row["width"]), float(row["height"]))
            array = np.array(boxes, np.float32).reshape(-1, 4)
        except (KeyError, TypeError, ValueError) as error:
            raise SystemExit(f"{file}: entry {place}: {error!r}") from error
        if not box_array_is_sound(array, size):
            raise SystemExit(f"{file}: entry {place} ({name}): a box is empty, outside the picture "
                             "or not a number")
        stem = re.fullmatch(r"(.*?)[_-]?(\d+)", str(Path(name).with_suffix("")))
        clip, number = (stem[1], int(stem[2])) if stem else (name, 0)
        frames.append(Frame(folder / name, array, clip, number))
    if not frames:
        raise SystemExit(f"{file}: no frame in it")
    return frames


def box_array_is_sound(boxes: np.ndarray, size: tuple[float, float]) -> bool:
    """True where every box is finite, has an area and lies (within a pixel) in the picture."""
    if not np.isfinite(boxes).all():
        return False
    wide, high = size
    inside = (boxes[:, :2] >= -1).all() and (boxes[:, 2:] <= [wide + 1, high + 1]).all()
    return bool(inside and (boxes[:, 2:] > boxes[:, :2]).all())


def streets(frames: list[Frame], gap: int = 20) -> list[list[Frame]]:
    """Frames grouped by street: one clip, no two neighbours more than `gap` numbers apart.

    Frames of a ride a few numbers apart show the same cars; a hole in the numbers means that the
    car has driven on. Ordered by clip and number.
    """
    groups: list[list[Frame]] = []
    for frame in sorted(frames, key=lambda f: (f.clip, f.number)):
        last = groups[-1][-1] if groups else None
        if last and last.clip == frame.clip and frame.number - last.number <= gap:
            groups[-1].append(frame)
        else:
            groups.append([frame])
    return groups


def split_by_street(
    frames: list[Frame], held_out: float = 0.15, gap: int = 20
) -> tuple[list[Frame], list[Frame]]:
    """`(training, held out)`: whole streets, from the end of each clip, until the part is reached.

    The last streets of a ride lie farthest from the first: neither a car nor a house is in both
    parts. A clip of a single street goes to training whole.
    """
    train: list[Frame] = []
    test: list[Frame] = []
    by_clip: dict[str, list[list[Frame]]] = {}
    for street in streets(frames, gap):
        by_clip.setdefault(street[0].clip, []).append(street)
    for ride in by_clip.values():
        wanted = math.ceil(held_out * sum(len(s) for s in ride))
        kept = 0
        while len(ride) > 1 and kept < wanted:
            street = ride.pop()
            kept += len(street)
            test.extend(street)
        train.extend(f for s in ride for f in s)
    return train, test


def negatives(sources: list[Source], smallest_px: int = 200) -> list[np.ndarray]:
    """Pictures that show no plate, `uint8[h, w, 3]` each, from files, folders and clips.

    That no plate is in them is the caller's word: an unlabelled plate teaches to overlook plates.
    """
    pictures = []
    for source in sources:
        files = [source.path] if source.path.is_file() else sorted(source.path.rglob("*"))
        for file in files:
            kind = file.suffix.lower()
            if kind in CLIPS:
                pictures.extend(clip_frames(file))
            elif kind in PICTURES:
                picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
                if picture is not None and smallest_px <= min(picture.shape[:2]) <= 2200:
                    pictures.append(picture)
    return pictures


def clip_frames(path: Path) -> list[np.ndarray]:
    """`CLIP_FRAMES` frames of a clip, evenly spread, `uint8[h, w, 3]` each."""
    clip = cv2.VideoCapture(str(path))
    total = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    every = max(1, total // CLIP_FRAMES)
    frames = []
    while clip.grab():
        if (int(clip.get(cv2.CAP_PROP_POS_FRAMES)) - 1) % every == 0:
            good, picture = clip.retrieve()
            if good:
                frames.append(picture)
    return frames[:CLIP_FRAMES]
