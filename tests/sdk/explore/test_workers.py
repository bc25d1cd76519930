"""Searches that are killed, and trials in other processes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeml.errors import InputError
from edgeml.explore.front import read_front
from edgeml.explore.search import explore
from edgeml.explore.settings import Settings

SETTINGS = Settings(("cpu-x86_64",), objectives="accuracy,weight_bits", seed=2, widths=(4, 8), depth=2, steps=30)
OPTIONS = ["--target", "cpu-x86_64", "--objective", "accuracy,weight_bits", "--seed", "2"]
OPTIONS += ["--widths", "4,8", "--depth", "2", "--steps", "30"]
LONGEST = 120.0


def _states(folder: Path) -> dict[int, str]:
    """Trials by number with their states, read from the storage beside a search that may be at work."""
    if not (folder / "study.db").exists():
        return {}
    with sqlite3.connect(f"file:{folder / 'study.db'}?mode=ro", uri=True, timeout=5) as connection:
        try:
            return dict(connection.execute("select number, state from trials"))
        except sqlite3.OperationalError:
            return {}


def _killed_search(data: Path, folder: Path, *more: str) -> tuple[dict[int, str], list[int]]:
    """Start `edgeml explore`, kill it (SIGKILL) after three finished trials with one under way; the states it left,
    and the processes that it had started."""
    command = [sys.executable, "-m", "edgeml", "explore", "--data", str(data), "-o", str(folder), "-q", *OPTIONS, *more]
    process = subprocess.Popen([*command, "--trials", "200"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.monotonic() + LONGEST
    states: dict[int, str] = {}
    while time.monotonic() < end and process.poll() is None:
        states = _states(folder)
        if list(states.values()).count("COMPLETE") >= 3 and "RUNNING" in states.values():
            break
        time.sleep(0.02)
    children = _children(process.pid)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    return _states(folder), children


def _children(parent: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def _numbers(front: dict) -> set[int]:
    return {each["number"] for key in ("points", "baselines", "others") for each in front[key]}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_search_loses_the_running_trial_alone(small_data: Path, tmp_path: Path) -> None:
    left, _ = _killed_search(small_data, tmp_path)
    finished = {number for number, state in left.items() if state == "COMPLETE"}
    running = {number for number, state in left.items() if state == "RUNNING"}
    assert len(finished) >= 3
    assert len(running) <= 1
    parameters = _parameters(tmp_path, running)
    said: list[str] = []
    front = explore(SETTINGS, small_data, tmp_path, trials=len(finished) + 2, announce=said.append)
    assert f"{len(finished)} trials kept" in said[0]
    assert finished <= _numbers(front)
    assert sum(front["trials"].values()) == len(finished) + 2
    states = _states(tmp_path)
    assert all(states[number] == "FAIL" for number in running)
    repeated = _parameters(tmp_path, {n for n in states if n > max(left)})
    # The search may have been killed while it wrote the parameters: then some of them stand there.
    assert all(any(set(each) <= set(other) for other in repeated) for each in parameters), "tried again"


def _parameters(folder: Path, numbers: set[int]) -> list[list[tuple[str, float]]]:
    with sqlite3.connect(folder / "study.db") as connection:
        query = (
            "select param_name, param_value from trial_params join trials using (trial_id) where number = ? "
            "order by param_name"
        )
        return [connection.execute(query, (number,)).fetchall() for number in sorted(numbers)]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see processes")
def test_the_workers_of_a_killed_search_end_and_it_goes_on_with_workers(small_data: Path, tmp_path: Path) -> None:
    left, children = _killed_search(small_data, tmp_path, "--workers", "2")
    assert len(children) >= 2
    end = time.monotonic() + 20
    while time.monotonic() < end and any(_alive(pid) for pid in children):
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in children)
    finished = {number for number, state in left.items() if state == "COMPLETE"}
    assert list(left.values()).count("RUNNING") <= 2
    front = explore(SETTINGS, small_data, tmp_path, trials=len(finished) + 4, workers=2)
    assert finished <= _numbers(front)
    assert sum(front["trials"].values()) == len(finished) + 4


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_folder_takes_one_search_at_a_time(small_data: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="at work"):
            explore(SETTINGS, small_data, tmp_path, trials=1)


@pytest.mark.slow
def test_two_workers_of_a_ray_cluster_find_the_same_kind_of_front(small_data: Path, tmp_path: Path) -> None:
    """A cluster of two nodes with a CPU each, on this machine; what is tried first is tried and found alike."""
    pytest.importorskip("ray", reason="needs the extra ray")
    from ray.cluster_utils import Cluster

    alone = explore(SETTINGS, small_data, tmp_path / "alone", trials=8)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        front = explore(SETTINGS, small_data, tmp_path / "ray", trials=8, workers=0, ray=cluster.address)
    finally:
        cluster.shutdown()
    assert sum(front["trials"].values()) == 8
    assert read_front(tmp_path / "ray") == front
    assert [each["name"] for each in front["objectives"]] == [each["name"] for each in alone["objectives"]]
    assert front["points"]
    assert all((tmp_path / "ray" / point["model"]).is_file() for point in front["points"])
    common = _values(front).keys() & _values(alone).keys()
    assert len(common) >= 2, "the first candidates are the same"
    assert all(_values(front)[key] == _values(alone)[key] for key in common)


def _values(front: dict) -> dict[str, dict]:
    return {json.dumps(point["candidate"]): point["values"] for point in front["points"]}
