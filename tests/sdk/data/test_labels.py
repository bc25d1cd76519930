"""Classes by name: coded by the labels in their order, never by the alphabet, and refused where nobody says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.data.dataset import as_dataset, load_dataset
from edgeml.errors import InputError
from edgeml.inputs import label_list

X = np.zeros((10, 2))
NAMES = np.array(["mal", "ben"] * 5)


def test_labels_of_the_data_or_given_with_it_code_names_on_both_sides() -> None:
    for arrays, labels in (({"labels": np.array(["mal", "ben"])}, ()), ({}, ("mal", "ben"))):
        data = as_dataset({"x": X, "y": NAMES, "x_test": X[:2], "y_test": NAMES[1:3], **arrays}, labels=labels)
        assert data.labels == ("mal", "ben")
        assert np.array_equal(data.y, [0, 1] * 5)
        assert np.array_equal(data.y_test, [1, 0])


def test_names_without_labels_are_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--labels ben,mal in your order"):
        as_dataset({"x": X, "y": NAMES})
    (tmp_path / "d.csv").write_text("a,class\n" + "".join(f"{i},{NAMES[i]}\n" for i in range(10)))
    with pytest.raises(InputError, match="--labels"):
        load_dataset(tmp_path / "d.csv")
    assert load_dataset(tmp_path / "d.csv", labels=("mal", "ben"), split="tail").y.tolist() == [0, 1] * 4  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("own", "given", "words"),
    [
        (["mal", "benign"], (), "'ben', not among the labels 'mal', 'benign'"),
        (["mal", "ben"], ("ben", "mal"), "Leave one of the two out"),
        (["mal", "mal"], (), "twice"),
        ([["mal", "ben"]], (), "one list of names"),
        ([0.5, 1.5], (), "one list of names"),
    ],
)
def test_labels_that_cannot_be_right_are_refused(own: list[object], given: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_dataset({"x": X, "y": NAMES, "labels": np.array(own)}, labels=given)


def test_names_may_be_python_strings_or_bytes() -> None:
    for names in (NAMES.astype(object), NAMES.astype("S")):
        data = as_dataset({"x": X, "y": names, "labels": np.array(["mal", "ben"], object)})
        assert data.labels == ("mal", "ben")
        assert [data.labels[k] for k in data.y] == [
            ["mal", "ben"][k] for k in as_dataset({"x": X, "y": NAMES}, labels=("mal", "ben")).y
        ]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="found object"):
        as_dataset({"x": X, "y": np.array(["mal", 1] * 5, object)}, labels=("mal", "ben"))


def test_numbers_among_labels_that_are_numbers_are_names() -> None:
    data = as_dataset({"x": X, "y": np.array([8, 3] * 5), "x_test": X[:2], "y_test": [3.0, 8.0]}, labels=("3", "8"))
    assert data.y.tolist() == [1, 0] * 5  # type: ignore[union-attr]
    assert data.y_test.tolist() == [0, 1]  # type: ignore[union-attr]
    for labels, y in ((("0", "1"), [1, 0]), (("1", "2"), [1, 0]), (("a", "b"), [1, 0])):
        data = as_dataset({"x": X, "y": np.array(y * 5), "x_test": X[:2]}, labels=labels)
        assert data.y.tolist() == y * 5  # type: ignore[union-attr]
    with pytest.raises(InputError, match="names or for their places"):
        as_dataset({"x": X, "y": np.array([1, 0] * 5)}, labels=("1", "0"))


def test_a_missing_name_is_not_a_class(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,class\n" + "".join(f"{i},{'' if i == 4 else 'ben'}\n" for i in range(10)))
    with pytest.raises(InputError, match="sample 4 has no class"):
        load_dataset(tmp_path / "d.csv", labels=("mal", "ben"))


def test_the_option_is_read_as_text_or_as_a_list() -> None:
    assert label_list("no, yes") == label_list(["no", "yes"]) == label_list(np.array(["no", "yes"])) == ("no", "yes")  # type: ignore[arg-type]
    assert label_list(None) == label_list("") == ()
    for wrong in ("a,,b", "a,a", 3):
        with pytest.raises(InputError, match="option labels"):
            label_list(wrong)  # type: ignore[arg-type]
