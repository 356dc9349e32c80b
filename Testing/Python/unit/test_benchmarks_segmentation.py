"""The benchmark of outlines, on drawn frames and a tiny segmenter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from USEnhanceLib.benchmarks.registry import run_benchmark
from USEnhanceLib.benchmarks.segmentation import accuracy, recovery, robustness, run
from USEnhanceLib.benchmarks.segmentation.scores import independent, score
from USEnhanceLib.benchmarks.segmentation.worst import outlined, worst_frames
from USEnhanceLib.errors import OptionError
from USEnhanceLib.segmentation import STRUCTURES
from USEnhanceLib.training.structure_data import outlined_frames

GROUPS = 4


@pytest.fixture(scope="module")
def data(drawn_structures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PSFHS in small: four val groups of two frames, and two frames to learn from that are one twice."""
    folder = tmp_path_factory.mktemp("data")
    for part in ("image", "label"):
        (folder / "psfhs" / part).mkdir(parents=True)
    rows = ["id,device,group,split"]
    pixels, labels = drawn_structures(2 * GROUPS, 192, 256, 3)
    frames = [(p, own, "val", i // 2) for i, (p, own) in enumerate(zip(pixels, labels, strict=True))]
    frames += [(pixels[0], labels[shift], "train", 90) for shift in (0, 5)]
    for i, (frame, own, split, group) in enumerate(frames):
        Image.fromarray(np.rint(frame * 255).astype(np.uint8)).save(folder / "psfhs/image" / f"{i:03}.png")
        Image.fromarray(own).save(folder / "psfhs/label" / f"{i:03}.png")
        rows.append(f"{i:03},{'B' if group % 2 else 'A'},{group},{split}")
    (folder / "psfhs" / "split.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def record(data, tiny_segmenter, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    folder = tmp_path_factory.mktemp("bench")
    made = run_benchmark(
        "segmentation",
        data,
        folder / "record.json",
        markdown_path=folder / "record.md",
        methods=["median", "lee"],
        segmenter=str(tiny_segmenter),
        plain=str(tiny_segmenter),
        tables=["accuracy", "recovery", "robustness"],
        processes=1,
    )
    return made, folder


def test_the_record_and_the_tables_are_written(record):
    made, folder = record
    assert json.loads((folder / "record.json").read_text())["tables"].keys() == made["tables"].keys()
    text = (folder / "record.md").read_text()
    assert set(made["tables"]) == {"accuracy", "recovery", "robustness"}
    assert all(run.TITLES[name] in text for name in made["tables"])
    assert "| fhps | all | 8 |" in text
    assert "segmenter plain" in text
    assert (folder / "record.png").is_file()


def test_a_perfect_outline_scores_one_and_nothing_is_off(drawn_structures):
    _, labels = drawn_structures(1, 192, 256, 0)
    own = score(labels[0], labels[0])
    assert own.refused == {}
    for name, value in own.figures.items():
        assert value == (1.0 if name.startswith("dice") else 0.0)


def test_a_missing_structure_has_no_distance_and_no_angle(drawn_structures):
    _, labels = drawn_structures(1, 192, 256, 0)
    without = np.where(labels[0] == 1, np.uint8(0), labels[0])
    own = score(without, labels[0])
    assert own.figures["dice PS"] == 0
    assert own.figures["hd95 PS"] is None
    assert own.figures["aop"] is None
    assert set(own.refused) == {"found"}


def test_labels_of_identical_images_are_compared(record):
    pairs = record[0]["tables"]["accuracy"]["label_noise"]
    # The first val frame is among those to learn from, too: three labels of one image, that of 009 another.
    named = [tuple(pair["frames"]) for pair in pairs]
    assert named == [("psfhs/008", "psfhs/009"), ("psfhs/009", "psfhs/000")]
    assert 0 < pairs[0]["figures"]["dice FH"] < 1


def test_what_is_found_where_nothing_is_there_is_told(record):
    own = record[0]["tables"]["accuracy"]["elsewhere"]["fhps"]
    assert own["heart frames"] == 30
    assert all(0 <= own[f"heart with a {name}"] <= 1 for name in ("head", "symphysis"))
    assert own["heads"] == []
    assert "| heart with FH |" in (record[1] / "record.md").read_text()


def test_one_frame_of_each_group_is_taken(data):
    frames = outlined_frames(data / "psfhs", "val")
    taken = independent(frames, None, 0)
    assert len(taken) == len({frame.group for frame in taken}) == GROUPS
    assert [frame.name for frame in taken] == [frame.name for frame in independent(frames, None, 0)]
    assert len(independent(frames, 2, 0)) == 2


def test_every_condition_has_its_frame(drawn_structures):
    pixels, _ = drawn_structures(1, 64, 64, 0)
    versions = recovery.degraded_frames(pixels[0], "a", 0)
    assert len(versions) == len(recovery.conditions())
    assert np.array_equal(versions[0], pixels[0])
    assert all(not np.array_equal(version, pixels[0]) for version in versions[1:])
    again = recovery.degraded_frames(pixels[0], "a", 0)
    assert all(np.array_equal(*pair) for pair in zip(versions, again, strict=True))


def test_dice_of_the_input_does_not_depend_on_methods(record):
    found = record[0]["tables"]["recovery"]["dice"]["fhps"]
    assert set(found) == {"input", "median", "lee"}
    assert set(found["input"]) == set(recovery.conditions())
    assert all(len(frames) == GROUPS for frames in found["median"].values())
    clean = record[0]["tables"]["robustness"]["dice"]["fhps"]["as it is"]
    assert all(own["FH"] > 0.8 for own in clean)


def test_half_of_the_loss_is_what_counts():
    def dices(clean: float, noisy: float) -> dict:
        return {"clean": [{"FH": clean}], "noisy": [{"FH": noisy}]}

    of_input = dices(0.9, 0.7)
    assert recovery.recovered(dices(0.9, 0.81), of_input, "noisy", "FH") is True
    assert recovery.recovered(dices(0.9, 0.79), of_input, "noisy", "FH") is False
    assert recovery.recovered(dices(0.9, 0.9), dices(0.9, 0.895), "noisy", "FH") is None
    assert recovery.recovered(dices(0.896, 0), of_input, "clean", "FH") is True
    assert recovery.recovered(dices(0.894, 0), of_input, "clean", "FH") is False


def test_changes_move_labels_with_pixels(drawn_structures):
    _, labels = drawn_structures(1, 96, 128, 0)
    frame = labels[0].astype(np.float32) / 2
    for name, change in robustness.changes().items():
        pixels, own = change(frame, labels[0])
        assert pixels.shape == own.shape
        if not name.startswith("gain"):
            assert np.mean(np.abs(pixels * 2 - own) < 0.5) > 0.95, name
    assert robustness.changes()["double size"](frame, labels[0])[0].shape == (192, 256)
    assert robustness.changes()["shown half as large"](frame, labels[0])[0].shape == (96, 128)


def test_the_worst_frames_come_first_one_of_each_group(record):
    found = record[0]["tables"]["accuracy"]
    worst = worst_frames(found, "fhps")
    means = [np.mean([figures[f"dice {s.short}"] for s in STRUCTURES]) for _, figures in worst]
    assert means == sorted(means)
    assert len(worst) == GROUPS
    assert found["worst"] == [name for name, _ in worst]


def test_borders_are_drawn_in_the_structures_colours(drawn_structures):
    _, labels = drawn_structures(1, 96, 128, 0)
    picture = outlined(np.zeros((96, 128), np.uint8), labels[0])
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)}
    assert len(colours) == 1 + len(STRUCTURES)
    assert (picture.any(2) <= (labels[0] > 0)).all()


def test_refusals_are_counted():
    found = {
        "frames": [{"name": "a", "group": "1", "device": "A"}],
        "models": {"fhps": {"scores": [dict.fromkeys(accuracy.FIGURES)], "refused": [{"found": "Because."}]}},
        "label_noise": [],
        "elsewhere": {},
    }
    assert "1 x found: Because" in accuracy.render(found)


def test_unknown_tables_and_models_are_refused(data, tmp_path):
    with pytest.raises(OptionError, match="no table"):
        run_benchmark("segmentation", data, tmp_path / "a.json", tables=["nothing"])
    with pytest.raises(OptionError, match="segmentation model"):
        run_benchmark("segmentation", data, tmp_path / "a.json", segmenter="nothing")
    with pytest.raises(OptionError, match="not for segmentation"):
        run_benchmark("segmentation", data, tmp_path / "a.json", plain="scunet")
