"""Killed at any point, no space, two at once: no finished table is ever half-written, and the next command goes on."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from valuation.storage import Layout, held, open_layout, read_postings, read_sessions

KILLED = Path(__file__).parents[1] / "support" / "killed.py"
TABLES = ("values", "matches", "series", "growth", "decomposition", "shift_check", "validation")
FIRST = """session_id,user,started_at,summary,weight
session-1,ann,2026-01-05,Fixed the login page,1
session-2,bob,2026-01-06,Wrote a report,1
session-3,cid,2026-01-07,Moved a database,1
"""
SECOND = """session_id,user,started_at,summary,weight
session-1,ann,2026-01-05,Fixed the login page for good,1
session-4,bob,2026-03-06,Wrote another report,-1
session-5,dee,2026-03-05,Drew a logo,2
"""


@pytest.fixture(scope="module")
def kill(tmp_path_factory):
    """Run the command line and kill it before its n-th step on the disk."""
    command = [sys.executable, str(KILLED), "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:

        def run(step, *arguments):
            server.stdin.write(json.dumps([step, *map(str, arguments)]) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield run
        server.stdin.close()


@pytest.fixture
def two_imports(valuation, workspace, tmp_path):
    """A workspace after a first import, and the file of a second."""
    (tmp_path / "first.csv").write_text(FIRST)
    (tmp_path / "second.csv").write_text(SECOND)
    assert valuation("-w", workspace, "--quiet", "import", "sessions", tmp_path / "first.csv").status == 0
    return workspace, tmp_path / "second.csv"


def content(workspace):
    """Everything an import writes, less the time of it."""
    ledger = pd.read_parquet(workspace / "imports.parquet").drop(columns="imported_at")
    tables = sorted(path for path in workspace.rglob("*.parquet") if path.name != "imports.parquet")
    return (
        sorted(map(tuple, ledger.astype(str).to_numpy().tolist())),
        {path.relative_to(workspace).as_posix(): path.read_bytes() for path in tables},
    )


def rows_of(workspace):
    return read_sessions(Layout(workspace)).to_csv(index=False)


@pytest.mark.slow
def test_an_import_killed_before_every_step_on_the_disk(valuation, kill, two_imports, tmp_path):
    """Readers see all of it or nothing once a writer has come by; the same import then gives the same files."""
    workspace, second = two_imports
    before = rows_of(workspace)
    whole = tmp_path / "whole"
    shutil.copytree(workspace, whole)
    assert kill(0, "-w", whole, "--quiet", "import", "sessions", second) == 0
    expected, after = content(whole), rows_of(whole)
    for step in range(1, 200):
        copy = tmp_path / f"copy-{step}"
        shutil.copytree(workspace, copy)
        status = kill(step, "-w", copy, "--quiet", "import", "sessions", second)
        if status == 0:
            break
        assert status == 128 + signal.SIGKILL
        assert valuation("-w", copy, "status").status == 0
        assert valuation("-w", copy, "quarantine", "show").status == 0
        with held(open_layout(copy), "look"):
            assert rows_of(copy) in (before, after), f"killed before step {step}"
        assert valuation("-w", copy, "--quiet", "import", "sessions", second).status == 0
        assert content(copy) == expected, f"killed before step {step}"
        assert not [path for path in copy.rglob("*") if path.name.startswith(".tmp-") or path.name == "next.parquet"]
        shutil.rmtree(copy)
    assert 15 < step < 199
    assert before != after


def full_at(step):
    """`os.fsync` that finds the disk full at its `step`-th call."""
    left, real = [step], os.fsync

    def fsync(handle):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle)

    return fsync


@pytest.mark.slow
def test_an_import_on_a_disk_that_fills_at_any_write(valuation, two_imports, tmp_path, monkeypatch):
    workspace, second = two_imports
    whole = tmp_path / "whole"
    shutil.copytree(workspace, whole)
    assert valuation("-w", whole, "--quiet", "import", "sessions", second).status == 0
    expected = content(whole)
    for step in range(1, 100):
        copy = tmp_path / f"copy-{step}"
        shutil.copytree(workspace, copy)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full_at(step))
            done = valuation("-w", copy, "--quiet", "import", "sessions", second)
        if done.status == 0:
            break
        done.refused(1, "no space left on the disk")
        assert valuation("-w", copy, "status").status == 0
        assert not list(copy.rglob(".tmp-*"))
        assert valuation("-w", copy, "--quiet", "import", "sessions", second).status == 0
        assert content(copy) == expected, f"full at write {step}"
    assert 8 < step < 99


@pytest.fixture
def small_disk(tmp_path):
    """A real file system whose size can be set; needs a root that may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def size(kibibytes):
        option = f"{'remount,' if folder.is_mount() else ''}size={kibibytes}k"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("no file system may be mounted here")
        return folder

    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount")
    yield size
    subprocess.run(["umount", str(folder)], check=False)


def test_an_import_on_a_full_disk(valuation, small_disk, world_files):
    workspace = small_disk(64) / "workspace"
    assert valuation("init", workspace).status == 0
    arguments = ("-w", workspace, "--quiet", "import", "postings", world_files.postings, "--map")
    valuation(*arguments, world_files.postings_map).refused(1, "no space left on the disk")
    assert read_postings(Layout(workspace)).empty
    small_disk(8192)
    assert valuation(*arguments, world_files.postings_map).status == 0
    assert len(read_postings(Layout(workspace))) > 600


def used(folder):
    return sum(-(-path.stat().st_size // 4096) * 4 + 4 for path in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize(("without", "spare"), [("runs", 40), ("indices", 40), ("embeddings", 8)])
def test_a_run_on_a_full_disk(valuation, small_disk, work, quickly, without, spare, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(work.layout.root, source, ignore=shutil.ignore_patterns("runs", without, ".lock*"))
    workspace = small_disk(used(source) + spare) / "workspace"
    shutil.copytree(source, workspace)
    done = valuation("-w", workspace, *quickly, "run")
    done.refused(1, "no space left on the disk")
    assert not list(workspace.rglob(".tmp-*"))
    assert not list((workspace / "runs").glob("*/manifest.json"))
    assert not (workspace / "runs" / "latest").exists()
    assert valuation("-w", workspace, "status").status == 0
    small_disk(65536)
    assert valuation("-w", workspace, *quickly, "run").status == 0
    for name in TABLES:
        (ours,) = (workspace / "runs").glob(f"*/{name}.parquet")
        assert ours.read_bytes() == (work.run_folder() / f"{name}.parquet").read_bytes(), name


def process(workspace, quickly, *arguments):
    """A real process of the command line, its stages on standard error."""
    flags = [flag for flag in quickly if flag != "--quiet"]
    command = [sys.executable, "-m", "valuation.cli", "-w", str(workspace), *flags, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(running, stage):
    for line in running.stderr:
        if stage in line:
            return
    raise AssertionError(f"{stage!r} was never reached")


@pytest.mark.slow
def test_a_run_killed_at_every_stage_ends_with_the_same_figures(valuation, finished, work, quickly):
    for name in ("runs", "indices", "embeddings"):
        shutil.rmtree(finished / name)
    for stage in ("cluster", "embed postings", "index", "fit", "price sessions", "report"):
        with process(finished, quickly, "run") as running:
            wait_for(running, stage)
            running.send_signal(signal.SIGKILL)
        assert running.returncode == -signal.SIGKILL
        assert valuation("-w", finished, "status", "--json").data["last_run"] is None, stage
    done = valuation("-w", finished, *quickly, "run")
    assert done.status == 0, done.err
    assert Path(done.out.splitlines()[-1]).name == work.run_folder().name
    for name in TABLES:
        (ours,) = (finished / "runs").glob(f"*/{name}.parquet")
        assert ours.read_bytes() == (work.run_folder() / f"{name}.parquet").read_bytes(), name
    assert not list(finished.rglob(".tmp-*")), "what the killed runs left is cleared"


@pytest.mark.slow
def test_two_runs_at_once(valuation, finished, quickly):
    flags = [*quickly, "--set", "bootstrap.seed=9"]
    with process(finished, flags, "run") as first:
        wait_for(first, "fit")
        first.send_signal(signal.SIGSTOP)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "valuation.cli", "-w", str(finished), *flags, "run"],
                capture_output=True,
                text=True,
                check=False,
            )
            reading = valuation("-w", finished, "status")
        finally:
            first.send_signal(signal.SIGCONT)
        out, _ = first.communicate(timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {finished} is in use by `valuation run` (process {first.pid} on ")
    assert done.stderr.count("\n") == 1
    assert reading.status == 0
    assert first.returncode == 0
    assert (Path(out.splitlines()[-1]) / "manifest.json").is_file()


def test_the_lock_of_a_killed_process_is_free(valuation, workspace, tmp_path):
    script = (
        "import sys, time, pathlib; from valuation.storage import held, open_layout\n"
        "with held(open_layout(pathlib.Path(sys.argv[1])), 'run'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        other.kill()
    with contextlib.suppress(OSError):
        assert (workspace / ".lock.json").exists(), "the note outlives the process, the lock does not"
    (tmp_path / "first.csv").write_text(FIRST)
    assert valuation("-w", workspace, "--quiet", "import", "sessions", tmp_path / "first.csv").status == 0


def test_half_a_file_of_a_killed_process_is_in_nobodys_way(valuation, finished, quickly, tmp_path):
    folders = ("postings", "sessions", "quarantine/postings", "quarantine/sessions", "imports/sessions", "embeddings")
    left = [finished / name / ".tmp-half.parquet" for name in folders]
    left += [path.with_name("next.parquet") for path in sorted((finished / "sessions").rglob("part.parquet"))[:1]]
    left += [path.with_name(".tmp-half.parquet") for path in (finished / "embeddings").rglob("part-*.parquet")]
    for path in left:
        path.write_bytes(b"PAR1 half")
    for verb in (["status"], ["quarantine", "show"], ["explain", "s0000002"]):
        assert valuation("-w", finished, *verb).status == 0, verb
    done = valuation("-w", finished, *quickly, "run")
    assert done.status == 0, done.err
    assert done.out.startswith("unchanged")
    assert not [path for path in left if path.exists()]
