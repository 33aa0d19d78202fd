"""RemoteOK: remote jobs through its open JSON feed, as a reference for hourly rates.

``GET /api`` answers with a list of every recent job; its first element is a legal notice and has no id. Salaries are
numbers in US dollars a year; 0 stands where none is stated.
"""
