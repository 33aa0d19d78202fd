"""Opens the verdict database, making or migrating it first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from valuation.errors import ConfigError, EnvironmentFault

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from valuation.config import Settings
    from valuation.storage import Layout
    from valuation.verdicts.log import VerdictLog

FILE = "review.db"
LOCK = 5_612_027_411  # of the migrations, in PostgreSQL: any number that nobody else takes
BUSY_MS = 30_000


def review_url(layout: Layout, settings: Settings) -> str:
    """Address of the workspace's verdict database: ``review.database``, or ``review.db`` in the workspace."""
    return settings.review.database or f"sqlite:///{quote(str(layout.root / FILE), safe=' /')}"


def open_log(url: str) -> VerdictLog:
    """Open the log at an SQLAlchemy address, of SQLite or PostgreSQL.

    Raises
    ------
    ConfigError
        The address is not one, or of another database.
    EnvironmentFault
        The database cannot be opened, or was made by a newer version.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from valuation.verdicts.log import VerdictLog

    engine = _engine(url)
    try:
        _migrate(engine)
    except (SQLAlchemyError, UnicodeError) as error:
        engine.dispose()
        raise EnvironmentFault(f"{shown(url)}: cannot be opened: {_reason(error)}") from error
    return VerdictLog(engine)


def shown(url: str) -> str:
    """Return an address as messages may show it: without anything that may be a password, however it was written.

    >>> shown("postgresql://ada:se:cr@t@db.example.org/audit?sslpassword=x"), shown("sqlite:////home/ada/review.db")
    ('postgresql://ada:***@db.example.org/audit?***', 'sqlite:////home/ada/review.db')
    """
    kind, split, rest = url.rpartition("://") if "://" in url else ("", "", url)
    if kind.startswith("sqlite"):
        return url
    rest, asked, _ = rest.partition("?")
    who, at, where = rest.rpartition("@")
    user, given, _ = who.partition(":")
    place = re.sub(r"^([^/:\[]*):(?!\d{1,5}(?:/|$))[^/]*", r"\1:***", where)  # a password, where the host was forgotten
    return f"{kind}{split}{user}{':***' if given else ''}{at}{place}{'?***' if asked else ''}"


def _reason(error: Exception) -> str:
    """First line of the driver's own message."""
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split())[:200]


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        if address.drivername not in ("sqlite", "postgresql+psycopg") or "@" in (address.host or ""):
            raise ConfigError(_not_one(url))
        if address.drivername == "sqlite":
            _check_file(address)
            engine = create_engine(address, connect_args={"timeout": BUSY_MS / 1000}, pool_size=16, max_overflow=16)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(address, pool_pre_ping=True, pool_size=16, max_overflow=16)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigError(_not_one(url)) from error  # the reason may quote a part of the password
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"review.database {shown(url)}: the driver is missing; "
            "install it with: pip install 'session-value[postgresql]'"
        ) from error


def _not_one(url: str) -> str:
    return (
        f"review.database {shown(url)!a}: expected sqlite:///FILE or postgresql://USER@HOST/NAME; in a password write "
        "@ as %40, : as %3A, / as %2F"
    )


def _check_file(address: URL) -> None:
    name = address.database
    if not name or name == ":memory:":
        raise ConfigError("review.database sqlite://: names no file; verdicts in memory would be lost")
    if address.query or address.host or "\x00" in name:
        raise ConfigError(f"review.database {str(address)[:200]!a}: expected sqlite:///FILE and nothing else")
    if not Path(name).parent.is_dir():
        raise EnvironmentFault(f"{Path(name).parent}: no such folder; make it, or set review.database")


def _prepare_sqlite(connection: Any, record: Any) -> None:  # noqa: ANN401 - the driver's own types
    """Set what an acknowledged line needs to survive: the journal is on the disk before a commit returns."""
    record.info["inode"] = _inode(connection.execute("PRAGMA database_list").fetchone()[2])
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    for pragma in (f"busy_timeout = {BUSY_MS}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _inode(path: str) -> tuple[int, int] | None:
    """Which file a path is now; None if there is none."""
    try:
        state = Path(path).stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once where something will be written: a lock taken later could be refused."""
    writes = connection.get_execution_options().get("writes", False)
    if writes and _inode(connection.engine.url.database or "") != connection.info.get("inode"):
        raise EnvironmentFault(
            f"{connection.engine.url.database}: removed or replaced since it was opened; nothing was kept: put it "
            "back, or stop the pages and start them again"
        )
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; two processes at once take turns."""
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": None})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        present = MigrationContext.configure(connection).get_current_revision()
        if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
            raise EnvironmentFault(
                f"{shown(str(engine.url))}: made by a newer version (schema {present}); update this program"
            )
        if present != newest:
            from alembic import command

            config.attributes["connection"] = connection
            command.upgrade(config, "head")
