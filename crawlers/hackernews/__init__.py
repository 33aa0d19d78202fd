"""Hacker News threads "Freelancer? Seeking freelancer?" through the Algolia API.

Finds the monthly threads of the account ``whoishiring`` and reads their comments. A comment at the top of a thread that
begins with SEEKING FREELANCER is a posting; those that seek work, and replies, are not. A question shows 1,000 comments
at most, so it is sliced by time. Prices are rare and free text: one is read only where a line states it as pay.
"""
