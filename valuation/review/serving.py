"""``valuation review``: opens the workspace, says where the pages are, and serves them until it is stopped."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.errors import ConfigError, EnvironmentFault
from valuation.review.tokens import link_secret
from valuation.storage import read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from valuation.config import Settings
    from valuation.review.desk import Desk
    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class Address:
    """Where the pages are.

    Attributes
    ----------
    url : str
        For browsers on this machine.
    sign_in : str
        The link that analysts sign in by; holds the workspace's secret. ``''``: a reverse proxy gives names.
    host : str
    port : int
    verdicts : str
        Where verdicts lie, without a password.
    exposed : bool
        Others than this machine may connect.
    """

    url: str
    sign_in: str
    host: str
    port: int
    verdicts: str
    exposed: bool

    def text(self) -> str:
        """Lines for a person."""
        lines = [f"The pages are at {self.url}"]
        if self.sign_in:
            lines.append(f"Sign in by this link; whoever has it may give verdicts: {self.sign_in}")
        else:
            lines.append("Names of analysts come from the reverse proxy; let nobody reach this port but the proxy.")
        lines.append(f"Verdicts are kept in {self.verdicts}")
        if self.exposed:
            lines.append(
                f"Listening on {self.host}: others can connect, and nothing is encrypted; put a reverse proxy with "
                "TLS before it."
            )
        lines.append("Stop with Ctrl-C; nothing is lost.")
        return "\n".join(lines)


@contextlib.contextmanager
def opened_desk(layout: Layout, settings: Settings) -> Iterator[Desk]:
    """Open the workspace for pages, and close it in the end.

    Raises
    ------
    ConfigError, EnvironmentFault
        The verdict database, or the key, cannot be opened.
    """
    from valuation.review.desk import Desk
    from valuation.verdicts import open_log, review_url

    desk = Desk(layout, settings, open_log(review_url(layout, settings)), key=read_key(layout))
    try:
        yield desk
    finally:
        desk.close()


def review(layout: Layout, settings: Settings, *, announce: Callable[[Address], None]) -> None:
    """Serve the pages until the process is interrupted.

    Parameters
    ----------
    announce : callable
        Told where the pages are, once they can be reached.

    Raises
    ------
    InputError
        There is no run to show.
    ConfigError
        ``review.host`` opens the pages to all addresses, but ``review.allowed_hosts`` names none.
    EnvironmentFault
        The port is taken, or the verdict database cannot be opened.
    """
    import uvicorn

    from valuation.review.app import create_app
    from valuation.verdicts.opening import review_url, shown

    _check_host(settings)
    with opened_desk(layout, settings) as desk, _listening(settings) as listener:
        desk.run(desk.newest())
        host, port = listener.getsockname()[:2]
        named = f"[{host}]" if ":" in host else host
        local = named if settings.review.host not in ("0.0.0.0", "::") else settings.review.allowed_hosts[0]  # noqa: S104
        secret = "" if settings.review.user_header else link_secret(desk.key)
        url = f"http://{local}:{port}/"
        where = Address(
            url=url,
            sign_in=f"{url}sign-in?key={secret}" if secret else "",
            host=str(host),
            port=int(port),
            verdicts=shown(review_url(layout, settings)),
            exposed=not _is_loopback(str(host)),
        )
        config = uvicorn.Config(
            create_app(desk),
            log_level="warning",
            access_log=False,  # the sign-in link would stand in it
            server_header=False,
            proxy_headers=False,  # nobody but the proxy's own header says who is there
            timeout_keep_alive=30,
            http="h11",  # the same limits wherever it runs
            h11_max_incomplete_event_size=65_536,
            ws="none",
            lifespan="off",
        )
        announce(where)
        with contextlib.suppress(KeyboardInterrupt):  # the way to stop it; every verdict is on the disk
            uvicorn.Server(config).run(sockets=[listener])


def _check_host(settings: Settings) -> None:
    if settings.review.host in ("0.0.0.0", "::") and not settings.review.allowed_hosts:  # noqa: S104
        raise ConfigError(
            f"review.host = {settings.review.host!r} listens everywhere; say in review.allowed_hosts by which names "
            'browsers will call the pages, such as ["audit.example.org"]'
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """Take the port before anything slow, so that a taken one is told at once."""
    host, port = settings.review.host.strip("[]"), settings.review.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise EnvironmentFault(f"review.host {host}: {error.strerror}") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(256)
        except OSError as error:
            raise EnvironmentFault(
                f"{host}:{port} cannot be listened on: {error.strerror}; choose another with --port, or stop what "
                "listens there"
            ) from error
        yield listener
