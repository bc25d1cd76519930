"""ADD, SUB and MUL of a tensor and a constant, as a normalisation has them: a table for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, Threshold
from edgeml.network.rounding import rescale

from ..schema import OperatorKind
from .add import sum_terms
from .factors import factors
from .fused_activation import fused_bounds
from .operator import Arithmetic, FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["WithConstant"]

_MOST_CHANNELS = 4096
_OPTIONS = {OperatorKind.ADD: "AddOptions", OperatorKind.SUB: "SubOptions", OperatorKind.MUL: "MulOptions"}


@dataclass(frozen=True, eq=False)
class WithConstant(TfliteOperator):
    """x + c, x − c, c − x or x · c, each channel with its own c; every kernel rounds a function of one 8-bit integer.

    Parameters
    ----------
    kind : ADD, SUB or MUL.
    constant : int64 [channels], integers of `info`. first : whether it stands before x.
    """

    kinds_of_files: ClassVar[tuple[OperatorKind, ...]] = tuple(_OPTIONS)
    """What it is in files, where one of the two tensors is a constant."""

    kind: OperatorKind
    constant: npt.NDArray[np.int64]
    info: TensorInfo
    activation: str
    first: bool

    @classmethod
    def read(cls, found: Found) -> WithConstant:
        (taken,) = found.taken
        source = found.tensors.activation(taken)
        index = found.indices[1 if found.indices[0] == taken else 0]
        info, integers = found.tensors.operand(index, found.where)
        shape, own = found.tensors.shape(taken), integers.shape
        if source.size != found.target.size or source.size > _MOST_CHANNELS:
            raise InputError(
                found.where, f"makes {found.target.size} channels of {source.size}; the most is {_MOST_CHANNELS}"
            )
        try:
            constant = np.broadcast_to(integers, shape).reshape(-1)
        except ValueError as error:
            raise InputError(found.where, f"a constant of shape {list(own)} for a tensor of shape {shape}") from error
        activation, first = found.activation(_OPTIONS[found.kind]), index == found.indices[0]
        return cls(found.target.name, found.inputs, found.kind, constant.astype(np.int64), info, activation, first)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        raise InputError(f"layer {self.output}", f"{self.kind.name} with a constant is read, and not written")

    def table(self, source: TensorInfo, target: TensorInfo, arithmetic: Arithmetic) -> npt.NDArray[np.int64]:
        """Outputs int64 [channels, 256] for all integers of each channel."""
        if self.kind == OperatorKind.MUL:
            rounding = arithmetic.rounding
            parts = factors(np.array([self.info.scale], np.float32), source, target, arithmetic)
            x = np.arange(source.low, source.high + 1) - source.zero_point
            totals = (self.constant - self.info.zero_point)[:, None] * x[None]
            wide = {name: values.astype(np.int64) for name, values in parts.items()}
            fraction = wide.get("fraction", np.zeros(1, np.int64))
        else:
            terms = sum_terms(source, self.info, target, arithmetic.rounding)
            signs = (1, 1)
            if self.kind == OperatorKind.SUB:
                signs = (-1, 1) if self.first else (1, -1)
            chosen = terms.second[self.constant - self.info.low]
            totals = signs[0] * terms.first[None] + signs[1] * chosen[:, None]
            rounding, fraction = terms.rounding, np.zeros(1, np.int64)
            wide = {"multiplier": terms.multiplier.astype(np.int64), "shift": terms.shift.astype(np.int64)}
        rounded = rescale(totals, wide["multiplier"], wide["shift"], rounding, fraction)
        low, high = fused_bounds(self.activation, target, rounding)
        return np.clip(rounded + target.zero_point, low, high)

    def lower(self, lowering: Lowering) -> None:
        """Thresholds on the integer itself; where the outputs fall, on its negative."""
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        table = self.table(source, target, lowering.arithmetic(self))
        falling = table[:, -1] < table[:, 0]
        inputs, lowest = self.inputs, np.full(len(table), source.low, np.int64)
        if falling.any():
            signs = np.where(falling, -1, 1).astype(np.int32)
            zeros = np.zeros(len(table), np.int32)
            lowering.add(f"{self.output}_signs", Dense(np.diag(signs), 2, zeros), inputs)
            inputs = (f"{self.output}_signs",)
            table = np.where(falling[:, None], table[:, ::-1], table)
            lowest = np.where(falling, -source.high, lowest)
        base, highest = int(table.min()), int(table.max())
        levels = np.arange(base + 1, max(highest, base + 1) + 1)
        places = np.stack([np.searchsorted(row, levels) for row in table])
        lowering.add(self.output, Threshold((places + lowest[:, None]).astype(np.int32), base), inputs)
