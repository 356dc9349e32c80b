"""Segmentation in a real worker process, with a real network, beside enhancement in the same process."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from USEnhanceLib.errors import EnhancementCancelled, InputError, ModelError, OptionError, WorkerError
from USEnhanceLib.segmentation import load_segmenter
from USEnhanceLib.worker import SubprocessWorker


@pytest.fixture(scope="module")
def exchange_parent(tmp_path_factory):
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="module")
def worker(exchange_parent):
    """One process for all tests of this file that do not hurt it."""
    with SubprocessWorker(temporary_folder=exchange_parent) as worker:
        yield worker


@pytest.fixture(scope="module")
def frames(drawn_structures):
    return drawn_structures(3)[0]


def wait(worker, until):
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline
        worker.process.pump(worker.client, 0.02)


def test_the_labels_are_what_the_segmenter_gives(worker, tiny_segmenter, drawn_structures):
    pixels, drawn = drawn_structures(3)
    told = []
    result = worker.segment(pixels, model=tiny_segmenter, device="cpu", progress=lambda *a: told.append(a))
    segmenter = load_segmenter(tiny_segmenter, device="cpu")
    assert result.labels.dtype == np.uint8
    np.testing.assert_array_equal(result.labels, segmenter(pixels))
    assert (result.labels == drawn).mean() > 0.95
    assert set(np.unique(result.labels)) == {0, 1, 2}
    assert result.provenance == segmenter.provenance()
    assert result.device == "cpu"
    assert result.device_reason == segmenter.description["device_reason"]
    assert result.seconds > 0
    assert told[-1] == (3, 3)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_the_model_is_described_when_it_starts(worker, tiny_segmenter, frames):
    described, ended = [], []
    worker.client.segment(frames, model=tiny_segmenter, on_started=described.append, on_done=ended.append)
    wait(worker, lambda: ended)
    assert [d["model"] for d in described] == ["outliner"]
    assert described[0]["device"] == "cpu"


def test_no_file_is_left_and_the_labels_can_be_changed(worker, tiny_segmenter, frames, exchange_parent):
    labels = worker.segment(frames, model=tiny_segmenter).labels
    assert [path.name for path in exchange_parent.rglob("*") if path.is_file()] == ["owner.lock"]
    labels[0] = 0


def test_enhancer_and_segmenter_stay_loaded_beside_each_other(
    tiny_segmenter, tiny_ensemble, frames, tmp_path
):
    """Enhance, segment, and again: the second round finds both loaded."""
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        rounds = []
        for _ in range(2):
            begin = time.monotonic()
            enhanced = worker.enhance(frames[:1], method=tiny_ensemble, device="cpu").frames
            segmented = worker.segment(enhanced, model=tiny_segmenter, device="cpu").labels
            rounds.append((time.monotonic() - begin, worker.process.pid))
            assert segmented.shape == (1, *frames.shape[1:])
    assert rounds[0][1] == rounds[1][1]
    assert rounds[1][0] < rounds[0][0] / 2


def test_cancel_and_go_on(worker, tiny_segmenter, frames, exchange_parent):
    many = np.repeat(frames, 100, axis=0)
    done = []

    def cancelled():
        return bool(done)

    pid = worker.process.pid
    with pytest.raises(EnhancementCancelled):
        worker.segment(
            many, model=tiny_segmenter, progress=lambda n, total: done.append(n), cancelled=cancelled
        )
    assert done[-1] < len(many)
    assert [path.name for path in exchange_parent.rglob("*") if path.is_file()] == ["owner.lock"]
    assert worker.segment(frames, model=tiny_segmenter).labels.shape == frames.shape
    assert worker.process.pid == pid


def test_cancel_before_anything_happened(worker, tiny_segmenter, frames):
    ended = []
    job = worker.client.segment(
        np.repeat(frames, 30, axis=0),
        model=tiny_segmenter,
        on_done=lambda result: ended.append("done"),
        on_cancelled=lambda: ended.append("cancelled"),
    )
    worker.client.cancel(job)
    wait(worker, lambda: ended)
    assert ended == ["cancelled"]


def test_one_job_at_a_time_of_either_kind(worker, tiny_segmenter, frames):
    ended = []
    worker.client.segment(frames, model=tiny_segmenter, on_done=ended.append)
    for submit in (worker.client.submit, worker.client.segment):
        with pytest.raises(WorkerError, match="cancel it first"):
            submit(frames)
    wait(worker, lambda: ended)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"model": "no-such-model"}, OptionError, "no-such-model"),
        ({"model": "/no/such/folder"}, OptionError, "/no/such/folder"),
        ({"device": "abacus"}, OptionError, "abacus"),
    ],
    ids=["model", "folder", "device"],
)
def test_wrong_options_keep_their_error(worker, tiny_segmenter, frames, options, kind, words):
    with pytest.raises(kind, match=words) as caught:
        worker.segment(frames, **{"model": tiny_segmenter, **options})
    assert type(caught.value) is kind


def test_an_altered_model_keeps_its_error(worker, tiny_segmenter, frames, tmp_path):
    import shutil

    copy = shutil.copytree(tiny_segmenter, tmp_path / "altered")
    weights = copy / "models" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\1")
    with pytest.raises(ModelError):
        worker.segment(frames, model=copy)


def test_pixels_that_are_no_numbers_are_an_input_error(worker, tiny_segmenter, frames):
    broken = frames.copy()
    broken[1, 2, 3] = np.nan
    with pytest.raises(InputError):
        worker.segment(broken, model=tiny_segmenter)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_the_death_of_the_process_says_what_it_did(tiny_segmenter, frames, tmp_path):
    import os
    import signal

    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        with pytest.raises(WorkerError, match=r"killed while it segmented.*memory"):
            worker.segment(
                np.repeat(frames, 30, axis=0),
                model=tiny_segmenter,
                progress=lambda *a: os.kill(worker.process.pid, signal.SIGKILL),
            )
        assert worker.segment(frames, model=tiny_segmenter).labels.shape == frames.shape
