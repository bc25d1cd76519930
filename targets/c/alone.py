"""Each stage of a program alone, at the corners of its input range: what a whole network's inputs cannot reach, as the
values of a layer depend on each other, its code must compute all the same.

A compiler sees a function for each stage beside the program's own entry points; whoever runs the C calls them on stored
integers and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from .arena import ArenaLayout, Stage
from .emitter import layer_emitter
from .tensor import Tensor

__all__ = ["StageCase", "check_stages", "entry_points", "stage_cases", "stage_function"]

_DRAWN = 6

Values = npt.NDArray[np.int32]
_STORED: dict[str, type[np.generic]] = {"uint8_t": np.uint8, "int16_t": np.int16, "int32_t": np.int32}


@dataclass(frozen=True, eq=False)
class StageCase:
    """A stage with inputs for it.

    Parameters
    ----------
    stage : what is called.
    function : its entry point: void (const void *x, const void *x1, void *y, void *scratch).
    inputs : for each of its tensors, stored integers [cases, padded].
    expected : values int32 [cases, channels] of its output.
    """

    stage: Stage
    function: str
    inputs: tuple[npt.NDArray[np.generic], ...]
    expected: Values

    def values(self, stored: npt.NDArray[np.generic]) -> Values:
        """The values of stored outputs [cases, padded]."""
        output = self.stage.output
        return (stored[:, : output.size].astype(np.int64) + output.low).astype(np.int32)

    @property
    def dtype(self) -> type[np.generic]:
        """Of a stored output."""
        return _STORED[self.stage.output.ctype]


def stage_function(layout: ArenaLayout, position: int) -> str:
    """What the entry point of a stage is called."""
    return f"{layout.name}_alone_{position}"


def entry_points(layout: ArenaLayout) -> str:
    """C behind the program's own: a function for each stage but the input's, on one sample."""
    parts = []
    for position, stage in enumerate(layout.stages):
        job, code = stage.job, stage.code
        if not job.inputs:
            continue
        names = [f"x{number}" if number else "x" for number in range(2)]
        used = zip(job.inputs, names, strict=False)
        arguments = [f"(const {tensor.ctype} *){name}" for tensor, name in used] + [f"({stage.output.ctype} *)y"]
        arguments += ["(uint8_t *)scratch"] if code.scratch_bytes else []
        signature = f"void {stage_function(layout, position)}(const void *x, const void *x1, void *y, void *scratch)"
        unused = "" if len(job.inputs) > 1 else "    (void)x1;\n"
        unused += "" if code.scratch_bytes else "    (void)scratch;\n"
        parts.append(f"{signature};\n{signature}\n{{\n{unused}    {job.prefix}({', '.join([*arguments, '1'])});\n}}\n")
    return "\n".join(parts)


def stage_cases(layout: ArenaLayout) -> Iterator[StageCase]:
    """Each stage but the input's, at the corners of its input range; the same layout gives the same cases."""
    for position, stage in enumerate(layout.stages):
        if not stage.job.inputs or len(stage.job.inputs) > 2:
            continue
        values = _corners(stage, np.random.default_rng(position))
        found: Sequence[Values] = values
        for node in stage.job.nodes:
            found = (node.layer.evaluate(*found),)
        stored = tuple(_stored(value, tensor) for value, tensor in zip(values, stage.job.inputs, strict=True))
        yield StageCase(stage, stage_function(layout, position), stored, found[0])


def _corners(stage: Stage, generator: np.random.Generator) -> tuple[Values, ...]:
    """Values [cases, channels] for each input: all at one end, both ends drawn, and what the layer makes extreme."""
    columns = []
    patterns = [np.array(bits) for bits in ((0, 0), (1, 1), (0, 1), (1, 0))][: 2 * len(stage.job.inputs)]
    for number, tensor in enumerate(stage.job.inputs):
        low, high = tensor.ends
        rows = [high if pattern[number] else low for pattern in patterns]
        rows += [np.where(generator.integers(0, 2, tensor.size) == 1, high, low) for _ in range(_DRAWN)]
        rows += [generator.integers(low, high, endpoint=True) for _ in range(_DRAWN)]
        columns.append(rows)
    columns[0] += layer_emitter(stage.job.nodes[0]).extremes(stage.job)
    return tuple(np.stack(rows).astype(np.int32) for rows in columns)


def _stored(values: Values, tensor: Tensor) -> npt.NDArray[np.generic]:
    stored = np.zeros((len(values), tensor.padded), _STORED[tensor.ctype])
    stored[:, : tensor.size] = values.astype(np.int64) - tensor.low
    return stored


def check_stages(layout: ArenaLayout, call: Callable[[StageCase], Values], where: str) -> int:
    """Run every case with `call`, which gives values [cases, channels]; the number of cases.

    Raises CheckFailed naming the layer that gives other integers than its definition.
    """
    count = 0
    for case in stage_cases(layout):
        found = call(case)
        if not np.array_equal(found, case.expected):
            row, channel = (int(index) for index in np.argwhere(found != case.expected)[0])
            raise CheckFailed(
                f"layer {case.stage.name}",
                f"alone, at a corner of its input range, channel {channel} is {found[row, channel]} {where}; "
                f"golden has {case.expected[row, channel]}",
            )
        count += len(case.expected)
    return count
