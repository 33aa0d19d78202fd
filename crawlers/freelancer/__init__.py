"""Freelancer.com's active projects through its API (a token is needed).

Projects with their budget as a range in their own currency, for the whole or an hour; paged by offset. Off until the
storage clause of its terms is confirmed (``configs/sources.toml``).
"""
