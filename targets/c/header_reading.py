"""What `<name>.h` says of real numbers: an application that has the header alone, and no `network.edgeml`."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.verification.stated_scales import StatedScales

__all__ = ["read_scales"]

Floats = npt.NDArray[np.float64]

_NUMBER = r"-?[0-9][0-9.eE+-]*"


def read_scales(text: str, macro: str, where: str) -> StatedScales:
    """The scales in the text of a header whose macros begin with `macro`; CheckFailed if one is missing."""

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

    return StatedScales(
        values("INPUT_SCALE"),
        values("INPUT_OFFSET"),
        integer("INPUT_ZERO_POINT"),
        integer("INPUT_LOW"),
        integer("INPUT_HIGH"),
        values("OUTPUT_SCALE"),
        integer("OUTPUT_ZERO_POINT"),
    )
