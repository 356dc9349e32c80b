"""Choice of the device that runs a network, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import OptionError


@dataclass(frozen=True)
class Device:
    """A device of torch and why it was chosen."""

    name: str
    reason: str


def check_device_name(requested: str) -> str:
    """Return `requested` if it names a kind of device.

    Raises:
        OptionError: it is not "auto", "cpu", "cuda", "cuda:N" or "mps".
    """
    kind, _, index = str(requested).partition(":")
    known = kind in {"auto", "cpu", "cuda", "mps"}
    if not known or (index and (kind != "cuda" or not index.isdigit())) or str(requested).endswith(":"):
        raise OptionError(f"Unknown device {requested!r}: use auto, cpu, cuda, cuda:N or mps.")
    return str(requested)


def choose_device(requested: str = "auto") -> Device:
    """Find the device to work on: what was asked for, or CUDA, then MPS, then the CPU.

    Raises:
        OptionError: the name is unknown, or this computer has no such device.
    """
    import torch

    check_device_name(requested)
    kind, _, index = requested.partition(":")
    threads = torch.get_num_threads()
    processor = f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    if kind == "cpu":
        return Device("cpu", f"{processor}, as asked for")
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if kind in {"auto", "cuda"} and cuda:
        number = int(index or torch.cuda.current_device())
        if number >= torch.cuda.device_count():
            raise OptionError(
                f"There is no device {requested!r}: this computer has {torch.cuda.device_count()} GPU(s)."
            )
        chosen = "found" if kind == "auto" else "as asked for"
        return Device(f"cuda:{number}", f"{torch.cuda.get_device_name(number)}, {chosen}")
    if kind in {"auto", "mps"} and mps:
        return Device("mps", "Apple GPU, " + ("found" if kind == "auto" else "as asked for"))
    if kind == "auto":
        return Device("cpu", f"{processor}, because PyTorch finds no GPU")
    raise OptionError(f"PyTorch finds no device {requested!r} on this computer: use auto or cpu.")
