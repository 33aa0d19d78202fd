"""Upwork's GraphQL search: cursor paging, only the selected fields, errors in its array form, 5,000 results at most."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from crawlers.replay.draws import Draw
from crawlers.replay.exchange import Answer, Ask, Record, Truth, View
from crawlers.replay.graphql import QueryError, choose, inline, read_body, selections
from crawlers.replay.jobs import Job, job_at, truth_of
from crawlers.replay.quotes import Quote, fixed, span
from crawlers.replay.world import World, between, iso, part

CAP = 5000
FIELD = "marketplaceJobPostingsSearch"
_JOB = 1_900_000_000_000_000_000
_REST = {"renewedDateTime": None, "weeklyBudget": None, "duration": "WEEK", "durationLabel": "Less than 1 month",
         "experienceLevel": "INTERMEDIATE", "freelancersToHire": 1, "premium": False, "enterprise": False,
         "applied": None, "preferredFreelancerLocation": None,
         "preferredFreelancerLocationMandatory": False}  # fmt: skip
_TIME = "%Y-%m-%dT%H:%M:%S+0000"


def handle(ask: Ask, view: View) -> Answer | None:
    """Answer a GraphQL request; None where the path is not Upwork's."""
    if ask.path != "/graphql":
        return None
    if ask.method != "POST":
        return Answer(405, {"message": "Method Not Allowed"})
    try:
        query, variables = read_body(ask.body)
        tree, arguments = selections(query)
        if set(tree) != {FIELD}:
            unknown = next((name for name in tree if name != FIELD), FIELD)
            raise QueryError(f"Validation error (FieldUndefined@[{unknown}]) : Field '{unknown}' is undefined")
        return _answer(view, tree[FIELD], variables, arguments)
    except QueryError as error:
        kind = "ValidationError" if "Validation" in str(error) else "InvalidSyntax"
        return failure(str(error), kind)


def failure(message: str, kind: str) -> Answer:
    """Status 200 with an array of errors, as GraphQL has it."""
    row = {"message": message, "locations": [{"line": 1, "column": 1}], "extensions": {"classification": kind}}
    return Answer(data={"errors": [row], "data": None})


def _answer(view: View, wanted: dict[str, Any], variables: dict[str, Any], arguments: str) -> Answer:
    after, first = _paging(variables, arguments)
    if not re.fullmatch(r"\d*", after):
        raise QueryError("Validation error: the cursor is not one of ours")
    start, size = int(after or 0), min(max(first, 1), 100)
    if start >= CAP and not view.world.endless:
        return failure(f"Requested page is out of range: at most {CAP} results of a search", "ExecutionAborted")
    numbers = _matching(view.world, variables, arguments)
    rows, total = part(view.world, numbers, start, min(size, CAP - start) if not view.world.endless else size,
                       newest_first=True)  # fmt: skip
    stop = start + len(rows)
    more = stop < (total if view.world.endless else min(total, CAP))
    edges = [{"cursor": str(start + place + 1), "node": _node(view.world, number)} for place, number in enumerate(rows)]
    page = {"hasNextPage": more, "hasPreviousPage": start > 0, "startCursor": str(start), "endCursor": str(stop)}
    full = {"totalCount": total, "edges": edges, "pageInfo": page}
    shown = choose(full, wanted, FIELD)
    for edge, number in zip(shown.get("edges", []), rows, strict=False):
        if "node" in edge:
            edge["node"] = view.show(edge["node"], number)
    return Answer(data={"data": {FIELD: shown}}, place=("data", FIELD, "edges"))


def _paging(variables: dict[str, Any], arguments: str) -> tuple[str, int]:
    found = _search_in(variables, "pagination_eq") or _search_in(variables, "pagination") or {}
    found = found if isinstance(found, dict) else {}
    after, first = found.get("after"), found.get("first")
    after = after if after is not None else _search_in(variables, "after")
    first = first if first is not None else _search_in(variables, "first")
    after = after if after is not None else inline(arguments, "after")
    first = first if first is not None else inline(arguments, "first")
    try:
        return ("" if after in (None, "null") else str(after)), int(first or 10)
    except (TypeError, ValueError) as error:
        raise QueryError("Validation error: first must be a whole number") from error


def _search_in(value: object, name: str) -> Any:  # noqa: ANN401  # JSON
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    return next((found for inner in value.values() if (found := _search_in(inner, name)) is not None), None)


def _matching(world: World, variables: dict[str, Any], arguments: str) -> Sequence[int]:
    def told(name: str) -> Any:  # noqa: ANN401  # JSON
        found = _search_in(variables, name)
        return found if found is not None else inline(arguments, name)

    numbers: Sequence[int] = world.select("open", lambda number: world.change(number) != "close")
    if (days := told("daysPosted_eq")) is not None:
        first, stop = between(world, numbers, time.time() - float(days) * 86400, float("inf"))
        numbers = numbers[first:stop]
    if (kind := told("jobType_eq")) is not None:
        numbers = [
            number for number in numbers if (_quote(world, job_at(world, number)).unit == "hour") == (kind == "HOURLY")
        ]
    words = str(told("searchExpression_eq") or told("titleExpression_eq") or "").lower().split()
    if words and words != ["*"]:
        numbers = [
            number for number in numbers if set(words) <= set(re.findall(r"\w+", job_at(world, number).title.lower()))
        ]
    return numbers


def _quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    if draw.chance(0.06):
        return Quote("", None, None, "USD", "hour", "none")
    return job.now(span(draw, "hour") if draw.chance(0.4) else fixed(draw))


def _money(amount: float | None, currency: str | None = "USD") -> dict[str, str] | None:
    if amount is None:
        return None
    return {"rawValue": f"{amount:.1f}", "currency": currency or "USD", "displayValue": f"{amount:.2f}"}


def _node(world: World, number: int) -> Record:
    job = job_at(world, number)
    quote = _quote(world, job)
    hourly = quote.unit == "hour"
    return {
        "id": str(_JOB + number),
        "ciphertext": f"~02{_JOB + number}",
        "title": job.title,
        "description": job.body,
        "createdDateTime": iso(job.created, _TIME),
        "publishedDateTime": iso(job.created + 60, _TIME),
        "amount": _money(0.0 if hourly else quote.low),
        "hourlyBudgetType": ("MANUAL" if quote.low else "NOT_PROVIDED") if hourly else None,
        "hourlyBudgetMin": _money(quote.low) if hourly else None,
        "hourlyBudgetMax": _money(quote.high) if hourly else None,
        "engagement": "Less than 30 hrs/week" if hourly else None,
        "category": job.area,
        "subcategory": job.area + "_general",
        "totalApplicants": number % 50,
        "skills": [{"name": name.lower(), "prettyName": name, "highlighted": False} for name in job.skills],
        **_REST,
        "client": _client(number),
        "job": {"contractTerms": {"contractType": "HOURLY" if hourly else "FIXED"}},
    }


def _client(number: int) -> Record:
    return {
        "totalHires": number % 30,
        "totalPostedJobs": number % 40,
        "totalSpent": _money(1000.0 * (number % 9)),
        "totalReviews": number % 20,
        "totalFeedback": 4.9,
        "verificationStatus": "VERIFIED",
        "companyName": None,
        "location": {"country": "Portugal", "city": "Lisbon", "state": None, "timezone": None},
    }


def truth(world: World, number: int) -> Truth | None:
    """What a perfect crawl knows of a job; None where it is closed."""
    job = job_at(world, number)
    if job.change == "close":
        return None
    url = f"https://www.upwork.com/jobs/~02{_JOB + number}"
    return truth_of(job, _quote(world, job), identity=str(_JOB + number), url=url)
