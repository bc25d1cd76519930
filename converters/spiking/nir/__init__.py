"""The Neuromorphic Intermediate Representation (.nir, HDF5): write what it can say, keep the rest, read both."""

from .executor import NirExecutor
from .read import read_model, read_snn
from .write import nir_bytes

__all__ = ["NirExecutor", "nir_bytes", "read_model", "read_snn"]
