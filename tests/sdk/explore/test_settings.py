"""What a search is asked: read alike from text and from Python, and refused with the range."""

from __future__ import annotations

from typing import Any

import pytest

from edgeml.cli import main
from edgeml.errors import InputError
from edgeml.explore.settings import LIMITS, QUESTION, Settings, explored
from edgeml.options import read_values


def test_text_and_pythons_values_ask_the_same() -> None:
    ours = Settings(("host",), widths=(16, 8), bits=(4, 2), seed=3)
    theirs = Settings(("host",), widths="16,8", bits="2,4,4", seed="3")  # type: ignore[arg-type]
    assert ours == theirs
    assert (ours.widths, ours.bits, ours.seed) == ((8, 16), (2, 4), 3)


def test_without_a_word_the_forms_say_what_is_worth_trying() -> None:
    assert Settings(("host",)).bits == explored("quantized", "bits") == (1, 2, 3, 4, 6, 8)
    assert explored("tflite", "weight_bits") == (2, 4, 8)
    assert explored("spiking", "encoding") == ("unary", "sar", "ttfs", "graded", "stbif")


@pytest.mark.parametrize(
    "wrong",
    [{"bits": (9,)}, {"bits": ()}, {"bits": "two"}, {"widths": (0,)}, {"widths": "8,,9"}, {"depth": 17}, {"seed": -1},
     {"steps": 0}, {"samples": True}, {"sampler": "grid"}, {"targets": ()}, {"forms": ("quantised",)},
     {"widths": range(10**9)}],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_searched_is_refused_by_name(wrong: dict[str, Any]) -> None:
    name = {"targets": "target", "forms": "to"}.get(next(iter(wrong)), next(iter(wrong)))
    with pytest.raises(InputError, match=f"option {name}"):
        Settings(**{"targets": ("host",), **wrong})


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"minutes": 0}, {"minutes": float("nan")}, {"workers": 257}])
def test_a_run_without_an_end_or_with_too_many_workers_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must be a"):
        read_values(LIMITS, wrong)


def test_every_option_of_a_search_says_what_it_does() -> None:
    for option in (*LIMITS, *QUESTION):
        assert option.help.endswith(".")
        assert option.default_said


def test_on_the_command_line_a_wrong_value_and_an_option_of_conversions_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = ["explore", "--data", "d.npz", "--target", "host", "--objective", "accuracy,macs", "-o", "out"]
    assert main([*base, "--depth", "99"]) == 2
    assert "option depth: must be a whole number in 1 … 16, found '99'" in capsys.readouterr().err
    assert main([*base, "--widhts", "8"]) == 2
    assert "Did you mean --widths?" in capsys.readouterr().err
