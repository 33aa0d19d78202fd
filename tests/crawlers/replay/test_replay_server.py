"""The process around the server: it shares nothing with the spiders, keeps to loopback, logs, and surely ends."""

import ast
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import crawlers.replay
from crawlers.replay import ReplaySettings, serve
from crawlers.replay.graphql import QueryError, selections
from crawlers.replay.settings import Fault, from_json, to_json

HERE = Path(crawlers.replay.__file__).parent


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            yield node.module
            if node.module == "crawlers":
                yield from (f"crawlers.{alias.name}" for alias in node.names)


def test_it_imports_nothing_of_the_project_but_itself():
    files = sorted(HERE.rglob("*.py"))
    outside = {
        name for file in files for name in imported(file) if name.split(".")[0] in ("crawlers", "valuation", "indices")
    }
    assert len(files) > 20
    assert {name for name in outside if not (name + ".").startswith("crawlers.replay.")} == set()
    third_party = {name.split(".")[0] for file in files for name in imported(file)} - set(sys.stdlib_module_names)
    assert third_party == {"crawlers", "twisted"}


def test_nothing_else_of_the_project_is_loaded_by_it():
    code = "import sys, crawlers.replay.wire; print([n for n in sys.modules if n.startswith('crawlers.')])"
    loaded = ast.literal_eval(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )
    assert loaded and all((name + ".").startswith("crawlers.replay.") for name in loaded)


def test_the_log_says_who_asked_for_what_and_never_the_token(server, ask):
    started = time.time()
    ask(
        "/v2/projects?page[number]=2&x=1",
        headers={"Authorization": "Bearer secret-token", "User-Agent": "robot (me@example.org)"},
    )
    ask("/jobs/api", headers={})
    first, second = server.log
    assert (first["method"], first["path"], first["query"]) == (
        "GET",
        "/v2/projects",
        {"page[number]": ["2"], "x": ["1"]},
    )
    assert (first["source"], first["status"], first["authorized"], second["authorized"]) == (
        "freelancehunt",
        200,
        True,
        False,
    )
    assert first["user_agent"] == first["headers"]["user-agent"] == "robot (me@example.org)"
    assert started - 1 <= first["time"] <= second["time"] <= time.time() + 1
    assert "secret-token" not in str(server.log)
    server.clear_log()
    assert server.log == []


def test_control_refuses_settings_that_cannot_be_served(server, ask):
    reply = ask("/_replay/settings", method="POST", body='{"postings": 0}')
    assert (reply.status, reply.json["message"]) == (400, "postings 0: expected 1 to 1,000,000")
    assert ask("/_replay/truth?source=moon").status == 400 and ask("/_replay/else").status == 404
    assert ask("/_replay/settings", method="POST", body="[]").status == 400
    assert ask("/nowhere").status == 404 and "hang" in ask("/_replay/faults").json


def test_settings_survive_the_way_to_the_child():
    settings = ReplaySettings(postings=7, token="t", faults=(Fault("hang", skip=1), Fault("empty", source="github")))
    assert from_json(to_json(settings)) == settings


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone_within(pid, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_it_ends_with_its_block_even_when_the_block_fails():
    with pytest.raises(RuntimeError, match="oops"), serve(ReplaySettings(postings=3)) as server:
        assert alive(server.pid)
        raise RuntimeError("oops")
    assert not alive(server.pid)


def test_it_ends_when_its_parent_is_killed():
    code = (
        "import sys, time\nfrom crawlers.replay import serve\n"
        "with serve() as server:\n    print(server.pid, server.url, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        pid, url = parent.stdout.readline().split()
        assert alive(int(pid)) and urllib.request.urlopen(url + "/robots.txt", timeout=10).status == 200
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert gone_within(int(pid), 10)


def test_it_ends_while_a_request_hangs(server, ask):
    with serve(ReplaySettings(postings=3, faults=(Fault("hang"),))) as hanging:
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(hanging.url + "/api", timeout=0.3)
        started = time.monotonic()
    assert time.monotonic() - started < 4 and not alive(hanging.pid)


def command(*arguments):
    return [sys.executable, "-m", "crawlers.replay", *arguments]


def test_the_command_prints_its_address_and_serves():
    arguments = ["--port", "0", "--postings", "5", "--fault", "server_error@source=remoteok", "--edition", "2"]
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            found = urllib.request.urlopen(url + "/jobs/api", timeout=10).read()
            assert b'"totalCount":6' in found  # five, two new ones, one closed
            with pytest.raises(urllib.error.HTTPError, match="500"):
                urllib.request.urlopen(url + "/api", timeout=10)
        finally:
            process.terminate()
    assert process.returncode is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "expected a loopback address"),
        (["--fault", "nonsense"], "expected one of slow_drip"),
        (["--postings", "0"], "expected 1 to 1,000,000"),
        (["--edition", "3"], "invalid choice"),
    ],
)
def test_the_command_refuses_what_cannot_be_served(arguments, message):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and message in done.stderr and done.stdout == ""


def test_a_child_that_does_not_start_is_reported(one_server):
    port = int(one_server.url.rsplit(":", 1)[1])
    with pytest.raises(RuntimeError, match="did not start"), serve(ReplaySettings(port=port)):
        pass


def test_graphql_selections_with_aliases_strings_and_comments():
    tree, arguments = selections(
        'query Q($a: Int = 3) @x { search(text: "a } b", n: $a) { # {{\n total edges { node { id } } } }'
    )
    assert tree == {"search": {"total": {}, "edges": {"node": {"id": {}}}}} and arguments == 'text : "a } b" , n : $ a'
    for query in ("{ a ", "{ a } }", "{ { a } }", "{ a(b: 1 }"):
        with pytest.raises(QueryError, match="Invalid Syntax"):
            selections(query)
