"""One source's crawls in one SQLite file: every response, every version of every posting, counts and faults.

``crawl/<source>/store.db`` is what the source said; the Parquet tables are made from it. A crawl writes in
transactions: whatever instant a process is killed at, the file holds whole records.
"""

from crawlers.store.records import Outcome, Records
from crawlers.store.store import Fetched, Store, open_store, stamp, unstamp

__all__ = ["Fetched", "Outcome", "Records", "Store", "open_store", "stamp", "unstamp"]
