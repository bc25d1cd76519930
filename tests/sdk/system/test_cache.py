"""The cache: private at every level, whole or absent, used by many at once, never silent where it is not used."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeml.system import cache

needs_owners = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners on this system")
KIND = "simulations"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "above" / "cache"))
    cache._say_once.cache_clear()
    return tmp_path / "above" / "cache"


def kept(key: str, content: bytes = b"a program") -> Path:
    path = cache.keep(KIND, key, content)
    assert path is not None
    return path


def test_what_is_kept_is_found_and_what_is_damaged_is_not(place: Path) -> None:
    assert cache.find(KIND, "key") is None
    path = kept("key")
    assert cache.find(KIND, "key") == path
    assert path.read_bytes() == b"a program"
    assert os.access(path, os.X_OK)
    assert cache.find(KIND, "ke") is None
    assert cache.find("libraries", "key") is None
    for damage in (b"", b"a prograM", b"a program\0"):
        path.write_bytes(damage)
        assert cache.find(KIND, "key") is None
        assert kept("key") == path


@needs_owners
def test_whatever_the_umask_every_level_is_private_and_keeps(place: Path) -> None:
    for umask in (0o002, 0o000, 0o022, 0o077):
        before = os.umask(umask)
        try:
            path = kept(f"key{umask}")
        finally:
            os.umask(before)
        assert cache.find(KIND, f"key{umask}") == path
        for each in (path, path.parent, place):
            assert each.stat().st_mode & 0o777 == 0o700


@needs_owners
def test_a_cache_that_was_made_open_is_made_private_unless_it_holds_something_else(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.mkdir(parents=True)
    place.chmod(0o775)
    path = kept("key")
    assert place.stat().st_mode & 0o777 == 0o700
    place.chmod(0o770)
    (place / "thesis.tex").write_text("years of work")
    assert cache.find(KIND, "key") is None
    assert place.stat().st_mode & 0o777 == 0o770
    assert "thesis.tex" in caplog.text
    assert "EDGEML_CACHE" in caplog.text
    (place / "thesis.tex").unlink()
    assert cache.find(KIND, "key") == path


@needs_owners
def test_nothing_is_taken_from_where_others_could_put_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept("key")
    path.chmod(0o722)
    assert cache.find(KIND, "key") is None, "a file that others can write"
    path.chmod(0o700)
    place.parent.chmod(0o777)
    assert cache.find(KIND, "key") is None, "below a folder in which everybody can rename"
    place.parent.chmod(0o1777)
    assert cache.find(KIND, "key") == path, "as in /tmp"
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    assert cache.find(KIND, "key") is None, "a link"
    path.parent.rename(place / "programs")
    path.parent.symlink_to(place / "programs")
    assert cache.keep(KIND, "key", b"a program") is None, "a linked folder"
    path.parent.unlink()
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert cache.find(KIND, "key") is None, "somebody else's"


@pytest.mark.parametrize("wrong", ["file", "below a file"])
def test_a_cache_that_cannot_be_had_is_told_once(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    place.parent.mkdir()
    (place.parent / "file").write_text("no folder")
    monkeypatch.setenv("EDGEML_CACHE", str(place.parent / "file" / ("" if wrong == "file" else "cache")))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert cache.keep(KIND, "key", b"a program") is None
            assert cache.find(KIND, "key") is None
    assert len(caplog.records) == 1
    assert str(place.parent / "file") in caplog.text


def test_the_least_recently_used_go_first_and_abandoned_pieces_with_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MOST_ENTRIES", 3)
    for number, key in enumerate("abc"):
        os.utime(kept(key), (number, number))
    (place / KIND / "partial-of-a-killed-run").write_bytes(b"half")
    os.utime(place / KIND / "partial-of-a-killed-run", (1, 1))
    (place / KIND / "partial-of-a-living-run").write_bytes(b"half")
    assert cache.find(KIND, "a") is not None
    kept("d")
    names = sorted(path.name.partition("-")[0] for path in (place / KIND).iterdir())
    assert names == ["a", "c", "d", "partial"]
    monkeypatch.setattr(cache, "_MOST_BYTES", 100)
    kept("e", bytes(95))
    assert cache.find(KIND, "d") is None
    assert cache.keep(KIND, "too large", bytes(101)) is None


def test_a_limit_of_file_sizes_leaves_nothing_behind(place: Path) -> None:
    script = """
import resource
from edgeml.system import cache
assert cache.keep("simulations", "small", b"x") is not None
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
assert cache.keep("simulations", "large", bytes(5000)) is None
"""
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "too large" in done.stderr.lower()
    assert [path.name.partition("-")[0] for path in (place / KIND).iterdir()] == ["small"]


def test_many_processes_keep_and_find_at_once(place: Path) -> None:
    script = """
import sys
from edgeml.system import cache
cache._MOST_ENTRIES = 5
for turn in range(60):
    key = f"key{turn % 8}"
    found = cache.find("simulations", key)
    if found is not None:
        try:
            content = found.read_bytes()
        except FileNotFoundError:
            continue
        assert content == key.encode() * 1000
    assert cache.keep("simulations", key, key.encode() * 1000) is not None
"""
    running = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) for _ in range(4)]
    for process in running:
        _, words = process.communicate(timeout=60)
        assert process.returncode == 0, words.decode()
    assert all(path.name.startswith("key") for path in (place / KIND).iterdir())


def test_what_was_kept_last_under_a_key_is_found_first(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))
    key = cache.digest_of("several")
    paths = [cache.keep("proofs", key, content) for content in (b"first", b"second", b"third")]
    for age, path in enumerate(reversed(paths)):
        os.utime(path, ns=(10**18 - age, 10**18 - age))
    for _ in range(2):  # what is looked at stays in its order
        assert [path.read_bytes() for path in cache.find_all("proofs", key)] == [b"third", b"second", b"first"]
    assert cache.find("proofs", key).read_bytes() == b"third"
    paths[2].write_bytes(b"other")
    assert [path.read_bytes() for path in cache.find_all("proofs", key)] == [b"second", b"first"]
    assert cache.find_all("proofs", cache.digest_of("none")) == []
