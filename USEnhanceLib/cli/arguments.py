"""The arguments of all commands. Nothing is imported here that a command may need to run."""

from __future__ import annotations

import argparse
import textwrap
from typing import NoReturn

from .. import __version__
from ..errors import OptionError

EXAMPLES = """\
examples:
  usenhance enhance cine.dcm enhanced.nrrd
  usenhance enhance cine.dcm enhanced.nrrd --strength 0.7 --uncertainty uncertainty.nrrd
  usenhance enhance cine.dcm enhanced.nrrd --distrust labels.nrrd
  usenhance enhance cine.dcm filtered.nrrd --method lee
  usenhance segment cine.dcm outlines.seg.nrrd
  usenhance compare cine.dcm --reference labels.nrrd --json figures.json
  usenhance demo
"""
TRAINABLE = ("scunet", "dncnn", "restormer", "msann", "irsde", "fhps")
METHOD_HELP = "one of the methods below, or the folder of a model (default: scunet)"
FRAMES_HELP = "transperineal B-mode: image, cine or sweep"
DEVICE_HELP = "auto, cpu, cuda, cuda:N or mps (default: auto)"


class OneLineParser(argparse.ArgumentParser):
    """A parser that raises OptionError, so that wrong arguments are told of like every other error."""

    def error(self, message: str) -> NoReturn:
        """Raise OptionError with where to read on."""
        raise OptionError(f"{message}; see {self.prog} --help")


def build_parser() -> OneLineParser:
    """Return the parser; what it returns names the module of the command to run in `command`."""
    parser = OneLineParser(
        prog="usenhance",
        description="Enhance B-mode ultrasound. No medical device: not for diagnosis or treatment.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"usenhance {__version__}")
    _add_output_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (
        _add_enhance,
        _add_segment,
        _add_compare,
        _add_models,
        _add_simulate,
        _add_train,
        _add_bench,
        _add_demo,
    ):
        _add_output_options(add(commands))
    return parser


def whole_number(text: str) -> int:
    """Return a whole number from 0 on."""
    return _number_from(0, text)


def count(text: str) -> int:
    """Return a whole number from 1 on."""
    return _number_from(1, text)


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def _number_from(least: int, text: str) -> int:
    # Longer ones overflow random generators and torch alike.
    if not (text.isascii() and text.isdigit() and least <= int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least} to {2**32 - 1}")
    return int(text)


def _wrapped(text: str) -> str:
    """Return a paragraph in lines, for a parser whose list of methods must keep its own."""
    return textwrap.fill(text, 79)


def _methods_text() -> str:
    """Return the methods that can be used here, a line each."""
    from ..enhancement import methods

    lines = [
        (method.name, f"{'classical: ' if method.is_classical else ''}{method.description}")
        for method in methods()
    ]
    return "\n".join(["methods:", *(f"  {name:<10} {text}" for name, text in lines)])


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    # Both are understood before and after the command: the one that is not given must not reset the other.
    parser.add_argument(
        "--quiet", action="store_true", default=argparse.SUPPRESS, help="print nothing but errors"
    )
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="print the traceback of an error"
    )


def _add_enhance(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "enhance",
        help="enhance an image, a cine or a sweep",
        description=_wrapped(
            "Read IN (DICOM, NRRD, NIfTI, MHA, PNG, JPEG, TIFF), enhance its frames and write OUT (.nrrd, "
            ".mha, .nii, .nii.gz, .tif, .png, .dcm) with the type and geometry of IN. Pixels outside the "
            "scan sector stay as they are. OUT appears complete or not at all."
        ),
        epilog=_methods_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("input", metavar="IN", help="image file to enhance")
    add("output", metavar="OUT", help="image file to write; another than IN")
    add("--method", default="scunet", metavar="NAME", help=METHOD_HELP)
    add("--uncertainty", metavar="FILE", help="also write the standard deviation (1 = from black to white)")
    add(
        "--distrust",
        metavar="FILE",
        help="also write a label image (8 bits) of the regions whose standard deviation is above the model's "
        "threshold: 1 = do not trust; needs no --uncertainty",
    )
    add("--strength", type=share, default=1.0, help="0 (the input) to 1 (fully enhanced, the default)")
    add("--tile", type=count, metavar="N", help="edge of the tiles of large frames: a multiple of 64")
    add("--steps", type=count, metavar="N", help="network evaluations per frame, for diffusion methods")
    add("--samples", type=count, metavar="N", help="members of the ensemble, for diffusion methods")
    add("--device", default="auto", help=DEVICE_HELP)
    add("--seed", type=whole_number, default=0, help="of all that is random (default: 0)")
    add("--axis", choices=("k", "j", "i"), default="k", help="the frames are slices along it (default: k)")
    return parser


def _add_segment(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "segment",
        help="outline fetal head and pubic symphysis",
        description=_wrapped(
            "Read IN as enhance does and write OUT, a label image (8 bits) where IN lies: 1 pubic symphysis, "
            "2 fetal head. As .seg.nrrd Slicer opens it as a segmentation with names and colours."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("input", metavar="IN", help=FRAMES_HELP)
    add("output", metavar="OUT", help="label image to write")
    _add_segmenter_options(parser)
    return parser


def _add_compare(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "compare",
        help="outline an image before and after enhancement, and measure both",
        description=_wrapped(
            "Read IN, enhance it, outline fetal head and pubic symphysis before and after, and print Dice, "
            "distances and the angle of progression: of both with the reference where one is given, else how "
            "far the two agree, which says nothing of accuracy."
        ),
        epilog=_methods_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("input", metavar="IN", help=FRAMES_HELP)
    add("--reference", metavar="LABELS", help="label image of the same size: 1 pubic symphysis, 2 fetal head")
    add("--json", metavar="FILE", help="also write all figures of all frames")
    add("--method", default="scunet", metavar="NAME", help=METHOD_HELP)
    _add_segmenter_options(parser)
    add(
        "--display",
        choices=("auto", "usual", "mirrored"),
        default="auto",
        help="usual: the mother's front, with the symphysis, at the left (default: judge from the frames)",
    )
    add("--seed", type=whole_number, default=0, help="of all that is random (default: 0)")
    return parser


def _add_segmenter_options(parser: argparse.ArgumentParser) -> None:
    """What every command that outlines has."""
    add = parser.add_argument
    add("--model", default="fhps", metavar="NAME", help="segmenter, by name or folder (default: fhps)")
    add("--device", default="auto", help=DEVICE_HELP)
    add("--axis", choices=("k", "j", "i"), default="k", help="the frames are slices along it (default: k)")


def _add_models(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "models",
        help="list, verify or join the networks",
        description="list: name, version, size and SHA-256 of the shipped models. verify: compare the "
        "weights with the recorded SHA-256. join: write an ensemble of diffusion networks that were trained "
        "apart; the first NAME is its folder, the others are its members.",
        allow_abbrev=False,
    )
    parser.add_argument("action", choices=("list", "verify", "join"))
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="models, by name or folder (list, verify: default all that are shipped)",
    )
    return parser


def _add_simulate(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    from ..simulation.probes import PROBES

    names = ", ".join(probe.name for probe in PROBES)
    parser = commands.add_parser(
        "simulate",
        help="simulate ultrasound from MRI, to train with or to measure with",
        description="Simulate pairs of a speckled and a clean frame from views of MRI (PNG, JPEG, TIFF, "
        "NIfTI, NRRD, MHA). OUT receives manifest.jsonl, from which each pair can be made again, "
        "shards/*.npz with all pairs (speckled, clean: 16 bits), and pictures of the first ones. A run "
        "that was interrupted goes on when it is repeated.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("mri", metavar="MRI", help="file or folder of MRI")
    add("output", metavar="OUT", help="folder of the data set, made when missing")
    add("--probe", nargs="+", required=True, metavar="NAME", help=f"{names}; several take turns")
    add("--count", type=count, default=1, metavar="N", help="pairs (default: 1)")
    add("--seed", type=whole_number, default=0, help="of all that is random (default: 0)")
    add("--engine", default="simus", metavar="NAME", help="simus (exact, the default) or fast")
    add("--size", type=count, default=128, metavar="N", help="edge of the frames, pixels (default: 128)")
    add("--diversified", action="store_true", help="also draw frequency, depth, aperture, attenuation, ...")
    add("--split", metavar="NAME", help="only subjects of train, val or test (default: all)")
    add("--processes", type=count, default=1, metavar="N", help="processes at work (default: 1)")
    return parser


def _add_train(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "train",
        help="train a network on your own data",
        description="Train a network and write its model to OUT/model, for `enhance --method OUT/model`.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("network", choices=TRAINABLE, help="what to train")
    add("--data", required=True, metavar="DIR", help="folder of ultrasound images, or of simulated pairs")
    add("--out", required=True, metavar="DIR", help="folder of the run")
    add("--resume", action="store_true", help="go on from the checkpoint in OUT, if there is one")
    add("--recipe", metavar="FILE", help="JSON or YAML file of settings (default: the published recipe)")
    add("--start", metavar="MODEL", help="begin with the weights of a model, by name or folder")
    add("--targets", metavar="DIR", help="keeps filtered frames between runs (default: OUT/targets)")
    return parser


def _add_bench(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    from ..benchmarks.registry import BENCHMARKS

    parser = commands.add_parser(
        "bench",
        help="make a published table again",
        description="Run a benchmark and write what it found.",
        epilog="\n".join(
            ["benchmarks:", *(f"  {entry.name:<11} {entry.description}" for entry in BENCHMARKS)]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="the benchmark")
    add("--data", required=True, metavar="DIR", help="folder of the data sets")
    add("--json", required=True, metavar="FILE", help="file for figures, machine and command")
    add("--markdown", metavar="FILE", help="file for the table")
    add("--picture", metavar="FILE", help="file for the picture")
    add("--limit", type=count, metavar="N", help="images per data set")
    add("--seed", type=whole_number, help="of all that is random")
    add("--tables", nargs="+", metavar="NAME", help="those of a benchmark to make (default: all)")
    add("--methods", nargs="+", metavar="NAME", help="filters, and networks by name or folder")
    add("--ensemble", nargs="+", metavar="DIR", help="further models, for the spread over an ensemble")
    add("--single", metavar="DIR", help="model trained on one probe, for the table of probes")
    add("--segmenter", metavar="MODEL", help="segmenter, by name or folder (default: fhps)")
    add("--plain", metavar="DIR", help="segmenter that learnt from no degraded frames, to compare with")
    add("--size", type=count, metavar="N", help="edge of the crops that are scored, pixels")
    add("--processes", type=count, metavar="N", help="processes at work")
    add("--threads", type=count, metavar="N", help="threads of torch")
    add("--device", help="of the networks")
    add("--cache", metavar="DIR", help="keeps slow answers, so that a run can be interrupted and repeated")
    return parser


def _add_demo(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "demo",
        help="enhance a real cine, with pictures and figures",
        description=_wrapped(
            "Enhance the 30-frame ultrasound cine that ships inside pydicom; write the enhanced cine, a "
            "contact sheet, an animation and a JSON file of figures."
        ),
        epilog=_methods_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", default="demo", metavar="DIR", help="folder to write to, made when missing (default: demo)")
    add("--method", default="scunet", metavar="NAME", help=METHOD_HELP)
    add("--device", default="auto", help=DEVICE_HELP)
    return parser
