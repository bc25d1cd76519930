"""The user's samples: read, checked against the model, their classes named, some of them held back."""

from .array_files import LARGEST_ARRAY, read_npy, to_npy
from .dataset import Dataset, as_dataset, as_values, load_arrays, load_dataset, load_inputs

__all__ = [
    "LARGEST_ARRAY",
    "Dataset",
    "as_dataset",
    "as_values",
    "load_arrays",
    "load_dataset",
    "load_inputs",
    "read_npy",
    "to_npy",
]
