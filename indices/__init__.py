"""Find: texts in, vectors and neighbours out. Knows nothing of prices, months or crawling."""
