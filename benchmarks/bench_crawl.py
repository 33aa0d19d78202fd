"""Postings a second from HTTP answer to Parquet, and memory as the crawl grows.

Each crawl is `valuation crawl` as a user runs it, against the replay server on this machine with throttling off; the
server takes part of the second core. Usage: python benchmarks/bench_crawl.py [POSTINGS …]  (default 20000 200000)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from crawlers.replay import ReplaySettings, serve
from valuation.storage import open_layout, read_postings
from valuation.workspace import Workspace

SOURCE = "freelancer"
SIZES = (20_000, 200_000)


class Peak(threading.Thread):
    """Largest memory of a process and of its children, in MB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.parent = self.child = 0.0
        self._process = psutil.Process(pid)

    def run(self):
        while True:
            try:
                self.parent = max(self.parent, self._process.memory_info().rss / 2**20)
                for child in self._process.children():
                    self.child = max(self.child, child.memory_info().rss / 2**20)
            except psutil.Error:
                return
            time.sleep(0.1)


def crawl(url, root):
    settings = (f"sources.{SOURCE}.base_url={url}", f"sources.{SOURCE}.enabled=true", "crawl.throttle=false")
    flags = [part for one in settings for part in ("--set", one)]
    line = [sys.executable, "-m", "valuation.cli", "crawl", SOURCE, "-w", str(root), "--quiet", *flags]
    began = time.perf_counter()
    process = subprocess.Popen(
        line, env={**os.environ, f"VALUATION_{SOURCE.upper()}_TOKEN": "local"}, stdout=subprocess.DEVNULL
    )
    peak = Peak(process.pid)
    peak.start()
    assert process.wait() == 0
    return time.perf_counter() - began, peak


def main():
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    print(f"{'postings':>9} {'seconds':>8} {'a second':>9} {'crawling MB':>12} {'tables MB':>10}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder, serve(ReplaySettings(postings=size)) as server:
            root = Path(folder) / "work"
            Workspace.create(root)
            seconds, peak = crawl(server.url, root)
            kept = len(read_postings(open_layout(root)))
            line = f"{size:9,} {seconds:8.1f} {size / seconds:9,.0f} {peak.child:12.0f} {peak.parent:10.0f}"
            print(f"{line}   ({kept:,} kept)", flush=True)


if __name__ == "__main__":
    main()
