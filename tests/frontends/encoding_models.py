"""Models that take their inputs apart themselves, written in the ways in which people write them.

All take whole numbers; `levels` says how many values a feature has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from .architectures import Functional

__all__ = ["MODELS", "EncodingModel", "inputs", "trained"]

FEATURES = 5
LEVELS = torch.tensor([3.0, 17.0, 64.0, 200.0])
ROWS = (4, 7, 2, 11, 5)


def head(inputs: int, outputs: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 6), nn.ReLU(), nn.Linear(6, outputs))


@dataclass(frozen=True)
class EncodingModel:
    """How to make it; how many values each feature has; whether it takes integers only; outputs of its encoding."""

    make: Callable[[], nn.Module]
    levels: tuple[int, ...] = (256,) * FEATURES
    integers: bool = False
    kinds: str = ""
    scale: float = 1.0


def _of(function: Callable[..., torch.Tensor], width: int, **options: object) -> EncodingModel:
    """A model whose forward is an encoding of `width` outputs, flattened, and two layers."""
    parts = options.pop("parts", {})
    return EncodingModel(
        lambda: Functional(
            lambda m, x: m.head(function(m, x).flatten(1).float()),
            head=head(width),
            **{name: part() if callable(part) else part for name, part in parts.items()},  # type: ignore[attr-defined]
        ),
        **options,  # type: ignore[arg-type]
    )


PLACES = torch.arange(7, -1, -1)

BITS: dict[str, EncodingModel] = {
    "shift_and_mask": _of(lambda m, x: (x.long().unsqueeze(-1) >> torch.arange(7, -1, -1)) & 1, 40),
    "shift_by_a_buffer": _of(lambda m, x: (x.to(torch.int32).unsqueeze(2) >> m.k) & 1, 40, parts={"k": PLACES}),
    "named_operators": _of(lambda m, x: x.long().unsqueeze(-1).bitwise_right_shift(torch.arange(8)).bitwise_and(1), 40),
    "mask_not_zero": _of(lambda m, x: (x.long().unsqueeze(-1) & (1 << torch.arange(8))) != 0, 40),
    "mask_above_zero": _of(lambda m, x: (x.long().unsqueeze(-1) & 2 ** torch.arange(8)).gt(0), 40),
    "mask_as_bool": _of(lambda m, x: (x.long().unsqueeze(-1) & 2 ** torch.arange(8)).bool(), 40),
    "floored_division": _of(
        lambda m, x: torch.div(x.unsqueeze(-1), 2 ** torch.arange(8), rounding_mode="floor") % 2, 40
    ),
    "floor": _of(lambda m, x: torch.floor(x.unsqueeze(-1) / 2 ** torch.arange(8)) % 2, 40),
    "floor_of_columns": _of(lambda m, x: torch.stack([torch.floor(x / 2**k) % 2 for k in range(8)], 2), 40),
    "floor_divide": _of(lambda m, x: x.unsqueeze(-1) // 2 ** torch.arange(8) % 2, 40),
    "integer_floor_divide": _of(lambda m, x: x.long().unsqueeze(-1) // (2 ** torch.arange(8)) % 2, 40),
    "remainder": _of(lambda m, x: torch.remainder(torch.floor(x[:, :, None] / m.p), 2), 40, parts={"p": 2.0**PLACES}),
    "fmod": _of(lambda m, x: torch.fmod(torch.floor(x[:, :, None] / m.p), 2), 40, parts={"p": 2.0**PLACES}),
    "fmod_of_truncation": _of(lambda m, x: torch.fmod((x[:, :, None] / m.p).trunc(), 2), 40, parts={"p": 2.0**PLACES}),
    "stacked": _of(lambda m, x: torch.stack([(x.int() >> k) & 1 for k in range(8)], dim=-1), 40),
    "stacked_in_front": _of(lambda m, x: torch.stack([(x.int() >> k) & 1 for k in range(8)], dim=1), 40),
    "concatenated": _of(lambda m, x: torch.cat([(x.long() >> k & 1).float() for k in range(7, -1, -1)], dim=1), 40),
    "transposed": _of(lambda m, x: ((x.long()[..., None] >> torch.arange(8)) & 1).transpose(1, 2), 40),
    "some_bits": _of(lambda m, x: (x.long().unsqueeze(-1) >> torch.tensor([6, 2])) & 1, 10),
    "signs": _of(lambda m, x: ((x.long().unsqueeze(-1) >> torch.arange(8)) & 1) * 2 - 1, 40),
    "signs_of_floats": _of(lambda m, x: 1 - 2 * ((x.long().unsqueeze(-1) >> torch.arange(8)) & 1).float(), 40),
    "gray_code": _of(lambda m, x: ((x.long() ^ (x.long() >> 1)).unsqueeze(-1) >> torch.arange(8)) & 1, 40),
    "integer_input": _of(lambda m, x: (x.unsqueeze(-1) >> torch.arange(8)) & 1, 40, integers=True),
    "a_column": _of(lambda m, x: torch.cat([(x[:, :1].long() >> torch.arange(8)) & 1, x[:, 1:].long()], 1), 12),
    "a_column_and_the_rest": _of(
        lambda m, x: torch.cat([((x[:, 3].long().unsqueeze(1) >> torch.arange(4)) & 1).float(), x[:, :3] / 255], 1), 7
    ),
    "chosen_columns": _of(lambda m, x: (x[:, [4, 0, 2]].long().unsqueeze(-1) >> torch.arange(8)) & 1, 24),
    "split": _of(
        lambda m, x: torch.cat(
            [x.split([2, 3], 1)[0], ((x.split([2, 3], 1)[1].long().unsqueeze(-1) >> torch.arange(8)) & 1).flatten(1)], 1
        ),
        26,
    ),
    "upper_and_lower": _of(lambda m, x: torch.cat([x.long() >> 4, x.long() & 15], 1), 10),
    "scaled": _of(lambda m, x: ((x * 255).round().long().unsqueeze(-1) >> torch.arange(8)) & 1, 40, scale=1 / 255),
    "scaled_and_cut": _of(
        lambda m, x: ((x * 255).clamp(0, 255).long().unsqueeze(-1) >> torch.arange(8)) & 1, 40, scale=1 / 255
    ),
    "bits_and_norm": EncodingModel(
        lambda: Functional(
            lambda m, x: m.head(m.norm(((x.long().unsqueeze(-1) >> torch.arange(8)) & 1).float().flatten(1))),
            norm=nn.BatchNorm1d(40),
            head=head(40),
        )
    ),
}

THERMOMETERS: dict[str, EncodingModel] = {
    "at_least": _of(lambda m, x: (x.unsqueeze(-1) >= m.levels).float(), 20, parts={"levels": LEVELS}),
    "above": _of(lambda m, x: x.unsqueeze(-1) > m.levels, 20, parts={"levels": LEVELS}),
    "below": _of(lambda m, x: (x.unsqueeze(-1) < m.levels).float(), 20, parts={"levels": LEVELS}),
    "at_most": _of(lambda m, x: (x.unsqueeze(-1) <= m.levels).to(x.dtype), 20, parts={"levels": LEVELS}),
    "the_other_way_round": _of(lambda m, x: (m.levels <= x[:, :, None]).float(), 20, parts={"levels": LEVELS}),
    "levels_of_each_feature": _of(
        lambda m, x: (x.unsqueeze(-1) >= m.levels).float(),
        20,
        parts={"levels": lambda: torch.arange(20.0).reshape(5, 4) * 12 + 3},
    ),
    "between_numbers": _of(lambda m, x: (x.unsqueeze(-1) > m.levels).float(), 20, parts={"levels": LEVELS + 0.5}),
    "integer_levels": _of(lambda m, x: x.long().unsqueeze(-1) >= torch.tensor([1, 128, 255]), 15),
    "loop_of_levels": _of(lambda m, x: torch.cat([(x > t).float() for t in (10, 100, 150.5)], dim=1), 15),
    "where": _of(lambda m, x: torch.where(x.unsqueeze(-1) >= m.levels, 1.0, -1.0), 20, parts={"levels": LEVELS}),
    "inverted": _of(lambda m, x: ~(x.unsqueeze(-1) >= m.levels), 20, parts={"levels": LEVELS}),
    "within": _of(lambda m, x: (x.unsqueeze(-1) >= m.levels) & (x.unsqueeze(-1) < 220), 20, parts={"levels": LEVELS}),
    "buckets": _of(lambda m, x: functional.one_hot(torch.bucketize(x, m.levels), 5), 25, parts={"levels": LEVELS}),
}


def _tables(dim: int) -> Callable[[], nn.ModuleList]:
    return lambda: nn.ModuleList(nn.Embedding(rows, dim) for rows in ROWS)


OFFSETS = torch.tensor([0, *torch.tensor(ROWS).cumsum(0)[:-1].tolist()])

CATEGORIES: dict[str, EncodingModel] = {
    "one_hot": _of(lambda m, x: functional.one_hot(x.long(), 12), 60, levels=(12,) * FEATURES),
    "one_hot_of_columns": _of(
        lambda m, x: torch.cat([functional.one_hot(x[:, i].long(), n) for i, n in enumerate(ROWS)], 1),
        sum(ROWS),
        levels=ROWS,
    ),
    "equal": _of(lambda m, x: (x.unsqueeze(-1) == torch.arange(16)).float(), 80),
    "equal_to_some": _of(lambda m, x: x.long().unsqueeze(-1).eq(torch.tensor([0, 7, 200])), 15),
    "different": _of(lambda m, x: x.long() != 0, 5),
    "one_hot_times_table": EncodingModel(
        lambda: Functional(
            lambda m, x: m.head((functional.one_hot(x.long(), 12).float() @ m.table).flatten(1)),
            table=torch.randn(12, 3),
            head=head(15),
        ),
        levels=(12,) * FEATURES,
    ),
    "embedding": _of(
        lambda m, x: m.table(x.long()), 15, parts={"table": lambda: nn.Embedding(20, 3)}, levels=(20,) * 5
    ),
    "embedding_of_integers": _of(
        lambda m, x: m.table(x), 15, parts={"table": lambda: nn.Embedding(20, 3)}, levels=(20,) * 5, integers=True
    ),
    "embedding_of_bytes": _of(lambda m, x: m.table(x.long()), 10, parts={"table": lambda: nn.Embedding(256, 2)}),
    "embeddings_concatenated": _of(
        lambda m, x: torch.cat([table(x[:, i].long()) for i, table in enumerate(m.tables)], dim=1),
        10,
        parts={"tables": _tables(2)},
        levels=ROWS,
    ),
    "embeddings_stacked": _of(
        lambda m, x: torch.stack([table(x[:, i]) for i, table in enumerate(m.tables)], dim=1),
        10,
        parts={"tables": _tables(2)},
        levels=ROWS,
        integers=True,
    ),
    "embeddings_summed": EncodingModel(
        lambda: Functional(
            lambda m, x: m.out(torch.relu(sum(table(x[:, i].long()) for i, table in enumerate(m.tables)))),
            tables=_tables(6)(),
            out=nn.Linear(6, 3),
        ),
        levels=ROWS,
    ),
    "embeddings_unbound": _of(
        lambda m, x: torch.cat([t(c) for t, c in zip(m.tables, x.long().unbind(1), strict=True)], dim=-1),
        10,
        parts={"tables": _tables(2)},
        levels=ROWS,
    ),
    "offsets": EncodingModel(
        lambda: Functional(
            lambda m, x: m.out(torch.relu(m.table(x.long() + m.offsets).sum(1) + m.bias)),
            table=nn.Embedding(sum(ROWS), 6),
            offsets=OFFSETS,
            bias=torch.randn(6),
            out=nn.Linear(6, 3),
        ),
        levels=ROWS,
    ),
    "offsets_concatenated": _of(
        lambda m, x: m.table(x + m.offsets),
        15,
        parts={"table": lambda: nn.Embedding(sum(ROWS), 3), "offsets": OFFSETS},
        levels=ROWS,
        integers=True,
    ),
    "sum_and_linear": EncodingModel(
        lambda: Functional(lambda m, x: m.head(m.table(x.long()).sum(dim=1)), table=nn.Embedding(20, 4), head=head(4)),
        levels=(20,) * 5,
    ),
    "mean_and_linear": EncodingModel(
        lambda: Functional(lambda m, x: m.head(m.table(x.long()).mean(dim=1)), table=nn.Embedding(20, 4), head=head(4)),
        levels=(20,) * 5,
    ),
    "embedding_bag": EncodingModel(
        lambda: Functional(
            lambda m, x: m.out(torch.relu(m.table(x.long()))),
            table=nn.EmbeddingBag(20, 6, mode="sum"),
            out=nn.Linear(6, 3),
        ),
        levels=(20,) * 5,
    ),
    "embedding_and_relu": _of(
        lambda m, x: torch.relu(m.table(x.long())), 15, parts={"table": lambda: nn.Embedding(20, 3)}, levels=(20,) * 5
    ),
    "categories_and_bits": _of(
        lambda m, x: torch.cat(
            [m.table(x[:, 0].long()), ((x[:, 1:4].long().unsqueeze(-1) >> torch.arange(8)) & 1).flatten(1), x[:, 4:]], 1
        ),
        28,
        parts={"table": lambda: nn.Embedding(9, 3)},
        levels=(9, 256, 256, 256, 256),
    ),
    "table_of_a_byte": _of(lambda m, x: m.table[x.long()], 10, parts={"table": lambda: torch.randn(256, 2)}),
}

MODELS: dict[str, EncodingModel] = {
    **{f"bits_{name}": model for name, model in BITS.items()},
    **{f"thermometer_{name}": model for name, model in THERMOMETERS.items()},
    **{f"categories_{name}": model for name, model in CATEGORIES.items()},
}


def trained(name: str, seed: int = 0) -> nn.Module:
    """The model called so in evaluation mode."""
    torch.manual_seed(seed)
    model = MODELS[name].make().eval()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.uniform_(-1, 1)  # type: ignore[union-attr, operator]
            part.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    return model


def inputs(name: str, count: int | None = None) -> torch.Tensor:
    """Every value of every feature, float32 or int64 [samples, features]."""
    model = MODELS[name]
    samples = max(model.levels) if count is None else count
    columns = [
        (torch.arange(samples) * (3 if math.gcd(3, n) == 1 else 1) + 5 * i) % n for i, n in enumerate(model.levels)
    ]
    x = torch.stack(columns, dim=1)
    return x if model.integers else x.float() * model.scale
