"""Freelancehunt: open projects through its API, version 2 (JSON:API, a token for each user).

``GET /v2/projects?page[number]=n`` lists projects, newest first; ``links.next`` leads on. A budget is one amount for
the whole project, in the client's currency, and may be missing. Times that state no zone are in the source's
``timezone``.
"""
