"""Names that programs of users import from `edgeml.data` and `edgeml.network`, wherever the rooms keep them."""

from pathlib import Path

import numpy as np

from edgeml.data import Dataset, as_dataset, load_arrays
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, file


def test_samples_are_read_by_names_of_the_package(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.ones((5, 2)), x_test=np.zeros((1, 2)))
    assert load_arrays(tmp_path / "d.npz")["x_test"].shape == (1, 2)
    assert isinstance(as_dataset({"x": np.ones((5, 2)), "x_test": np.ones((5, 2))}), Dataset)


def test_the_file_of_a_network_is_written_and_read_by_a_name_of_the_package() -> None:
    quantizer = InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 4, True)
    dense = Dense(np.eye(2, dtype=np.int64), 2, np.zeros(2, np.int64))
    nodes = (Node("input", quantizer, ()), Node("d", dense, ("input",)))
    network = Network("n", nodes, Output(np.array([1.0])))
    assert file.model_hash(file.from_bytes(file.to_bytes(network))) == file.model_hash(network)
