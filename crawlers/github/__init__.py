"""GitHub bounty issues through the search API.

Issues that carry a bounty: an amount in the title (``[$250]``), in a label (``$250``, Algora's), or a bounty label with
the amount in the body. Searches show 1,000 issues at most, so they are sliced by time of creation; a rerun asks for the
issues updated since.
"""
