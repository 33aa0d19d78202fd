"""A PostgreSQL server of the tests' own: Debian's package, in a temporary folder, never as root."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def missing(what: str) -> None:
    """Skip loudly; with CI=true fail: there everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing; with CI=true nothing may be skipped")
    pytest.skip(f"{what} is missing: run `make test`, or: apt install chromium postgresql")


def bin_folder() -> Path | None:
    """Folder of initdb and pg_ctl, the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).parent if there else None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _user() -> str | None:
    """Whom to run as: not root, for which PostgreSQL refuses."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server whose data lie in `folder`, which any user may reach; yields its SQLAlchemy address."""
    tools = bin_folder()
    if tools is None:
        missing("PostgreSQL")
    user, data, port = _user(), folder / "data", free_port()
    data.mkdir()
    if user is not None:
        shutil.chown(data, user)
    data.chmod(0o700)
    as_user = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=120, **as_user)

    run(f"{tools}/initdb", "-D", f"{data}", "-U", "valuation", "--auth=trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
    run(f"{tools}/pg_ctl", "-D", f"{data}", "-w", "-l", f"{data}/log", "-o", options, "start")
    try:
        yield f"postgresql://valuation@127.0.0.1:{port}/postgres"
    finally:
        run(f"{tools}/pg_ctl", "-D", f"{data}", "-w", "-m", "immediate", "stop")


@contextlib.contextmanager
def own_server() -> Iterator[str]:
    """Start a server in a folder that its user may reach: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory(prefix="valuation-postgresql-") as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder)) as url:
            yield url


def new_database(server: str) -> str:
    """Make an empty database on a server; returns its address."""
    import psycopg

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"
