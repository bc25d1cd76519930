"""Data files: what is read, how it is split, and that hostile files give an error and nothing else."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeml.data.array_files import npz
from edgeml.data.dataset import (
    LARGEST_ARRAY,
    as_dataset,
    load_arrays,
    load_dataset,
    load_inputs,
    to_npy,
)
from edgeml.errors import InputError

X = np.arange(40.0).reshape(10, 4)


def test_the_last_fifth_is_held_back_where_that_is_asked_for(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=np.arange(10))
    data = load_dataset(tmp_path / "d.npz", split="tail")
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
    data = load_dataset(tmp_path / "d.csv", labels=("odd", "even"), split="tail")
    assert data.labels == ("odd", "even")
    assert np.array_equal(data.y, [1, 0] * 4)
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
    for y in (
        np.arange(9),
        np.full(10, np.nan),
        np.array(5),
        np.zeros((10, 0)),
        np.full((10, 2), "a"),
        np.full(10, 1j),
    ):
        np.savez(tmp_path / "d.npz", x=X, y=y)
        with pytest.raises(InputError, match="y"):
            load_dataset(tmp_path / "d.npz")


def test_to_npy_is_what_numpy_reads(tmp_path: Path) -> None:
    (tmp_path / "d.npy").write_bytes(to_npy(X))
    assert np.array_equal(np.load(tmp_path / "d.npy"), X)


def npy(shape: object, descr: object, data: bytes = b"", fortran: object = False, version: int = 1) -> bytes:
    """A `.npy` with any header."""
    header = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


@pytest.mark.parametrize(
    "content",
    [
        npy((3,), "<U0"),
        npy((0, 2**62, 2**62), "<f4"),
        npy((0, 2**61, 2**61), "<f4"),
        npy((-3, -1), "<f4", bytes(12)),
        npy((3.0,), "<f4", bytes(12)),
        npy([3], "<f4", bytes(12)),
        npy((True,) * 40, "<f4", bytes(4)),
        npy((1,), "<O", bytes(8)),
        npy((1,), [("a", "<f4"), ("b", "<f4")], bytes(8)),
        npy((1,), "(1000000,1000000)f8", bytes(8)),
        npy((1,), "<M8[s]", bytes(8)),
        npy((1,), "<c16", bytes(16)),
        npy((1,), "<U1", struct.pack("<I", 0x110000)),
        npy((1,), "<U1", struct.pack("<I", 0xD800)),
        npy((3, 1), "<f4", bytes(12), fortran="no"),
        npy((3, 1), "<f4", bytes(12), version=9),
        b"\x93NUMPY\x01\x00\x10\x00" + b"{'descr': '<f8',",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"(" * 50,
        b"\x93NUMPY\x01\x00\x00\x20" + b"(" * 8192,
        b"\x93NUMPY\x01\x00\x00\x20" + b"-" * 8192,
        b"\x93NUMPY\x01\x00",
    ],
)
def test_headers_of_npy_that_say_something_impossible_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", content)
    for name in ("d.npy", "d.npz"):
        with pytest.raises(InputError):
            load_dataset(tmp_path / name)


def test_npy_of_other_writers_is_read(tmp_path: Path) -> None:
    x = np.arange(8.0).reshape(4, 2)
    for content in (
        npy((4, 2), ">f8", x.astype(">f8").tobytes()),
        npy((4, 2), "<f8", x.tobytes(), version=2),
        npy((4, 2), "<f8", x.tobytes(order="F"), fortran=True),
        b"\x93NUMPY\x03\x00\x34\x00\x00\x00{'shape':(4,2),'descr':'<f8','fortran_order':False}\n" + x.tobytes(),
    ):
        (tmp_path / "d.npy").write_bytes(content)
        assert np.array_equal(load_inputs(tmp_path / "d.npy"), x)


def zipped(path: Path, members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # of names that occur twice
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_zip_bombs_doubled_members_and_strange_packing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.npz"
    sound = ("x.npy", npy((4, 1), "<f4", bytes(16)))
    for match, members, method in (
        ("packed into", [("x.npy", npy((2**21,), "<f8", bytes(2**24)))], zipfile.ZIP_DEFLATED),
        ("twice", [sound, sound], zipfile.ZIP_STORED),
        ("packed in a way", [sound], zipfile.ZIP_BZIP2),
        ("packed in a way", [sound], zipfile.ZIP_LZMA),
        ("directory", [*((f"{number:060000}", b"") for number in range(75)), sound], zipfile.ZIP_STORED),
    ):
        monkeypatch.setattr(npz, "_ORDINARY_SIZE", 2**20)
        with pytest.raises(InputError, match=match):
            load_dataset(zipped(path, members, method))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("1,2\n3,4\0\n", "not a number"),
        ("1,2\n3,1_000\n", "not a number"),
        ("1,5;2,5\n3,5;4,5\n", "commas"),
        ("1,2\n3," + "4" * 200_000 + "\n", "damaged"),
        ("1," * 2**21 + "1\n", "row of more than"),
        ('1,"' + "\n" * 2**18 + '"\n', "damaged"),
        ("1" + ',"\n"' * 2**21, "row of more than"),
        ("a,y,class\n1,2,3\n", "2 columns of classes"),
        ("y\n1\n2\n", "no samples"),
        ("a,b\n", "no samples"),
        ("\n\n\n", "empty"),
        ("1,2\n\n3\n", "line 3"),
        ("1,inf\n2,3\n", "feature 1 is inf"),
        ("1,1e999\n2,3\n", "feature 1 is inf"),
        ("1,-1e20\n2,3\n", "feature 1 is -1e\\+20"),
        ("a,y\n1,²\n2,--3\n3,4\n", "^$"),
    ],
)
def test_tables_that_are_not_sound_are_refused_with_their_place(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    if match == "^$":  # text that only looks like numbers is the name of a class
        assert load_arrays(tmp_path / "d.csv")["y"].tolist() == ["²", "--3", "4"]
        return
    with pytest.raises(InputError, match=match):
        load_dataset(tmp_path / "d.csv")


@pytest.mark.parametrize(
    "content",
    [
        "a,b,label\n1,2,x\n3,4,y\n".encode("utf-8-sig"),
        b"a;b;label\r\n1;2;x\r\n3;4;y\r\n",
        b"a\tb\tLabel\n1\t2\tx\n3\t4\ty",
        b'"a","b, with\na newline","label"\n"1","2","x"\n\n"3","4"," y "\n',
    ],
)
def test_tables_as_other_programs_write_them_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "données 数据.CSV").write_bytes(content)
    arrays = load_arrays(tmp_path / "données 数据.CSV")
    assert arrays["x"].tolist() == [[1, 2], [3, 4]]
    assert arrays["y"].tolist() == ["x", "y"]


@pytest.mark.parametrize("y", [np.zeros((0, 3)), np.zeros((10, 0)), np.array(3), np.full(10, 1e300), np.full(10, "")])
def test_answers_that_no_sample_can_have_are_refused(tmp_path: Path, y: np.ndarray) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=y)
    with pytest.raises(InputError, match=r"d\.npz, y"):
        load_dataset(tmp_path / "d.npz")


@pytest.mark.parametrize("x", [[[1.0], [1.0, 2.0]], "text", None, [[None]], [], [[]], {"a": 1}, 3.0, [[1j]], [["1"]]])
def test_python_objects_that_are_no_samples_are_refused(x: object) -> None:
    with pytest.raises(InputError, match="data, x"):
        as_dataset({"x": x})


def test_numbers_past_what_float32_squares_are_the_datas_fault(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.where(X == 13, 1e300, X))
    with pytest.raises(InputError, match=r"d.npz, x: sample 3, feature 1 is 1e\+300"):
        load_dataset(tmp_path / "d.npz")


@pytest.mark.parametrize("labels", [np.array("abc"), np.zeros((2, 2), "U1"), np.array([1.5, 2.5])])
def test_labels_that_are_no_list_of_names_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=np.arange(10) % 2, labels=labels)
    with pytest.raises(InputError, match="list of names"):
        load_dataset(tmp_path / "d.npz")


def test_masked_items_are_refused() -> None:
    x = np.ma.masked_array(np.ones((10, 2)), mask=False)
    assert as_dataset({"x": x}).features == 2
    x[3, 1] = np.ma.masked
    with pytest.raises(InputError, match="x: has masked items"):
        as_dataset({"x": x})


def test_tensors_are_arrays_and_those_that_numpy_cannot_take_are_refused() -> None:
    torch = pytest.importorskip("torch")
    assert as_dataset({"x": torch.ones(10, 2, requires_grad=True)}).features == 2
    with pytest.raises(InputError, match="x: is not an array"):
        as_dataset({"x": torch.ones(10, 2, dtype=torch.bfloat16)})
