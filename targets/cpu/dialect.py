"""The C that CPUs get: whole cache lines, several samples in flight, wide kernels."""

from __future__ import annotations

from dataclasses import replace

from edgeml.targets.c import Dialect
from edgeml.targets.c.dense_kernels.bits_rows import BitsRowsKernel
from edgeml.targets.c.dense_kernels.crumbs import CrumbsKernel
from edgeml.targets.c.dense_kernels.installed import installed_kernels
from edgeml.targets.c.dense_kernels.quads import QuadsKernel
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.dense_kernels.triplets import TripletsKernel

__all__ = ["CPU_DIALECT", "cpu_dialect"]

CPU_DIALECT = Dialect(
    dense_kernels=(TripletsKernel(), QuadsKernel(), CrumbsKernel(), RowsKernel()),
    bits=(BitsRowsKernel(),),
    padding=64,
    alignment=64,
    tile=8,
    sliced=True,
)
"""With edgeml's own kernels."""


def cpu_dialect() -> Dialect:
    """The dialect with the kernels of installed packages, too: one of them is taken where it costs less."""
    own = CPU_DIALECT.dense_kernels
    others = installed_kernels("cpu", own)
    return replace(CPU_DIALECT, dense_kernels=(*own, *others)) if others else CPU_DIALECT
