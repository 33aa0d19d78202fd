"""Bodies of issues: Markdown with HTML in it. What is about the work, and what names a bounty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawlers.money import Budget, has_mark, read_budget, same_or_several

if TYPE_CHECKING:
    from crawlers.money import NoBudget

LONGEST = 70_000  # characters; GitHub allows 65,536
_COMMENT = (re.compile("<!--"), re.compile("-->"))
_SCRIPT = (
    re.compile(r"<(?:script|style|iframe|object|svg)\b", re.IGNORECASE),
    re.compile(r"</(?:script|style|iframe|object|svg)\s*>", re.IGNORECASE),
)
# Folded blocks that a robot keeps at the end of an issue: where its job is, who owns it now. Not about the work.
_ROBOT = (
    re.compile(
        r"<details>\s{0,9}<summary>\s{0,9}(?:upwork automation|issue owner|current issue owner)\b", re.IGNORECASE
    ),
    re.compile("</details>", re.IGNORECASE),
)
_JOB_BLOCK = re.compile(r"upwork automation|last price increase", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/li|/h[1-6]|/tr|/div|/summary)\b[^<>]{0,200}>", re.IGNORECASE)
# Tags that GitHub renders. Others stay: in prose about software "List<String>" is no markup.
_TAG = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|center|code|dd|del|details|div|dl|dt|em|font|h[1-6]|hr|i|img|ins|kbd|li|ol|p|picture"
    r"|pre|q|s|samp|source|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|tt|ul|var|video|input"
    r"|button|form|embed|link|meta|base|script|style|iframe|object|svg)\b[^<>]{0,3000}>",
    re.IGNORECASE,
)
_AMOUNT_LINE = re.compile(
    r"(?:(?:(?:current|new|job|upwork) price|bounty|reward)(?: amount)?\s?[*_]{0,2}\s?[:=]"
    r"|(?:job )?price (?:has been |was |is )?(?:increased|raised|doubled)(?: from \S{1,20})? to)"
    r"[\s*_]{0,4}(?P<said>.{1,60})"
    r"|/bounty\s{1,4}(?P<command>\S{1,20})\s*"
    r"|💎\s?(?P<badge>.{1,30}?)\s?bounty\b.{0,80}",
    re.IGNORECASE,
)


def body_text(body: str) -> str | None:
    r"""Body without comments, robots' blocks and HTML; Markdown stays.

    >>> body_text("## Steps\r\n1. Open `List<String>`<br>2. <b>Fail</b><!-- template --><script>alert(1)</script>")
    '## Steps\n1. Open `List<String>`\n2. Fail'
    >>> body_text("<!-- nothing -->") is None
    True
    """
    clean = body[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    for opening, closing in (_COMMENT, _SCRIPT, _ROBOT):
        clean = _without(clean, opening, closing)
    clean = _TAG.sub("", _BREAK.sub("\n", clean))
    lines = [line.rstrip() for line in clean.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() or None


def bounty_in_body(body: str) -> tuple[Budget | NoBudget, str | None]:
    r"""Bounty that a line of the body names as such, and the line; for issues that are marked as bounties elsewhere.

    >>> bounty_in_body("It shows $10.\n## 💎 $250 bounty [• Acme](https://example.org)")[0].low
    250.0
    >>> bounty_in_body("/bounty $100")[0].low, bounty_in_body("<li>Job Price: $500</li>")[0].low
    (100.0, 500.0)
    >>> bounty_in_body("Last Price Increase: 2024-04-18")
    ('none', None)
    """
    found: dict[str, Budget | NoBudget] = {}
    block = _JOB_BLOCK.search(body)
    start_of_block = block.start() if block else LONGEST
    for line in re.finditer(r"[^\r\n]{1,400}", body[:LONGEST]):
        plain = _TAG.sub("", line[0]).strip(" \t>*#_`+-")
        if line.start() > start_of_block and plain[:5].lower() == "price":
            plain = "job " + plain  # elsewhere "Price: $10" is what some page shows
        match = _AMOUNT_LINE.fullmatch(plain)
        said = match and (match["said"] or match["command"] or match["badge"])
        if match and said and (has_mark(said) or match["command"]):
            found[said.strip()] = read_budget(said)
    return same_or_several(found.values()), " | ".join(found) or None


def has_job_block(body: str) -> bool:
    """Whether a robot's block says that the work is offered for money.

    >>> has_job_block("<details><summary>Upwork Automation - Do Not Edit</summary></details>"), has_job_block("$5")
    (True, False)
    """
    return bool(_JOB_BLOCK.search(body[:LONGEST]))


def _without(content: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Cut all that stands between an opening and the next closing; what follows one that never closes stays."""
    kept, position = [], 0
    while start := opening.search(content, position):
        end = closing.search(content, start.end())
        if end is None:
            break
        kept.append(content[position : start.start()])
        position = end.end()
    return "".join([*kept, content[position:]])
