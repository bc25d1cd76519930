"""Data files: what is read, how it is split, and that hostile files give an error and nothing else."""

from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeml.data import LARGEST_ARRAY, load_dataset, load_inputs, to_npy
from edgeml.errors import InputError

X = np.arange(40.0).reshape(10, 4)


def test_npz_without_a_split_holds_back_the_last_fifth(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=np.arange(10))
    data = load_dataset(tmp_path / "d.npz")
    assert np.array_equal(data.x, X[:8])
    assert np.array_equal(data.x_test, X[8:])
    assert np.array_equal(data.y_test, [8, 9])


def test_npz_with_a_split_keeps_it(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=X, y=np.arange(10), x_test=X[:3], y_test=np.arange(3))
    data = load_dataset(tmp_path / "d.npz")
    assert len(data.x) == 10
    assert len(data.x_test) == 3


def test_npy_is_samples_alone_and_images_are_flattened(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", X.reshape(10, 2, 2).astype(np.uint8))
    data = load_dataset(tmp_path / "d.npy")
    assert data.features == 4
    assert data.y is None


def test_fortran_order_is_read_as_it_was_saved(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.asfortranarray(X))
    assert np.array_equal(load_inputs(tmp_path / "d.npy"), X)


def test_csv_with_a_header_finds_the_class_column_by_name(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(
        "a,label,b\n" + "".join(f"{i},{'odd' if i % 2 else 'even'},{i / 2}\n" for i in range(10))
    )
    data = load_dataset(tmp_path / "d.csv")
    assert data.labels == ("even", "odd")
    assert np.array_equal(data.y, [0, 1] * 4)
    assert np.array_equal(data.x[:, 1], np.arange(8) / 2)


def test_integers_to_simulate_stay_integers(tmp_path: Path) -> None:
    np.save(tmp_path / "q.npy", np.arange(8, dtype=np.int8).reshape(2, 4))
    assert load_inputs(tmp_path / "q.npy").dtype == np.int8


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named_with_its_place(tmp_path: Path, bad: float) -> None:
    x = X.copy()
    x[3, 2] = bad
    np.savez(tmp_path / "d.npz", x=x)
    with pytest.raises(InputError, match="sample 3, feature 2"):
        load_dataset(tmp_path / "d.npz")


class Bomb:
    """Unpickling this creates a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def test_pickled_objects_are_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    array = np.array([Bomb(marker)], dtype=object)
    np.savez(tmp_path / "d.npz", x=array)
    np.save(tmp_path / "d.npy", array, allow_pickle=True)
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(Bomb(marker)))
    for name in ("d.npz", "d.npy", "raw.npy"):
        with pytest.raises(InputError):
            load_dataset(tmp_path / name)
    assert not marker.exists()


def test_a_header_that_claims_more_than_the_file_holds_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000), }"
    header += b" " * (63 - (10 + len(header)) % 64 + 1 - 1) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    (tmp_path / "huge.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("x.npy", content)
    for name in ("huge.npy", "huge.npz"):
        with pytest.raises(InputError, match=str(LARGEST_ARRAY)):
            load_dataset(tmp_path / name)


def test_every_truncation_of_a_data_file_gives_an_error(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=X, y=np.arange(10))
    np.save(tmp_path / "d.npy", X)
    for name in ("d.npz", "d.npy"):
        content = (tmp_path / name).read_bytes()
        for length in range(0, len(content), 7):
            cut = tmp_path / f"cut{Path(name).suffix}"
            cut.write_bytes(content[:length])
            with pytest.raises(InputError):
                load_dataset(cut)


def test_damaged_bytes_give_an_error_or_sound_data(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=X, y=np.arange(10))
    content = (tmp_path / "d.npz").read_bytes()
    generator = np.random.default_rng(3)
    for _ in range(400):
        damaged = bytearray(content)
        damaged[generator.integers(len(content))] ^= int(generator.integers(1, 256))
        (tmp_path / "x.npz").write_bytes(bytes(damaged))
        try:
            data = load_dataset(tmp_path / "x.npz")
        except InputError:
            continue
        assert np.all(np.isfinite(data.x))


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("empty.npz", b"", "damaged"),
        ("empty.npy", b"", "not a sound"),
        ("empty.csv", b"", "empty"),
        ("ragged.csv", b"1,2\n3\n", "line 2"),
        ("text.csv", b"1,2\n3,x\n", "line 2"),
        ("binary.csv", b"\xff\xfe\x00", "damaged"),
        ("data.txt", b"1", "unknown ending"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=match):
        load_dataset(tmp_path / name)


def test_classes_that_do_not_fit_the_samples_are_refused(tmp_path: Path) -> None:
    for y in (np.arange(9), np.full(10, 0.5), np.full(10, -1), np.zeros((10, 2), int)):
        np.savez(tmp_path / "d.npz", x=X, y=y)
        with pytest.raises(InputError, match="y"):
            load_dataset(tmp_path / "d.npz")


def test_to_npy_is_what_numpy_reads(tmp_path: Path) -> None:
    (tmp_path / "d.npy").write_bytes(to_npy(X))
    assert np.array_equal(np.load(tmp_path / "d.npy"), X)
