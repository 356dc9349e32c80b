"""Network architectures: torch modules and nothing else.

`ARCHITECTURES` is the only list from which a model file may choose: a name that is not in it is refused,
so that no file can make the library instantiate a class of its own choice.
"""

from __future__ import annotations

from .diffusion_unet import DiffusionEnsemble, DiffusionUNet
from .dncnn import DnCNN
from .msann import MSANN
from .restormer import Restormer
from .scunet import SCUNet
from .structure_unet import StructureUNet

ARCHITECTURES = {
    "SCUNet": SCUNet,
    "DnCNN": DnCNN,
    "Restormer": Restormer,
    "MSANN": MSANN,
    "DiffusionUNet": DiffusionUNet,
    "DiffusionEnsemble": DiffusionEnsemble,
    "StructureUNet": StructureUNet,
}

__all__ = [
    "ARCHITECTURES",
    "MSANN",
    "DiffusionEnsemble",
    "DiffusionUNet",
    "DnCNN",
    "Restormer",
    "SCUNet",
    "StructureUNet",
]
