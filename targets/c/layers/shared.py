"""C of a chain of layers at many positions: windows, the stages of the chain on groups of them, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edgeml.network import InputQuantizer, Network, Node, Output, Shared, ValueRange
from edgeml.network.task import VALUES as REAL_VALUES

from ..arena import Regions, Stage, stage_jobs
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob, layer_emitter
from ..gather_loops import Gathering
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "SharedEmitter"]

_FEW, _MOST = 8, 32
"""Fewer positions than these are computed together with those of other samples; so many are, at most, of one sample."""


@dataclass(frozen=True, eq=False)
class _Chain(Network):
    """The layers of one position as a network, whose first node is what a position gathers: the values that they take
    at any position are known, so that `ranges` need not be those of an input."""

    stated: tuple[ValueRange, ...] = ()

    @cached_property
    def ranges(self) -> dict[str, ValueRange]:
        return {node.name: values for node, values in zip(self.nodes, self.stated, strict=True)}


def _chain(node: Node, shared: Shared, x: ValueRange) -> _Chain:
    gathered = InputQuantizer(shared.width, np.ones(1), np.zeros(1), 0, 8, True)
    nodes = [Node(f"{node.name}_window", gathered)]
    for place, layer in enumerate(shared.chain, 1):
        nodes.append(Node(f"{node.name}_{place}_{layer.kind}", layer, (nodes[-1].name,), node.origin))
    return _Chain("chain", tuple(nodes), Output(np.ones(1), task=REAL_VALUES), stated=shared.chain_ranges(x))


def _window(name: str, values: ValueRange, x: Tensor | None, padding: int) -> Tensor:
    """What positions gather, stored like the input where that holds the padding, too."""
    if x is not None:
        low, high = values.bounds
        ends = {"uint8_t": (x.low, x.low + 255), "int16_t": (-(2**15), 2**15 - 1), "int32_t": (-(2**31), 2**31 - 1)}
        smallest, largest = ends[x.ctype]
        if smallest <= low and high <= largest:
            return Tensor.make(name, values, padding, ctype=x.ctype, low=x.low)
    return Tensor.make(name, values, padding)


def _joined(network: Network, nodes: tuple[Node, ...]) -> Shared:
    """The layer and those behind it that repeat at its positions, as one."""
    shared = nodes[0].layer
    assert isinstance(shared, Shared)
    for node in nodes[1:]:
        behind = shared.followed_by(node.layer, network.ranges[node.inputs[0]])
        assert behind is not None, node.name  # `absorbs` asked
        shared = behind
    return shared


class SharedEmitter(LayerEmitter):
    """Each position's window is used where it lies, if it lies whole, aligned and in order, else copied; then the
    chain's own kernels compute groups of windows as they compute samples. Weights and thresholds are stored once."""

    kind = "shared"

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        """What compares or rounds the sums of all positions by the same numbers, which are stored once then."""
        shared = _joined(job.network, job.nodes)
        return (
            bool(shared.chain)
            and shared.followed_by(consumer.layer, job.network.ranges[consumer.inputs[0]]) is not None
        )

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        shared = _joined(network, nodes)
        name, values = nodes[-1].name, network.ranges[nodes[-1].name]
        if not shared.chain:
            return Tensor.make(name, values, dialect.padding)
        chain = _chain(nodes[0], shared, network.ranges[nodes[0].inputs[0]])
        (*_, last) = stage_jobs(
            chain, dialect, lambda node: node.name, {chain.nodes[0].name: _first(chain, None, dialect)}
        )
        return Tensor.make(name, values, dialect.padding, ctype=last.output.ctype, low=last.output.low)

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        """What makes the first layer of the chain extreme, at every position at once as far as they share inputs."""
        shared = _joined(job.network, job.nodes)
        if not shared.chain:
            return []
        (x,) = job.inputs
        low, high = x.ends
        chain, window = _chain_of(job)
        first = stage_jobs(chain, job.dialect, lambda node: node.name, {chain.nodes[0].name: window})[0]
        rows = []
        for wanted in layer_emitter(first.nodes[0]).extremes(first):
            values = low.copy()
            taken = shared.gather >= 0
            values[shared.gather[taken]] = np.broadcast_to(wanted, shared.gather.shape)[taken]
            rows.append(np.clip(values, low, high))
        return rows

    def emit(self, job: LayerJob) -> LayerCode:
        return _Emission(job).code()


def _first(chain: _Chain, x: Tensor | None, dialect: Dialect) -> Tensor:
    name = chain.nodes[0].name
    return _window(name, chain.ranges[name], x, dialect.padding)


def _chain_of(job: LayerJob) -> tuple[_Chain, Tensor]:
    shared = _joined(job.network, job.nodes)
    chain = _chain(job.nodes[0], shared, job.network.ranges[job.inputs[0].name])
    return chain, _first(chain, job.inputs[0], job.dialect)


class _Emission:
    """The code of one stage."""

    def __init__(self, job: LayerJob) -> None:
        layer = _joined(job.network, job.nodes)
        self._job, self._layer, self._dialect = job, layer, job.dialect
        (self._x,) = job.inputs
        self._y = job.output
        self._batched = bool(job.dialect.tile) and len(layer.chain) > 0 and layer.positions < _FEW
        if layer.chain:
            self._chain, self._window = _chain_of(job)
        else:
            self._window = self._y
        pointer = "taken" if self._batched else "x"
        self._gathering = Gathering(layer.gather, self._x, self._window, layer.padding, job.prefix, pointer)
        groups = -(-layer.positions // _MOST)
        self._group = -(-layer.positions // groups) if job.dialect.tile else 1
        self._regions = Regions(job.dialect.alignment)

    def code(self) -> LayerCode:
        if not self._layer.chain:
            return self._gathered()
        in_place, direct = self._in_place(), self._layer.sizes[-1] % self._dialect.padding == 0
        stages = self._stages(in_place, direct)
        constants = [*self._gathering.constants, *(array for stage in stages for array in stage.code.constants)]
        statements = self._statements(in_place, direct, stages)
        headers: dict[str, str] = {}
        for stage in stages:
            headers |= stage.code.headers
        kernels = [stage.code.kernel for stage in stages if stage.code.kernel]
        inner = "; ".join(stage.code.comment for stage in stages)
        return LayerCode(
            statements=tuple(statements),
            comment=f"{self._layer.positions} positions of {self._layer.width} values: {inner}",
            includes=tuple(dict.fromkeys(name for stage in stages for name in stage.code.includes)),
            headers=headers,
            constants=tuple({array.name: array for array in [*self._gathering.constants, *constants]}.values()),
            scratch_bytes=self._regions.bytes,
            per_sample=not self._batched,
            kernel=", ".join(dict.fromkeys(kernels)),
            stages=stages,
        )

    def _gathered(self) -> LayerCode:
        """An empty chain: each position's row is where its results stand."""
        layer, y = self._layer, self._y
        return LayerCode(
            statements=(
                f"for (size_t position = 0; position < {layer.positions}u; position++) {{",
                f"    {y.ctype} *const row = y + position * {layer.width}u;",
                *(f"    {line}" for line in self._gathering.statements()),
                "}",
            ),
            comment=f"{layer.positions} positions of {layer.width} values",
            constants=tuple(self._gathering.constants),
        )

    @property
    def _rows(self) -> int:
        """Windows that are computed together, of one sample."""
        return self._layer.positions if self._batched else self._group

    def _in_place(self) -> bool:
        """Whether windows lie in the input as the first stage takes them: whole vectors, aligned, in order."""
        window, bases = self._window, self._gathering.bases
        if not self._gathering.contiguous or bases is None or window.padded != window.size:
            return False
        if np.any(bases * window.item_bytes % self._dialect.alignment):
            return False
        in_order = bool(np.all(bases == np.arange(len(bases)) * window.size))
        if self._batched:
            return in_order and self._x.padded == self._x.size == len(bases) * window.size
        return in_order or self._group == 1

    def _stages(self, in_place: bool, direct: bool) -> tuple[Stage, ...]:
        """The stages of the chain, and where their results lie in the scratch memory."""
        job, rows, alignment = self._job, self._rows, self._dialect.alignment
        first = self._chain.nodes[0].name
        jobs = stage_jobs(
            self._chain,
            job.dialect,
            lambda node: f"{job.prefix}{node.name.removeprefix(job.nodes[0].name)}",
            {first: self._window},
        )
        # The windows stay as long as the stage runs: what lies behind them is made zero but once.
        self._window_at = 0 if in_place else self._regions.place(0, len(jobs), rows * self._window.bytes)
        stages = []
        for place, inner in enumerate(jobs):
            code = layer_emitter(inner.nodes[0]).emit(inner)
            last = place == len(jobs) - 1
            offset = 0 if last and direct else self._regions.place(place, place + 1, rows * inner.output.bytes)
            scratch = -(-code.scratch_bytes // alignment) * alignment * (1 if code.per_sample else rows)
            at = self._regions.place(place, place, scratch) if scratch else 0
            stages.append(Stage(inner, code, offset, at))
        return tuple(stages)

    def _statements(self, in_place: bool, direct: bool, stages: tuple[Stage, ...]) -> list[str]:
        window, layer = self._window, self._layer
        positions, group = layer.positions, self._group
        scale = " * samples" if self._batched else ""
        rows = f"{positions}u * samples" if self._batched else f"{group}u"
        lines = []
        if not in_place:
            at = f"scratch + {self._window_at}u{scale}"
            lines.append(f"{window.ctype} *const windows = ({window.ctype} *)(void *)({at});")
            spare = (window.padded - window.size) * window.item_bytes
            if spare and window.ctype == "uint8_t":
                lines += [
                    f"for (size_t row = 0; row < {rows}; row++) {{",
                    f"    edgeml_zero((uint8_t *)(windows + row * {window.padded}u + {window.size}), {spare}u);",
                    "}",
                ]
        tensors: dict[str, str] = {}
        for stage in stages:
            if stage is stages[-1] and direct:
                continue
            name, ctype = f"values{len(tensors)}", stage.output.ctype
            tensors[stage.output.name] = name
            lines.append(f"{ctype} *const {name} = ({ctype} *)(void *)(scratch + {stage.offset}u{scale});")
        lines += (
            self._batch(in_place, direct, stages, tensors)
            if self._batched
            else self._groups(in_place, direct, stages, tensors)
        )
        return lines

    def _calls(self, first: str, last: str, rows: str, stages: tuple[Stage, ...], tensors: dict[str, str]) -> list[str]:
        scale = " * samples" if self._batched else ""
        lines, source = [], first
        for stage in stages:
            target = tensors.get(stage.output.name, last)
            scratch = [f"scratch + {stage.scratch_offset}u{scale}"] if stage.code.scratch_bytes else []
            lines.append(f"{stage.job.prefix}({', '.join([source, target, *scratch, rows])});")
            source = target
        return lines

    def _groups(self, in_place: bool, direct: bool, stages: tuple[Stage, ...], tensors: dict[str, str]) -> list[str]:
        """Group by group of one sample's positions; the last group begins earlier, where the number leaves a rest."""
        positions, group, window, results = self._layer.positions, self._group, self._window, self._layer.sizes[-1]
        one = group == 1
        body = []
        if one:
            loop = [f"for (size_t position = 0; position < {positions}u; position++) {{"]
        else:
            loop = [f"for (size_t next = 0; next < {positions}u; next += {group}u) {{"]
            rest = positions % group
            start = f"next + {group}u <= {positions}u ? next : {positions - group}u" if rest else "next"
            body.append(f"const size_t first = {start};")
        if in_place:
            windows = f"x + ({self._gathering.base()})" if one else f"x + first * {window.size}u"
        else:
            windows = "windows"
            gathered = self._gathering.statements()
            if one:
                body += [f"{window.ctype} *const row = windows;", *gathered]
            else:
                body += [
                    f"for (size_t position = first; position < first + {group}u; position++) {{",
                    f"    {window.ctype} *const row = windows + (position - first) * {window.padded}u;",
                    *(f"    {line}" for line in gathered),
                    "}",
                ]
        at = "position" if one else "first"
        body += self._calls(windows, f"y + {at} * {results}u", f"{group}u", stages, tensors)
        if not direct:
            last = stages[-1].output
            source = tensors[last.name]
            if one:
                body += [
                    f"for (size_t r = 0; r < {results}u; r++) {{",
                    f"    y[position * {results}u + r] = {source}[r];",
                    "}",
                ]
            else:
                body += [
                    f"for (size_t row = 0; row < {group}u; row++) {{",
                    f"    for (size_t r = 0; r < {results}u; r++) {{",
                    f"        y[(first + row) * {results}u + r] = {source}[row * {last.padded}u + r];",
                    "    }",
                    "}",
                ]
        return [*loop, *(f"    {line}" for line in body), "}"]

    def _batch(self, in_place: bool, direct: bool, stages: tuple[Stage, ...], tensors: dict[str, str]) -> list[str]:
        """The few positions of all samples at once."""
        positions, window, results, y = self._layer.positions, self._window, self._layer.sizes[-1], self._y
        lines = []
        if not in_place:
            lines += [
                "for (size_t sample = 0; sample < samples; sample++) {",
                f"    const {self._x.ctype} *const taken = x + sample * {self._x.padded}u;",
                f"    for (size_t position = 0; position < {positions}u; position++) {{",
                f"        {window.ctype} *const row = windows + (sample * {positions}u + position) * {window.padded}u;",
                *(f"        {line}" for line in self._gathering.statements()),
                "    }",
                "}",
            ]
        lines += self._calls("x" if in_place else "windows", "y", f"{positions}u * samples", stages, tensors)
        if direct:
            return lines
        last = stages[-1].output
        source = tensors[last.name]
        return [
            *lines,
            "for (size_t sample = 0; sample < samples; sample++) {",
            f"    for (size_t position = 0; position < {positions}u; position++) {{",
            f"        for (size_t r = 0; r < {results}u; r++) {{",
            f"            y[sample * {y.padded}u + position * {results}u + r] =",
            f"                {source}[(sample * {positions}u + position) * {last.padded}u + r];",
            "        }",
            "    }",
            "}",
        ]


EMITTER = SharedEmitter()
