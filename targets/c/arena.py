"""The stages of a network in order, and where each tensor lies in the arena."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgeml.network import Network, Node

from .adaptation.shifted_tensor import has_offsets, shifted
from .dialect import Dialect
from .emitter import LayerJob, layer_emitter
from .identifiers import c_name
from .layer_code import LayerCode
from .tensor import Tensor

__all__ = ["ArenaLayout", "Regions", "Stage", "lay_out", "stage_jobs"]


@dataclass(frozen=True, eq=False)
class Stage:
    """One function of the generated code.

    Parameters
    ----------
    job, code : what it computes and its C.
    offset : of its output in the arena, bytes for one sample.
    scratch_offset : of its scratch memory.
    """

    job: LayerJob
    code: LayerCode
    offset: int
    scratch_offset: int

    @property
    def name(self) -> str:
        """Name of the last node that it computes."""
        return self.job.nodes[-1].name

    @property
    def output(self) -> Tensor:
        """The tensor that it gives."""
        return self.job.output


@dataclass(frozen=True, eq=False)
class ArenaLayout:
    """All stages, and the bytes of arena that they need for one sample.

    in_use : of the arena, by stage: bytes of its output, of its scratch memory, and of what is still to be read.
    """

    network: Network
    dialect: Dialect
    stages: tuple[Stage, ...]
    arena_bytes: int
    in_use: Mapping[str, int]

    @property
    def name(self) -> str:
        """What the network is called in C: the beginning of its symbols and the name of its files."""
        return c_name(self.network.name)

    @property
    def macro(self) -> str:
        """The beginning of its macros."""
        return self.name.upper()

    @property
    def tile(self) -> int:
        """Samples that the batched entry point computes together; 0 if there is none."""
        if self.sliced_tile:
            return self.sliced_tile
        constants = sum(array.bytes for stage in self.stages for array in stage.code.constants)
        return self.dialect.tile * (2 if constants > self.dialect.cached else 1)

    @property
    def sixteens(self) -> bool:
        """Whether the batched entry point computes sixteen samples together where the processor has AMX, too."""
        return 0 < self.tile < 16 and any(stage.code.sixteen for stage in self.functions)

    @property
    def batch_arena_bytes(self) -> int:
        """Working memory of the batched entry point, whatever it is compiled for; 0 if there is none."""
        return self.arena_bytes * (16 if self.sixteens else self.tile)

    @property
    def sliced_tile(self) -> int:
        """The same where a stage wants it, and fewer samples than so many may come, too; else 0."""
        return max(stage.code.tile for stage in self.stages) if self.dialect.tile else 0

    @property
    def functions(self) -> tuple[Stage, ...]:
        """The stages, each behind those that it calls."""
        return tuple(each for stage in self.stages for each in (*stage.code.stages, stage))

    @property
    def traced(self) -> tuple[Stage, ...]:
        """The stages whose values a trace holds: all but the input."""
        return tuple(stage for stage in self.stages if stage.name != self.network.nodes[0].name)

    @property
    def trace_size(self) -> int:
        """Number of integers of a trace."""
        return sum(stage.output.size for stage in self.traced)


class Regions:
    """First-fit places for regions of bytes, each in use over an interval of stages."""

    def __init__(self, alignment: int) -> None:
        self._alignment = alignment
        self._regions: list[tuple[int, int, int, int]] = []  # first stage, last stage, start, end

    def place(self, first: int, last: int, size: int) -> int:
        """Offset of `size` bytes that nothing else uses in stages first … last."""
        size = -(-size // self._alignment) * self._alignment
        others = sorted((start, end) for begin, until, start, end in self._regions if begin <= last and first <= until)
        offset = 0
        for start, end in others:
            if offset + size <= start:
                break
            offset = max(offset, end)
        self._regions.append((first, last, offset, offset + size))
        return offset

    def in_use(self, stage: int) -> int:
        """Bytes in use in a stage, gaps between them not counted."""
        return sum(end - start for begin, until, start, end in self._regions if begin <= stage <= until)

    @property
    def bytes(self) -> int:
        """Where the last region ends: bytes in use at most, with the gaps between them."""
        return max((end for *_, end in self._regions), default=0)


def stage_jobs(
    network: Network, dialect: Dialect, prefix: Callable[[Node], str], given: Mapping[str, Tensor] | None = None
) -> list[LayerJob]:
    """The stages: each node, with those behind it that its emitter absorbs.

    prefix : what names of a stage begin with, by its first node. given : tensors of nodes that are computed elsewhere.
    """
    kept = _monitored(network)
    consumers: dict[str, list[Node]] = {node.name: [] for node in network.nodes}
    for node in network.nodes:
        for name in node.inputs:
            consumers[name].append(node)
    tensors: dict[str, Tensor] = dict(given or {})
    jobs: list[LayerJob] = []
    done: set[str] = set(tensors)

    def job_of(nodes: tuple[Node, ...]) -> LayerJob:
        output = layer_emitter(nodes[0]).output(network, nodes, dialect)
        inputs = tuple(tensors[name] for name in nodes[0].inputs)
        return LayerJob(network, nodes, inputs, output, dialect, prefix(nodes[0]))

    for node in network.nodes:
        if node.name in done:
            continue
        job = job_of((node,))
        emitter = layer_emitter(node)
        while len(consumers[job.nodes[-1].name]) == 1:
            last = job.nodes[-1].name
            if last in kept or has_offsets(last, network):
                break
            (consumer,) = consumers[job.nodes[-1].name]
            if len(consumer.inputs) != 1 or not emitter.absorbs(job, consumer):
                break
            done.add(consumer.name)
            job = job_of((*job.nodes, consumer))
        tensors[job.output.name] = shifted(job.output, network)
        jobs.append(job)
    return jobs


def _jobs(network: Network, dialect: Dialect, numbered: bool) -> list[LayerJob]:
    """The stages of a whole network. With `numbered`, the number of its node stands in each stage's prefix."""
    position = {node.name: str(index) if numbered else "" for index, node in enumerate(network.nodes)}
    return stage_jobs(network, dialect, lambda node: f"{c_name(network.name)}_layer{position[node.name]}_{node.name}")


def lay_out(network: Network, dialect: Dialect) -> ArenaLayout:
    """Choose the stages, generate their code and place their tensors."""
    jobs = _jobs(network, dialect, numbered=False)
    codes = [layer_emitter(job.nodes[0]).emit(job) for job in jobs]
    if _clash(jobs, codes):
        jobs = _jobs(network, dialect, numbered=True)
        codes = [layer_emitter(job.nodes[0]).emit(job) for job in jobs]
    last_use = {jobs[-1].output.name: len(jobs)}
    for position, job in enumerate(jobs):
        for tensor in job.inputs:
            last_use[tensor.name] = position
    for name in _monitored(network):
        last_use[name] = len(jobs)
    arena = Regions(dialect.alignment)
    stages: list[Stage] = []
    for position, (job, code) in enumerate(zip(jobs, codes, strict=True)):
        offset = arena.place(position, last_use[job.output.name], job.output.bytes)
        scratch_offset = arena.place(position, position, code.scratch_bytes) if code.scratch_bytes else 0
        stages.append(Stage(job, code, offset, scratch_offset))
    in_use = {stage.name: arena.in_use(position) for position, stage in enumerate(stages)}
    return ArenaLayout(network, dialect, tuple(stages), arena.bytes, in_use)


def _monitored(network: Network) -> tuple[str, ...]:
    """The nodes whose values a monitor reads when the network has run."""
    return () if network.monitor is None else tuple(each.node for each in network.monitor.prototypes)


def _clash(jobs: list[LayerJob], codes: list[LayerCode]) -> bool:
    """Whether a constant of one stage is called like another stage, or like its constant: as with layers called `a` and
    `a_weight`; or a stage like one within another."""
    within = [stage.job.prefix for code in codes for stage in code.stages]
    stages = {job.prefix for job in jobs}
    own = [{array.name for array in code.constants if not array.shared} for code in codes]
    if len(stages.union(within)) < len(jobs) + len(within):
        return True
    stages.update(within)
    return bool(stages & set().union(*own)) or sum(map(len, own)) > len(set().union(*own))
