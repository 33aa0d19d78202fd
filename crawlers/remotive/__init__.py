"""Remotive: remote jobs through its open JSON feed, as a reference for hourly rates.

``GET /api/remote-jobs`` answers with every open job at once; Remotive asks for at most four calls a day. The salary is
free text ("$120k - $150k", "€50 /hour", "Competitive"). Publication dates state no zone: the source's ``timezone``.
"""
