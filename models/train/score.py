"""How well an ONNX detector finds labelled boxes: `python score.py MODEL --data DIR=LICENCE`.

Per input width and threshold: recall (IoU ≥ 0.5), false positives per picture (detections that
overlap no label by 30 % of the smaller area), the mean covered share of each label's area and the
share of labels ≥ 90 % covered when detections are grown by 30 %; all by height of the label in
its picture. This file must not know torch: it judges the file that is shipped, as it is run.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from data import Frame, Source, read_labels, split_by_street

MEAN_BGR = np.float32((104, 117, 123))
MULTIPLE_PX = 32
BUCKETS = (("<16", 0, 16), ("16-32", 16, 32), ("32-64", 32, 64), (">=64", 64, float("inf")))
GROWN = 0.30
COVERED = 0.9
LOWEST_SCORE = 0.15
NMS_IOU = 0.4
YELLOW_BGR = np.array([0.2, 0.85, 1.0])


class OnnxDetector:
    """A detector with the inputs and outputs that `export` describes."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options,
                                                    providers=["CPUExecutionProvider"])
        self.run_ms: list[float] = []

    def __call__(self, picture: np.ndarray, long_side_px: int) -> np.ndarray:
        """Detections `float64[m, 5]`: xyxy in pixels of `picture`, score; best first.

        `picture` is scaled so that its longer side is `long_side_px`, and padded with black at the
        right and at the bottom to multiples of 32.
        """
        x, scale = letterbox(picture, long_side_px)
        begin = time.perf_counter()
        scores, boxes = self.session.run(["scores", "boxes"], {"input": x})
        self.run_ms.append((time.perf_counter() - begin) * 1e3)
        likely = scores[0] >= LOWEST_SCORE
        found = np.c_[boxes[0][likely] / scale, scores[0][likely]].astype(np.float64)
        return suppress(found)


def letterbox(picture: np.ndarray, long_side_px: int) -> tuple[np.ndarray, float]:
    """`uint8[h, w, 3]` → network input `float32[1, 3, H, W]` and the scale picture → input."""
    high, wide = picture.shape[:2]
    scale = long_side_px / max(high, wide)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, size, interpolation=way)
    padded = -(-size[1] // MULTIPLE_PX) * MULTIPLE_PX, -(-size[0] // MULTIPLE_PX) * MULTIPLE_PX
    canvas = np.zeros((*padded, 3), np.float32)
    canvas[: size[1], : size[0]] = small
    return np.ascontiguousarray((canvas - MEAN_BGR).transpose(2, 0, 1)[None]), scale


def shared_area(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Common area of every box of `a` `[n, 4]` with every box of `b` `[m, 4]`: `[n, m]`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    return np.clip(high - low, 0, None).prod(2)


def area(boxes: np.ndarray) -> np.ndarray:
    """`[n, 4]` → `[n]`."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def suppress(found: np.ndarray) -> np.ndarray:
    """Greedy non-maximum suppression of detections `[m, 5]` at `NMS_IOU`; best first."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    kept = []
    while len(found):
        kept.append(found[0])
        shared = shared_area(found[:1], found)[0]
        iou = shared / (area(found[:1])[0] + area(found) - shared + 1e-9)
        found = found[(iou <= NMS_IOU) & (np.arange(len(found)) > 0)]
    return np.array(kept).reshape(-1, 5)


def grown(boxes: np.ndarray, by: float) -> np.ndarray:
    """Boxes `[n, 4]` whose sides are longer by the share `by`, about the same centre."""
    more = (boxes[:, 2:4] - boxes[:, :2]) * by / 2
    return np.c_[boxes[:, :2] - more, boxes[:, 2:4] + more]


def covered_share(label: np.ndarray, boxes: np.ndarray) -> float:
    """Share 0..1 of the box `label` `[4]` that lies under the union of `boxes` `[n, 4]`; exact."""
    clipped = np.c_[np.maximum(boxes[:, :2], label[:2]), np.minimum(boxes[:, 2:4], label[2:])]
    clipped = clipped[(clipped[:, 2:] > clipped[:, :2]).all(1)]
    edges_x = np.unique(np.r_[label[[0, 2]], clipped[:, [0, 2]].ravel()])
    total = 0.0
    for left, right in zip(edges_x[:-1], edges_x[1:]):
        reach = label[1]
        strip = clipped[(clipped[:, 0] <= left) & (clipped[:, 2] >= right)]
        for low, high in strip[np.argsort(strip[:, 1])][:, [1, 3]]:
            total += max(0.0, high - max(low, reach)) * (right - left)
            reach = max(reach, high)
    return total / float((label[2:] - label[:2]).prod())


@dataclass
class Tally:
    """Counts of one bucket."""

    labels: int = 0
    hits: int = 0
    covered_sum: float = 0.0
    covered: int = 0

    def add(self, hit: bool, share: float) -> None:
        self.labels += 1
        self.hits += hit
        self.covered_sum += share
        self.covered += share >= COVERED

    def figures(self) -> dict[str, float | int | None]:
        """Shares 0..1; `None` where nothing was labelled."""
        def part(value: float) -> float | None:
            return round(value / self.labels, 4) if self.labels else None
        return {"labels": self.labels, "recall": part(self.hits),
                "mean_coverage": part(self.covered_sum), "covered_90": part(self.covered)}


@dataclass
class Score:
    """All figures of one width and threshold."""

    pictures: int = 0
    false_positives: int = 0
    tallies: dict[str, Tally] = field(
        default_factory=lambda: {name: Tally() for name in ("all", *(b[0] for b in BUCKETS))})

    def add(self, labels: np.ndarray, found: np.ndarray) -> None:
        """Judges one picture's detections `[m, 5]` against its labels `[n, 4]`."""
        self.pictures += 1
        labels = labels.astype(np.float64)
        shared = shared_area(found, labels)
        union = area(found)[:, None] + area(labels)[None] - shared
        smaller = np.minimum(area(found)[:, None], area(labels)[None])
        if len(found):
            touched = (shared / np.maximum(smaller, 1e-9)).max(1, initial=0.0)
            self.false_positives += int((touched < 0.3).sum())
        hits = matched(shared / np.maximum(union, 1e-9))
        masks = grown(found, GROWN)
        for number, label in enumerate(labels):
            share = covered_share(label, masks)
            tall = label[3] - label[1]
            name = next(n for n, low, high in BUCKETS if low <= tall < high)
            for key in ("all", name):
                self.tallies[key].add(number in hits, share)

    def figures(self) -> dict:
        return {"false_positives_per_picture": round(self.false_positives / self.pictures, 3),
                **{name: tally.figures() for name, tally in self.tallies.items()}}


def matched(iou: np.ndarray) -> set[int]:
    """Labels found, each by another detection with IoU ≥ 0.5; rows are detections, best first."""
    hits: set[int] = set()
    for row in iou:
        free = [(value, label) for label, value in enumerate(row)
                if value >= 0.5 and label not in hits]
        if free:
            hits.add(max(free)[1])
    return hits


def measure(model: Path, frames: list[Frame], widths_px: list[int], thresholds: list[float],
            threads: int = 1, tint: bool = False) -> list[dict]:
    """One row of figures for each width and threshold.

    `tint` colours the labelled plates yellow first: the labelled streets are not Dutch.
    """
    detector = OnnxDetector(model, threads)
    rows = []
    for wide in widths_px:
        scores = {threshold: Score() for threshold in thresholds}
        detector.run_ms.clear()
        for frame in frames:
            picture = frame.picture()
            if tint:
                for x1, y1, x2, y2 in np.clip(frame.boxes, 0, None).astype(int):
                    picture[y1:y2, x1:x2] = (picture[y1:y2, x1:x2] * YELLOW_BGR).astype(np.uint8)
            found = detector(picture, wide)
            for threshold, score in scores.items():
                score.add(frame.boxes, found[found[:, 4] >= threshold])
        for threshold, score in scores.items():
            rows.append({"long_side_px": wide, "threshold": threshold, "yellow": tint,
                         "run_ms_median": round(float(np.median(detector.run_ms)), 2),
                         "threads": threads, **score.figures()})
    return rows


def line(row: dict) -> str:
    """One row for people: recall / covered ≥ 90 % by height, in per cent."""
    colour = " yellow" if row["yellow"] else ""
    parts = [f"{row['long_side_px']:5d} px  ≥{row['threshold']:.2f}{colour}"
             f"  {row['run_ms_median']:6.1f} ms  FP/img {row['false_positives_per_picture']:5.2f}"]
    for name in ("all", *(b[0] for b in BUCKETS)):
        tally = row[name]
        if tally["labels"]:
            parts.append(f"{name} n={tally['labels']} {100 * tally['recall']:.0f}/"
                         f"{100 * tally['covered_90']:.0f}")
    return "  |  ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Source.parse, required=True, metavar="DIR=LICENCE")
    parser.add_argument("--part", choices=("held-out", "training", "all"), default="held-out")
    parser.add_argument("--held-out", type=float, default=0.15, help="share of each clip's frames")
    parser.add_argument("--width", type=int, nargs="+", default=[640, 1280], help="px, long side")
    parser.add_argument("--threshold", type=float, nargs="+", default=[0.3, 0.5, 0.6])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--yellow", action="store_true", help="colour the plates yellow first")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    if min(args.threshold) < LOWEST_SCORE:
        parser.error(f"detections below {LOWEST_SCORE} are not kept: choose a higher threshold")
    frames = read_labels(args.data.path)
    train, test = split_by_street(frames, args.held_out)
    chosen = {"held-out": test, "training": train, "all": frames}[args.part]
    if not chosen:
        parser.error("no frame in this part")
    rows = measure(args.model, chosen, args.width, args.threshold, args.threads, args.yellow)
    print(f"{args.model.name}: {len(chosen)} pictures; recall / covered ≥ 90 %, in %, by height")
    for row in rows:
        print(line(row))
    if args.json:
        args.json.write_text(json.dumps({"part": args.part, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
