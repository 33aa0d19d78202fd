"""What runs every spider: Scrapy's settings, and the parts of ours that keep, limit and count.

`worker` is a source's own process; `politeness`, `keeping` and `robots` are Scrapy middlewares; `ledger` is where they
write. A new source touches nothing in here.
"""
