"""The messages between worker and client, and the buffer that cuts them into lines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from USEnhanceLib import errors
from USEnhanceLib.worker import protocol
from USEnhanceLib.worker.protocol import LineBuffer, MalformedMessageError

REQUESTS = [
    protocol.ExchangeRequest("/tmp/a folder"),
    protocol.EnhanceRequest(
        id=1,
        method="scunet",
        device="auto",
        options={"strength": 0.5, "tile": None},
        seed=3,
        uncertainty=True,
        shape=(2, 7, 3),
        input="in",
        output="out",
        uncertainty_output="sd",
    ),
    protocol.SegmentRequest(id=2, model="fhps", shape=(2, 7, 3), input="in", output="out", device="cpu"),
    protocol.CancelRequest(1),
    protocol.QuitRequest(),
]
EVENTS = [
    protocol.ReadyEvent(12, "0.1.0"),
    protocol.StartedEvent(1, {"method": "scunet", "parameters": {"strength": 1.0}}),
    protocol.ProgressEvent(1, 3, 30),
    protocol.DoneEvent(
        1,
        0.5,
        ("Frame 3 is black: it came back unchanged.",),
        {"USEnhance.Method": "scunet"},
        "cpu",
        "no GPU",
    ),
    protocol.CancelledEvent(1),
    protocol.FailedEvent(1, "ModelError", "Größe 3 µm: prüfen."),
    protocol.FailedEvent(None, "WorkerError", "a line is not JSON"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
def test_requests_survive_the_line(request_):
    line = protocol.encode(request_)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.decode_request(line) == request_


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_events_survive_the_line(event):
    assert protocol.decode_event(protocol.encode(event)) == event


def test_lines_have_the_documented_keys():
    """What another implementation of the protocol relies on."""
    assert json.loads(protocol.encode(REQUESTS[1])) == {
        "command": "enhance",
        "id": 1,
        "method": "scunet",
        "device": "auto",
        "options": {"strength": 0.5, "tile": None},
        "seed": 3,
        "uncertainty": True,
        "shape": [2, 7, 3],
        "input": "in",
        "output": "out",
        "uncertainty_output": "sd",
    }
    assert json.loads(protocol.encode(REQUESTS[2])) == {
        "command": "segment",
        "id": 2,
        "model": "fhps",
        "device": "cpu",
        "shape": [2, 7, 3],
        "input": "in",
        "output": "out",
    }
    assert json.loads(protocol.encode(protocol.QuitRequest())) == {"command": "quit"}
    assert json.loads(protocol.encode(EVENTS[2])) == {"event": "progress", "id": 1, "done": 3, "total": 30}


def test_numbers_of_numpy_become_numbers():
    event = protocol.StartedEvent(1, {"strength": np.float32(0.5), "tile": np.int64(64)})
    assert json.loads(protocol.encode(event))["description"] == {"strength": 0.5, "tile": 64}


def test_options_have_defaults():
    line = b'{"command":"enhance","id":4,"method":"scunet","shape":[1,2,3],"input":"a","output":"b"}'
    request = protocol.decode_request(line)
    assert (request.device, request.options, request.seed, request.uncertainty) == ("auto", {}, 0, False)


def test_a_segmentation_leaves_the_choice_of_the_device_open():
    line = b'{"command":"segment","id":4,"model":"fhps","shape":[1,2,3],"input":"a","output":"b"}'
    assert protocol.decode_request(line).device == "auto"


ENHANCE = {"command": "enhance", "id": 4, "method": "scunet", "shape": [1, 2, 3], "input": "a", "output": "b"}


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"\xff\xfe\x00",
        b'{"command":',
        b"[1, 2]",
        b"null",
        b"{}",
        b'{"command": "fly"}',
        b'{"command": ["enhance"]}',
        b"[" * 100_000,
        json.dumps({**ENHANCE, "shape": [1, 2]}).encode(),
        json.dumps({**ENHANCE, "shape": [1, 0, 3]}).encode(),
        json.dumps({**ENHANCE, "shape": [1, 2.5, 3]}).encode(),
        json.dumps({**ENHANCE, "id": True}).encode(),
        json.dumps({**ENHANCE, "seed": "7"}).encode(),
        json.dumps({**ENHANCE, "options": [1]}).encode(),
        json.dumps({**ENHANCE, "surprise": 1}).encode(),
        json.dumps({name: value for name, value in ENHANCE.items() if name != "input"}).encode(),
        json.dumps({**ENHANCE, "command": "segment"}).encode(),
    ],
    ids=lambda line: line[:60].decode(errors="replace"),
)
def test_malformed_lines_are_refused_in_one_sentence(line):
    with pytest.raises(MalformedMessageError) as caught:
        protocol.decode_request(line)
    assert isinstance(caught.value, errors.WorkerError)
    assert str(caught.value).count("\n") == 0
    assert len(str(caught.value)) < 200


def test_a_malformed_line_names_its_job_where_it_can():
    with pytest.raises(MalformedMessageError) as caught:
        protocol.decode_request(json.dumps({**ENHANCE, "shape": "big"}).encode())
    assert caught.value.job == 4


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_chunks_may_be_cut_anywhere(size):
    """Also inside a UTF-8 character: another client need not escape them."""
    messages = [
        {"event": "failed", "id": n, "error": "ModelError", "message": "Größe µ 超音波"} for n in range(4)
    ]
    stream = "\n".join(json.dumps(message, ensure_ascii=False) for message in messages).encode() + b"\n"
    buffer = LineBuffer()
    lines = [line for at in range(0, len(stream), size) for line in buffer.feed(stream[at : at + size])]
    assert [protocol.decode_event(line).message for line in lines] == ["Größe µ 超音波"] * 4
    assert [protocol.decode_event(line).id for line in lines] == [0, 1, 2, 3]


def test_lines_may_end_as_on_windows_or_be_empty():
    assert LineBuffer().feed(b'{"a":1}\r\n\n\r\n{"b":2}\r\nrest') == [b'{"a":1}', b'{"b":2}']


def test_an_endless_line_takes_no_memory_and_ends_with_its_line():
    buffer = LineBuffer(longest=10)
    for _ in range(1000):
        assert buffer.feed(b"x" * 100) == []
    assert buffer.feed(b'y\n{"a":1}\n') == [b"x" * 10, b'{"a":1}']


def test_clear_forgets_an_unfinished_line():
    buffer = LineBuffer()
    buffer.feed(b'{"half')
    buffer.clear()
    assert buffer.feed(b'{"a":1}\n') == [b'{"a":1}']


@pytest.mark.parametrize(
    "kind",
    [errors.InputError, errors.OptionError, errors.ModelError, errors.OutputError, errors.DependencyError],
)
def test_errors_keep_their_class_and_sentence(kind):
    event = protocol.failed_event(7, kind("Weights are missing: install them again."))
    error = protocol.error_of(protocol.decode_event(protocol.encode(event)))
    assert type(error) is kind
    assert str(error) == "Weights are missing: install them again."


def test_an_error_of_no_public_class_is_named_by_its_base():
    assert protocol.failed_event(None, MalformedMessageError("x")).error == "WorkerError"


@pytest.mark.parametrize("name", ["SystemExit", "annotations", "__name__", "Nonsense"])
def test_a_foreign_error_name_becomes_a_worker_error(name):
    error = protocol.error_of(protocol.FailedEvent(1, name, "Something broke: try again."))
    assert type(error) is errors.WorkerError
