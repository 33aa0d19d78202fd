from __future__ import annotations

import io
import sys

import pytest

from valuation.cli import shown
from valuation.progress import Silent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(progress) -> None:
    progress.advance(0, 0)
    progress.stage("embed \x1b[31mpostings")
    progress.advance(1, 2)
    progress.advance(2, 2)
    progress.stage("match [bold]")
    progress.advance(1, 3)


def test_a_line_a_stage_where_there_is_no_terminal(capsys):
    with shown.progress(quiet=False) as progress:
        work(progress)
    said = capsys.readouterr()
    assert said.err == "embed \\x1b[31mpostings\nmatch [bold]\n"
    assert said.out == ""


def test_nothing_when_quiet(capsys):
    with shown.progress(quiet=True) as progress:
        assert isinstance(progress, Silent)
        work(progress)
    assert capsys.readouterr() == ("", "")


def test_a_bar_a_stage_on_a_terminal(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with shown.progress(quiet=False) as progress:
        work(progress)
    said = terminal.getvalue()
    assert "2/2" in said
    assert "3/3" in said
    assert "match [bold]" in said
    assert "\x1b[31m" not in said.split("postings")[0].rsplit("embed", 1)[-1]
    assert capsys.readouterr().out == ""


def test_a_closed_stderr_does_not_stop_the_work(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Closed())
    with shown.progress(quiet=False) as progress:
        work(progress)


def test_an_error_passes_through_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ValueError, match="inside"), shown.progress(quiet=False) as progress:
        progress.stage("embed")
        raise ValueError("inside")
