"""Flags that forms and targets declare: taken in any place, shown in help, and refused with what was meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from edgeml.cli import app, main
from edgeml.cli.declared_options import given_options
from edgeml.errors import InputError

from ..installed_plugin import install

BASE = ["model.pt2", "--to", "quantized", "--target", "ecp5-25k"]
THEIRS = """
from edgeml.options import Flag, Option, Real
class Smallest:
    options = (
        Option("points", Real(0, 100), "Points that may be lost.", default=1),
        Option("careful", Flag(), "Look twice.", default=True),
    )
    def convert(self, mlp, data, options, progress): raise AssertionError
"""


def parsed(*words: str) -> Any:
    """The context of `edgeml convert` with these words."""
    group: Any = typer.main.get_command(app)
    return group.commands["convert"].make_context("convert", list(words))


def given(*words: str) -> dict[str, str]:
    context = parsed(*words)
    return given_options(context, context.params["option"] or ())


def test_flags_are_taken_before_and_behind_the_model_and_with_an_equals_sign() -> None:
    for words in (
        ["--bits", "2", "--synthesize", *BASE, "--seed=3"],
        [*BASE, "--seed", "3", "--bits=2", "--synthesize"],
        [*BASE, "--synthesize", "--option", "seed=3", "--option", "bits=2"],
    ):
        context = parsed(*words)
        assert context.params["model"] == "model.pt2"
        assert dict(sorted(given(*words).items())) == {"bits": "2", "seed": "3", "synthesize": "true"}


def test_the_order_of_flags_does_not_reach_the_manifest() -> None:
    orders = (["--seed", "3", "--goal", "area", "--bits", "2"], ["--bits", "2", "--goal", "area", "--seed", "3"])
    found = [list(given(*BASE, *words)) for words in orders]
    assert found == [["bits", "seed", "goal"]] * 2


def test_flags_of_the_form_and_the_target_import_no_others() -> None:
    script = (
        "import sys, typer.main; from edgeml.cli import app\n"
        f"typer.main.get_command(app).commands['convert'].make_context('convert', {[*BASE, '--goal', 'area']!r})\n"
        "print([name for name in sys.modules if name.startswith(('edgeml.converters.tflite', 'edgeml.targets.mcu'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_values_of_the_commands_own_options_are_not_taken_for_flags() -> None:
    context = parsed(*BASE, "--name", "--bits", "-o", "--seed", "--labels=--steps,a")
    assert (context.params["name"], str(context.params["output"])) == ("--bits", "--seed")
    assert given_options(context, ()) == {}


def test_of_a_flag_given_twice_the_last_holds_and_with_option_it_is_refused() -> None:
    assert given(*BASE, "--bits", "2", "--bits", "3") == {"bits": "3"}
    with pytest.raises(InputError, match="bits is given twice"):
        given(*BASE, "--bits", "2", "--option", "bits=3")


def test_negative_numbers_and_words_that_begin_with_dashes_can_be_values() -> None:
    assert given(*BASE, "--input-range", "-1,1") == {"input_range": "-1,1"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([*BASE, "--bitz", "2"], "option --bitz: is not known. Did you mean --bits?"),
        ([*BASE, "--labls", "a"], "Did you mean --labels?"),
        ([*BASE, "--bits"], "option --bits: needs a value"),
        ([*BASE, "--no-argmax=1"], "option --no-argmax: takes no value"),
        ([*BASE, "--option", "bits"], "is not of the form KEY=VALUE"),
    ],
)
def test_what_cannot_be_parsed_is_named(words: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        given(*words)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--bits", "9"], "option bits: must be a whole number in 1 … 8, found '9'"),
        (["--bits", "two"], "option bits: must be a whole number in 1 … 8, found 'two'"),
        (["--encoding", "unary"], "option encoding: belongs to form spiking, not to form quantized and"),
        (["--rounding", "shift"], "option rounding: belongs to form tflite"),
        (["--optimize", "size"], "option optimize: belongs to targets of kind mcu"),
        (
            ["--option", "gaol=area"],
            "option gaol: is not known to form quantized and targets of kind fpga. Did you mean",
        ),
        (["--architecture", "unroled"], "Did you mean unrolled?"),
    ],
)
def test_a_wrong_value_or_an_option_of_others_ends_with_code_2_before_the_model_is_read(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", *BASE, *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "target", "says"),
    [("quantised", "host", "form 'quantised': is not known"), ("quantized", "hots", "target 'hots': is not known")],
)
def test_a_form_or_a_target_that_there_is_not_is_told_before_its_options(
    form: str, target: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "model.pt2", "--to", form, "--target", target, "--bits", "2"]) == 2
    assert says in capsys.readouterr().err


def test_help_shows_every_option_with_its_owner_range_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--help"]) == 0
    shown = capsys.readouterr().out
    group: Any = typer.main.get_command(app)
    for section in group.commands["convert"].sections():
        assert section.title in shown
        for option in section.options:
            assert option.flag in shown
    assert "1 … 8. Default: 8." in " ".join(shown.split())


def test_a_strangers_options_are_flags_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, monkeypatch, "their_flags", THEIRS, converters="smallest = their_flags:Smallest")
    words = ["model.pt2", "--to", "smallest", "--target", "host"]
    assert given(*words, "--points", "2", "--no-careful") == {"points": "2", "careful": "false"}
    assert main(["convert", *BASE, "--points", "2"]) == 2
    assert "option points: belongs to form smallest" in capsys.readouterr().err
    assert main(["convert", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Form smallest" in shown
    assert "--no-careful turns it off." in shown
