"""How well an ONNX detector finds rendered plates of every width and kind:
`python widths.py MODEL.onnx… --data DIR=LICENCE`.

One plate is drawn into each picture, a held-out street of 1280 × 720 whose own plates are painted
over. `--long-side` says at which sizes it is looked at; all finds count. Given is the share of
plates of which ≥ 90 % is covered after growing by 30 %, in per cent. Rendered by
what also draws the plates of the training: it shows gaps, not how good a model is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import score
from data import Frame, Source, read_labels, split_by_street
from place import place
from render import flat_plate
from spoil import darken

WIDTHS_PX = (8, 12, 16, 32, 64, 128, 256, 400, 600)
KINDS = ("any", "one row", "two rows", "motorcycle", "taxi", "night")


def fits(kind: str, seed: int) -> bool:
    """Whether the plate that `seed` gives is of this kind."""
    plate, style = flat_plate(np.random.default_rng(seed))
    rows = 1 if plate.shape[1] > 2.5 * plate.shape[0] else 2
    return {"one row": rows == 1, "two rows": rows == 2, "taxi": style == "nl-taxi",
            "motorcycle": style.endswith("motorcycle")}.get(kind, True)


def drawn(frame: Frame, kind: str, width_px: float, first_seed: int
          ) -> tuple[np.ndarray, np.ndarray] | None:
    """A picture with one plate of `kind`, and its box `[1, 4]`; `None` where none fits in."""
    picture = frame.picture()
    for x1, y1, x2, y2 in np.clip(frame.boxes, 0, None).astype(int):
        picture[y1:y2, x1:x2] = picture[y1:y2, x1:x2].mean((0, 1))
    if kind == "night":
        picture = darken(np.random.default_rng(first_seed), picture)
    seed = next(s for s in range(first_seed, first_seed + 10_000) if fits(kind, s))
    box = place(np.random.default_rng(seed), picture, [], width_px, kind == "night")
    return None if box is None else (picture, np.array([box]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--data", type=Source.parse, required=True, metavar="DIR=LICENCE")
    parser.add_argument("--pictures", type=int, default=30, help="for each width and kind")
    parser.add_argument("--long-side", type=int, nargs="+", default=[1280], help="px")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    _, frames = split_by_street(read_labels(args.data.path))
    detectors = [score.OnnxDetector(m, args.threads) for m in args.models]
    print(f"{args.pictures} each, looked at in {args.long_side} px, threshold {args.threshold}: "
          "covered ≥ 90 %, in %, by width in px")
    print("kind        model           " + "".join(f"{w:6d}-" for w in WIDTHS_PX[:-1]))
    for kind in KINDS:
        rows = [[] for _ in detectors]
        for low, high in zip(WIDTHS_PX[:-1], WIDTHS_PX[1:]):
            covered = np.zeros(len(detectors))
            count = 0
            for number in range(args.pictures):
                width = low + (high - low) * (number + 0.5) / args.pictures
                made = drawn(frames[number % len(frames)], kind, width, 1_000_000 * (number + 1))
                if made is None:
                    continue
                count += 1
                picture, box = made
                for at, detector in enumerate(detectors):
                    found = np.concatenate([detector(picture, side) for side in args.long_side])
                    found = score.grown(found[found[:, 4] >= args.threshold], score.GROWN)
                    covered[at] += score.covered_share(box[0], found) >= score.COVERED
            for row, hits in zip(rows, covered):
                row.append(f"{100 * hits / count:7.0f}" if count else "      –")
        for model, row in zip(args.models, rows):
            print(f"{kind:11s} {model.stem[:15]:16s}" + "".join(row), flush=True)


if __name__ == "__main__":
    main()
