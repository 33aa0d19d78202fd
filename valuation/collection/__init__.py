"""Collecting into a workspace: crawls started, watched, judged and turned into tables; retention enforced.

`crawl` starts a process a source (``crawlers.engine``); `export` makes the Parquet tables from a source's store;
`judged` and `report` say how it went; `retention` deletes on time.
"""
