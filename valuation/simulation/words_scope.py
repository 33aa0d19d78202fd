"""How size, complexity and urgency show in a text: words of a client, words of a worker."""

from __future__ import annotations

from valuation.simulation.words_forms import LevelWords

SIZES: tuple[LevelWords, ...] = (
    LevelWords(
        titles=("Quick small", "Small", "Tiny", "Simple little", "Short", "Minor"),
        asks=(
            "This is a small and quick job, an hour or two at most.",
            "A tiny task, just a minute of work and nothing more.",
            "Only minor changes are needed, it should be quick for you.",
            "Short simple job for a free hour.",
            "A little thing, {n} small items in all.",
        ),
        extents=(
            "just a small quick change",
            "a tiny simple edit",
            "a minor tweak of one line",
            "only a short little touch-up",
        ),
        reports=(
            "Small in scope: {n} lines of the {object}, done in minutes.",
            "The {object} needed only a quick hour, the matter being minor.",
            "Just one tiny, simple piece of the {object} needed a quick look.",
            "Nothing else in the {object} was touched in this short little task.",
        ),
        counts=(1, 3),
    ),
    LevelWords(
        titles=("Part-time", "Two-week", "Mid-sized", "Medium", "One-week"),
        asks=(
            "We expect one or two weeks of part-time work.",
            "A mid-sized job with {n} screens or so.",
            "There are several parts to it, about {n} in number.",
            "A medium amount of work, a week or so for one person.",
        ),
        extents=(
            "across several parts",
            "a medium piece of work over {n} screens",
            "in several steps over a week",
            "mid-sized work of some days",
        ),
        reports=(
            "Several parts of the {object}, about {n}, were involved.",
            "A medium-sized change to the {object} that filled part of a week.",
            "Several screens of the {object} had to move together over two days.",
            "Roughly {n} parts of the {object} were gone through in a week.",
        ),
        counts=(5, 15),
    ),
    LevelWords(
        titles=("Large-scale", "Huge long-term", "Complete enterprise", "Major full-scale", "Massive"),
        asks=(
            "This is a large long-term project of many months.",
            "The complete system is huge, with {n} modules and thousands of users.",
            "We want the entire enterprise platform covered, end to end.",
            "A major project for a whole enterprise, full-time for many months.",
            "Expect a massive scope: {n} modules and an entire platform.",
        ),
        extents=(
            "a massive project over the whole platform",
            "end to end through {n} modules, thousands of people using them",
            "a huge long-term effort through the entire system",
            "as a major programme of a complete enterprise",
        ),
        reports=(
            "A very large project: {n} modules, the entire {object}, many months.",
            "The whole enterprise {object} platform with thousands of users was covered.",
            "This huge long-term project on the {object} went on for months through the entire system.",
            "Complete coverage of a massive {object} platform, {n} major modules.",
        ),
        counts=(40, 220),
    ),
)

COMPLEXITIES: tuple[LevelWords, ...] = (
    LevelWords(
        titles=("easy ", "basic ", "beginner "),
        asks=(
            "Beginners are welcome, it is easy and basic.",
            "An easy standard template will do.",
            "Basic beginner skills are enough.",
        ),
        extents=(),
        reports=(
            "A standard case and easy, basic enough for beginners.",
            "An easy and basic approach with a stock template sufficed.",
            "Basic, easy means were used throughout.",
        ),
        counts=(1, 2),
    ),
    LevelWords(
        titles=("", "", "API "),
        asks=(
            "You should know your way around APIs and databases.",
            "Our system connects to a third-party API, so some experience is needed.",
            "Intermediate level, with a database behind it.",
        ),
        extents=(),
        reports=(
            "An outside API and the database were integrated.",
            "Queries against the database and calls to an API were adapted.",
            "The third-party API needed a database table.",
        ),
        counts=(2, 4),
    ),
    LevelWords(
        titles=("expert ", "advanced ", "complex "),
        asks=(
            "Senior experts only: real-time, distributed and complex.",
            "Advanced and complex, with concurrency and distributed security.",
            "The algorithms are advanced and complex, so we need an expert.",
        ),
        extents=(),
        reports=(
            "Concurrency and distributed locking made this complex and advanced.",
            "Real-time streaming over distributed nodes took advanced expert algorithms.",
            "Complex security and advanced consistency proofs had an expert's depth.",
        ),
        counts=(3, 6),
    ),
)

URGENT_ASKS = (
    "URGENT, we need it today!",
    "Please start immediately, the deadline is tomorrow.",
    "Very urgent, the deadline is close.",
)
URGENT_REPORTS = (
    "It was urgent because of a deadline tomorrow.",
    "Urgent, so it had to start immediately.",
    "The deadline was today, so all was done in a hurry.",
)
CALM_ASKS = (
    "Deadline is flexible, in about {n} weeks.",
    "We would like to finish in {n} weeks.",
    "There is no rush.",
    "",
    "",
)

OPENINGS = (
    "Looking for someone to {ask}.",
    "We need a freelancer who can {ask}.",
    "I am looking to hire a person to {ask}.",
    "Hi, we would like somebody to {ask}.",
    "Our company is seeking help to {ask}.",
    "Can you {ask}?",
)
PLACES = ("Leeds", "Austin", "Porto", "Tallinn", "Melbourne", "Toronto", "Graz", "Nairobi", "Lyon", "Manila")
CLOSINGS = (
    "Please send your portfolio and your availability.",
    "Tell us why you are the right person.",
    "Start your proposal with the word banana.",
    "Fixed budget, payment by milestone.",
    "Our budget is limited but fair.",
    "References would be nice.",
    "",
    "",
)
CHECKS = ("Verified by hand.", "Reviewed and accepted.", "All checks passed.", "The user confirmed it.", "", "", "", "")
MEANS = ("Used: {used}.", "Labels: {used}.", "Field: {used}.")
# What clients do for a living, and what some tell about it.
TRADES = (
    "bakery", "law firm", "dental practice", "brewery", "travel agency", "yoga studio", "real estate office",
    "logistics firm", "charity", "museum", "bicycle workshop", "winery", "insurance broker", "pet store", "gym",
    "architecture office", "recruitment agency", "furniture maker", "pharmacy", "film studio", "football club",
    "solar company", "coffee roaster", "toy maker", "university lab", "hospital", "car dealer", "publisher",
    "cosmetics brand", "garden centre", "hair salon", "airline", "hostel", "bank", "cleaning company", "shipyard",
)  # fmt: skip
TRADE_NOTES = ("We are a {trade}.", "We ask for a {trade}.", "My client is a {trade}.", "Our {trade} depends on it.")
RAMBLES = (
    "We are a {trade} from {place}, founded thirty years ago, and we have grown a lot since.",
    "Last year we hired a first marketing manager, who left again in spring for a {trade}.",
    "Most of our neighbours in {place} know us, and so does the {trade} next door.",
    "I started alone after many years in a {trade}, then took a partner from {place}.",
    "We believe in honest business, long relations and good coffee from {place}.",
    "My cousin, who runs a {trade}, told me about this market.",
)
