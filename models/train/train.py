"""Trains the plate detector from random weights: `python train.py --data DIR=LICENCE --out plate`.

Writes `<out>.onnx` (the model), `<out>.json` (what it was made from and how well it finds plates on
streets it has not seen) and `<out>.pt` (the checkpoint: run the same command again to go on).
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch

import score
from batches import Batches, Shape
from data import Frame, Source, negatives, read_labels, split_by_street
from export import export
from loss import Truth, losses
from net import MAX_PARAMETERS, Detector, parameters
from render import font_names

LABEL = "plate"
WARM_UP_STEPS = 150
LAST_RATE = 0.02
"""The learning rate ends at this share of its peak."""
BOX_WEIGHT = 2.0
DOUBTED_BY = {"long_side_px": 1280, "threshold": 0.6}
"""How an earlier model looks for plates that nobody labelled. At 0.6 most of what it finds beside the
labels are plates (README.md); at 0.3 it doubts four places a frame, and lamps are no background."""
LONGEST_AVERAGE = 0.998


@dataclass(frozen=True)
class Settings:
    """All that decides what a run gives, besides the data."""

    minutes: float = 60.0
    """Time budget of training, without scoring; the learning rate falls to its end with it."""
    steps: int = 100_000
    """The run ends here even if time is left."""
    seed: int = 1
    rate: float = 2e-3
    weight_decay: float = 1e-4
    threads: int = 2
    workers: int = 1
    """Processes that draw batches; 0 draws them between the steps."""
    device: str = "cpu"
    half: bool = True
    """Convolutions in bfloat16; a third of the CPU time where the machine computes in it (AMX)."""
    shape: Shape = field(default_factory=Shape)
    log_every: int = 50
    save_every: int = 500


class Run:
    """A training run that can stop and go on: weights, their average, optimiser, place in time."""

    def __init__(self, settings: Settings, checkpoint: Path) -> None:
        """Goes on from `checkpoint` where that exists; refuses one of another seed."""
        self.settings, self.checkpoint = settings, checkpoint
        torch.manual_seed(settings.seed)
        # Channels last: oneDNN's convolutions want it, and it changes no result.
        self.net = Detector((LABEL,)).to(settings.device, memory_format=torch.channels_last)
        if parameters(self.net) > MAX_PARAMETERS:
            raise SystemExit(f"{parameters(self.net)} parameters, {MAX_PARAMETERS} are allowed")
        self.average = copy.deepcopy(self.net).eval()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=settings.rate,
                                           weight_decay=settings.weight_decay)
        self.step = 0
        self.elapsed_s = 0.0
        """Wall clock spent in training, over all sittings."""
        self.log: list[dict[str, float]] = []
        if checkpoint.exists():
            self._load(torch.load(checkpoint, map_location=settings.device))

    def train(self, frames: list[Frame], empty: list) -> None:
        """Trains until the budget of time or steps is spent; saves on the way and at the end."""
        settings = self.settings
        torch.set_num_threads(settings.threads)
        cv2.setNumThreads(1)
        batches = Batches(frames, empty, settings.shape, settings.seed, settings.steps)
        loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=settings.workers,
                                             sampler=range(self.step, settings.steps))
        begin = time.monotonic() - self.elapsed_s
        sums = [0.0, 0.0]
        self.net.train()
        for x, truth in loader:
            spent = max(self.step / settings.steps, self.elapsed_s / 60 / settings.minutes)
            if spent >= 1:
                break
            score_loss, box_loss = self._one(x.to(settings.device), truth.to(settings.device),
                                             spent)
            self.step += 1
            self.elapsed_s = time.monotonic() - begin
            sums = [sums[0] + score_loss, sums[1] + box_loss]
            if self.step % settings.log_every == 0:
                self._note([s / settings.log_every for s in sums])
                sums = [0.0, 0.0]
            if self.step % settings.save_every == 0:
                self.save()
        self.save()

    def _one(self, x: torch.Tensor, truth: Truth, spent: float) -> tuple[float, float]:
        """One step; `spent` 0..1 is how much of the budget is gone."""
        fade = LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * spent)) / 2
        rate = self.settings.rate * min(1.0, (self.step + 1) / WARM_UP_STEPS) * fade
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        logits, boxes = self._look(x)
        score_loss, box_loss = losses(logits, boxes, truth)
        loss = score_loss + BOX_WEIGHT * box_loss
        if not torch.isfinite(loss):
            raise SystemExit(f"step {self.step}: the loss is not a number; lower --rate")
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 10.0)
        self.optimiser.step()
        self._follow()
        return float(score_loss), float(box_loss)

    def _look(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As `Detector.forward`, but backbone and neck in bfloat16 where that is set."""
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.settings.half):
            features = self.net.neck(self.net.backbone(x))
        # The heads stay exact: bfloat16 knows pixels beyond 256 only in steps of two.
        return self.net.heads[LABEL]([f.float() for f in features])

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the averaged weights towards the trained ones, more slowly from step to step."""
        keep = min(LONGEST_AVERAGE, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.average.parameters(), self.net.parameters()):
            mean.lerp_(value, 1 - keep)
        for mean, value in zip(self.average.buffers(), self.net.buffers()):
            mean.copy_(value)

    def _note(self, means: list[float]) -> None:
        self.log.append({"step": self.step, "minutes": round(self.elapsed_s / 60, 2),
                         "score_loss": round(means[0], 4), "box_loss": round(means[1], 4)})
        text = "step {step}  {minutes} min  score {score_loss}  box {box_loss}"
        print(text.format(**self.log[-1]), flush=True)

    def save(self) -> None:
        """Writes the checkpoint whole or not at all."""
        part = self.checkpoint.with_suffix(".part")
        torch.save({"net": self.net.state_dict(), "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "step": self.step,
                    "elapsed_s": self.elapsed_s, "log": self.log, "seed": self.settings.seed}, part)
        part.replace(self.checkpoint)

    def _load(self, saved: dict) -> None:
        if saved["seed"] != self.settings.seed:
            raise SystemExit(f"{self.checkpoint.name} is of seed {saved['seed']}: "
                             "use that seed or another --out")
        self.net.load_state_dict(saved["net"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step, self.elapsed_s, self.log = saved["step"], saved["elapsed_s"], saved["log"]


def with_doubts(frames: list[Frame], model: Path) -> list[Frame]:
    """`frames` with every find of an earlier model that no label touches marked as unsure.

    Street data label the plates that could be read and leave others out; trained on as background,
    those teach the network to overlook plates.
    """
    detector = score.OnnxDetector(model)
    doubted = []
    for frame in frames:
        found = detector(frame.picture(), DOUBTED_BY["long_side_px"])
        boxes = found[found[:, 4] >= DOUBTED_BY["threshold"], :4]
        doubted.append(replace(frame, unsure=untouched(boxes, frame.boxes).astype("float32")))
    return doubted


def untouched(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Those of `found` `[m, 4]` that share no area with any of `labels` `[n, 4]`."""
    return found[score.shared_area(found, labels).sum(1) == 0]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def figures(run: Run, model: Path, made_from: dict, rows: list[dict]) -> dict:
    """What the model card needs: origin, recipe, loss, score."""
    settings = run.settings
    return {
        "model": model.name,
        "sha256": sha256(model),
        "bytes": model.stat().st_size,
        "parameters": parameters(run.net),
        "initial_weights": "random",
        "made_from": made_from,
        "recipe": {"seed": settings.seed, "steps": run.step,
                   "minutes": round(run.elapsed_s / 60, 1), "budget_minutes": settings.minutes,
                   "rate": settings.rate, "sides_px": settings.shape.sides_px,
                   "batch_px": settings.shape.batch_px, "threads": settings.threads,
                   "device": settings.device, "bfloat16": settings.half, "torch": torch.__version__},
        "loss": run.log,
        "held_out": rows,
    }


def parse() -> argparse.Namespace:
    default = Settings()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Source.parse, required=True, nargs="+",
                        metavar="DIR=LICENCE", help="folders with labels.json")
    parser.add_argument("--negatives", type=Source.parse, default=[], nargs="*",
                        metavar="PATH=LICENCE", help="pictures and clips without plates")
    parser.add_argument("--doubts-of", type=Path, metavar="MODEL",
                        help="an earlier model: what it finds unlabelled is not background")
    parser.add_argument("--out", type=Path, required=True, help="where to write, without ending")
    parser.add_argument("--minutes", type=float, default=default.minutes)
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--rate", type=float, default=default.rate)
    parser.add_argument("--threads", type=int, default=default.threads)
    parser.add_argument("--workers", type=int, default=default.workers)
    parser.add_argument("--device", default=default.device, help="cpu or cuda")
    parser.add_argument("--exact", action="store_true", help="no bfloat16: for other machines")
    parser.add_argument("--held-out", type=float, default=0.15, help="share of each clip's frames")
    return parser.parse_args()


def main() -> None:
    args = parse()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    settings = Settings(minutes=args.minutes, steps=args.steps, seed=args.seed, rate=args.rate,
                        threads=args.threads, workers=args.workers, device=args.device,
                        half=not args.exact)
    train: list[Frame] = []
    test: list[Frame] = []
    for source in args.data:
        seen, unseen = split_by_street(read_labels(source.path, LABEL), args.held_out)
        train, test = train + seen, test + unseen
    if args.doubts_of:
        train = with_doubts(train, args.doubts_of)
    empty = negatives(args.negatives)
    print(f"{len(train)} frames to train on, {len(test)} held out, {len(empty)} empty pictures, "
          f"{len(font_names())} fonts", flush=True)

    run = Run(settings, args.out.with_suffix(".pt"))
    run.train(train, empty)
    model = args.out.with_suffix(".onnx")
    export(run.average, model)
    rows: list[dict] = []
    for yellow in (False, True) if test else ():
        rows += score.measure(model, test, [640, 1280], [0.3, 0.5, 0.6, 0.8], tint=yellow)
    for row in rows:
        print(score.line(row))
    made_from = {
        "labelled": [s.record() for s in args.data],
        "negatives": [s.record() for s in args.negatives],
        "frames": len(train), "plates": int(sum(len(f.boxes) for f in train)),
        "unsure": int(sum(len(f.unsure) for f in train)),
        "unsure_from_sha256": sha256(args.doubts_of) if args.doubts_of else None,
        "frames_held_out": len(test), "plates_held_out": int(sum(len(f.boxes) for f in test)),
        "empty_pictures": len(empty), "rendered": "render.py", "fonts": font_names(),
    }
    report = json.dumps(figures(run, model, made_from, rows), indent=1)
    args.out.with_suffix(".json").write_text(report + "\n")


if __name__ == "__main__":
    main()
