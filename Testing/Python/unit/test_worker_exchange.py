"""The files of frames between client and worker: private, sized, and gone when nobody needs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from USEnhanceLib.errors import OutputError, WorkerError
from USEnhanceLib.worker import exchange as exchange_module
from USEnhanceLib.worker.exchange import Exchange, map_input, map_output, remove_if_abandoned, sweep

DEAD_OWNER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from USEnhanceLib.worker.exchange import Exchange
exchange = Exchange(Path(sys.argv[1]))
exchange.write("1-input.raw", np.zeros((1, 2, 3)))
print(exchange.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def exchange(tmp_path):
    with Exchange(tmp_path) as exchange:
        yield exchange


@pytest.fixture
def abandoned(tmp_path, repository):
    """The folder of a client that was killed."""
    ended = subprocess.run(
        [sys.executable, "-c", DEAD_OWNER, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=repository,
    )
    assert ended.returncode == -signal.SIGKILL
    folder = next(iter(tmp_path.iterdir()))
    assert ended.stdout.strip() == str(folder)
    return folder


def test_frames_come_out_as_they_went_in(exchange):
    pixels = np.random.default_rng(0).random((3, 5, 4)).astype(np.float32)
    path = exchange.write("in.raw", pixels)
    assert np.array_equal(map_input(path, (3, 5, 4)), pixels)
    taken = exchange.take(path, (3, 5, 4))
    assert not path.exists()
    assert np.array_equal(taken, pixels)
    taken += 1  # the caller owns it


def test_labels_take_one_byte_each(exchange):
    path = exchange.create("labels.raw", (2, 3, 4), np.uint8)
    assert path.stat().st_size == 24
    map_output(path, (2, 3, 4), np.uint8)[1] = 2
    assert exchange.take(path, (2, 3, 4), np.uint8).sum(axis=(1, 2)).tolist() == [0, 24]


def test_labels_are_not_taken_for_frames(exchange):
    path = exchange.create("labels.raw", (2, 3, 4), np.uint8)
    with pytest.raises(WorkerError, match="24 bytes instead of 96"):
        exchange.take(path, (2, 3, 4))


@pytest.mark.parametrize(
    "pixels",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)),
        np.arange(96, dtype=np.float32).reshape(4, 6, 4)[::2, ::2],
    ],
    ids=["bytes", "Fortran order", "strided"],
)
def test_any_array_is_written_as_float32_in_c_order(exchange, pixels):
    path = exchange.write("in.raw", pixels)
    assert np.array_equal(np.fromfile(path, np.float32).reshape(pixels.shape), pixels.astype(np.float32))


def test_what_the_worker_writes_the_client_takes(exchange):
    path = exchange.create("out.raw", (2, 3, 4))
    map_output(path, (2, 3, 4))[1, 2, 3] = 0.5
    taken = exchange.take(path, (2, 3, 4))
    assert taken.shape == (2, 3, 4)
    assert taken[1, 2, 3] == 0.5
    assert np.count_nonzero(taken) == 1


def test_the_worker_cannot_change_its_input(exchange):
    path = exchange.write("in.raw", np.zeros((1, 2, 2)))
    map_input(path, (1, 2, 2))[...] = 1
    assert not np.fromfile(path, np.float32).any()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps temporary folders private by their place")
def test_nobody_else_may_look_in(exchange):
    assert exchange.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve space")
def test_space_is_reserved_and_not_a_hole(exchange):
    path = exchange.create("out.raw", (16, 64, 64))
    assert path.stat().st_blocks * 512 >= 16 * 64 * 64 * 4


def test_a_full_disk_is_told_before_anything_is_written(exchange):
    with pytest.raises(OutputError, match="TMPDIR"):
        exchange.create("out.raw", (1_000_000, 4096, 4096))
    with pytest.raises(OutputError, match="GB are needed"):
        exchange.write("in.raw", np.broadcast_to(np.float32(0), (1_000_000, 4096, 4096)))
    assert [path.name for path in exchange.folder.iterdir()] == ["owner.lock"]


def test_an_unwritable_temporary_folder_is_told(tmp_path):
    with pytest.raises(OutputError, match="TMPDIR"):
        Exchange(tmp_path / "missing")


@pytest.mark.parametrize("map_file", [map_input, map_output])
def test_files_that_do_not_fit_are_refused(exchange, map_file):
    path = exchange.create("out.raw", (2, 3, 4))
    with pytest.raises(WorkerError, match="96 bytes instead of 120"):
        map_file(path, (2, 3, 5))
    with pytest.raises(WorkerError, match="cannot open"):
        map_file(path.with_name("none.raw"), (2, 3, 4))


def test_close_removes_the_folder_and_taken_frames_live_on(tmp_path):
    exchange = Exchange(tmp_path)
    taken = exchange.take(exchange.write("in.raw", np.ones((1, 2, 3))), (1, 2, 3))
    exchange.create("left.raw", (1, 2, 3))
    assert not exchange.closed
    exchange.close()
    exchange.close()
    assert exchange.closed
    assert list(tmp_path.iterdir()) == []
    assert taken.sum() == 6


def test_a_forgotten_exchange_is_removed(tmp_path):
    exchange = Exchange(tmp_path)
    del exchange
    assert list(tmp_path.iterdir()) == []


def test_a_living_owner_keeps_its_folder(exchange, tmp_path):
    assert not remove_if_abandoned(exchange.folder)
    assert sweep(tmp_path) == []
    with Exchange(tmp_path) as second:
        assert exchange.folder.is_dir()
        assert second.folder != exchange.folder


def test_a_living_owner_keeps_its_folder_from_other_processes(exchange, tmp_path, repository):
    code = (
        "import sys; from pathlib import Path; from USEnhanceLib.worker.exchange import sweep;"
        "print(sweep(Path(sys.argv[1])))"
    )
    swept = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=repository,
        check=True,
    )
    assert swept.stdout.strip() == "[]"
    assert exchange.folder.is_dir()


def test_the_next_start_sweeps_the_folder_of_a_dead_owner(abandoned, tmp_path):
    assert (abandoned / "1-input.raw").exists()
    with Exchange(tmp_path) as exchange:
        assert not abandoned.exists()
        assert [path.name for path in tmp_path.iterdir()] == [exchange.folder.name]


def test_a_dead_owners_folder_may_be_removed_by_the_worker(abandoned):
    assert remove_if_abandoned(abandoned)
    assert not abandoned.exists()
    assert not remove_if_abandoned(abandoned)


def test_other_folders_and_links_are_left_alone(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    link = tmp_path / f"{exchange_module.PREFIX}link"
    link.symlink_to(precious)
    assert not remove_if_abandoned(precious)
    assert sweep(tmp_path) == []
    assert (precious / "file").exists()
    assert not (precious / "owner.lock").exists()
