"""Exit statuses and messages, each asserted: a crash exits with 1 too."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from valuation.cli import faults
from valuation.errors import ConfigError, EnvironmentFault, InputError, ThinMatchError

ESC = "\x1b"


def test_a_folder_that_is_no_workspace(valuation, tmp_path):
    done = valuation("-w", tmp_path, "status")
    assert done.status == 1
    assert done.out == ""
    assert done.err.splitlines()[-1].startswith(f"error: {tmp_path} is not a workspace (no valuation.toml)")
    assert f"valuation init {tmp_path}" in done.err


def test_init_refuses_a_workspace(valuation, workspace):
    before = (workspace / "valuation.toml").read_bytes(), (workspace / ".key").read_bytes()
    done = valuation("init", workspace)
    assert done.status == 1
    assert done.err.startswith("error: ")
    assert "already" in done.err
    assert ((workspace / "valuation.toml").read_bytes(), (workspace / ".key").read_bytes()) == before


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("matching.kk=3", "unknown setting matching.kk"),
        ("matchin.k=3", "unknown section [matchin]"),
        ("matching.k=0", "matching.k: Input should be greater than or equal to 1, got 0"),
        ("matching.k=many", "matching.k: Input should be a valid integer"),
        ("matching", "expected section.key=value"),
    ],
)
def test_settings_that_are_refused(valuation, workspace, setting, expected):
    done = valuation("-w", workspace, "--set", setting, "status")
    assert done.status == 2
    assert expected in done.err
    assert done.err.count("\n") == 1


def test_a_setting_of_the_workspace_file_is_refused_by_name(valuation, workspace):
    file = workspace / "valuation.toml"
    file.write_text(file.read_text().replace("[matching]", "[matching]\nneighbours = 3"))
    done = valuation("-w", workspace, "status")
    assert done.status == 2
    assert "valuation.toml: unknown setting matching.neighbours; settings are k, s_min, tau" in done.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "error: Missing command. See: valuation --help"),
        (["rnu"], "error: No such command 'rnu'. Did you mean 'run'? See: valuation --help"),
        (["run", "--engin", "x"], "See: valuation run --help"),
        (["price", "texts.csv"], "error: Missing option '--out'. See: valuation price --help"),
        (["import"], "error: Missing command. See: valuation import --help"),
        (["import", "postings"], "See: valuation import postings --help"),
        (["quarantine", "retry", "pages", "--map", "m.toml"], "See: valuation quarantine retry --help"),
        (["run", "--engine", "spark"], "See: valuation run --help"),
        (["run", "--engine", "ray"], "error: --engine ray is not available yet; use --engine local"),
        (["validate", "--map", "m.toml"], "error: --map m.toml says how to read --holdout FILE, which is not given"),
        (["init", "a", "-w", "b"], "error: valuation init takes its folder as DIR, not as --workspace b"),
        (["demo", "a", "--set", "matching.k=3"], "error: valuation demo takes no --set (got matching.k=3)"),
    ],
)
def test_usage_errors_are_one_line_and_2(valuation, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    done = valuation(*arguments)
    assert done.status == 2
    assert expected in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", [("import", "postings"), ("import", "sessions")])
def test_a_file_that_is_not_there(valuation, workspace, tmp_path, verb):
    done = valuation("-w", workspace, *verb, tmp_path / "none.csv")
    assert done.status == 1
    assert str(tmp_path / "none.csv") in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_a_workspace_held_by_another_process(valuation, workspace, tmp_path):
    script = (
        "import sys, time, pathlib; from valuation.storage import held, open_layout\n"
        "with held(open_layout(pathlib.Path(sys.argv[1])), 'run'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    postings = tmp_path / "postings.csv"
    postings.write_text("title,budget,currency,posted_at\nA logo,100,USD,2026-01-05\n")
    with subprocess.Popen([sys.executable, "-c", script, str(workspace)], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            done = valuation("-w", workspace, "import", "postings", postings)
        finally:
            other.kill()
    assert done.status == 1
    assert f"{workspace} is in use by `valuation run` (process {other.pid} on " in done.err.splitlines()[-1]


def test_ctrl_c_is_130_and_one_line(workspace):
    script = (
        "import signal, sys, time, valuation.workspace as w; from valuation.cli.main import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in a background job
        "def run(self, *, engine):\n    print('begun', flush=True)\n    time.sleep(60)\n"
        "w.Workspace.run = run; sys.exit(main(['-w', sys.argv[1], 'run']))"
    )
    command = [sys.executable, "-c", script, str(workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err == "error: interrupted; finished tables are whole, and the same command goes on from there\n"


@pytest.fixture
def bug(monkeypatch):
    def status(self):
        raise KeyError(f"sum{ESC}[31m\nof squares")

    monkeypatch.setattr("valuation.workspace.Workspace.status", status)


def test_a_bug_is_70_one_line_and_a_file(valuation, workspace, bug):
    done = valuation("status", "-w", workspace)
    assert done.status == 70
    assert done.err.count("\n") == 1
    assert "a bug in valuation, not in your data: KeyError" in done.err
    assert "Traceback" not in done.err + done.out
    assert ESC not in done.err
    (kept,) = (workspace / "faults").iterdir()
    assert str(kept.resolve()) in done.err
    assert "raise KeyError" in kept.read_text()


def test_a_bug_is_shown_to_who_asks(valuation, workspace, bug, monkeypatch):
    monkeypatch.setenv("VALUATION_DEBUG", "1")
    done = valuation("status", "-w", workspace)
    assert done.status == 70
    assert "Traceback (most recent call last)" in done.err
    assert not (workspace / "faults").exists()


def test_a_bug_outside_a_workspace_leaves_no_file_there(valuation, tmp_path, monkeypatch):
    def create(*_args, **_kwargs):
        raise ZeroDivisionError("nothing")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("valuation.workspace.Workspace.create", create)
    done = valuation("init", "new")
    assert done.status == 70
    assert list(tmp_path.iterdir()) == []
    kept = Path(done.err.strip().rpartition("the file ")[2])
    assert "ZeroDivisionError: nothing" in kept.read_text()
    kept.unlink()
    kept.parent.rmdir()


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InputError("row 3"), 1, "row 3"),
        (EnvironmentFault("no model"), 1, "no model"),
        (ThinMatchError("2 postings"), 1, "2 postings"),
        (ConfigError("no such key"), 2, "no such key"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"), 1, "a.csv: No such file or directory"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "no space left on the disk"),
        (MemoryError(), 1, "not enough memory; try a smaller compute.chunk_rows"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError("odd"), 70, "a bug in valuation"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 70, "a bug in valuation"),
        (EOFError("end"), 70, "a bug in valuation"),
    ],
)
def test_every_kind_of_error(valuation, workspace, monkeypatch, error, status, message):
    def fail(self):
        raise error

    monkeypatch.setattr("valuation.workspace.Workspace.status", fail)
    done = valuation("status", "-w", workspace, "--json", "--quiet")
    assert done.status == status
    assert done.err.startswith(f"error: {message}")
    assert done.data["exit_status"] == status
    assert done.data["error"] == done.err.removeprefix("error: ").rstrip("\n")
    assert sorted(done.data) == ["error", "exit_status", "kind"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [(["rnu"], "UsageError"), (["status"], "InputError"), (["run", "--engine", "ray"], "ConfigError")],
)
def test_the_kind_of_error_in_json(valuation, tmp_path, monkeypatch, arguments, kind):
    monkeypatch.chdir(tmp_path)
    assert valuation("--json", *arguments).data["kind"] == kind


def test_messages_cannot_drive_a_terminal(valuation, tmp_path):
    hostile = f"a{ESC}[2J\u202eb\nc\x07\x9b"
    done = valuation("-w", tmp_path / hostile, "status", "--json")
    assert done.status == 1
    assert not {character for character in done.err + done.data["error"] if character in f"{ESC}\u202e\x07\x9b"}
    assert r"a\x1b[2J\u202eb c\x07\x9b is not a workspace" in done.err
    assert done.err.count("\n") == 1


def test_a_message_is_cut_where_it_would_flood(valuation, workspace):
    done = valuation("-w", workspace, "status", "--set", "matching." + "k" * 10_000 + "=1")
    assert "unknown setting matching.kkk" in done.err[: faults.LONGEST] or done.err.startswith(
        "error: --set matching.kkk"
    )
    assert len(done.err) < faults.LONGEST + 20


def test_a_reader_who_has_gone_is_no_error(workspace):
    command = f"{sys.executable} -m valuation.cli -w {workspace} quarantine show --json"
    script = f"set -o pipefail; {command} | true"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
