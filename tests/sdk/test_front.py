"""`import edgeml`: a plain, typed front that stays what it is, and answers at once."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys

import pytest

import edgeml


@pytest.mark.parametrize(
    "first",
    [
        "edgeml.verify",
        "from edgeml import verify",
        "import edgeml.verification.verify",
        "from edgeml.verification.verify import Verdict",
        "import edgeml.pipeline",
        "import edgeml.cli; edgeml.cli.main(['--help'])",
        "edgeml.verify; import importlib; importlib.import_module('edgeml.verification.verify')",
    ],
)
def test_verify_is_the_function_whatever_was_imported_before(first: str) -> None:
    script = f"import edgeml; {first}; import inspect; assert inspect.isfunction(edgeml.verify), edgeml.verify"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_shows_every_function_with_its_signature_and_every_class() -> None:
    shown = pydoc.plain(pydoc.render_doc(edgeml))
    for name in ("convert(model", "load(path", "verify(bundle", "class Bundle", "class Verdict", "class ToolFailed"):
        assert name in shown
    assert "to: 'str'" in shown or "to: str" in shown


def test_all_names_are_there_listed_documented_and_typed() -> None:
    assert set(edgeml.__all__) <= set(dir(edgeml))
    for name in set(edgeml.__all__) - {"__version__"}:
        value = getattr(edgeml, name)
        assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            signature = inspect.signature(value)
            assert signature.return_annotation is not inspect.Signature.empty
            assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = edgeml.nothing  # type: ignore[attr-defined]


def test_importing_edgeml_imports_nothing_heavy() -> None:
    script = "import sys, edgeml; dir(edgeml); print(sorted({'numpy', 'torch', 'typer', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
