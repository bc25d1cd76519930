"""A name that is not known is answered with the one that may be meant, wherever names are given."""

from __future__ import annotations

import pytest

from edgeml.errors import InputError
from edgeml.meant_name import name_remedy, nearest_name
from edgeml.options.installed import form_owner
from edgeml.profile import board_names, load_profile, profile_names
from edgeml.verification.coverage import check_names


def test_the_nearest_name_is_found_whatever_its_letters_case() -> None:
    assert nearest_name("CORTEX-M4", ["cortex-m4", "cortex-m7"]) == "cortex-m4"
    assert nearest_name("quantised", ["spiking", "quantized"]) == "quantized"


def test_a_name_like_none_is_answered_with_all_that_are_known() -> None:
    assert name_remedy("zzz", ["b", "a"]) == "Known: b, a"
    assert name_remedy("zzz", []) == "Known: none"
    assert name_remedy("zzz", ["b"], "See --help") == "See --help"


def test_each_known_name_with_two_letters_exchanged_is_told_as_itself_or_as_near() -> None:
    known = [*profile_names(), *board_names()]
    for name in known:
        swapped = name[0] + name[2] + name[1] + name[3:]
        if swapped not in known:
            assert nearest_name(swapped, known), swapped


def test_a_name_without_end_takes_no_time_without_end() -> None:
    assert nearest_name("a" * 10**6, ["a" * 90, "b"]) == "a" * 90


@pytest.mark.parametrize(
    ("give", "meant"),
    [
        (lambda: load_profile("cortexm4"), "Did you mean cortex-m4? "),
        (lambda: form_owner("quantised"), "Did you mean quantized?"),
        (lambda: check_names(["verilatr"]), "Did you mean verilator?"),
    ],
)
def test_targets_forms_and_executors_are_told(give, meant) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as error:
        give()
    assert meant.strip() in error.value.remedy
