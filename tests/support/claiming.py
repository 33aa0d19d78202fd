"""Eight processes that claim and judge at once: ``python claiming.py URL LEASE_SECONDS`` reads {session: reviews}.

Each opens the log by itself, making the database if it is not there, and then claims sessions of the audit ``a`` until
nothing is left, finishing each. Prints one JSON list a process: the sessions that it was told it has judged.
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import sys
from typing import TYPE_CHECKING

from valuation.verdicts import Entry, open_log

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

CROWD, MOST = 8, 60


def judged(url: str, wanted: dict[str, int], analyst: str, lease: float, start: Barrier) -> list[str]:
    start.wait()
    log = open_log(url)
    got = []
    for step in range(MOST):
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        given = {"analyst": analyst, "now": now, "lease": dt.timedelta(seconds=lease)}
        session = log.assignments.claim("a", wanted, **given)
        if session is None:
            break
        if step % 3 == 0:
            log.assignments.hold("a", session, wanted[session], **given)
        log.append(
            Entry(token=f"{analyst}-{session}", session_id=session, analyst=analyst, decided_at=now, audit_id="a",
                  verdict="comparable")
        )  # fmt: skip
        log.assignments.finish("a", session, analyst=analyst, at=now)
        got.append(session)
    log.close()
    return got


def work(number: int, url: str, wanted: dict[str, int], lease: float, start: Barrier, answers) -> None:
    answers.put(judged(url, wanted, f"Analyst {number}", lease, start))


def main(url: str, lease: str) -> None:
    fork = multiprocessing.get_context("fork")  # the modules are loaded once
    wanted, start, answers = json.load(sys.stdin), fork.Barrier(CROWD), fork.SimpleQueue()
    crowd = [fork.Process(target=work, args=(n, url, wanted, float(lease), start, answers)) for n in range(CROWD)]
    for one in crowd:
        one.start()
    got = [answers.get() for _ in crowd]
    for one in crowd:
        one.join()
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
