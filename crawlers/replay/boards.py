"""Two freelance boards with a token: Freelancer.com's projects API and Freelancehunt's JSON:API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from crawlers.replay.draws import Draw, mix
from crawlers.replay.exchange import Answer, Ask, Record, Truth, View
from crawlers.replay.jobs import Job, job_at, truth_of
from crawlers.replay.quotes import Quote, fixed, span
from crawlers.replay.world import World, between, part

_CURRENCIES = (
    {"id": 1, "code": "USD", "sign": "$", "name": "US Dollar", "exchange_rate": 1.0, "country": "US"},
    {"id": 8, "code": "EUR", "sign": "€", "name": "Euro", "exchange_rate": 1.09, "country": "EU"},
    {"id": 4, "code": "GBP", "sign": "£", "name": "British Pound", "exchange_rate": 1.27, "country": "UK"},
    {"id": 11, "code": "INR", "sign": "₹", "name": "Indian Rupee", "exchange_rate": 0.012, "country": "IN"},
)
_HOURLY_INFO = {"commitment": {"hours": 20, "interval": "week"}, "duration_enum": "weeks_1_4"}
_PROJECT_REST: Record = {"featured": False, "nonpublic": False, "hidebids": False, "deleted": False, "language": "en",
                 "location": {"country": {"name": None}, "city": None}}  # fmt: skip
_HUNT_REST: Record = {"is_remote_job": True, "is_premium": False, "is_only_for_plus": False, "location": None,
              "safe_type": "split", "is_personal": False, "freelancer": None, "tags": [], "updates": []}  # fmt: skip
_KYIV = ZoneInfo("Europe/Kyiv")
_PROJECT, _HUNT = 38_000_000, 1_400_000


def slug(text: str) -> str:
    """Words of a text joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:100]


def freelancer(ask: Ask, view: View) -> Answer | None:
    """Answer a request to the projects API; None where the path is not its."""
    found = re.fullmatch(r"/api/projects/0\.1/projects/(active|all)/?", ask.path)
    if not found:
        return None
    world, request = view.world, f"{mix(view.world.base, view.world.count):032x}"
    try:
        low = float(ask.one("from_time") or "-inf")
        high = float(ask.one("to_time") or "inf")
    except ValueError:
        message = {"status": "error", "message": "from_time must be an integer.", "request_id": request,
                   "error_code": "RestExceptionCodes.BAD_REQUEST"}  # fmt: skip
        return Answer(400, message)
    numbers: Sequence[int] = world.select(found[1], lambda number: found[1] == "all" or world.change(number) != "close")
    first, stop = between(world, numbers, low, high)
    numbers = numbers[first:stop]
    kinds = set(ask.query.get("project_types[]", []))
    if kinds:
        numbers = [
            number for number in numbers if _quote(world, job_at(world, number)).unit.replace("hour", "hourly") in kinds
        ]
    size, start = ask.number("limit", 10, 1, 100), ask.number("offset", 0, 0, 10**9)
    newest_first = ask.one("reverse_sort", "false") in ("false", "0", "")
    rows, total = part(world, numbers, start, size, newest_first=newest_first)
    projects = [view.show(_project(world, number, ask), number) for number in rows]
    result = {"projects": projects, "total_count": total, "users": {}, "selected_bids": {}}
    return Answer(data={"status": "success", "result": result, "request_id": request}, place=("result", "projects"))


def _quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    currency = str(draw.pick(_CURRENCIES)["code"])
    quote = job.now(span(draw, "hour" if draw.chance(0.3) else "fixed", currency))
    if draw.chance(0.05):
        return Quote("", quote.low, None, currency, quote.unit, "open")
    return quote


def _project(world: World, number: int, ask: Ask) -> Record:
    job = job_at(world, number)
    quote = _quote(world, job)
    closed, hourly = job.change == "close", quote.unit == "hour"
    wants = {name for name in ("full_description", "job_details") if ask.one(name).lower() in ("true", "1")}
    currency: Record = next(row for row in _CURRENCIES if row["code"] == quote.currency)
    return {
        "id": _PROJECT + number,
        "owner_id": 90_000 + number % 900,
        "title": job.title,
        "status": "closed" if closed else "active",
        "sub_status": "closed_awarded" if closed else None,
        "seo_url": f"{slug(job.area)}/{slug(job.title)}",
        "currency": {**currency, "is_external": False, "is_escrowcom_supported": True},
        "description": job.body if "full_description" in wants else None,
        "preview_description": job.body[:100],
        "jobs": [_skill(job, name) for name in job.skills] if "job_details" in wants else None,
        "submitdate": job.created,
        "time_submitted": job.created,
        "time_updated": job.updated,
        "time_free_bids_expire": job.created + 14 * 86400,
        "bidperiod": 7,
        "type": "hourly" if hourly else "fixed",
        "budget": {"minimum": quote.low, "maximum": quote.high, "name": None, "project_type": None,
                   "currency_id": currency["id"]},
        "hourly_project_info": _HOURLY_INFO if hourly else None,
        "bid_stats": {"bid_count": number % 40, "bid_avg": quote.low * 1.4 if number % 40 and quote.low else None},
        **_PROJECT_REST,
        "urgent": number % 11 == 0,
        "frontend_project_status": "complete" if closed else "open",
    }  # fmt: skip


def _skill(job: Job, name: str) -> Record:
    return {"id": 3 + len(name), "name": name, "category": {"id": 1, "name": job.area}, "seo_url": slug(name)}


def freelancer_truth(world: World, number: int) -> Truth | None:
    """What a perfect crawl of the active projects knows of one; None where it is closed."""
    job = job_at(world, number)
    if job.change == "close":
        return None
    url = f"https://www.freelancer.com/projects/{slug(job.area)}/{slug(job.title)}"
    return truth_of(job, _quote(world, job), identity=str(_PROJECT + number), url=url)


def freelancehunt(ask: Ask, view: View) -> Answer | None:
    """Answer a request to Freelancehunt; None where the path is not its."""
    if ask.path != "/v2/projects":
        return None
    world = view.world
    numbers = world.select("open", lambda number: world.change(number) != "close")
    size, page = ask.number("page[size]", 10, 1, 50), ask.number("page[number]", 1, 1, 10**9)
    rows, total = part(world, numbers, (page - 1) * size, size, newest_first=True)
    last = max(1, -(-total // size))
    links = {"self": _page(ask, page), "first": _page(ask, 1), "last": _page(ask, last)}
    if page < last:
        links["next"] = _page(ask, page + 1)
    if page > 1:
        links["prev"] = _page(ask, page - 1)
    data = [view.show(_hunt(world, number), number) for number in rows]
    meta = {"total": total, "per_page": size, "current_page": page, "last_page": last}
    return Answer(data={"data": data, "links": links, "meta": meta}, place=("data",))


def _page(ask: Ask, number: int) -> str:
    rest = [(name, value) for name, values in ask.query.items() if name != "page[number]" for value in values]
    return f"{ask.base}{ask.path}?{urlencode([*rest, ('page[number]', str(number))])}"


def _hunt_quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    if draw.chance(0.4):
        return Quote("", why="none")
    return job.now(fixed(draw, draw.pick(("UAH", "UAH", "USD", "EUR", "PLN"))))


def _hunt(world: World, number: int) -> Record:
    job = job_at(world, number, in_slavic=True)
    quote = _hunt_quote(world, job)
    budget = (
        None
        if quote.low is None
        else {"amount": int(quote.low) if quote.low % 1 == 0 else quote.low, "currency": quote.currency}
    )
    home = f"https://api.freelancehunt.com/v2/projects/{_HUNT + number}"
    made, ends = (datetime.fromtimestamp(time, _KYIV).isoformat() for time in (job.created, job.created + 7 * 86400))
    return {
        "id": _HUNT + number,
        "type": "project",
        "attributes": {
            "name": job.title,
            "description": job.body,
            "description_html": job.html,
            "skills": [{"id": 20 + len(name), "name": name} for name in job.skills],
            "status": {"id": 11, "name": "Open for proposals"},
            "budget": budget,
            "bid_count": number % 25,
            **_HUNT_REST,
            "employer": {"id": 500 + number % 90, "type": "employer", "login": job.person, "last_name": "K."},
            "published_at": made,
            "expired_at": ends,
        },
        "links": {"self": {"api": home, "web": _hunt_url(number)}, "comments": home + "/comments"},
    }  # fmt: skip


def _hunt_url(number: int) -> str:
    return f"https://freelancehunt.com/project/proiekt/{_HUNT + number}.html"


def freelancehunt_truth(world: World, number: int) -> Truth | None:
    """What a perfect crawl knows of a project; None where it is closed."""
    job = job_at(world, number, in_slavic=True)
    if job.change == "close":
        return None
    return truth_of(job, _hunt_quote(world, job), identity=str(_HUNT + number), url=_hunt_url(number))
