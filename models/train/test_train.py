"""Smoke test of the recipe, without any data: `python -m unittest test_train`, about a minute."""

from __future__ import annotations

import json
import math
import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch

import score
from batches import NONE, Batches, Shape, crop
from data import Frame, Source, read_labels, split_by_street, streets
from export import Flat, export
from loss import BACKGROUND, OBJECT, UNSURE, assign
from net import MAX_PARAMETERS, Detector, parameters, to_input
from place import MAX_WIDTH_PX, place
from render import STYLES, flat_plate
from train import Run, Settings, untouched

TINY = Shape(sides_px=(128, 160), odds=(0.5, 0.5), batch_px=4 * 160 * 160)


def tiny_streets(folder: Path, frames: int = 6) -> None:
    """A dataset of grey noise with one rendered plate in each picture."""
    rows = []
    for number in range(frames):
        rng = np.random.default_rng(number)
        picture = rng.integers(60, 120, (240, 320, 3)).astype(np.uint8)
        box = place(rng, picture, [], 90.0, night=False)
        name = f"ride_{number * 30 + 1}.png"
        cv2.imwrite(str(folder / name), picture)
        rows.append({"image": name, "width": 320, "height": 240,
                     "boxes": [{"class": "plate", "xyxy": list(box)}]})
    (folder / "labels.json").write_text(json.dumps(rows))


class Rendering(unittest.TestCase):
    def test_a_seed_gives_one_picture(self) -> None:
        for seed in range(20):
            (first, style), (second, same) = (flat_plate(np.random.default_rng(seed))
                                              for _ in range(2))
            self.assertEqual(style, same)
            np.testing.assert_array_equal(first, second)

    def test_every_style_and_both_row_counts_come(self) -> None:
        rng = np.random.default_rng(0)
        plates = [flat_plate(rng) for _ in range(600)]
        self.assertEqual({name for _, name in plates}, {s.name for s in STYLES})
        ratios = [p.shape[1] / p.shape[0] for p, _ in plates]
        self.assertLess(min(ratios), 1.6)
        self.assertGreater(max(ratios), 4.5)

    def test_dutch_plates_are_yellow(self) -> None:
        rng = np.random.default_rng(1)
        yellow = [p for p, name in (flat_plate(rng) for _ in range(60)) if name == "nl-yellow"]
        for plate in yellow:
            blue, green, red = np.median(plate.reshape(-1, 3), 0)
            self.assertGreater(min(green, red), 3 * blue)

    def test_plates_fill_their_boxes_at_every_width(self) -> None:
        for wide in (8, 20, 60, 200, MAX_WIDTH_PX):
            rng = np.random.default_rng(int(wide))
            before = np.full((700, 900, 3), 128, np.uint8)
            after = before.copy()
            box = place(rng, after, [], wide, night=False)
            self.assertAlmostEqual(box[2] - box[0], wide, delta=0.01 * wide)
            x1, y1, x2, y2 = (int(v) for v in box)
            inside = after[y1:y2 + 1, x1:x2 + 1].astype(int) - 128
            self.assertGreater(np.abs(inside).mean(), 8, f"{wide} px wide")


class Splitting(unittest.TestCase):
    def frames(self, *numbers: int) -> list[Frame]:
        return [Frame(Path(f"a_{n}.jpg"), np.zeros((0, 4), np.float32), "a", n) for n in numbers]

    def test_streets_end_where_the_ride_goes_on(self) -> None:
        groups = streets(self.frames(50, 1, 2, 20, 41, 90))
        self.assertEqual([[f.number for f in g] for g in groups], [[1, 2, 20], [41, 50], [90]])

    def test_no_street_is_in_both_parts(self) -> None:
        numbers = [n for start in range(0, 1000, 100) for n in range(start, start + 8)]
        train, test = split_by_street(self.frames(*numbers), held_out=0.15)
        self.assertEqual(len(test), 16)
        self.assertGreater(min(f.number for f in test) - max(f.number for f in train), 20)

    def test_bad_input_is_refused(self) -> None:
        good = {"image": "a_1.png", "width": 10, "height": 10, "boxes": []}
        cases = {
            "no labels": None,
            "nothing in it": [],
            "a missing size": [{"image": "a_1.png", "boxes": []}],
            "a box without area": [good | {"boxes": [{"class": "plate", "xyxy": [5, 5, 5, 9]}]}],
            "a box outside": [good | {"boxes": [{"class": "plate", "xyxy": [5, 5, 50, 9]}]}],
            "not a number": [good | {"boxes": [{"class": "plate", "xyxy": [5, math.nan, 9, 9]}]}],
        }
        for name, labels in cases.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                if labels is not None:
                    (Path(folder) / "labels.json").write_text(json.dumps(labels))
                self.assertRaises(SystemExit, read_labels, Path(folder))
        for text in ("pictures", ".=", ".=GPL-3.0", "nowhere=MIT"):
            with self.subTest(text):
                self.assertRaises(SystemExit, Source.parse, text)


class Judging(unittest.TestCase):
    def test_covered_share(self) -> None:
        label = np.array([0.0, 0.0, 10.0, 10.0])
        cases = [
            ([], 0.0), ([[0, 0, 10, 10]], 1.0), ([[-5, -5, 5, 20]], 0.5),
            ([[0, 0, 5, 10], [0, 0, 5, 10]], 0.5), ([[0, 0, 6, 6], [4, 4, 10, 10]], 0.68),
            ([[20, 20, 30, 30]], 0.0),
        ]
        for boxes, share in cases:
            with self.subTest(boxes):
                got = score.covered_share(label, np.array(boxes, float).reshape(-1, 4))
                self.assertAlmostEqual(got, share)

    def test_a_picture_is_judged(self) -> None:
        result = score.Score()
        labels = np.array([[0, 0, 40, 20], [100, 100, 140, 110]], np.float32)
        found = np.array([[1, 0, 41, 20, 0.9], [0, 1, 40, 21, 0.8], [200, 0, 220, 20, 0.7]], float)
        result.add(labels, found)
        row = result.figures()
        self.assertEqual(row["false_positives_per_picture"], 1)
        self.assertEqual(row["all"]["recall"], 0.5)
        self.assertEqual(row["16-32"]["covered_90"], 1.0)
        self.assertEqual(row["<16"]["covered_90"], 0.0)

    def test_double_finds_are_suppressed(self) -> None:
        found = np.array([[0, 0, 10, 10, 0.5], [1, 0, 11, 10, 0.9], [30, 0, 40, 10, 0.4]], float)
        np.testing.assert_array_equal(score.suppress(found)[:, 4], [0.9, 0.4])

    def test_only_what_no_label_touches_is_doubtful(self) -> None:
        found = np.array([[0, 0, 10, 10], [9, 9, 20, 20], [40, 0, 50, 10]], float)
        labels = np.array([[0, 0, 10, 10]], np.float32)
        np.testing.assert_array_equal(untouched(found, labels), found[2:])
        np.testing.assert_array_equal(untouched(found, np.zeros((0, 4), np.float32)), found)

    def test_cells_are_assigned(self) -> None:
        truth = assign([(10.0, 20.0, 50.0, 30.0)], [(80.0, 80.0, 120.0, 120.0)], (128, 128))
        states = truth.state.numpy()
        self.assertEqual(len(states), 16 * 16 + 8 * 8 + 4 * 4)
        self.assertEqual(states[3 * 16 + 3], OBJECT)
        self.assertEqual(states[12 * 16 + 12], UNSURE)
        self.assertEqual(states[0], BACKGROUND)
        self.assertFalse((states[16 * 16:] == OBJECT).any(), "too small for coarse cells")


class Cropping(unittest.TestCase):
    def test_boxes_follow_the_picture(self) -> None:
        picture = np.full((300, 400, 3), 40, np.uint8)
        picture[140:160, 150:230] = 250
        boxes = np.float32([[150, 140, 230, 160]])
        seen = 0
        for seed in range(60):
            square, found, _ = crop(np.random.default_rng(seed), picture, boxes, NONE, 160)
            bright = square[:, :, 0] > 170
            if not found or bright.sum() < 60:
                continue
            seen += 1
            ys, xs = np.nonzero(bright)
            x1, y1, x2, y2 = found[0]
            got = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            np.testing.assert_allclose(got, [x1, y1, x2, y2], atol=4)
        self.assertGreater(seen, 30)

    def test_doubtful_boxes_are_never_to_be_found(self) -> None:
        picture = np.full((300, 400, 3), 40, np.uint8)
        doubtful = np.float32([[150, 140, 230, 160]])
        counts = [len(unsure) for seed in range(30) for _, found, unsure in
                  [crop(np.random.default_rng(seed), picture, NONE, doubtful, 256)] if not found]
        self.assertEqual(len(counts), 30)
        self.assertGreater(sum(counts), 5)


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        tiny_streets(cls.folder)
        cls.frames, cls.held_out = split_by_street(read_labels(cls.folder))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.scratch.cleanup()

    def run_for(self, name: str, steps: int, stop_after: int | None = None) -> Run:
        settings = Settings(minutes=600, steps=steps, threads=1, workers=0, shape=TINY, log_every=5)
        run = Run(settings, self.folder / f"{name}.pt")
        if stop_after is not None:
            batches = Batches(self.frames, [], TINY, settings.seed, steps)
            run.net.train()
            for step in range(stop_after):
                x, truth = batches[step]
                run._one(x, truth, step / steps)
                run.step += 1
            run.save()
            return run
        run.train(self.frames, [])
        return run

    def test_batches_are_a_function_of_seed_and_step(self) -> None:
        first, second = (Batches(self.frames, [], TINY, 5, 9)[3] for _ in range(2))
        self.assertTrue(torch.equal(first[0], second[0]))
        self.assertTrue(torch.equal(first[1].state, second[1].state))

    def test_the_network_is_small(self) -> None:
        self.assertLessEqual(parameters(Detector()), MAX_PARAMETERS)

    def test_training_lowers_the_loss_and_the_file_says_what_the_network_says(self) -> None:
        run = self.run_for("smoke", 20)
        self.assertEqual(run.step, 20)
        total = [row["score_loss"] + row["box_loss"] for row in run.log]
        self.assertLess(total[-1], total[0])

        model = self.folder / "smoke.onnx"
        export(run.average, model)
        self.assertLess(model.stat().st_size, 2_000_000)
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        self.assertEqual([o.name for o in session.get_outputs()], ["scores", "boxes"])
        rng = np.random.default_rng(0)
        for high, wide in ((128, 160), (96, 96), (384, 640)):
            x = to_input(rng.integers(0, 256, (high, wide, 3)).astype(np.uint8))[None]
            with torch.no_grad():
                logits, boxes = run.average(torch.from_numpy(x))["plate"]
            scores = torch.sigmoid(logits)
            got_scores, got_boxes = session.run(["scores", "boxes"], {"input": x})
            cells = sum((high // s) * (wide // s) for s in (8, 16, 32))
            self.assertEqual(got_scores.shape, (1, cells))
            self.assertEqual(got_boxes.shape, (1, cells, 4))
            np.testing.assert_allclose(got_scores, scores.numpy(), atol=1e-3)
            np.testing.assert_allclose(got_boxes, boxes.numpy(), rtol=1e-3, atol=1e-3)

        rows = score.measure(model, self.held_out, [320], [0.3])
        self.assertEqual(rows[0]["all"]["labels"], len(self.held_out))

    def test_a_resumed_run_is_the_run_that_never_stopped(self) -> None:
        whole = self.run_for("whole", 6)
        self.run_for("parts", 6, stop_after=3)
        resumed = self.run_for("parts", 6)
        self.assertEqual(resumed.step, 6)
        for a, b in zip(whole.net.parameters(), resumed.net.parameters()):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)

    def test_a_second_class_gets_outputs_of_its_own(self) -> None:
        flat = Flat(Detector(("plate", "face")))
        with torch.no_grad():
            results = flat(torch.zeros(1, 3, 64, 64))
        self.assertEqual([tuple(r.shape) for r in results], [(1, 84), (1, 84, 4)] * 2)


if __name__ == "__main__":
    unittest.main()
