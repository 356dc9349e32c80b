"""The configuration by which MONAI's own bundle commands run a network that outlines structures.

    python -m monai.bundle run --config_file configs/inference.json --bundle_root . --dataset_dir FRAMES

It names classes of MONAI and torch alone: whoever runs it needs no USEnhance. `load_segmenter` reads nothing
from it but `working_edge`; it never makes a class that a file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..models import WEIGHTS
from ..networks.structure_unet import DEVIATION, MEAN
from ..segmentation.structures import STRUCTURES
from ..segmentation.working_size import WORKING_EDGE

GREY_LEVELS = 255


def bundle_inference(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return configs/inference.json.

    options: of `StructureUNet`.
    """
    channels, unshuffle, classes = (options[name] for name in ("channels", "unshuffle", "classes"))
    levels = len(channels)
    return {
        "working_edge": WORKING_EDGE,
        # Both help on the held-out frames, most the distances between outlines.
        "mirror": True,
        "largest_part": True,
        "imports": [
            "$import glob",
            "$import os",
            "$import torch",
            "$from monai.data import PILReader",
            "$from safetensors.torch import load_file",
        ],
        "bundle_root": ".",
        "dataset_dir": "frames",
        "output_dir": "$os.path.join(@bundle_root, 'eval')",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "weights": f"$os.path.join(@bundle_root, '{WEIGHTS.as_posix()}')",
        "body": {
            "_target_": "DynUNet",
            "spatial_dims": 2,
            "in_channels": unshuffle**2,
            "out_channels": classes * unshuffle**2,
            "kernel_size": [3] * levels,
            "strides": [1] + [2] * (levels - 1),
            "upsample_kernel_size": [2] * (levels - 1),
            "filters": list(channels),
            "norm_name": ["INSTANCE", {"affine": True}],
        },
        "network_def": (
            f"$torch.nn.Sequential(torch.nn.PixelUnshuffle({unshuffle}), @body, "
            f"torch.nn.PixelShuffle({unshuffle}))"
        ),
        "network": "$@network_def.to(@device)",
        # Not strict: the network has its blocks under two names each, the file under one.
        "read_weights": (
            "$@body.load_state_dict({name[len('body.'):]: value.float() for name, value in "
            "load_file(@weights).items()}, strict=False)"
        ),
        "preprocessing": {"_target_": "Compose", "transforms": _preprocessing(unshuffle * 2 ** (levels - 1))},
        "dataset": {
            "_target_": "Dataset",
            "data": "$[{'image': path} for path in sorted(glob.glob(os.path.join(@dataset_dir, '*.png')))]",
            "transform": "@preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 0},
        # The whole frame at once: anatomy is recognised from all of it, and it is never larger than this.
        "inferer": (
            "$lambda inputs, network, *args, **kwargs: "
            "(network(inputs).softmax(1) + network(inputs.flip(3)).softmax(1).flip(3)) / 2"
        ),
        "postprocessing": {"_target_": "Compose", "transforms": _postprocessing()},
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "run": ["$@read_weights", "$@evaluator.run()"],
    }


def _preprocessing(multiple: int) -> list[dict[str, Any]]:
    """What `Segmenter` and the network do before the first convolution."""
    return [
        {
            "_target_": "LoadImaged",
            "keys": "image",
            "reader": "$PILReader(converter=lambda image: image.convert('L'))",
        },
        {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": "no_channel"},
        # MONAI reads pictures column by column, and writes them so again.
        {"_target_": "Transposed", "keys": "image", "indices": [0, 2, 1]},
        {
            "_target_": "NormalizeIntensityd",
            "keys": "image",
            "subtrahend": 0.0,
            "divisor": float(GREY_LEVELS),
        },
        {
            "_target_": "Resized",
            "keys": "image",
            "spatial_size": WORKING_EDGE,
            "size_mode": "longest",
            "mode": "bilinear",
            "anti_aliasing": False,
        },
        {"_target_": "NormalizeIntensityd", "keys": "image", "subtrahend": MEAN, "divisor": DEVIATION},
        {
            "_target_": "DivisiblePadd",
            "keys": "image",
            "k": multiple,
            "method": "end",
            "mode": "replicate",
        },
        {"_target_": "EnsureTyped", "keys": "image"},
    ]


def _postprocessing() -> list[dict[str, Any]]:
    """Scores back at the frame's own size, then labels, as PNG beside the frame's name."""
    return [
        {
            "_target_": "Invertd",
            "keys": "pred",
            "transform": "@preprocessing",
            "orig_keys": "image",
            "nearest_interp": False,
            "to_tensor": True,
        },
        {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
        {
            "_target_": "KeepLargestConnectedComponentd",
            "keys": "pred",
            "applied_labels": [structure.label for structure in STRUCTURES],
            "is_onehot": False,
        },
        {
            "_target_": "SaveImaged",
            "keys": "pred",
            "output_dir": "@output_dir",
            "output_ext": ".png",
            "output_postfix": "labels",
            "output_dtype": "$'uint8'",
            "resample": False,
            "separate_folder": False,
        },
    ]
