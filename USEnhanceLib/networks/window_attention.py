"""Self-attention within square windows, plain or shifted (Liu et al., Swin Transformer, ICCV 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class WindowAttention(nn.Module):
    """Multi-head self-attention over windows of a feature map, with a learned relative position bias.

    In a shifted layer the map is rolled by half a window first. The last row and the last column of windows
    then join pixels from opposite borders of the image; those must not see each other. Only these windows
    get a mask, so memory does not grow with the size of the image beyond the features themselves.

    Parameter names and shapes follow the public SCUNet, so that its published weights load:
    `embedding_layer` maps C to 3C (all heads of q, then of k, then of v), `relative_position_params` is
    [heads, 2 * window - 1, 2 * window - 1], `linear` maps C to C.
    """

    def __init__(self, dim: int, head_dim: int, window: int, shifted: bool) -> None:
        super().__init__()
        if dim % head_dim:
            raise ValueError(f"dim {dim} is not a multiple of head_dim {head_dim}")
        self.heads = dim // head_dim
        self.head_dim = head_dim
        self.window = window
        self.shift = window // 2 if shifted else 0
        self.embedding_layer = nn.Linear(dim, 3 * dim)
        self.relative_position_params = nn.Parameter(torch.empty(self.heads, 2 * window - 1, 2 * window - 1))
        self.linear = nn.Linear(dim, dim)
        nn.init.trunc_normal_(self.relative_position_params, std=0.02)

        row, column = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
        row, column = row.flatten(), column.flatten()
        self.register_buffer("_row_offset", row[:, None] - row[None] + window - 1, persistent=False)
        self.register_buffer("_column_offset", column[:, None] - column[None] + window - 1, persistent=False)
        border = window - self.shift
        apart_in_rows = (row[:, None] < border) != (row[None] < border)
        apart_in_columns = (column[:, None] < border) != (column[None] < border)
        self.register_buffer("_apart_in_rows", apart_in_rows, persistent=False)
        self.register_buffer("_apart_in_columns", apart_in_columns, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Attend. `x` is [B, H, W, C] with H and W multiples of the window; so is the result."""
        batch, height, width, channels = x.shape
        window, rows, columns = self.window, height // self.window, width // self.window
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        x = x.view(batch, rows, window, columns, window, channels).permute(0, 1, 3, 2, 4, 5)
        x = x.reshape(batch, rows, columns, window * window, channels)
        qkv = self.embedding_layer(x)
        qkv = qkv.view(batch, rows, columns, window * window, 3, self.heads, self.head_dim)
        query, key, value = qkv.permute(4, 0, 1, 2, 5, 3, 6)

        bias = self.relative_position_params[:, self._row_offset, self._column_offset]
        if self.shift:
            in_last_row = bias.masked_fill(self._apart_in_rows, float("-inf"))
            in_last_column = bias.masked_fill(self._apart_in_columns, float("-inf"))
            in_corner = in_last_row.masked_fill(self._apart_in_columns, float("-inf"))
            upper = self._attend_to_row(query[:, :-1], key[:, :-1], value[:, :-1], bias, in_last_column)
            lower = self._attend_to_row(query[:, -1:], key[:, -1:], value[:, -1:], in_last_row, in_corner)
            x = torch.cat((upper, lower), 1)
        else:
            x = self._attend(query, key, value, bias)

        x = x.transpose(3, 4).reshape(batch, rows, columns, window, window, channels)
        x = self.linear(x.permute(0, 1, 3, 2, 4, 5).reshape(batch, height, width, channels))
        if self.shift:
            x = torch.roll(x, (self.shift, self.shift), (1, 2))
        return x

    def _attend_to_row(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, last: Tensor) -> Tensor:
        inner = self._attend(query[:, :, :-1], key[:, :, :-1], value[:, :, :-1], bias)
        outer = self._attend(query[:, :, -1:], key[:, :, -1:], value[:, :, -1:], last)
        return torch.cat((inner, outer), 2)

    @staticmethod
    def _attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        shape = query.shape
        if not query.numel():
            return query
        query, key, value = (t.reshape(-1, *shape[3:]) for t in (query, key, value))
        bias = bias.to(query.dtype)[None]
        if not torch.is_grad_enabled():
            return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).view(shape)
        # A mask that is learned keeps torch from its fused kernels; written out, a training step is a quarter
        # shorter on a CPU.
        scores = query * shape[-1] ** -0.5 @ key.transpose(-2, -1) + bias
        return (torch.softmax(scores, -1).to(value.dtype) @ value).view(shape)
