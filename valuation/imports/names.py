"""What columns are called: the words that a column of each kind goes by."""

from __future__ import annotations

import re

from crawlers.money_marks import CODES

# Each field's names in tiers: a name of an earlier tier is preferred; two of one tier are a question for the user.
POSTING_NAMES: dict[str, tuple[str, ...]] = {
    "title": (
        "title|job title|project title|posting title|titel|titre|título|titulo",
        "headline|subject|project name|job name",
        "name|job|project",
    ),
    "description": (
        "description|job description|project description|full description|posting description|beschreibung"
        "|descripción|descripcion",
        "body|details|text|content|summary",
    ),
    "skills": ("skills|required skills|skill set", "tags|keywords|technologies"),
    "url": ("url|job url|project url|posting url", "link|href|permalink|job link|project link"),
    "posted_at": (
        "posted at|posted|date posted|posted on|posted date|posting date|post date|posted time|publication date"
        "|published|published at|published on|publish date|published date"
        "|date published|listed on|listing date|date listed|job posted|time posted|posted datetime"
        "|veröffentlicht|veröffentlicht am|date de publication|fecha de publicación",
        "created at|created|creation date|created on|date created|submitted|time submitted|submit date|submitted at"
        "|listed at",
        "date|datetime|timestamp|time|day|datum|fecha|data",
    ),
    "crawled_at": ("crawled at|scraped at|crawl date|scrape date|fetched at|collected at",),
    "price_type": (
        "price type|budget type|payment type|pay type|rate type|pricing type|contract type|project type|job type"
        "|hourly fixed|fixed hourly|fixed or hourly|hourly or fixed|billing type|engagement",
        "type|pricing|unit|art|typ",
    ),
    "currency": (
        "currency|currency code|budget currency|price currency|ccy|currency symbol|client currency|währung|waehrung"
        "|devise|moneda",
    ),
    "category": ("category|category name|job category|project category", "sub category|subcategory|sub category name"),
    "country": ("country|client country|client location|location country", "location|client location country"),
    "client_id": (
        "client id|client|client name|employer|employer name|buyer|buyer name|owner|posted by|company|company name",
    ),
}
SESSION_NAMES: dict[str, tuple[str, ...]] = {
    "session_id": ("session id|session|sessionid|conversation id|chat id|thread id", "id|uuid"),
    "user": (
        "user id|user|userid|username|user name",
        "author|email|user email|developer|person|employee|account|member|engineer|owner",
    ),
    "started_at": (
        "started at|start time|started|start|session start|session date|start date|started on|begin|begin time",
        "created at|created|timestamp|datetime|date|time|day",
    ),
    "summary": (
        "summary|session summary|task summary",
        "description|intent|task|title",
        "text|prompts|prompt|first prompt",
    ),
    "weight": ("weight|weights|sample weight|sampling weight",),
}
_PERSON = re.compile(
    r"(?:user|client|employer|buyer|author|owner|customer|person|developer|employee|member|account|contact|freelancer"
    r"|posted by|engineer|assignee|reviewer)(?: (?:id|name|email|mail|login|handle))?"
    r"|(?:user|first|last|full|display)name"
    r"|(?:first|last|full|display|sur) name|e?mail(?: address)?|login|handle"
)
PRICE_WORDS = frozenset(
    "price prices budget amount cost rate fee pay payout payment reward bounty compensation value remuneration"
    " preis betrag honorar prix montant precio importe presupuesto stundensatz".split()
)
LOW_WORDS = frozenset("min minimum low lower lo from".split())
HIGH_WORDS = frozenset("max maximum high upper hi to".split())
HOURLY_WORDS = frozenset("hourly hour hr stundensatz".split())
FIXED_WORDS = frozenset("fixed flat festpreis".split())
NOT_PRICES = frozenset(
    "type currency spent spend earned paid hire success response acceptance date count number num id level status"
    " method verified unit period average avg interview score rating exchange code kind symbol last old"
    " previous cents cent pence k thousand thousands million millions lakh lakhs percent pct salary wage daily weekly"
    " monthly yearly annual day week month year word page".split()
)


def words_of(name: str) -> tuple[str, ...]:
    """Words of a column's name in lower case, currency left out.

    >>> words_of("Budget (EUR)"), words_of("hourlyRateMin"), words_of("budget.minimum")
    (('budget',), ('hourly', 'rate', 'min'), ('budget', 'minimum'))
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"^(?:attributes|data|node|fields|item)\.", "", name))
    found = re.findall(r"[^\W\d_]+", spaced)
    kept = [word.lower() for word in found if word.upper() not in CODES]
    plain = tuple(word for word in kept if word not in ("in", "euro", "euros", "dollars", "pounds"))
    return plain or tuple(word.lower() for word in found)


def names_person(name: str) -> bool:
    """Whether a column goes by a name that people's names stand under.

    >>> names_person("Client Name"), names_person("author"), names_person("client.country"), names_person("user_is_bot")
    (True, True, False, False)
    """
    return bool(_PERSON.fullmatch(" ".join(words_of(name))))
