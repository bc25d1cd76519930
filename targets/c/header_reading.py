"""What `<name>.h` says of real numbers: an application that has the header alone, and no `network.edgeml`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

__all__ = ["HeaderScales", "read_scales"]

Floats = npt.NDArray[np.float64]

_NUMBER = r"-?[0-9][0-9.eE+-]*"


@dataclass(frozen=True, eq=False)
class HeaderScales:
    """The macros of a header, arrays of one value or of one per channel: real = (y − output_zero_point) · output_scale,
    q = clip(round_half_even((x − input_offset) / input_scale) + input_zero_point, input_low, input_high)."""

    input_scale: Floats
    input_offset: Floats
    input_zero_point: int
    input_low: int
    input_high: int
    output_scale: Floats
    output_zero_point: int

    def quantize(self, x: Floats) -> npt.NDArray[np.int32]:
        """Input integers for real x [samples, inputs]."""
        steps = np.rint((x - self.input_offset) / self.input_scale) + self.input_zero_point
        return np.asarray(np.clip(steps, self.input_low, self.input_high).astype(np.int32))

    def real(self, y: npt.NDArray[np.int32]) -> Floats:
        """Real numbers for output integers y [samples, outputs]."""
        return np.asarray((y.astype(np.float64) - self.output_zero_point) * self.output_scale)


def read_scales(text: str, macro: str, where: str) -> HeaderScales:
    """The scales in the text of a header whose macros begin with `macro`; CheckFailed where one is missing."""

    def values(name: str) -> Floats:
        listed = re.search(rf"#define {macro}_{name}_PER_CHANNEL {{([^}}]*)}}", text)
        found = [listed[1].replace("\\", " ")] if listed else re.findall(rf"#define {macro}_{name} ({_NUMBER}) ", text)
        try:
            (numbers,) = found
            return np.array([float(number) for number in numbers.split(",")])
        except ValueError as error:
            raise CheckFailed(where, f"does not define {macro}_{name} as numbers") from error

    def integer(name: str) -> int:
        found = re.search(rf"#define {macro}_{name} \(?(-?[0-9]+)\)?$", text, re.MULTILINE)
        if found is None:
            raise CheckFailed(where, f"does not define {macro}_{name} as a whole number")
        return int(found[1])

    return HeaderScales(
        values("INPUT_SCALE"),
        values("INPUT_OFFSET"),
        integer("INPUT_ZERO_POINT"),
        integer("INPUT_LOW"),
        integer("INPUT_HIGH"),
        values("OUTPUT_SCALE"),
        integer("OUTPUT_ZERO_POINT"),
    )
