"""The analysts' pages under load: eight analysts on a run of 400,000 sessions and 100,000 postings.

    python benchmarks/bench_review.py [--quick] [--sessions N] [--postings N] [--analysts N] [--pages N] [--think S]
        [--folder DIR]

A small demo is run for real; its run is then blown up to the size asked for, in the same files and formats, and served
by `valuation review` as a process of its own. Analysts are processes, too: each signs in and loads match pages of
random sessions, first with pauses (`--think`, seconds) as people make them, then without any; then each judges an
audit. Prints how long the first page takes after start, percentiles, the server's memory, and beside them the same
session explained by reading the run's tables whole with pandas.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from valuation.pipeline.demo import demo
from valuation.pipeline.explain import explain
from valuation.pipeline.finished import read_manifest
from valuation.pipeline.model_store import MEMBERS
from valuation.pipeline.workings import errors_path
from valuation.progress import Silent
from valuation.simulation import WorldSettings
from valuation.storage import open_layout, read_postings, read_sessions, write_postings
from valuation.tables import LeftOut, Matches, PostingErrors, Values, Workings, typed, write_table
from valuation.tables.lookup import ROW_GROUP
from valuation.workspace import Workspace

SEED, K, FOLDS = 11, 50, 5
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def main() -> None:
    asked = arguments()
    root = Path(asked.folder or tempfile.mkdtemp(prefix="bench-review-")) / "work"
    layout, run = prepare(root, asked.sessions, asked.postings)
    size = f"{asked.sessions:,} sessions, {asked.postings:,} postings"
    print(f"{size}, {asked.analysts} analysts, {os.cpu_count()} cores")
    begun = time.perf_counter()
    with (root / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "valuation.cli", "review", "-w", str(root), "--port", "0", "--json"],
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            where = json.loads(server.stdout.readline())
            started = time.perf_counter() - begun
            measure(asked, layout, run, where, started, server.pid)
        finally:
            server.terminate()
            server.wait(20)
    if not asked.folder:
        shutil.rmtree(root.parent)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--sessions", type=int, default=400_000)
    parser.add_argument("--postings", type=int, default=100_000)
    parser.add_argument("--analysts", type=int, default=8)
    parser.add_argument("--pages", type=int, default=100, help="a analyst")
    parser.add_argument("--think", type=float, default=1.0, help="mean pause between pages, seconds")
    parser.add_argument("--folder", help="keep the workspace here, and use it again")
    asked = parser.parse_args()
    if asked.quick:
        asked.sessions, asked.postings, asked.pages = asked.sessions // 10, asked.postings // 10, 20
    return asked


def measure(asked: argparse.Namespace, layout, run: Path, where: dict, started: float, pid: int) -> None:
    ids = pq.ParquetFile(run / "values.parquet").read(["session_id"]).column(0).to_pylist()
    path = f"/runs/{run.name}/session"
    begun = time.perf_counter()
    with signed_in(where, "first") as client:
        client.get(path, params={"id": ids[0]}).raise_for_status()
    print(f"first page {started:.2f} s to the address, {started + time.perf_counter() - begun:.2f} s to a match page")
    time.sleep(20)  # the encoder and the gigs' file are still being made behind the first pages
    jobs = [(where, f"analyst {one}", path, sample(ids, one, asked.pages)) for one in range(asked.analysts)]
    report("match pages, with pauses", pages(jobs, asked.think), pid)
    ours = report("match pages, without pauses", pages(jobs, 0.0), pid)
    report("lists", lists(where, asked, run), pid)
    report("verdicts and the page after each", verdicts(where, asked), pid)
    told = [explained(layout, run, one) for one in sample(ids, 99, 3)]
    peer = float(np.median(told))
    print(f"pandas, the run's tables read whole for one session: {1e3 * peer:,.0f} ms; {peer / ours:,.0f} times ours")


def explained(layout, run: Path, session_id: str) -> float:
    begun = time.perf_counter()
    explain(layout, run, read_manifest(run), session_id)
    return time.perf_counter() - begun


def report(name: str, seconds: np.ndarray, pid: int) -> float:
    p50, p95, p99 = np.percentile(1e3 * seconds, [50, 95, 99])
    memory = psutil.Process(pid).memory_info().rss / 1e6
    quantiles = f"p50 {p50:6.1f}  p95 {p95:6.1f}  p99 {p99:6.1f} ms"
    print(f"{name:34s} n {seconds.size:5d}  {quantiles}   server {memory:,.0f} MB")
    return float(np.median(seconds))


@contextlib.contextmanager
def signed_in(where: dict, name: str):
    with httpx.Client(base_url=where["url"], timeout=60, follow_redirects=True) as client:
        key = where["sign_in"].partition("key=")[2]
        client.post("/sign-in", data={"key": key, "name": name, "next": "/healthz"}).raise_for_status()
        yield client


def sample(ids: list[str], seed: int, n: int) -> list[str]:
    return [ids[i] for i in np.random.default_rng(SEED + seed).integers(0, len(ids), n)]


def pages(jobs: list[tuple], think: float) -> np.ndarray:
    with multiprocessing.get_context("fork").Pool(len(jobs)) as pool:
        return np.concatenate(pool.starmap(one_analyst, [(*job, think) for job in jobs]))


def one_analyst(where: dict, name: str, path: str, ids: list[str], think: float) -> np.ndarray:
    rng, taken = np.random.default_rng(len(name)), []
    with signed_in(where, name) as client:
        for one in ids:
            if think:
                time.sleep(rng.exponential(think))
            begun = time.perf_counter()
            client.get(path, params={"id": one}).raise_for_status()
            taken.append(time.perf_counter() - begun)
    return np.array(taken)


def lists(where: dict, asked: argparse.Namespace, run: Path) -> np.ndarray:
    taken = []
    with signed_in(where, "lists") as client:
        for query in ("", "queue=outliers", "is.kind=fix&sort=value_usd&order=desc", "queue=uncertain&page=40") * 5:
            begun = time.perf_counter()
            client.get(f"/runs/{run.name}/sessions?{query}").raise_for_status()
            taken.append(time.perf_counter() - begun)
    return np.array(taken)


def verdicts(where: dict, asked: argparse.Namespace) -> np.ndarray:
    with multiprocessing.get_context("fork").Pool(asked.analysts) as pool:
        jobs = [(where, f"analyst {one}", asked.pages) for one in range(asked.analysts)]
        return np.concatenate(pool.starmap(one_judge, jobs))


def one_judge(where: dict, name: str, n: int) -> np.ndarray:
    taken = []
    with signed_in(where, name) as client:
        page = client.get("/audits/load/next")
        for _ in range(n):
            if "data-focus" not in page.text:
                break
            card = page.text.split("data-focus", 1)[1].split("</form>", 1)[0]
            begun = time.perf_counter()
            page = client.post("/verdicts", data=dict(FIELD.findall(card)) | {"verdict": "wrong_kind"})
            page.raise_for_status()
            taken.append(time.perf_counter() - begun)
    return np.array(taken)


def prepare(root: Path, n_sessions: int, n_postings: int):
    """Make the workspace, or find it made."""
    if not (root / "blown-up").exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        demo(root, progress=Silent(), world=WorldSettings(postings=700, sessions=420, users=60, months=4))
        blow_up(root, n_sessions, n_postings)
        Workspace(root).audit_draw(per_month=500, name="load")
        (root / "blown-up").touch()
    layout = open_layout(root)
    return layout, layout.runs / layout.latest.read_text().strip()


def blow_up(root: Path, n_sessions: int, n_postings: int) -> None:
    """Replace the run's tables, and what they rest on, by larger ones of the same make."""
    layout, rng = open_layout(root), np.random.default_rng(SEED)
    run = layout.runs / layout.latest.read_text().strip()
    manifest = read_manifest(run)
    posting_ids = postings(layout, manifest, n_postings, rng)
    sessions = pd.concat([read_sessions(layout)] * (n_sessions // 400 + 1), ignore_index=True).iloc[:n_sessions]
    sessions["session_id"] = [f"session-{i:09d}" for i in range(n_sessions)]
    sessions["user_id"] = [f"user-{i}" for i in rng.integers(0, n_sessions // 2, n_sessions)]
    for month, part in sessions.groupby("month"):
        table = pa.Table.from_pandas(part.drop(columns="month"), preserve_index=False)
        pq.write_table(table, layout.sessions / f"month={month}" / "part.parquet", compression="zstd")
    values(run, sessions, rng)
    neighbours(run, sessions["session_id"], posting_ids, rng)


def postings(layout, manifest: dict, n: int, rng: np.random.Generator) -> list[str]:
    few = read_postings(layout)
    many = pd.concat([few] * (n // len(few) + 1), ignore_index=True).iloc[:n].copy()
    many["posting_id"] = [f"{source}:{i:07d}" for i, source in enumerate(many["source"])]
    many["description"] = [f"{text or ''} {i}" for i, text in enumerate(many["description"])]
    many = many.sort_values("posting_id", ignore_index=True)
    write_postings(layout, many)
    folder, ids = layout.indices / manifest["basket_id"], many["posting_id"]
    log_price = np.log(many["price_usd"].clip(10, 50_000))
    basket = pa.table({
        "posting_id": ids, "cluster_id": ids, "text": many["title"].fillna("") + "\n" + many["description"],
        "source": many["source"], "month": many["month"], "log_price": log_price,
        "n_members": np.ones(n, dtype=np.int64), "unit_id": ids,
    })  # fmt: skip
    pq.write_table(basket, folder / "basket.parquet", compression="zstd")
    pq.write_table(basket.select(["posting_id", "cluster_id"]), folder / MEMBERS, compression="zstd")
    errors = {
        "posting_id": ids, "unit": np.arange(n), "fold": np.arange(n) % FOLDS, "log_price": log_price,
        "log_value": log_price + rng.normal(size=n), "scale": np.ones(n), "score": rng.normal(size=n),
        "category": np.zeros(n, dtype=np.int64),
    }  # fmt: skip
    where = errors_path(layout, manifest["basket_id"], manifest["settings"])
    write_table(typed(errors, PostingErrors), where, PostingErrors)
    return ids.tolist()


def values(run: Path, sessions: pd.DataFrame, rng: np.random.Generator) -> None:
    n = len(sessions)
    value = rng.normal(5, 1, n)
    table = {
        "session_id": sessions["session_id"], "month": sessions["month"], "weight": np.ones(n),
        "matched": np.ones(n, dtype=bool), "reason": [None] * n, "log_value_raw": value, "log_value": value,
        "value_usd": np.exp(value), "value_neighbours": np.exp(value), "value_hedonic": np.exp(value),
        "typical_lower": np.exp(value - 0.4), "typical_upper": np.exp(value + 0.4),
        "single_lower": np.exp(value - 2), "single_upper": np.exp(value + 2),
        "similarity_max": rng.uniform(0.4, 0.9, n), "effective_neighbours": np.full(n, 30.0),
    }  # fmt: skip
    write_table(typed(table, Values), run / "values.parquet", Values, rows_a_group=ROW_GROUP)
    table = {"session_id": sessions["session_id"], "nearest": rng.integers(0, 1000, n)}
    table |= {name: value for name in ("log_neighbours", "log_hedonic")}
    table |= {name: np.full(n, 0.02) for name in ("variance_neighbours", "variance_covariance", "variance_hedonic")}
    workings = typed(table | {"scale": np.ones(n)}, Workings)
    write_table(workings, run / "workings.parquet", Workings, rows_a_group=ROW_GROUP)
    table = {"session_id": sessions["session_id"].repeat(FOLDS), "fold": np.tile(np.arange(FOLDS), n)}
    table["log_value"] = np.repeat(value, FOLDS)
    write_table(typed(table, LeftOut), run / "left_out.parquet", LeftOut, rows_a_group=ROW_GROUP)


def neighbours(run: Path, ids: pd.Series, posting_ids: list[str], rng: np.random.Generator) -> None:
    """`matches`, piece by piece: twenty million rows."""
    named, writer, piece = np.array(posting_ids, dtype=object), None, 20_000
    for first in range(0, len(ids), piece):
        some = ids.iloc[first : first + piece]
        n = len(some) * K
        row, log_price = rng.integers(0, len(named), n), rng.normal(5, 1.3, n)
        weight = np.full(n, 1 / K)
        table = {
            "session_id": some.repeat(K), "rank": np.tile(np.arange(1, K + 1), len(some)), "posting_id": named[row],
            "cluster_id": named[row], "similarity": np.sort(rng.uniform(0.3, 0.9, n).reshape(-1, K))[:, ::-1].ravel(),
            "weight": weight, "price_usd": np.exp(log_price), "log_price": log_price,
            "log_price_hedonic": log_price * 0.3, "log_session_hedonic": np.full(n, 1.5),
            "contribution": weight * (log_price * 0.7 + 1.5),
        }  # fmt: skip
        arrow = pa.Table.from_pandas(Matches.validate(typed(table, Matches)), preserve_index=False)
        writer = writer or pq.ParquetWriter(run / "matches.parquet", arrow.schema, compression="zstd")
        writer.write_table(arrow, row_group_size=ROW_GROUP)
    writer.close()


if __name__ == "__main__":
    main()
