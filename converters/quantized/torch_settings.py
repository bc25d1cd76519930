"""Torch as conversions need it: one thread, so that the bytes do not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from edgeml.errors import MissingTool

__all__ = ["reproducible", "torch_device"]


def torch_device(name: str) -> torch.device:
    """The device called cpu or cuda; MissingTool where this torch has no CUDA device."""
    if name == "cuda" and not torch.cuda.is_available():
        raise MissingTool(
            "option device",
            f"cuda is asked for, and torch {torch.__version__} finds no CUDA device here",
            "Leave --device out to train on the CPU, or install a CUDA build of torch on a machine with such a GPU",
        )
    return torch.device(name)


@contextmanager
def reproducible(device: str) -> Iterator[None]:
    """One thread and deterministic kernels inside the block; torch's settings are put back behind it.

    Sums in float depend on their order, and their order on the number of threads. One thread is also the fastest way
    to train layers of a few hundred neurons. On CUDA, cuBLAS is deterministic with a fixed workspace only.
    """
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    if device == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # nothing here reads any
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        memory.fill_uninitialized_memory = filled
