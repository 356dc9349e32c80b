"""How worker processes start and end: on request, with their client, by force; and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from USEnhanceLib.errors import WorkerError
from USEnhanceLib.worker import SubprocessWorker, worker_command, worker_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the tests send POSIX signals")

CLIENT = """
import sys
import numpy as np
from pathlib import Path
from USEnhanceLib.worker import SubprocessWorker
model, folder, size, tile = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
worker = SubprocessWorker(temporary_folder=folder)
worker.enhance(np.full((1, 8, 8), 0.5, np.float32), method=model)
print(worker.process.pid, flush=True)
if size:
    frames = np.full((1, size, size), 0.5, np.float32)
    worker.client.submit(
        frames, method=model, options={"tile": tile}, on_started=lambda *_: print("started", flush=True)
    )
while True:
    worker.process.pump(worker.client, 1)
"""


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


@pytest.fixture
def frames():
    return np.random.default_rng(1).random((2, 20, 31)).astype(np.float32)


@pytest.fixture
def large():
    return np.random.default_rng(2).random((1, 2048, 2048)).astype(np.float32)


@pytest.fixture
def raw():
    """A worker process that is spoken to in lines."""
    program, arguments = worker_command(sys.executable)
    process = subprocess.Popen(
        [program, *arguments],
        env=worker_environment(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        yield process
        process.kill()


def is_alive(pid):
    """Whether a process runs; one that ended but was not waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()


def seconds_until(condition, limit=10):
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < limit, "it did not happen"
        time.sleep(0.02)
    return time.monotonic() - begin


def wait_for(worker, told, *names):
    seconds_until(lambda: worker.process.pump(worker.client, 0.02) or set(names) & set(told), limit=60)


def submit(worker, pixels, model, **options):
    """Submit and give back the names and arguments of what the job tells, which fill as it goes on."""
    told = {}
    names = ("started", "progress", "done", "failed", "cancelled")
    callbacks = {f"on_{name}": lambda *a, name=name: told.__setitem__(name, a) for name in names}
    told["job"] = worker.client.submit(pixels, method=model, options=options, **callbacks)
    return told


def say(process, *lines):
    process.stdin.write(
        b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    )
    process.stdin.flush()


def hear(process):
    return json.loads(process.stdout.readline())


def test_ready_then_quit(raw):
    event = hear(raw)
    assert event["event"] == "ready"
    assert event["pid"] == raw.pid
    say(raw, {"command": "quit"})
    assert raw.wait(5) == 0
    assert raw.stdout.read() == b""


def test_ends_at_the_end_of_stdin(raw):
    hear(raw)
    raw.stdin.close()
    assert raw.wait(5) == 0


def test_garbage_is_answered_and_survived(raw):
    hear(raw)
    say(raw, b"\x00\xff\xfe nonsense\n", b'{"command":"fly"}\n', b"{" * 3_000_000 + b"\n")
    for _ in range(3):
        event = hear(raw)
        assert (event["event"], event["id"], event["error"]) == ("failed", None, "WorkerError")
    say(raw, {"command": "enhance", "id": 9, "method": "scunet"})
    event = hear(raw)
    assert (event["event"], event["id"]) == ("failed", 9)
    say(raw, {"command": "cancel", "id": 77}, {"command": "quit"})
    assert raw.wait(5) == 0


def test_requests_may_arrive_byte_by_byte(raw):
    hear(raw)
    request = {
        "command": "enhance",
        "id": 1,
        "method": "ünknown",
        "shape": [1, 1, 1],
        "input": "a",
        "output": "b",
    }
    for byte in json.dumps(request, ensure_ascii=False).encode() + b"\n":
        say(raw, bytes([byte]))
    event = hear(raw)
    assert (event["event"], event["id"], event["error"]) == ("failed", 1, "WorkerError")
    assert "cannot open the frames" in event["message"]


def test_an_interrupt_from_the_terminal_is_left_to_the_client(raw):
    hear(raw)
    raw.send_signal(signal.SIGINT)
    say(raw, b"?\n")
    assert hear(raw)["event"] == "failed"


def test_events_may_arrive_byte_by_byte(model, frames, tmp_path):
    class Slowly:
        """Hands on what a process says in the smallest pieces."""

        def __init__(self, client):
            self.process_ended = client.process_ended
            self.client = client

        def receive(self, data):
            for byte in data:
                self.client.receive(bytes([byte]))

    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        told = submit(worker, frames, model)
        slowly = Slowly(worker.client)
        seconds_until(lambda: worker.process.pump(slowly, 0.02) or "done" in told, limit=60)
    assert told["progress"] == (2, 2)
    assert told["done"][0].frames.shape == frames.shape


def test_what_others_print_to_stdout_does_no_harm(model, frames, tmp_path, monkeypatch, capfd):
    """Before the worker takes hold of its stdout, and all the time after; Python's prints and C's."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, threading, time\n"
        "print('noise from a launcher', flush=True)\n"
        "def chatter():\n"
        "    while True:\n"
        "        time.sleep(0.01)\n"
        "        print('noise {\"event\"', flush=True)\n"
        "        os.write(1, b'noise of C\\n')\n"
        "if 'USEnhanceLib.worker' in __import__('sys').orig_argv:\n"
        "    threading.Timer(0.5, chatter).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        results = [worker.enhance(frames, method=model) for _ in range(2)]
    assert np.array_equal(results[0].frames, results[1].frames)
    printed = capfd.readouterr()
    assert "noise of C" in printed.err
    assert 'noise {"event"' in printed.err


def test_a_worker_killed_midway_is_told_and_replaced(model, frames, large, tmp_path):
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        told = submit(worker, large, model)
        wait_for(worker, told, "started")
        killed = worker.process.pid
        os.kill(killed, signal.SIGKILL)
        wait_for(worker, told, "failed")
        (error,) = told["failed"]
        assert type(error) is WorkerError
        assert "killed while it enhanced" in str(error)
        assert "try again" in str(error)
        assert [path.name for path in tmp_path.glob("*/*")] == ["owner.lock"]
        assert worker.enhance(frames, method=model).frames.shape == frames.shape
        assert worker.process.pid != killed
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_dies_idle_is_replaced_unnoticed(tmp_path):
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        worker.client.start()
        killed = worker.process.pid
        os.kill(killed, signal.SIGKILL)
        seconds_until(lambda: worker.process.pump(worker.client, 0.02) or not worker.process.running)
        worker.client.start()
        assert is_alive(worker.process.pid)
        assert worker.process.pid != killed


def test_a_worker_that_does_not_answer_can_be_killed(model, large, tmp_path):
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        told = submit(worker, large, model)
        wait_for(worker, told, "started")
        os.kill(worker.process.pid, signal.SIGSTOP)
        worker.client.cancel(told["job"])
        worker.process.pump(worker.client, 0.3)
        assert "cancelled" not in told
        worker.client.kill()
        with pytest.raises(WorkerError, match="still"):
            worker.client.start()
        wait_for(worker, told, "cancelled")
        assert "failed" not in told
        assert not worker.client.busy


def test_the_blocking_call_kills_a_worker_that_ignores_a_cancel(model, large, tmp_path):
    from USEnhanceLib.errors import EnhancementCancelled

    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        worker.client.start()

        def cancelled():
            os.kill(worker.process.pid, signal.SIGSTOP)
            return True

        with pytest.raises(EnhancementCancelled):
            worker.enhance(large, method=model, cancelled=cancelled, cancel_seconds=0.2)


def test_closing_in_the_middle_of_a_job_ends_it_as_cancelled(model, large, tmp_path):
    worker = SubprocessWorker(temporary_folder=tmp_path)
    told = submit(worker, large, model)
    pid = worker.process.pid
    worker.close()
    assert "cancelled" in told
    assert not is_alive(pid)
    assert list(tmp_path.iterdir()) == []
    worker.close()


@pytest.mark.parametrize(
    ("size", "tile"), [(0, 0), (2048, 128), (1536, 1536)], ids=["idle", "between tiles", "inside torch"]
)
def test_a_client_killed_leaves_neither_process_nor_files(model, tmp_path, repository, size, tile):
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(model), str(tmp_path), str(size), str(tile)],
        stdout=subprocess.PIPE,
        cwd=repository,
    )
    with client:
        worker = int(client.stdout.readline())
        if size:
            assert client.stdout.readline() == b"started\n"
            time.sleep(0.1)
        assert is_alive(worker)
        assert len(list(tmp_path.iterdir())) == 1
        client.kill()
    assert seconds_until(lambda: not is_alive(worker)) < 3
    assert list(tmp_path.iterdir()) == []


def test_a_killed_parent_is_noticed_while_stdin_stays_open():
    """A launcher between Slicer and the worker may die alone, and its pipes live on in Slicer."""
    program, arguments = worker_command(sys.executable)
    code = f"import subprocess; p = subprocess.Popen({[program, *arguments]!r}); p.wait()"
    launcher = subprocess.Popen(
        [sys.executable, "-c", code],
        env=worker_environment(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with launcher:
        worker = json.loads(launcher.stdout.readline())["pid"]
        launcher.kill()
        launcher.wait()
        assert seconds_until(lambda: not is_alive(worker)) < 3
