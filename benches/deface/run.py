#!/usr/bin/env python3
"""deface against `greyplane redact`: the same clips in one run, CPU seconds and coverage.

Both programs get the same files and write masked copies, one by one. CPU seconds are user and
system time of the program and all it started, decoding and encoding included.
Coverage is read from the copies by one rule for both: the share of each labelled
face's samples that have the fill's colour. deface fills boxes with black here
(`--replacewith solid`) and not blurred ellipses, as it does by default: a blur
cannot be told from the picture, and the box hides more than the ellipse.
Everything else is deface's default: threshold 0.2, masks grown 1.3 times, every
frame at its full size; on onnxruntime, its faster backend.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import imageio.v3
import numpy as np

BUCKETS = [(16, "<16"), (32, "16-32"), (64, "32-64"), (float("inf"), ">64")]
# From which share of its samples a face counts as covered.
COVERED = 0.9


def cpu_seconds(command: list[str]) -> float:
    """Runs it to its end; its user and system seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # What it prints is of no use unless it fails.
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout.decode(errors='replace')[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def is_black(rgb: np.ndarray) -> np.ndarray:
    return (rgb < 40).all(axis=-1)


def is_grey(rgb: np.ndarray) -> np.ndarray:
    """Luma 128 in limited range is 130 of 255."""
    return (np.abs(rgb.astype(np.int16) - 130) <= 14).all(axis=-1)


class Score:
    """What of the labelled faces has the colour of the fill, over clips."""

    def __init__(self, is_fill) -> None:
        self.is_fill = is_fill
        self.shares: dict[str, list[float]] = {name: [] for _, name in BUCKETS}
        self.filled: list[float] = []

    def add(self, copy: Path, labels: dict) -> None:
        frames = {f["index"]: f["boxes"] for f in labels["frames"]}
        seen = 0
        for index, picture in enumerate(imageio.v3.imiter(copy, plugin="FFMPEG")):
            if index not in frames:
                continue
            fill = self.is_fill(picture)
            self.filled.append(float(fill.mean()))
            seen += 1
            for box in frames[index]:
                if box["class"] != "face" or box.get("ignore", False):
                    continue
                x0, y0, x1, y1 = (round(v) for v in box["xyxy"])
                inside = fill[y0:y1, x0:x1]
                if inside.size:
                    height = box["xyxy"][3] - box["xyxy"][1]
                    name = next(name for end, name in BUCKETS if height < end)
                    self.shares[name].append(float(inside.mean()))
        if seen < len(frames):
            sys.exit(f"{copy} has {seen} of {len(frames)} labelled frames")

    def report(self) -> dict:
        """By height: faces, mean share covered, share of faces covered to 90 %."""

        def of(values: list[float]) -> dict:
            if not values:
                return {"faces": 0, "mean_covered": None, "covered_90": None}
            near = sum(v >= COVERED for v in values) / len(values)
            return {"faces": len(values), "mean_covered": float(np.mean(values)), "covered_90": near}

        from_16 = [v for name, values in self.shares.items() if name != "<16" for v in values]
        return {
            "from_16_px": of(from_16),
            "by_height": {name: of(values) for name, values in self.shares.items()},
            "filled_share": float(np.mean(self.filled)),
        }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--greyplane", required=True, help="the program")
    arguments.add_argument("--dataset", required=True, type=Path, help="folder with labels.json")
    arguments.add_argument("--json", type=Path, help="write the figures here")
    arguments.add_argument("ours", nargs="*", help="arguments of `greyplane redact`")
    args = arguments.parse_args()

    entries = [e for e in json.loads((args.dataset / "labels.json").read_text()) if "clip" in e]
    if not entries:
        sys.exit(f"{args.dataset}/labels.json names no clip")
    deface = [str(Path(sys.executable).with_name("deface")), "--replacewith", "solid"]
    ours = [args.greyplane, "redact", "--classes", "face", *args.ours]
    scores = {"deface": Score(is_black), "greyplane": Score(is_grey)}
    # What of the original already has the fill's colour.
    before = {"deface": Score(is_black), "greyplane": Score(is_grey)}
    cpu_s = dict.fromkeys(scores, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for number, labels in enumerate(entries):
            clip = args.dataset / labels["clip"]
            copies = {name: Path(folder) / f"{name}-{number}.mp4" for name in scores}
            cpu_s["deface"] += cpu_seconds([*deface, str(clip), "-o", str(copies["deface"])])
            cpu_s["greyplane"] += cpu_seconds([*ours, str(clip), str(copies["greyplane"])])
            for name, copy in copies.items():
                scores[name].add(copy, labels)
                before[name].add(clip, labels)
    figures = {
        "clips": len(entries),
        "frames": sum(len(e["frames"]) for e in entries),
        "arguments": args.ours,
        "cpu_ratio": cpu_s["greyplane"] / cpu_s["deface"],
    }
    for name in scores:
        its = {"cpu_s": cpu_s[name], **scores[name].report()}
        figures[name] = {**its, "before": before[name].report()}
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + os.linesep)

    def percent(value) -> str:
        return "–" if value is None else f"{100 * value:.1f}"

    print(f"{figures['clips']} clips, {figures['frames']} frames")
    print("mean share of a face covered / share of faces covered to 90 %, by height in px")
    for name in scores:
        its = figures[name]
        heights = [("≥16", its["from_16_px"]), *its["by_height"].items()]
        by = "  ".join(
            f"{height}: {percent(b['mean_covered'])}/{percent(b['covered_90'])} ({b['faces']})"
            for height, b in heights
        )
        print(f"{name:>9}: {its['cpu_s']:7.1f} CPU s  {by}")
        print(f"{'':>9}  filled {percent(its['filled_share'])} % of the picture")
    print(f"greyplane takes {figures['cpu_ratio']:.2f} of deface's CPU seconds")


if __name__ == "__main__":
    main()
