"""The benchmark of training: splits keep test samples apart, the peer is Brevitas, p-values are those of pairs."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.training import Asked, as_mlp, compared, kept_peer, own_accuracy, own_steps
from benchmarks.training_data import DATA_SETS, Split, Unavailable, with_validation
from benchmarks.training_peer import float_model, peer_accuracy, share_right


def rows(x: np.ndarray) -> set[bytes]:
    """Samples as something to compare."""
    return {row.tobytes() for row in np.ascontiguousarray(x)}


def test_both_halves_of_a_small_set_test_and_no_sample_does_both() -> None:
    pytest.importorskip("sklearn")
    first, second = DATA_SETS["wine"](3)
    assert len(first.y) + len(first.y_test) == 178
    assert np.array_equal(first.y_test, second.y)
    assert np.array_equal(first.y, second.y_test)
    assert not rows(first.x) & rows(first.x_test)


def test_people_who_train_do_not_test_and_seeds_choose_others() -> None:
    try:
        (one,), (other,) = (list(DATA_SETS["watch"](seed)) for seed in (0, 1))
    except Unavailable as absent:
        pytest.skip(str(absent))
    assert not rows(one.x) & rows(one.x_test)
    assert len(one.y) != len(other.y)


def test_validation_is_a_fifth_of_the_training_samples_and_none_of_the_test() -> None:
    pytest.importorskip("sklearn")
    split = next(iter(DATA_SETS["digits"](0)))
    inner = with_validation(split, 0)
    assert len(inner.y) + len(inner.y_test) == len(split.y)
    assert len(inner.y_test) == pytest.approx(len(split.y) / 5, abs=10)
    assert rows(inner.x) | rows(inner.x_test) == rows(split.x)
    assert not rows(inner.x) & rows(inner.x_test)


def blobs() -> Split:
    """Two classes that lie far apart."""
    generator = np.random.default_rng(0)
    y = np.arange(400) % 2
    x = generator.normal(size=(400, 6)).astype(np.float32) + 4 * y[:, None].astype(np.float32)
    return Split(x[:200], y[:200], x[200:], y[200:])


def test_both_learn_what_is_easy_from_one_float_model() -> None:
    torch.set_num_threads(1)
    split = blobs()
    model = float_model(split, 0)
    given = as_mlp(model).evaluate(split.x_test)
    with torch.no_grad():
        assert np.allclose(given, model(torch.from_numpy(split.x_test)).numpy(), atol=1e-4)
    assert share_right(model, split) > 0.98
    assert own_accuracy(model, split, 2, 40, 0) > 0.98
    assert peer_accuracy(model, split, 2, 1e-2, 40, 0) > 0.98


def test_the_peer_trains_as_many_steps_as_whole_passes_come_to() -> None:
    assert own_steps(blobs(), 500) == 300  # 4 batches a pass, and few samples
    assert own_steps(blobs(), 3) == 4


def test_p_is_small_where_every_seed_says_the_same() -> None:
    difference, p = compared([0.91, 0.92, 0.93, 0.94, 0.95], [0.90, 0.912, 0.919, 0.93, 0.94])
    assert difference == pytest.approx(0.0098)
    assert p < 0.001
    assert compared([0.9, 0.8], [0.8, 0.9])[1] > 0.9
    assert compared([0.9, 0.8], [0.9, 0.8]) == (0.0, 1.0)


def test_a_peer_is_taken_from_an_earlier_run_only_if_all_that_was_asked_for_is_the_same(tmp_path: Path) -> None:
    asked = Asked(seeds=1)
    one = {"rate": 0.01, "brevitas": [0.9], "brevitas seconds": [2.0]}
    file = tmp_path / "kept.json"
    file.write_text(json.dumps({"asked": asdict(asked), "found": {"wine": {**one, "edgeml": [0.95]}}}))
    assert kept_peer(file, "wine", asked) == one
    assert kept_peer(file, "digits", asked) is None
    for other in (replace(asked, bits=3), replace(asked, steps=20), replace(asked, range="full")):
        assert kept_peer(file, "wine", other) is None
