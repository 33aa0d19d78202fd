-- One source's crawls. Times are ISO 8601, UTC, with microseconds: they sort as text.
CREATE TABLE IF NOT EXISTS crawls (
    crawl_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,                 -- full | rerun | reparse
    started_at TEXT NOT NULL,
    ended_at TEXT,
    since TEXT, until TEXT, changed_since TEXT,
    outcome TEXT NOT NULL,              -- running | finished | stopped
    reason TEXT                         -- why it stopped
);
CREATE TABLE IF NOT EXISTS bodies (
    body_hash TEXT PRIMARY KEY,         -- SHA-256 of the decompressed body
    content BLOB NOT NULL               -- zlib
);
CREATE TABLE IF NOT EXISTS responses (  -- every response, whether or not it yielded anything
    response_id INTEGER PRIMARY KEY AUTOINCREMENT,
    crawl_id TEXT NOT NULL,
    url TEXT NOT NULL,
    method TEXT NOT NULL,
    request_hash TEXT NOT NULL,         -- of method, URL and body: what a cache looks up
    status INTEGER NOT NULL,
    fetched_at TEXT NOT NULL,
    headers TEXT NOT NULL,              -- JSON list of [name, value]; no cookies
    body_hash TEXT NOT NULL,
    callback TEXT,                      -- the spider's method; null for robots.txt
    cb_kwargs TEXT NOT NULL,            -- JSON
    optional INTEGER NOT NULL           -- 1: 404 and 410 mean that the page is gone, which is no error
);
CREATE INDEX IF NOT EXISTS responses_by_time ON responses (fetched_at);
CREATE INDEX IF NOT EXISTS responses_by_request ON responses (request_hash, response_id);
CREATE INDEX IF NOT EXISTS responses_by_body ON responses (body_hash);
CREATE TABLE IF NOT EXISTS versions (   -- every content that a posting has had
    posting_id TEXT NOT NULL,           -- source:id
    version INTEGER NOT NULL,           -- 1, 2, …
    content_hash TEXT NOT NULL,
    content TEXT NOT NULL,              -- JSON of crawlers.posting.Posting
    published_at TEXT,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    first_response INTEGER NOT NULL,
    last_response INTEGER NOT NULL,
    PRIMARY KEY (posting_id, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS versions_by_last ON versions (last_seen_at);
CREATE TABLE IF NOT EXISTS dropped (    -- records that are no postings, and have never been one
    record_id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    value TEXT,
    url TEXT,
    response_id INTEGER NOT NULL,
    position INTEGER NOT NULL,          -- 1-based, in the response
    seen_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (
    crawl_id TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (crawl_id, name, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (
    fault_id INTEGER PRIMARY KEY AUTOINCREMENT,
    crawl_id TEXT NOT NULL, response_id INTEGER, url TEXT, kind TEXT NOT NULL, message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstones ( -- what retention has deleted
    posting_id TEXT NOT NULL, deleted_at TEXT NOT NULL, versions INTEGER NOT NULL, last_seen_at TEXT NOT NULL
);
