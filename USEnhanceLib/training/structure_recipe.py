"""The recipe of a network that outlines fetal head and pubic symphysis."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .run_recipe import RunRecipe
from .scanner_looks import ScannerLooks
from .structure_views import StructureViews

LOOKS, VIEWS = ScannerLooks(), StructureViews()


@dataclass(frozen=True)
class StructureRecipe(RunRecipe):
    """Recipe of the segmentation.

    Attributes:
        patch: edge of the square that a view of a whole frame is drawn on.
        head_share: share of the views that are of HC18, where the head alone is outlined.
        validation_frames: of PSFHS, evenly spread; 0 for all.
        smoothing: of the labels in the cross entropy.
        angle, scale, aspect, shear, sector, shift, bend, flip: of `StructureViews`.
        gain, gamma, uneven, dropout, screen, degraded, sigma, g, dynamic_range, grain: of `ScannerLooks`.

    The others are those of `RunRecipe`.
    """

    network: str = "fhps"
    steps: int = 6000
    batch: int = 8
    patch: int = 256
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    head_share: float = 0.1
    validation_frames: int = 0
    smoothing: float = 0.02
    angle: float = VIEWS.angle
    scale: tuple[float, ...] = VIEWS.scale
    aspect: float = VIEWS.aspect
    shear: float = VIEWS.shear
    sector: float = VIEWS.sector
    shift: float = VIEWS.shift
    bend: float = VIEWS.bend
    flip: float = VIEWS.flip
    gain: tuple[float, ...] = LOOKS.gain
    gamma: tuple[float, ...] = LOOKS.gamma
    uneven: float = LOOKS.uneven
    dropout: float = LOOKS.dropout
    screen: float = LOOKS.screen
    degraded: float = LOOKS.degraded
    sigma: tuple[float, ...] = LOOKS.sigma
    g: tuple[float, ...] = LOOKS.g
    dynamic_range: tuple[float, ...] = LOOKS.dynamic_range
    grain: tuple[float, ...] = LOOKS.grain

    @property
    def views(self) -> StructureViews:
        """Where a frame lies on the square."""
        own = {
            entry.name: getattr(self, entry.name) for entry in fields(StructureViews) if entry.name != "edge"
        }
        return StructureViews(edge=self.patch, **own)

    @property
    def looks(self) -> ScannerLooks:
        """What a scanner does to a view."""
        return ScannerLooks(**{entry.name: getattr(self, entry.name) for entry in fields(ScannerLooks)})

    def out_of_range(self) -> list[str]:
        """Names of the entries whose values make no sense."""
        shares = ("head_share", "smoothing", "flip", "uneven", "dropout", "screen", "degraded")
        ranges = {
            "scale": (0.1, 10.0),
            "gain": (0.0, 10.0),
            "gamma": (0.1, 10.0),
            "sigma": (0.0, 1.0),
            "g": (0.0, 1.0),
            "dynamic_range": (1.0, 200.0),
            "grain": (0.0, 20.0),
        }
        wrong = super().out_of_range()
        wrong += [name for name in shares if not 0 <= getattr(self, name) <= 1]
        wrong += [
            name
            for name, (least, most) in ranges.items()
            if not (len(own := getattr(self, name)) == 2 and least <= own[0] <= own[1] <= most)
        ]
        wrong += [name for name in ("angle", "shear", "sector", "shift", "bend") if getattr(self, name) < 0]
        return wrong + [
            name
            for name, fine in (
                ("aspect", self.aspect >= 1),
                ("validation_frames", self.validation_frames >= 0),
            )
            if not fine
        ]
