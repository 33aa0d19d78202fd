"""Pages on which analysts check matches: what they show, how it is found, and what they record."""
