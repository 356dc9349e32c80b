"""SCUNet: names and shapes of the public weights, sizes, window attention."""

from __future__ import annotations

import itertools

import pytest
import torch

from USEnhanceLib.networks import SCUNet
from USEnhanceLib.networks.window_attention import WindowAttention


def public_shapes(blocks: int, dim: int = 64, heads_of: int = 32) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of the public grey SCUNet, written down from its state_dict."""
    shapes: dict[str, tuple[int, ...]] = {
        "m_head.0.weight": (dim, 1, 3, 3),
        "m_tail.0.weight": (1, dim, 3, 3),
    }

    def block(prefix: str, channels: int) -> None:
        half = channels // 2
        trans = f"{prefix}.trans_block"
        shapes.update(
            {
                f"{trans}.ln1.weight": (half,),
                f"{trans}.ln1.bias": (half,),
                f"{trans}.msa.relative_position_params": (half // heads_of, 15, 15),
                f"{trans}.msa.embedding_layer.weight": (3 * half, half),
                f"{trans}.msa.embedding_layer.bias": (3 * half,),
                f"{trans}.msa.linear.weight": (half, half),
                f"{trans}.msa.linear.bias": (half,),
                f"{trans}.ln2.weight": (half,),
                f"{trans}.ln2.bias": (half,),
                f"{trans}.mlp.0.weight": (4 * half, half),
                f"{trans}.mlp.0.bias": (4 * half,),
                f"{trans}.mlp.2.weight": (half, 4 * half),
                f"{trans}.mlp.2.bias": (half,),
                f"{prefix}.conv1_1.weight": (channels, channels, 1, 1),
                f"{prefix}.conv1_1.bias": (channels,),
                f"{prefix}.conv1_2.weight": (channels, channels, 1, 1),
                f"{prefix}.conv1_2.bias": (channels,),
                f"{prefix}.conv_block.0.weight": (half, half, 3, 3),
                f"{prefix}.conv_block.2.weight": (half, half, 3, 3),
            }
        )

    for level in (1, 2, 3):
        channels = dim * 2 ** (level - 1)
        for i in range(blocks):
            block(f"m_down{level}.{i}", channels)
            block(f"m_up{level}.{i + 1}", channels)
        shapes[f"m_down{level}.{blocks}.weight"] = (2 * channels, channels, 2, 2)
        shapes[f"m_up{level}.0.weight"] = (2 * channels, channels, 2, 2)
    for i in range(blocks):
        block(f"m_body.{i}", 8 * dim)
    return shapes


@pytest.mark.parametrize(("blocks", "millions"), [(4, 17.94), (2, 9.66)])
def test_state_dict_with_the_public_names_and_shapes_loads_strictly(blocks: int, millions: float) -> None:
    network = SCUNet(config=[blocks] * 7)
    shapes = public_shapes(blocks)
    network.load_state_dict({name: torch.zeros(shape) for name, shape in shapes.items()}, strict=True)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 64), (65, 130)])
def test_any_size_comes_back(size: tuple[int, int]) -> None:
    network = SCUNet(16, [1] * 7, 8).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 1, *size)).shape == (2, 1, *size)


def test_padding_does_not_change_what_is_inside_the_padded_size() -> None:
    network = SCUNet(16, [1] * 7, 8).eval()
    frame = torch.rand(1, 1, 60, 64)
    padded = torch.cat((frame, frame[:, :, -1:].expand(-1, -1, 4, -1)), 2)
    with torch.inference_mode():
        assert torch.allclose(network(frame), network(padded)[:, :, :60], atol=1e-6)


def dense_attention(layer: WindowAttention, x: torch.Tensor) -> torch.Tensor:
    """Attention as a loop over all pairs of pixels that may see each other: the definition."""
    _, height, width, channels = x.shape
    window, shift = layer.window, layer.shift
    qkv = layer.embedding_layer(x)[0].view(height, width, 3, layer.heads, layer.head_dim)
    out = torch.zeros(height, width, channels)
    pixels = list(itertools.product(range(height), range(width)))
    # Pixels see each other in a window of the rolled map, if they come from the same side of the border.
    rolled = {(r, c): ((r - shift) % height, (c - shift) % width) for r, c in pixels}
    for pixel in pixels:
        row, column = rolled[pixel]
        mates = [
            mate
            for mate in pixels
            if rolled[mate][0] // window == row // window
            and rolled[mate][1] // window == column // window
            and (mate[0] < shift) == (pixel[0] < shift)
            and (mate[1] < shift) == (pixel[1] < shift)
        ]
        for head in range(layer.heads):
            query = qkv[pixel[0], pixel[1], 0, head]
            scores = torch.stack(
                [
                    query @ qkv[m[0], m[1], 1, head] / layer.head_dim**0.5
                    + layer.relative_position_params[
                        head,
                        row % window - rolled[m][0] % window + window - 1,
                        column % window - rolled[m][1] % window + window - 1,
                    ]
                    for m in mates
                ]
            )
            values = torch.stack([qkv[m[0], m[1], 2, head] for m in mates])
            part = slice(head * layer.head_dim, (head + 1) * layer.head_dim)
            out[pixel[0], pixel[1], part] = scores.softmax(0) @ values
    return layer.linear(out)[None]


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("size", [(8, 8), (12, 8), (4, 4)])
def test_window_attention_equals_its_definition(shifted: bool, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer = WindowAttention(8, 4, 4, shifted)
    torch.nn.init.normal_(layer.relative_position_params)
    x = torch.randn(1, *size, 8)
    with torch.no_grad():
        assert torch.allclose(layer(x), dense_attention(layer, x), atol=1e-5)
