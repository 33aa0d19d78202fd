"""A local internet for development and tests: every source, imitated from its documented format, on a loopback address.

``python -m crawlers.replay --port 8123 --postings 500 --edition 2 --fault hang@source=github,times=1`` serves until
interrupted. Tests run it in a child process::

    with serve(ReplaySettings(postings=300)) as server:
        ...                                        # crawl server.url
        server.set_edition(2)                      # new postings, edits, price rises, closed ones
        server.set_faults(["truncated@source=upwork,skip=1,times=1"])
        server.log                                 # requests: time, method, path, query, headers, status, faults
        server.truth("github")                     # what a perfect crawl must end with

One port serves all sources, told apart by their paths. Texts come from a small seeded grammar; every record is a
function of (seed, source, number, edition), so any number of postings costs nothing until a page of them is asked for.
Nothing here is shared with the spiders: it imports nothing else of `crawlers`, so an error in a spider cannot be
mirrored by the server that tests it. Faults are in `FAULTS`, one line each.
"""

from crawlers.replay.exchange import Truth
from crawlers.replay.quotes import NASTY_PRICES, Quote
from crawlers.replay.server import Replay, serve
from crawlers.replay.settings import FAULTS, SOURCES, Fault, ReplaySettings, fault_from_text
from crawlers.replay.sources import truth

__all__ = [
    "FAULTS", "NASTY_PRICES", "SOURCES", "Fault", "Quote", "Replay", "ReplaySettings", "Truth", "fault_from_text",
    "serve", "truth",
]  # fmt: skip
