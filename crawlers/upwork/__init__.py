"""Upwork: job postings through its official GraphQL API (OAuth 2); what it sends may be kept for 24 hours at most.

``POST /graphql`` with ``marketplaceJobPostingsSearch``, sorted by recency, a page at a time (``pagination_eq``). One
search shows at most 5,000 results; a larger one is cut by the documented filters ``jobType_eq`` and
``experienceLevel_eq``, and what stays out of reach is reported. ``queries`` are search expressions; none: everything.
"""
