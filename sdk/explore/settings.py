"""What a search is asked: its options, declared once, and `Settings`, which hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from ..input_encoding import read_encodings
from ..options import Choice, Kind, Option, Real, Structured, Whole
from ..options.kinds import shown

__all__ = ["FORMS", "LIMITS", "NUMBERS", "QUESTION", "SAMPLERS", "Settings", "explored", "parts_of"]

FORMS = ("quantized", "tflite", "spiking")
"""The forms that can be explored."""
SAMPLERS = ("tpe", "nsga2")
_MOST_CHOICES = 1000


def explored(form: str, name: str) -> tuple[Any, ...]:
    """The values of a form's option that a search tries, as the form declares them."""
    return tuple(value for option in _declared(form, name) for value in option.explored)


def parts_of(values: Sequence[str]) -> tuple[str, ...]:
    """Options that may be repeated or hold commas, as one flat tuple."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _declared(form: str, name: str) -> tuple[Option, ...]:
    from ..options.installed import form_owner

    return form_owner(form).declared(name)


def _numbers(value: Any, kind: Kind) -> tuple[int, ...]:
    """Whole numbers, ascending, of `2,4` or of a sequence."""
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not 0 < len(found) <= _MOST_CHOICES:
        raise ValueError
    return tuple(sorted({kind.read(each) for each in found}))


def _widths(value: Any) -> tuple[int, ...]:
    return _numbers(value, Whole(1, 65536))


def _bits(value: Any) -> tuple[int, ...]:
    kind = _declared("quantized", "bits")[0].kind
    try:
        return _numbers(value, kind)
    except ValueError:
        raise InputError(
            "option bits", f"must be numbers with commas, each {kind.meaning}, found {shown(value)}"
        ) from None


NUMBERS = "numbers"
"""Features as whole numbers, in the option `encode`."""


def _encodings(value: Any) -> tuple[str, ...]:
    """Ways for all features to enter, as `Candidate.encode` has them, of `numbers,bits,thermometer:7` or a sequence."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not 0 < len(words) <= _MOST_CHOICES:
        raise ValueError
    found = ["" if str(word).strip() in (NUMBERS, "") else str(word).strip() for word in words]
    for word in filter(None, found):
        read_encodings(f"all={word}")
    return tuple(dict.fromkeys(found))


LIMITS = (
    Option("trials", Whole(1, 10**9), "Trials in all, with those of earlier runs.", default=100),
    Option(
        "minutes",
        Real(0, 1e6, open_low=True),
        "Minutes of this run; trials under way are finished.",
        otherwise="until all trials are done",
    ),
    Option("workers", Whole(0, 256), "Processes on this machine; with --ray, on the cluster (0: all).", default=1),
)
"""How far a run goes: these may change when a search is gone on with."""

QUESTION = (
    Option("seed", Whole(0, 2**31 - 1), "The same seed and one worker give the same front.", default=0),
    Option(
        "widths",
        Structured("N,…", "whole numbers in 1 … 65536 with commas", _widths),
        "Widths of hidden layers.",
        default=(8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256),
    ),
    Option("depth", Whole(1, 16), "Most hidden layers.", default=3),
    Option(
        "bits",
        Structured("N,…", "whole numbers of bits, as --bits of edgeml convert, with commas", _bits),
        "Bits of weights and activations.",
        otherwise="what the quantized form declares as worth trying",
    ),
    Option(
        "encode",
        Structured("HOW,…", "of numbers, bits, thermometer:N and table, with commas", _encodings),
        "How features enter: as whole numbers, bits, thermometers or tables.",
        default=(NUMBERS, "bits", "thermometer:7"),
    ),
    Option("samples", Whole(2, 10**7), "Most training samples of a trial.", default=20_000),
    Option("steps", Whole(1, 10**6), "Steps of a full training, 128 samples each.", default=1500),
    Option("sampler", Choice(SAMPLERS), "Optuna's sampler.", default="tpe"),
)
"""What is searched: these belong to a search from its beginning."""

_DEFAULT: dict[str, Any] = {option.name: option.default for option in QUESTION}


@dataclass(frozen=True)
class Settings:
    """What a search is asked. A folder belongs to one such question; only the limits may change on resuming.

    Parameters
    ----------
    targets : names or paths of profiles. forms : of quantized, tflite, spiking.
    objectives : such as `accuracy,luts`. constraints : such as `luts<=5%`.
    baselines : designs given by hand, such as `256-128-64-32:2`.
    seed, widths, depth, bits, encode, samples, steps, sampler : see `QUESTION`; text is read as from the command line.
    task, labels, split : as of `convert`; "" and () where nothing is said.
    """

    targets: tuple[str, ...]
    forms: tuple[str, ...] = ("quantized",)
    objectives: str = "accuracy"
    constraints: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    seed: int = _DEFAULT["seed"]
    widths: tuple[int, ...] = _DEFAULT["widths"]
    depth: int = _DEFAULT["depth"]
    bits: tuple[int, ...] = field(default_factory=lambda: explored("quantized", "bits"))
    encode: tuple[str, ...] = _DEFAULT["encode"]
    samples: int = _DEFAULT["samples"]
    steps: int = _DEFAULT["steps"]
    sampler: str = _DEFAULT["sampler"]
    task: str = ""
    labels: tuple[str, ...] = ()
    split: str = ""

    def __post_init__(self) -> None:
        for option in QUESTION:
            object.__setattr__(self, option.name, option.meant(getattr(self, option.name)))
        if not self.targets:
            raise InputError("option target", "is needed", "See 'edgeml targets'")
        if unknown := [form for form in self.forms if form not in FORMS]:
            known = ", ".join(FORMS)
            raise InputError(
                "option to", f"must be forms that can be explored, found {shown(unknown[0])}", f"Known: {known}"
            )
