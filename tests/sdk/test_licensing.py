"""What leaves edgeml says under which licence."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeml import plugins
from edgeml.licensing import LICENSE_FILE, SPDX, license_text, with_license
from edgeml.profile import load_profile
from tests.same_bytes.networks import thresholds

ROOT = Path(__file__).parents[2]
WITHOUT_COMMENTS = (".mem", ".json", ".md", ".onnx", ".f", ".txt")
"""`.f` is a list of files that tools read line by line; README.md names the licence in its text."""


def test_the_licence_that_ships_is_the_projects() -> None:
    assert license_text() == (ROOT / "LICENSE").read_text("utf-8")


def test_every_kernel_module_and_template_has_the_line_at_its_top() -> None:
    stubs = [
        path for path in (ROOT / "firmware_stubs").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    named = ("library.json.in", "library.properties.in", LICENSE_FILE, "__init__.py")
    texts = [path for path in stubs if path.name.endswith("README.md.in")]
    others = [path for path in stubs if path not in texts and path.name not in named]
    bare = [path.name for path in others if SPDX not in path.read_text("utf-8")[:200]]
    bare += [path.name for path in texts if "Apache License 2.0" not in path.read_text("utf-8")]
    assert len(stubs) > 80
    assert not bare


@pytest.mark.parametrize(("part", "folder"), [("host", "c"), ("cortex-m4", "c"), ("xczu7ev", "rtl")])
def test_every_file_of_an_artifact_has_the_line_or_cannot_have_it(part: str, folder: str, tmp_path: Path) -> None:
    profile = load_profile(part)
    plugins.targets(profile.kind).emit(thresholds(), profile, tmp_path, {})
    assert (tmp_path / folder / LICENSE_FILE).read_text("utf-8") == license_text()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != LICENSE_FILE]
    bare = [
        str(path.relative_to(tmp_path))
        for path in files
        if path.suffix not in WITHOUT_COMMENTS and SPDX not in path.read_text("utf-8")[:300]
    ]
    assert bare in ([], ["c/library.properties"]), "which has a field for it"
    if part == "cortex-m4":
        assert '"license": "Apache-2.0"' in (tmp_path / "c/library.json").read_text()
        assert "license=Apache-2.0" in (tmp_path / "c/library.properties").read_text()
        assert "<license>LICENSE</license>" in (tmp_path / "c/edgeml.thresholds_2.pdsc").read_text()


def test_a_line_is_not_added_twice_nor_where_a_file_has_no_comments() -> None:
    once = with_license("a.v", "module a;\n")
    assert once == with_license("a.v", once) == f"// {SPDX}\nmodule a;\n"
    assert with_license("a.mem", "00\n") == "00\n"
