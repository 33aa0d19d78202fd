"""Salary feeds: Himalayas (pages of 20), Remotive (one list), RemoteOK (one list that begins with a notice)."""

from __future__ import annotations

from collections.abc import Sequence

from crawlers.replay.boards import slug
from crawlers.replay.draws import Draw
from crawlers.replay.exchange import Answer, Ask, Record, Truth, View
from crawlers.replay.jobs import Job, job_at, nasty, truth_of
from crawlers.replay.quotes import Quote, salary
from crawlers.replay.world import World, iso, part

_NOTICE = "Please link back to the page of the job and name us as the source. Written for tests; no such jobs exist."
_REMOTIVE, _REMOTEOK = 1_900_000, 1_100_000


def himalayas(ask: Ask, view: View) -> Answer | None:
    """Answer a request to Himalayas; None where the path is not its."""
    if ask.path != "/jobs/api":
        return None
    size = ask.number("limit", 20, 1, 20)
    start = ask.number("cursor", ask.number("offset", 0, 0, 10**9), 0, 10**9)
    rows, total = part(view.world, _open(view.world), start, size, newest_first=True)
    following = start + len(rows)
    data = {
        "comments": _NOTICE,
        "updatedAt": view.world.created(view.world.count - 1),
        "offset": start,
        "limit": size,
        "totalCount": total,
        "nextCursor": str(following) if rows and following < total else None,
        "jobs": [view.show(_himalayas(view.world, number), number) for number in rows],
    }
    return Answer(data=data, place=("jobs",))


def _open(world: World) -> Sequence[int]:
    return world.select("open", lambda number: world.change(number) != "close")


def _himalayas_quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    if draw.chance(0.25):
        return Quote("", why="none")
    return job.now(salary(draw, draw.pick(("USD", "USD", "EUR", "GBP"))))


def _himalayas_url(job: Job) -> str:
    return f"https://himalayas.app/companies/{slug(job.company)}/jobs/{slug(job.title)}"


def _himalayas(world: World, number: int) -> Record:
    job = job_at(world, number)
    quote = _himalayas_quote(world, job)
    return {
        "title": job.title,
        "excerpt": job.paragraphs[0][:120],
        "companyName": job.company,
        "companySlug": slug(job.company),
        "companyLogo": "https://himalayas.app/logo.png",
        "employmentType": "Full Time",
        "minSalary": None if quote.low is None else int(quote.low),
        "maxSalary": None if quote.high is None else int(quote.high),
        "salaryPeriod": "annual",
        "currency": quote.currency or "USD",
        "seniority": ["Mid-level"],
        "locationRestrictions": [job.place],
        "timezoneRestrictions": [0, 1, 2],
        "categories": list(job.skills),
        "parentCategories": [job.area],
        "description": job.html,
        "pubDate": job.created,
        "expiryDate": job.created + 60 * 86400,
        "applicationLink": _himalayas_url(job),
        "guid": _himalayas_url(job),
    }


def himalayas_truth(world: World, number: int) -> Truth | None:
    """What a perfect crawl knows of a job; None where it is closed."""
    job = job_at(world, number)
    url = _himalayas_url(job)
    return None if job.change == "close" else truth_of(job, _himalayas_quote(world, job), identity=url, url=url)


def remotive(ask: Ask, view: View) -> Answer | None:
    """Answer a request to Remotive; None where the path is not its."""
    if ask.path.rstrip("/") != "/api/remote-jobs":
        return None
    numbers = _open(view.world)
    category, words = ask.one("category").lower(), ask.one("search").lower().split()
    if category or words:
        numbers = [number for number in numbers if _wanted(job_at(view.world, number), category, words)]
    everything = len(numbers)  # one list: there is no next page, whatever the fault
    rows, total = part(view.world, numbers, 0, ask.number("limit", everything, 1, everything), newest_first=True)
    jobs = [view.show(_remotive(view.world, number), number) for number in rows]
    data = {
        "00-warning": _NOTICE,
        "0-legal-notice": _NOTICE,
        "job-count": len(jobs),
        "total-job-count": total,
        "jobs": jobs,
    }
    return Answer(data=data, place=("jobs",))


def _wanted(job: Job, category: str, words: list[str]) -> bool:
    return (not category or category in (job.area, slug(job.area))) and all(word in job.title.lower() for word in words)


def _remotive_quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    quote = job.now(salary(draw))
    low, high = quote.low or 0.0, quote.high or 0.0
    hourly = float(draw.between(20, 90))
    forms = (
        Quote(f"${low / 1000:g}k - ${high / 1000:g}k", low, high, "USD", "year"),
        Quote(f"${low:,.0f} - ${high:,.0f} per year", low, high, "USD", "year"),
        Quote(f"${hourly:.0f} - ${hourly + 10:.0f} per hour", hourly, hourly + 10, "USD", "hour"),
        Quote("", why="none"),
        Quote("Competitive", why="none"),
    )
    return draw.pick(forms)


def _remotive_url(job: Job) -> str:
    return f"https://remotive.com/remote-jobs/{slug(job.area)}/{slug(job.title)}-{_REMOTIVE + job.number}"


def _remotive(world: World, number: int) -> Record:
    job = job_at(world, number)
    return {
        "id": _REMOTIVE + number,
        "url": _remotive_url(job),
        "title": job.title,
        "company_name": job.company,
        "company_logo": "https://remotive.com/logo.png",
        "category": job.area,
        "tags": list(job.skills),
        "job_type": "full_time" if number % 3 else "freelance",
        "publication_date": iso(job.created, "%Y-%m-%dT%H:%M:%S"),
        "candidate_required_location": job.place,
        "salary": _remotive_quote(world, job).text,
        "description": job.html,
        "company_logo_url": "https://remotive.com/logo.png",
    }


def remotive_truth(world: World, number: int, *, is_nasty: bool = False) -> Truth | None:
    """What a perfect crawl knows of a job; None where it is closed."""
    job = job_at(world, number)
    quote = nasty(number) if is_nasty else _remotive_quote(world, job)
    return (
        None
        if job.change == "close"
        else truth_of(job, quote, identity=str(_REMOTIVE + number), url=_remotive_url(job))
    )


def remoteok(ask: Ask, view: View) -> Answer | None:
    """Answer a request to RemoteOK; None where the path is not its."""
    if ask.path.rstrip("/") != "/api":
        return None
    numbers = _open(view.world)
    rows, _ = part(view.world, numbers, 0, len(numbers), newest_first=True)
    notice = {"last_updated": view.world.created(view.world.count - 1), "legal": _NOTICE}
    return Answer(data=[notice, *(view.show(_remoteok(view.world, number), number) for number in rows)], place=())


def _remoteok_quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    return Quote("", why="none") if draw.chance(0.4) else job.now(salary(draw))


def _remoteok_url(job: Job) -> str:
    return f"https://remoteok.com/remote-jobs/remote-{slug(job.title)}-{_REMOTEOK + job.number}"


def _remoteok(world: World, number: int) -> Record:
    job = job_at(world, number)
    quote = _remoteok_quote(world, job)
    return {
        "slug": _remoteok_url(job).rsplit("/", 1)[1],
        "id": str(_REMOTEOK + number),
        "epoch": job.created,
        "date": iso(job.created, "%Y-%m-%dT%H:%M:%S+00:00"),
        "company": job.company,
        "company_logo": "",
        "position": job.title,
        "tags": [name.lower() for name in job.skills],
        "logo": "",
        "description": job.html,
        "location": job.place,
        "salary_min": int(quote.low or 0),
        "salary_max": int(quote.high or 0),
        "apply_url": _remoteok_url(job),
        "url": _remoteok_url(job),
    }


def remoteok_truth(world: World, number: int) -> Truth | None:
    """What a perfect crawl knows of a job; None where it is closed."""
    job = job_at(world, number)
    url = _remoteok_url(job)
    return (
        None
        if job.change == "close"
        else truth_of(job, _remoteok_quote(world, job), identity=str(_REMOTEOK + number), url=url)
    )
