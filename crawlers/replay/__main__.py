"""``python -m crawlers.replay``: serve until interrupted; one line with the URL says that it listens."""

from __future__ import annotations

import argparse
import sys

from crawlers.replay.server import run_for_parent, run_here
from crawlers.replay.settings import FAULTS, ReplaySettings, fault_from_text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crawlers.replay", description="A local internet for tests.",
                                     epilog="faults: " + ", ".join(FAULTS))  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8123, help="0: a free one")
    parser.add_argument("--postings", type=int, default=200, help="records a source, 1 to 1,000,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edition", type=int, default=1, choices=(1, 2))
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[@source=S,path=P,skip=N,times=N]")
    parser.add_argument("--token", default="", help="the one good token; empty: any is good")
    parser.add_argument("--token-requests", type=int, default=0, help="a token stops working after so many; 0: never")
    parser.add_argument("--rate-limit", type=int, default=0, help="requests a source and window; 0: any number")
    parser.add_argument("--rate-window", type=float, default=60.0, help="seconds")
    parser.add_argument("--rate-style", choices=("seconds", "date", "reset"), default="seconds")
    parser.add_argument("--crawl-delay", type=float, default=0.0, help="seconds in robots.txt; 0: none")
    parser.add_argument("--from-stdin", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(arguments: list[str]) -> int:
    """Run the command line; exit status 2 for what cannot be used."""
    parser = _parser()
    told = parser.parse_args(arguments)
    if told.from_stdin:
        run_for_parent()
        return 0
    try:
        settings = ReplaySettings(
            postings=told.postings, seed=told.seed, edition=told.edition, port=told.port, host=told.host,
            token=told.token, token_requests=told.token_requests, rate_limit=told.rate_limit,
            rate_window=told.rate_window, rate_style=told.rate_style, crawl_delay=told.crawl_delay,
            faults=tuple(fault_from_text(text) for text in told.fault),
        )  # fmt: skip
    except ValueError as error:
        parser.error(str(error))
    run_here(settings, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
