"""The C that microcontrollers get: small padding, one sample at a time, and the kernels of each core."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import InputError
from edgeml.targets.c import Dialect, LayerCode
from edgeml.targets.c.dense_kernels.bits import BitsKernel, BitsProblem
from edgeml.targets.c.dense_kernels.installed import installed_kernels
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.dense_kernels.straight_line import StraightLineKernel

from .cores import Core
from .kernels import (
    BitsColumnsKernel,
    LanesKernel,
    MveKernel,
    W2DspKernel,
    W2LevelsKernel,
    W2WordsKernel,
    W4DspKernel,
    W4PairsKernel,
    W8BlockKernel,
    W8DspKernel,
)

__all__ = ["core_kernels", "counted_kernels", "dialect_for", "dialect_with", "kernel_names"]

_LANES: tuple[DenseKernel, ...] = (LanesKernel(2, 4), LanesKernel(2, 2), LanesKernel(4, 2), W8BlockKernel())
_DSP: tuple[DenseKernel, ...] = (W2DspKernel(), W4DspKernel(), W8DspKernel(), W4PairsKernel())
_MVE: tuple[DenseKernel, ...] = (MveKernel(),)
_BITS: tuple[BitsKernel, ...] = (BitsColumnsKernel(pairs=True), BitsColumnsKernel(pairs=False))
_ANY = RowsKernel()
_BY_INPUTS, _BY_WORDS = StraightLineKernel(words=False), StraightLineKernel(words=True)


class _Chosen(DenseKernel):
    """A kernel for certain layers only."""

    def __init__(self, kernel: DenseKernel, prefixes: frozenset[str]) -> None:
        self._kernel, self._prefixes = kernel, prefixes

    def applies(self, problem: DenseProblem) -> bool:
        return problem.prefix in self._prefixes and self._kernel.applies(problem)

    def emit(self, problem: DenseProblem) -> LayerCode:
        return self._kernel.emit(problem)


class _ChosenBits(BitsKernel):
    """A kernel of bits for certain layers only."""

    def __init__(self, kernel: BitsKernel, prefixes: frozenset[str]) -> None:
        self._kernel, self._prefixes = kernel, prefixes

    def applies(self, problem: BitsProblem) -> bool:
        return problem.prefix in self._prefixes and self._kernel.applies(problem)

    def emit(self, problem: BitsProblem) -> LayerCode:
        return self._kernel.emit(problem)


def core_kernels(core: Core) -> tuple[DenseKernel, ...]:
    """What dense layers may use on `core`, in the order of preference if nothing was measured; those of installed
    packages come behind edgeml's own, but for the one that computes any layer."""
    own = (*(_MVE if core.mve else ()), *(_DSP if core.dsp else _LANES))
    return (*own, *installed_kernels("mcu", (*own, _ANY, *counted_kernels(core))), _ANY)


def counted_kernels(core: Core) -> tuple[DenseKernel, ...]:
    """What dense layers get where it was counted that it pays, and else never: what costs more flash than the packed
    weights that others take."""
    return (_BY_INPUTS, _BY_WORDS, W2LevelsKernel(), W2WordsKernel()) if core.dsp else (_BY_INPUTS,)


def kernel_names(core: Core) -> tuple[str, ...]:
    """What dense layers may use on `core`, and what those behind bits may."""
    dense = (*core_kernels(core), *counted_kernels(core))
    return (*(kernel.name for kernel in dense), *(kernel.name for kernel in _BITS))


def dialect_for(kernels: tuple[DenseKernel, ...], compared: int = 0, bits: tuple[BitsKernel, ...] = _BITS) -> Dialect:
    """The dialect with these kernels, the first that applies to a layer being taken."""
    return Dialect(
        kernels,
        bits=bits,
        padding=16,
        alignment=4,
        tile=0,
        separate_stages=True,
        vectors=False,
        compared=compared,
    )


def dialect_with(core: Core, chosen: Mapping[str, str]) -> Dialect:
    """The dialect in which the stages of `chosen` (prefix → kernel) use that kernel and all others the core's first.

    Raises InputError where a kernel is none of the core's: `chosen` may come out of a bundle.
    """
    default = core_kernels(core)
    kernels = {kernel.name: kernel for kernel in (*default, *counted_kernels(core))}
    if unknown := sorted({str(name) for name in chosen.values()} - set(kernel_names(core))):
        raise InputError(
            f"kernel {unknown[0]!r}", f"is none of {core.title}", f"Known: {', '.join(kernel_names(core))}"
        )

    def stages(name: str) -> frozenset[str]:
        return frozenset(prefix for prefix, wanted in chosen.items() if wanted == name)

    fixed = tuple(_Chosen(kernel, stages(name)) for name, kernel in kernels.items())
    bits = tuple(_ChosenBits(kernel, stages(kernel.name)) for kernel in _BITS)
    # RV32IMC clips by branches: three thresholds are found quicker.
    compared = 3 if core.architecture == "riscv" else 0
    return dialect_for((*fixed, *default), compared, (*bits, *_BITS))
