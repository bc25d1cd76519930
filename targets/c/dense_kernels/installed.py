"""Ways to multiply that packages of others add, by the group of entry points `edgeml.kernels`.

A kernel is declared in `edgeml.kernels.KIND`, for one kind of target, or in `edgeml.kernels` for every C; the entry
point's name is the kernel's. The group is read when C is generated, and at no other time.
"""

from __future__ import annotations

from collections.abc import Collection

from edgeml.errors import InputError
from edgeml.registry import Registry

from .kernel import DenseKernel

__all__ = ["installed_kernels"]

_KERNELS: Registry[DenseKernel] = Registry("edgeml.kernels", "kernel", DenseKernel)  # type: ignore[type-abstract]


def installed_kernels(kind: str, own: Collection[DenseKernel]) -> tuple[DenseKernel, ...]:
    """The kernels of other packages for targets of a kind (`cpu`, `mcu`), by name.

    Raises InputError if one is called otherwise than its entry point, or like one of edgeml's `own`, and what
    `Registered.load` raises.
    """
    taken = {kernel.name for kernel in own}
    found = []
    for name, entry in _KERNELS.fitting([kind]).items():
        kernel = entry.load()
        where = f"kernel {name!r} of package {entry.packages[0]}"
        if kernel.name != name:
            raise InputError(where, f"calls itself {kernel.name!r}", "Mend its package")
        if name in taken:
            raise InputError(where, "is called like one of edgeml's own", "Mend its package")
        found.append(kernel)
    return tuple(found)
