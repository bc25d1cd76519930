"""`data=` in Python: frames, pairs, data sets and loaders give the arrays that a `.npz` of the same samples gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.data.dataset import as_dataset
from edgeml.data.given import arrays_of
from edgeml.errors import InputError
from edgeml.inputs import read_inputs

pandas = pytest.importorskip("pandas")
torch = pytest.importorskip("torch")
from torch.utils import data as torch_data  # noqa: E402

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(40, 4)).astype(np.float32)
Y = np.arange(40) % 3
LABELS = ("up", "down", "level")
NAMES = np.array(LABELS)[Y]


def frame(**columns: Any) -> Any:
    return pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "e": X[:, 3], **columns})


class Samples(torch_data.Dataset):  # type: ignore[type-arg, misc]
    """x and y as tensors, by their number."""

    def __init__(self, item: Any) -> None:
        self.item = item

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


def pair(index: int) -> Any:
    return torch.from_numpy(X[index]), int(Y[index])


class Stream(torch_data.IterableDataset):  # type: ignore[type-arg, misc]
    """The same, one after the other."""

    def __iter__(self) -> Any:
        return map(pair, range(len(X)))


GIVEN = {
    "mapping": {"x": X, "y": Y},
    "pair of arrays": (X, Y),
    "pair of lists": (X.tolist(), Y.tolist()),
    "pair of tensors": (torch.from_numpy(X), torch.from_numpy(Y)),
    "a tensor that learns": (torch.from_numpy(X).requires_grad_(), torch.from_numpy(Y)),
    "frame and series": (frame(), pandas.Series(Y)),
    "series of another index": (frame(), pandas.Series(Y, index=np.arange(40) + 7)),
    "frame and frame": (frame(), pandas.DataFrame({"answer": Y})),
    "mapping of frames": {"x": frame(), "y": pandas.Series(Y)},
    "column y": frame(y=Y),
    "column Label": pandas.DataFrame({"Label": Y, "a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "e": X[:, 3]}),
    "numbers that may be missing": frame(y=pandas.array(Y, dtype="Int64")),
    "tensor data set": torch_data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),
    "data set": Samples(pair),
    "data set of mappings": Samples(lambda i: {"x": X[i], "y": Y[i]}),
    "loader": torch_data.DataLoader(Samples(pair), batch_size=7),
    "shuffling loader": torch_data.DataLoader(Samples(pair), batch_size=16, shuffle=True, drop_last=True),
    "loader without batches": torch_data.DataLoader(Samples(pair), batch_size=None),
    "stream": Stream(),
    "loader of a stream": torch_data.DataLoader(Stream(), batch_size=9),
}


@pytest.mark.parametrize("name", GIVEN)
def test_the_same_samples_however_they_are_given(name: str) -> None:
    expected = as_dataset({"x": X, "y": Y})
    found = as_dataset(arrays_of(GIVEN[name]))
    for side in ("x", "x_test", "y", "y_test"):
        np.testing.assert_array_equal(getattr(found, side), getattr(expected, side))


def test_a_loader_shuffles_nothing_and_leaves_the_seed_alone() -> None:
    loader = torch_data.DataLoader(Samples(pair), batch_size=8, shuffle=True)
    state = torch.get_rng_state()
    first, second = arrays_of(loader), arrays_of(loader)
    np.testing.assert_array_equal(first["x"], second["x"])
    assert torch.equal(state, torch.get_rng_state())


def test_a_loader_of_some_samples_gives_these() -> None:
    chosen = torch_data.SubsetRandomSampler([9, 3, 5])
    found = arrays_of(torch_data.DataLoader(Samples(pair), sampler=chosen))
    np.testing.assert_array_equal(found["y"], Y[[3, 5, 9]])


def test_what_a_loader_makes_of_a_batch_is_taken() -> None:
    loader = torch_data.DataLoader(Samples(lambda i: X[i]), collate_fn=lambda rows: torch.tensor(np.stack(rows)) * 2)
    assert set(arrays_of(loader)) == {"x"}
    np.testing.assert_array_equal(arrays_of(loader)["x"], X * 2)


def test_a_split_as_two_pairs() -> None:
    data = as_dataset(arrays_of(((X[:30], Y[:30]), (X[30:], Y[30:]))))
    assert data.split == "given"
    np.testing.assert_array_equal(data.x_test, X[30:])
    np.testing.assert_array_equal(data.y, Y[:30])


@pytest.mark.parametrize("kind", [object, "string", "category"])
@pytest.mark.parametrize("column", ["y", "direction"])
def test_names_are_coded_by_the_labels(kind: Any, column: str) -> None:
    """A last column of names is y, whatever it is called."""
    found = as_dataset(arrays_of(frame(**{column: pandas.Series(NAMES).astype(kind)})), labels=LABELS)
    expected = as_dataset({"x": X, "y": Y}, labels=LABELS)
    np.testing.assert_array_equal(found.y, expected.y)
    assert found.features == 4


def with_hole(values: Any) -> Any:
    series = pandas.Series(values).astype(object)
    series[17] = None
    return series


REFUSED: dict[str, tuple[Any, str]] = {
    "a hole in x": (frame(d=pandas.Series(np.where(Y == 1, np.nan, X[:, 0])), y=Y), "column 'd': row 1 is missing"),
    "a hole in whole numbers": (frame(d=with_hole(Y).astype("Int64"), y=Y), "column 'd': row 17 is missing"),
    "a hole in names": (frame(y=with_hole(NAMES)), "column 'y': row 17 is missing"),
    "text in x": (pandas.DataFrame({"a": NAMES, "b": Y}), "column 'a': holds .*, where numbers are expected"),
    "dates": (frame(d=pandas.date_range("2020", periods=40), y=Y), "column 'd': holds datetime64"),
    "complex numbers": (frame(d=X[:, 0] * 1j, y=Y), "column 'd': holds complex"),
    "two columns of classes": (frame(y=Y, label=Y), "has 2 columns of classes: y, label"),
    "classes alone": (pandas.DataFrame({"y": Y}), "holds no samples"),
    "no rows": (frame().iloc[:0], "holds no samples"),
    "names within x": ((frame(d=NAMES), Y), "column 'd': holds text, where x is numbers"),
    "mixed answers": (frame(y=pandas.Series([("a", 1)] * 40)), "something else than names or numbers"),
    "other lengths": ((frame(), Y[:7]), "for each of 40 samples"),
    "three arrays": ((X, Y, X), "is a tuple of 3 arrays"),
    "samples of three parts": (Samples(lambda i: (X[i], Y[i], Y[i])), "gives 3 arrays"),
    "samples of other names": (Samples(lambda i: {"image": X[i]}), "gives .*image"),
    "samples that raise": (Samples(lambda i: X[i + 99]), "samples 0 to 39: cannot be read .IndexError"),
    "samples of other shapes": (torch_data.DataLoader(Samples(lambda i: X[i, : 1 + i % 2])), "cannot be read"),
    "no samples": (torch_data.TensorDataset(torch.zeros(0, 3)), "must be numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_named(name: str) -> None:
    data, text = REFUSED[name]
    with pytest.raises(InputError, match=text):
        as_dataset(arrays_of(data))


def test_a_stream_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(torch_data.IterableDataset):  # type: ignore[type-arg, misc]
        def __iter__(self) -> Any:
            while True:
                yield torch.zeros(1000)

    monkeypatch.setattr("edgeml.data.loaders.LARGEST_ARRAY", 2**20)
    with pytest.raises(InputError, match="more than 1048576 bytes"):
        arrays_of(Endless())


MODEL = Path(__file__).resolve().parents[2] / "frontends" / "keras_files" / "keras_3" / "mlp.keras"
"""Of four inputs and three outputs."""


@pytest.mark.parametrize("file", [False, True])
def test_the_last_column_is_y_where_the_model_has_one_input_less(file: bool, tmp_path: Path) -> None:
    table: Any = frame(answer=Y)
    if file:
        table.to_csv(tmp_path / "d.csv", index=False)
        table = tmp_path / "d.csv"
    found = read_inputs(MODEL, table)
    assert found.data is not None
    assert found.data.features == 4
    assert set(np.unique(found.data.y)) == {0, 1, 2}
    assert "last one is taken as y" in found.notes[0]


def test_a_last_column_of_fractions_is_not_taken_as_y() -> None:
    with pytest.raises(InputError, match="has 5 features per sample") as caught:
        read_inputs(MODEL, frame(answer=X[:, 0]))
    assert "y, label, class" in caught.value.remedy


def test_a_parquet_file_gives_what_its_frame_gives(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    table = frame(label=NAMES)
    table.to_parquet(tmp_path / "d.parquet")
    found = read_inputs(MODEL, tmp_path / "d.parquet", labels=LABELS).data
    expected = read_inputs(MODEL, table, labels=LABELS).data
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.y, expected.y)
    content = (tmp_path / "d.parquet").read_bytes()
    for damaged in (b"", b"PAR1", content[:-9], content[:-40] + b"\xff" * 20 + content[-20:], b"x" + content[1:]):
        (tmp_path / "d.parquet").write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            read_inputs(MODEL, tmp_path / "d.parquet")


def test_a_parquet_file_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeml.errors import MissingTool

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingTool) as caught:
        read_inputs(MODEL, tmp_path / "d.parquet")
    assert "pip install pandas pyarrow" in str(caught.value)
