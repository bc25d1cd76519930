"""Another project's `edgeml` in the same environment is named, whichever of the two was installed last."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgeml
from edgeml.other_distribution import said_of_other

HOME = Path(edgeml.__file__).parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages with our sources in it, and the other project's metadata."""
    shutil.copytree(HOME, tmp_path / "edgeml", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "edgeml_exact-0.1.0.dist-info").mkdir()
    (tmp_path / "edgeml-0.2.1.dist-info").mkdir()
    return tmp_path


def run(site: Path, script: str) -> subprocess.CompletedProcess[str]:
    begin = f"import sys; sys.path.insert(0, {str(site)!r}); "
    return subprocess.run([sys.executable, "-I", "-c", begin + script], capture_output=True, text=True, check=False)


def test_ours_over_the_other_warns_and_works(site: Path) -> None:
    done = run(site, "import edgeml; print(edgeml.__version__)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == edgeml.__version__
    assert "UserWarning: edgeml: the distribution edgeml 0.2.1, another project, is installed" in done.stderr
    assert "pip uninstall -y edgeml edgeml-exact" in done.stderr


def test_the_other_over_ours_is_refused_at_the_command_line(site: Path) -> None:
    (site / "edgeml" / "__init__.py").write_text("")
    done = run(site, "from edgeml.cli import main; sys.exit(main(['targets']))")
    assert done.returncode == 3
    assert "the distribution edgeml 0.2.1, another project" in done.stderr
    assert "Traceback" not in done.stderr


def test_ours_alone_says_nothing(site: Path) -> None:
    (site / "edgeml-0.2.1.dist-info").rmdir()
    done = run(site, "import edgeml")
    assert (done.returncode, done.stderr) == (0, "")
    assert said_of_other() == ""
