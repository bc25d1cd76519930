"""The declarations of the forms and targets that are installed, a stranger's among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeml.errors import InputError
from edgeml.options import check_options
from edgeml.options.installed import form_owner, installed_owners, target_owner

from ..installed_plugin import install

THEIRS = """
from edgeml.options import Option, Real
class Smallest:
    options = (Option("points", Real(0, 100), "Points that may be lost.", default=1),)
    def convert(self, mlp, data, options, progress): raise AssertionError
"""


def test_every_option_of_ours_says_what_it_does_and_what_holds_without_it() -> None:
    owners = installed_owners()
    assert {owner.said for owner in owners} >= {"form quantized", "form spiking", "form tflite", "targets of kind fpga"}
    for owner in owners:
        for option in owner.options:
            assert option.help.endswith("."), (owner.said, option.name)
            assert option.default_said, (owner.said, option.name)
            assert len({(each.group, each.name) for each in owner.options}) == len(owner.options)


def test_an_option_of_another_form_or_target_is_refused_with_where_it_belongs() -> None:
    owners = (form_owner("quantized"), target_owner("cpu"))
    with pytest.raises(InputError, match="option encoding: belongs to form spiking, not to form quantized"):
        check_options({"encoding": "unary"}, owners, installed_owners)
    with pytest.raises(InputError, match="option goal: belongs to targets of kind fpga"):
        check_options({"goal": "area"}, owners, installed_owners)


def test_a_package_of_anybodys_declares_its_own_and_one_that_is_broken_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "their_form", THEIRS, converters="smallest = their_form:Smallest")
    install(tmp_path, monkeypatch, "broken_form", "import absent_package", converters="broken = broken_form:Broken")
    assert check_options({"points": "2.5"}, [form_owner("smallest")], installed_owners) == {"points": 2.5}
    with pytest.raises(InputError, match="option points: belongs to form smallest"):
        check_options({"points": 2}, [form_owner("quantized")], installed_owners)
