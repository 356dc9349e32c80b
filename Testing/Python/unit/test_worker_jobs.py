"""Jobs in a real worker process, with a real network: results, progress, cancel, and what goes wrong."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from USEnhanceLib.enhancement import load_enhancer
from USEnhanceLib.errors import (
    EnhancementCancelled,
    InputError,
    ModelError,
    OptionError,
    USEnhanceError,
    WorkerError,
)
from USEnhanceLib.worker import SubprocessWorker


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a very small SCUNet."""
    torch = pytest.importorskip("torch")
    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks import SCUNet

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1, 0, 0, 0, 0, 0, 0], head_dim=4)
    save_model(folder, network, name="tiny", version="1", card="For tests.", licence="Apache-2.0")
    return folder


@pytest.fixture(scope="module")
def exchange_parent(tmp_path_factory):
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="module")
def worker(exchange_parent):
    """One process for all tests of this file that do not hurt it."""
    with SubprocessWorker(temporary_folder=exchange_parent) as worker:
        yield worker


@pytest.fixture
def frames():
    return np.random.default_rng(1).random((4, 20, 31)).astype(np.float32)


@pytest.fixture
def large():
    """A frame that takes seconds, in many tiles."""
    return np.random.default_rng(2).random((1, 2048, 2048)).astype(np.float32)


class Outcome:
    """What a job told, in order."""

    def __init__(self, worker):
        self.worker = worker
        self.told = []
        self.when = {}

    def submit(self, pixels, **options):
        names = ("started", "progress", "done", "failed", "cancelled")
        callbacks = {f"on_{name}": lambda *a, name=name: self.add(name, a) for name in names}
        self.job = self.worker.client.submit(pixels, **{**callbacks, **options})
        return self

    def add(self, name, arguments):
        self.told.append((name, *arguments))
        self.when.setdefault(name, time.monotonic())

    @property
    def names(self):
        return [name for name, *_ in self.told]

    def wait(self, *names, seconds=60):
        deadline = time.monotonic() + seconds
        while not set(names) & set(self.names):
            assert time.monotonic() < deadline, f"none of {names} came, but {self.names}"
            self.worker.process.pump(self.worker.client, 0.02)
        return self

    def end(self):
        return self.wait("done", "failed", "cancelled")


def files_of(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_the_result_is_what_the_enhancer_gives(worker, model, frames):
    expected = load_enhancer(model, device="cpu", strength=0.5)(frames, seed=3, uncertainty=True)
    result = worker.enhance(frames, method=model, device="cpu", strength=0.5, seed=3, uncertainty=True)
    assert np.array_equal(result.frames, expected.frames)
    assert np.array_equal(result.uncertainty, expected.uncertainty)
    assert result.provenance() == expected.provenance()
    assert result.parameters == expected.parameters
    assert result.parameters["distrust_above"] == 0.08
    assert (result.device, result.method, result.notes) == (expected.device, expected.method, expected.notes)
    assert result.seconds > 0
    assert "CPU" in result.device_reason
    assert not np.array_equal(result.frames, frames)


def test_without_being_asked_for_there_is_no_uncertainty(worker, model, frames):
    assert worker.enhance(frames, method=model).uncertainty is None


def test_steps_and_samples_reach_the_enhancer(worker, tiny_ensemble, frames):
    result = worker.enhance(frames, method=tiny_ensemble, device="cpu", steps=3, samples=2, uncertainty=True)
    expected = load_enhancer(tiny_ensemble, device="cpu", steps=3, samples=2)(frames, uncertainty=True)
    assert (result.parameters["steps"], result.parameters["samples"]) == (3, 2)
    assert result.parameters == expected.parameters
    assert np.array_equal(result.frames, expected.frames)
    assert np.array_equal(result.uncertainty, expected.uncertainty)


def test_options_that_are_left_to_the_model_may_be_none(worker, model, frames):
    assert worker.enhance(frames, method=model, steps=None, samples=None).method == "tiny"
    with pytest.raises(OptionError, match="tiny has no option 'steps'"):
        worker.enhance(frames, method=model, steps=2)


def test_no_file_is_left_and_the_result_can_be_changed(worker, model, frames, exchange_parent):
    result = worker.enhance(frames, method=model, uncertainty=True)
    assert files_of(exchange_parent) == ["owner.lock"]
    result.frames[0] = 0


def test_events_come_in_order(worker, model, frames):
    outcome = Outcome(worker).submit(frames, method=str(model)).end()
    assert outcome.names == ["started", *["progress"] * 4, "done"]
    assert [arguments for name, *arguments in outcome.told if name == "progress"] == [
        [n, 4] for n in (1, 2, 3, 4)
    ]
    assert outcome.told[0][1]["method"] == "tiny"
    assert outcome.told[0][1]["parameters"]["strength"] == 1.0


def test_notes_of_the_enhancer_arrive(worker, model, frames):
    frames[2] = 0
    result = worker.enhance(frames, method=model)
    assert len(result.notes) == 1
    assert "black" in result.notes[0]
    assert not result.frames[2].any()


def test_the_second_job_is_warm(model, frames, tmp_path):
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        times = []
        for _ in range(2):
            begin = time.monotonic()
            outcome = Outcome(worker).submit(frames[:1], method=model).end()
            times.append(outcome.when["started"] - begin)
    assert times[1] < times[0] / 4


def test_a_retrained_model_is_loaded_anew(worker, frames, tmp_path):
    torch = pytest.importorskip("torch")
    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks import SCUNet

    results = []
    for version in ("1", "2"):
        torch.manual_seed(int(version))
        network = SCUNet(dim=8, config=[1, 0, 0, 0, 0, 0, 0], head_dim=4)
        save_model(tmp_path, network, name="mine", version=version, card="For tests.", licence="Apache-2.0")
        results.append(worker.enhance(frames, method=tmp_path))
    assert [result.model_version for result in results] == ["1", "2"]
    assert not np.array_equal(results[0].frames, results[1].frames)


@pytest.mark.parametrize("frame", [1, 4], ids=["first frame", "last frame"])
def test_cancel_at(worker, model, frames, exchange_parent, frame):
    outcome = Outcome(worker)

    def on_progress(done, total):
        outcome.add("progress", (done, total))
        if done == frame:
            worker.client.cancel(outcome.job)

    outcome.submit(frames, method=model, on_progress=on_progress)
    pid = worker.process.pid
    outcome.end()
    assert outcome.names == ["started", *["progress"] * frame, "cancelled"]
    assert files_of(exchange_parent) == ["owner.lock"]
    assert worker.enhance(frames, method=model).frames.shape == frames.shape
    assert worker.process.pid == pid


def test_cancel_before_anything_happened(worker, model, large):
    outcome = Outcome(worker).submit(large, method=model)
    worker.client.cancel(outcome.job)
    assert outcome.end().names == ["cancelled"]


def test_cancel_is_answered_within_a_second_in_the_middle_of_a_frame(worker, model, large):
    outcome = Outcome(worker).submit(large, method=model).wait("started")
    time.sleep(0.3)
    begin = time.monotonic()
    worker.client.cancel(outcome.job)
    outcome.end()
    assert outcome.names == ["started", "cancelled"]
    assert outcome.when["cancelled"] - begin < 1.0


def test_cancel_is_answered_within_a_second_in_the_middle_of_a_tile(worker, tmp_path):
    torch = pytest.importorskip("torch")
    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks import SCUNet

    torch.manual_seed(0)
    network = SCUNet(dim=32, config=[2] * 7, head_dim=8)
    save_model(tmp_path, network, name="slow", version="1", card="For tests.", licence="Apache-2.0")
    frame = np.full((1, 640, 640), 0.5, np.float32)
    outcome = (
        Outcome(worker).submit(frame, method=tmp_path, device="cpu", options={"tile": 640}).wait("started")
    )
    time.sleep(0.3)
    begin = time.monotonic()
    worker.client.cancel(outcome.job)
    outcome.end()
    assert outcome.names == ["started", "cancelled"]
    assert outcome.when["cancelled"] - begin < 1.0


def test_a_late_or_foreign_cancel_does_nothing(worker, model, frames):
    outcome = Outcome(worker).submit(frames, method=model)
    worker.client.cancel(outcome.job - 1)
    assert outcome.end().names[-1] == "done"
    worker.client.cancel(outcome.job)
    assert worker.enhance(frames, method=model).frames.shape == frames.shape


def test_the_blocking_call_can_be_cancelled(worker, model, large):
    polled = []
    with pytest.raises(EnhancementCancelled):
        worker.enhance(large, method=model, cancelled=lambda: polled.append(0) or len(polled) > 3)
    assert not worker.client.busy


def test_an_error_in_a_callback_reaches_the_caller_and_ends_the_job(model, frames, tmp_path):
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        with pytest.raises(ZeroDivisionError):
            worker.enhance(frames, method=model, progress=lambda done, total: 1 / 0)
        assert not worker.client.busy
        assert not worker.process.running
    assert list(tmp_path.iterdir()) == []


def test_one_job_at_a_time(worker, model, frames):
    outcome = Outcome(worker).submit(frames, method=model)
    with pytest.raises(WorkerError, match="cancel it first"):
        worker.client.submit(frames, method=model)
    assert outcome.end().names[-1] == "done"


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"method": "no-such-method"}, OptionError, "no-such-method"),
        ({"device": "abacus"}, OptionError, "abacus"),
        ({"strength": 7.0}, OptionError, "strength"),
        ({"flavour": "sweet"}, OptionError, "flavour.*choose from strength"),
        ({"method": "/no/such/folder"}, OptionError, "/no/such/folder"),
    ],
    ids=["method", "device", "value", "option", "folder"],
)
def test_wrong_options_keep_their_error(worker, model, frames, options, kind, words):
    with pytest.raises(kind, match=words) as caught:
        worker.enhance(frames, **{"method": model, **options})
    assert type(caught.value) is kind


def test_an_altered_model_keeps_its_error(worker, model, frames, tmp_path):
    import shutil

    copy = shutil.copytree(model, tmp_path / "altered")
    weights = bytearray((copy / "models" / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "models" / "model.safetensors").write_bytes(weights)
    with pytest.raises(ModelError):
        worker.enhance(frames, method=copy)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers_are_an_input_error(worker, model, frames, value):
    frames[1, 2, 3] = value
    with pytest.raises(InputError, match="NaN or infinite"):
        worker.enhance(frames, method=model)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4)), np.zeros((0, 4, 4)), np.zeros((1, 4, 4), complex), np.array([[["a"]]])],
    ids=["one frame", "empty", "complex", "text"],
)
def test_what_is_no_stack_is_refused_at_once(worker, model, pixels):
    with pytest.raises(InputError, match="N, H, W"):
        worker.client.submit(pixels, method=model)
    assert not worker.client.busy


def test_a_model_folder_is_found_from_any_current_folder(worker, model, frames, monkeypatch):
    monkeypatch.chdir(model.parent)
    assert worker.enhance(frames, method="./tiny").method == "tiny"


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
def test_lack_of_memory_is_told_and_survived(model, large, frames, tmp_path):
    import resource
    from pathlib import Path

    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        worker.enhance(frames, method=model)
        pid = worker.process.pid
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + (96 << 20)
        old = resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        with pytest.raises(USEnhanceError, match=r"Memory ran out.*close other programs"):
            worker.enhance(large, method=model, tile=2048)
        resource.prlimit(pid, resource.RLIMIT_AS, old)
        assert worker.enhance(frames, method=model).frames.shape == frames.shape
        assert worker.process.pid == pid


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_long_stack_is_copied_once(worker, model):
    """Of 1,000 frames the process holds the result in memory, not the input, which stays in its file."""
    from pathlib import Path

    frames = np.zeros((1000, 160, 160), np.float32)
    frames[::250] = 0.5

    def anonymous():
        status = Path(f"/proc/{worker.process.pid}/status")
        line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
        return int(line.split()[1]) * 1024

    worker.enhance(frames[:1] + 0.5, method=model)
    before, used = anonymous(), []
    result = worker.enhance(frames, method=model, progress=lambda done, total: used.append(anonymous()))
    assert max(used) - before < 1.3 * frames.nbytes
    assert not result.frames[1].any()
    assert anonymous() - before < 0.3 * frames.nbytes
