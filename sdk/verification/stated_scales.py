"""What a file for others says of real numbers: enough to quantize its input and to read its output without edgeml.

Formats of integers (QONNX as FINN takes it, NIR, a C header) have no place of their own for it; they carry this
statement, as JSON in their metadata or as macros.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import CheckFailed
from ..network import Network

__all__ = ["STATEMENT", "StatedScales"]

Floats = npt.NDArray[np.float64]

STATEMENT = "edgeml.real_numbers"
"""The key of the statement in a file's metadata."""

_LONGEST = 2**26
_EQUATIONS = (
    "q = clip(round_half_even((x - offset) / scale) + zero_point, low, high); real = (y - zero_point) * scale; "
    "scale and offset have one value, or one per channel"
)


@dataclass(frozen=True, eq=False)
class StatedScales:
    """q = clip(round_half_even((x − input_offset) / input_scale) + input_zero_point, input_low, input_high) and
    real = (y − output_zero_point) · output_scale; arrays float64 of one value or of one per channel."""

    input_scale: Floats
    input_offset: Floats
    input_zero_point: int
    input_low: int
    input_high: int
    output_scale: Floats
    output_zero_point: int

    @staticmethod
    def of(network: Network) -> StatedScales:
        """What the files of a network state."""
        quantizer, output = network.quantizer, network.output
        integers = quantizer.zero_point, quantizer.low, quantizer.high
        return StatedScales(quantizer.scale, quantizer.offset, *integers, output.scale, output.zero_point)

    def as_json(self) -> str:
        """The statement as text, the same for the same numbers, none of which loses a bit."""
        return json.dumps(
            {
                "equations": _EQUATIONS,
                "input": {
                    "scale": self.input_scale.tolist(),
                    "offset": self.input_offset.tolist(),
                    "zero_point": self.input_zero_point,
                    "low": self.input_low,
                    "high": self.input_high,
                },
                "output": {"scale": self.output_scale.tolist(), "zero_point": self.output_zero_point},
            },
            sort_keys=True,
        )

    @staticmethod
    def from_json(text: str, where: str) -> StatedScales:
        """The statement in `text`; CheckFailed naming `where` if there is none that is sound."""
        try:
            if len(text) > _LONGEST:
                raise ValueError(f"{len(text)} characters")
            values = json.loads(text)
            source, target = values["input"], values["output"]
            arrays = [np.array(each, np.float64) for each in (source["scale"], source["offset"], target["scale"])]
            zero_point, low, high = (int(source[name]) for name in ("zero_point", "low", "high"))
            if any(array.ndim != 1 or not np.all(np.isfinite(array)) for array in arrays):
                raise ValueError("numbers that are not finite")
            return StatedScales(arrays[0], arrays[1], zero_point, low, high, arrays[2], int(target["zero_point"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            problem = f"does not say what real numbers become ({type(error).__name__}: {error})"
            raise CheckFailed(where, problem, "Convert the model again") from error

    def quantize(self, x: Floats) -> npt.NDArray[np.int32]:
        """Input integers for real x [samples, inputs]."""
        steps = np.rint((x - self.input_offset) / self.input_scale) + self.input_zero_point
        return np.asarray(np.clip(steps, self.input_low, self.input_high).astype(np.int32))

    def real(self, y: npt.NDArray[np.int32]) -> Floats:
        """Real numbers for output integers y [samples, outputs]."""
        return np.asarray((y.astype(np.float64) - self.output_zero_point) * self.output_scale)
