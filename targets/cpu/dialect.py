"""The C that CPUs get: whole cache lines, several samples in flight, wide kernels."""

from __future__ import annotations

from edgeml.targets.c import Dialect
from edgeml.targets.c.dense_kernels.crumbs import CrumbsKernel
from edgeml.targets.c.dense_kernels.quads import QuadsKernel
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.dense_kernels.triplets import TripletsKernel

__all__ = ["CPU_DIALECT"]

CPU_DIALECT = Dialect(
    dense_kernels=(TripletsKernel(), QuadsKernel(), CrumbsKernel(), RowsKernel()), padding=64, alignment=64, tile=8
)
