"""Starting the worker: what it imports, and programs that are no worker."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from USEnhanceLib.errors import WorkerError
from USEnhanceLib.worker import SubprocessProcess, SubprocessWorker, WorkerClient, worker_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the tests start shell scripts")


@pytest.fixture
def frames():
    return np.zeros((2, 20, 31), np.float32)


def test_a_python_that_is_missing_is_told_at_once(frames, tmp_path):
    with SubprocessWorker("/no/such/python", temporary_folder=tmp_path) as worker:
        with pytest.raises(WorkerError, match="/no/such/python"):
            worker.enhance(frames)
        assert not worker.client.busy
        assert list(tmp_path.glob("*/*.raw")) == []


def program(tmp_path, *lines):
    """An executable that prints lines instead of being Python."""
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\n" + "".join(f"{line}\n" for line in lines))
    path.chmod(0o755)
    return SubprocessWorker(str(path), temporary_folder=tmp_path)


def test_a_worker_that_cannot_start_is_told(frames, tmp_path):
    with program(tmp_path, "exit 3") as worker, pytest.raises(WorkerError, match=r"exit code 3.*packages"):
        worker.enhance(frames)


def test_a_worker_that_crashes_is_told(frames, tmp_path):
    ready = """echo '{"event":"ready","pid":1,"version":"0"}'"""
    with (
        program(tmp_path, ready, "kill -SEGV $$") as worker,
        pytest.raises(WorkerError, match="crashed while"),
    ):
        worker.enhance(frames)


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"progress","id":1}',
        '{"event":"done","id":1,',
        '{"event":"failed","id":null,"error":"WorkerError","message":"A line is not JSON: try again."}',
    ],
    ids=["a field is missing", "cut off", "request not understood"],
)
def test_a_worker_that_talks_nonsense_is_ended(frames, tmp_path, line):
    with program(tmp_path, f"echo '{line}'", "exec sleep 60") as worker:
        with pytest.raises(WorkerError, match="try again"):
            worker.enhance(frames)
        assert not worker.process.running


def test_the_worker_imports_the_library_of_its_client(tmp_path, repository, monkeypatch):
    """Whatever the current folder holds, and whatever else is on the path."""
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment = worker_environment(
        {**os.environ, "PYTHONPATH": str(tmp_path / "x"), "PYTHONNOUSERSITE": "1"}
    )
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(repository), str(tmp_path / "x")]
    assert environment["PYTHONNOUSERSITE"] == "1"
    process = SubprocessProcess()
    client = WorkerClient(process, temporary_folder=tmp_path)
    client.start()
    client.close()
    while process.running:
        process.pump(client, 0.1)
    assert list(tmp_path.iterdir()) == [tmp_path / "json.py"]


def test_importing_client_and_server_imports_nothing_heavy(repository):
    code = (
        "import sys, USEnhanceLib.worker, USEnhanceLib.worker.server;"
        "print(sorted({'torch', 'monai', 'SimpleITK', 'skimage', 'scipy', 'qt'} & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=repository, check=True
    )
    assert printed.stdout.strip() == "[]"
