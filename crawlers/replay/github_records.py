"""GitHub issues: bounties as Expensify writes them (price in the title), and as Algora does (price in a label)."""

from __future__ import annotations

from dataclasses import replace

from crawlers.replay.draws import mix
from crawlers.replay.exchange import Record, Truth
from crawlers.replay.jobs import Job, job_at, truth_of
from crawlers.replay.quotes import Quote
from crawlers.replay.world import World, iso

EXPENSIFY = "Expensify/App"
OTHERS = ("quietrivers/ledger", "windmill-works/sails", "tin-kettle/brew")
BOUNTY = "\N{GEM STONE} Bounty"
_PARTS = (("labels", "labels{/name}"), ("comments", "comments"), ("events", "events"))
_REST: Record = {"locked": False, "assignee": None, "assignees": [], "milestone": None, "author_association": "MEMBER",
         "score": 1.0}  # fmt: skip
_AMOUNTS = (125, 250, 250, 250, 500, 1000, 2000)
_HOLDS = ("", "", "", "[HOLD for payment 2026-{month:02d}-14] ", "[HOLD for #{number}] ")


def family(world: World, number: int) -> str:
    """Kind of issue: expensify, algora, plain (no bounty) or pull (a pull request)."""
    share = (mix(world.base ^ 5, number) >> 16) % 100
    return "expensify" if share < 60 else "algora" if share < 90 else "plain" if share < 95 else "pull"


def repository(world: World, number: int) -> str:
    """Owner and name."""
    return OTHERS[number % len(OTHERS)] if family(world, number) == "algora" else EXPENSIFY


def label_names(world: World, number: int) -> tuple[str, ...]:
    """Names of an issue's labels, as a search sees them."""
    kind = family(world, number)
    if kind == "algora":
        return (
            BOUNTY,
            f"${_amount(job_at(world, number)):,.0f}",
            *(("\N{MONEY BAG} Rewarded",) if number % 9 == 0 else ()),
        )
    if kind == "expensify":  # now and then one is in both searches
        return ("Bug", "External", BOUNTY) if number % 50 == 7 else ("Bug", "Help Wanted", "External")
    return ("Bug",)


def title_of(world: World, number: int) -> str:
    """Title as shown."""
    job = job_at(world, number)
    return _title(world, job)


def is_open(world: World, number: int) -> bool:
    """Whether the issue is open: a sixth is closed from the start."""
    return world.change(number) != "close" and (mix(world.base ^ 6, number) >> 8) % 6 != 0


def issue(world: World, number: int, base: str) -> Record:
    """Issue in the form of the REST interface."""
    job, repo, kind = job_at(world, number), repository(world, number), family(world, number)
    home, count = f"{base}/repos/{repo}/issues/{number + 1}", job.created % 7
    web = f"https://github.com/{repo}/{'pull' if kind == 'pull' else 'issues'}/{number + 1}"
    shown = is_open(world, number)
    record: Record = {
        "url": home,
        "repository_url": f"{base}/repos/{repo}",
        **{f"{name}_url": f"{home}/{path}" for name, path in _PARTS},
        "html_url": web,
        "id": identity(number),
        "node_id": f"I_kw{number:010d}",
        "number": number + 1,
        "title": _title(world, job),
        "user": {"login": job.person, "id": 1000 + len(job.person), "type": "User", "site_admin": False},
        "labels": [_label(name) for name in label_names(world, number)],
        "state": "open" if shown else "closed",
        **_REST,
        "comments": count,
        "created_at": iso(job.created),
        "updated_at": iso(job.updated),
        "closed_at": None if shown else iso(max(job.updated, job.created + 3600)),
        "body": _body(world, job),
        "state_reason": None if shown else "completed",
    }
    if kind == "pull":
        record["pull_request"] = {"url": home, "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch"}
    return record


def _label(name: str) -> Record:
    return {"id": 500 + len(name), "name": name, "color": "0e8a16", "default": False, "description": None}


def identity(number: int) -> int:
    """GitHub's id of an issue."""
    return 3_100_000_000 + number


def quote_at(world: World, number: int) -> Quote:
    """Bounty of an issue."""
    if family(world, number) in ("plain", "pull"):
        return Quote("", why="none")
    amount = _amount(job_at(world, number))
    return Quote(f"${amount:,.0f}", amount, amount, "USD", "fixed")


def truth(world: World, number: int) -> Truth:
    """What a perfect crawl knows of an issue."""
    job, kind = job_at(world, number), family(world, number)
    row = truth_of(
        job, quote_at(world, number), identity=str(identity(number)),
        url=f"https://github.com/{repository(world, number)}/{'pull' if kind == 'pull' else 'issues'}/{number + 1}",
        kind="posting" if kind in ("expensify", "algora") else "not_a_posting",
    )  # fmt: skip
    return replace(row, title=_title(world, job))


def _amount(job: Job) -> float:
    first = float(_AMOUNTS[job.created % len(_AMOUNTS)])
    return first * 2 if job.change == "raise" else first


def _title(world: World, job: Job) -> str:
    if family(world, job.number) != "expensify":
        return job.title
    hold = _HOLDS[job.created % len(_HOLDS)].format(month=1 + job.number % 9, number=job.number + 7)
    return f"{hold}[${_amount(job):.0f}] {job.title}"


def _body(world: World, job: Job) -> str:
    kind = family(world, job.number)
    steps = f"## Action Performed\n1. Open the page\n2. {job.title}\n\n## Expected Result\n{job.paragraphs[0]}\n"
    if kind == "algora":
        return f"{job.body}\n\n/bounty ${_amount(job):,.0f}\n"
    if kind != "expensify":
        return steps
    increase = f"<li>Last Price Increase: {iso(job.updated, '%Y-%m-%d')}</li>\n" if job.change == "raise" else ""
    return (
        f"{steps}\n{job.body}\n\n<details><summary>Upwork Automation - Do Not Edit</summary>\n<ul>\n"
        f"<li>Upwork Job URL: https://www.upwork.com/jobs/~0{job.created}</li>\n<li>Upwork Job ID: {job.created}</li>\n"
        f"{increase}<li>Automatic offers: <ul><li>{job.person} | Contributor | {job.created % 10**8}</li></ul></li>\n"
        "</ul>\n</details>\n"
    )
