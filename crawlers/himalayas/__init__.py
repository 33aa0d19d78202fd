"""Himalayas: remote jobs through its open JSON feed, as a reference for hourly rates.

``GET /jobs/api?limit=20&offset=n`` lists jobs, newest first, at most 20 at a time; an answer with ``nextCursor`` is
followed by ``cursor`` instead of ``offset``. Salaries are numbers: a year's, unless ``salaryPeriod`` says otherwise.
They are divided by the hours of full-time work and never become neighbours of a task.
"""
