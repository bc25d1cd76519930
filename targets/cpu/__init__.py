"""The target for CPUs with an operating system: C99, and a shared library built from it."""

from .target import CpuTarget

__all__ = ["CpuTarget"]
