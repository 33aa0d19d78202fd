"""What is asked of Upwork: the search, its filters, and how a search that is too large is cut."""

from __future__ import annotations

from collections.abc import Mapping

CAP = 5_000  # results that one search shows, whatever the page
LARGEST_PAGE = 100

# Filters that cut a search into parts, in turn; every posting has one job type, but may have no experience level.
SLICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("jobType_eq", ("HOURLY", "FIXED")),
    ("experienceLevel_eq", ("ENTRY_LEVEL", "INTERMEDIATE", "EXPERT")),
)

SEARCH = """
query marketplaceJobPostingsSearch(
  $marketPlaceJobFilter: MarketplaceJobPostingsSearchFilter
  $searchType: MarketplaceJobPostingSearchType
  $sortAttributes: [MarketplaceJobPostingSearchSortAttribute]
) {
  marketplaceJobPostingsSearch(
    marketPlaceJobFilter: $marketPlaceJobFilter
    searchType: $searchType
    sortAttributes: $sortAttributes
  ) {
    totalCount
    edges {
      node {
        id
        ciphertext
        title
        description
        createdDateTime
        publishedDateTime
        category
        subcategory
        durationLabel
        engagement
        totalApplicants
        amount { rawValue currency displayValue }
        hourlyBudgetMin { rawValue currency displayValue }
        hourlyBudgetMax { rawValue currency displayValue }
        skills { name prettyName }
        client { location { country } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
""".strip()


def search(filters: Mapping[str, str], *, size: int, after: str | None) -> dict[str, object]:
    """Body of a request for one page.

    >>> search({"jobType_eq": "FIXED"}, size=200, after="100")["variables"]["marketPlaceJobFilter"]
    {'jobType_eq': 'FIXED', 'pagination_eq': {'first': 100, 'after': '100'}}
    """
    page: dict[str, object] = {"first": min(size, LARGEST_PAGE)}
    if after is not None:
        page["after"] = after
    asked: dict[str, object] = {**filters}
    asked["pagination_eq"] = page
    return {
        "query": SEARCH,
        "operationName": "marketplaceJobPostingsSearch",
        "variables": {
            "marketPlaceJobFilter": asked,
            "searchType": "USER_JOBS_SEARCH",
            "sortAttributes": [{"field": "RECENCY"}],
        },
    }


def parts_of(filters: Mapping[str, str]) -> list[dict[str, str]]:
    """Smaller searches that together make up one; none left where every filter is used.

    >>> parts_of({"jobType_eq": "FIXED"})[0]
    {'jobType_eq': 'FIXED', 'experienceLevel_eq': 'ENTRY_LEVEL'}
    >>> parts_of({"jobType_eq": "FIXED", "experienceLevel_eq": "EXPERT"})
    []
    """
    for name, values in SLICES:
        if name not in filters:
            return [{**filters, name: value} for value in values]
    return []
