"""A small grammar of freelance work: titles, descriptions and skills in English, Ukrainian and Russian."""

from __future__ import annotations

from dataclasses import dataclass

from crawlers.replay.draws import Draw


@dataclass(frozen=True, slots=True)
class Area:
    """One kind of work: what is done, to what, with which skills."""

    name: str
    verbs: tuple[str, ...]
    things: tuple[str, ...]
    skills: tuple[str, ...]


AREAS = (
    Area(
        "software",
        ("Build", "Fix", "Extend", "Migrate", "Speed up", "Write tests for"),
        ("the checkout page of a bakery", "a booking calendar", "an invoice importer", "a chat widget",
         "the login form", "a parcel tracking service", "the search of an online library", "a payroll export"),
        ("Python", "React", "PostgreSQL", "TypeScript", "Django", "Docker"),
    ),
    Area(
        "design",
        ("Design", "Redraw", "Lay out", "Sketch"),
        ("a logo for a bicycle shop", "a menu for a tea house", "the icons of a weather app", "a poster for a choir",
         "the cover of a cookbook", "a booth for a trade fair"),
        ("Figma", "Illustrator", "Typography", "Branding"),
    ),
    Area(
        "writing",
        ("Write", "Edit", "Proofread", "Shorten"),
        ("four articles on beekeeping", "a grant application", "product texts for garden tools",
         "a newsletter on trains", "the manual of a coffee machine", "a speech for an anniversary"),
        ("Copywriting", "Editing", "Research", "SEO"),
    ),
    Area(
        "translation",
        ("Translate", "Localise", "Review the translation of"),
        ("a rental contract from German", "a museum guide into Spanish", "a mobile game into Polish",
         "subtitles from French", "a medical leaflet into Dutch"),
        ("Translation", "German", "Spanish", "Proofreading"),
    ),
    Area(
        "data",
        ("Clean", "Chart", "Label", "Model", "Collect"),
        ("sensor readings of a greenhouse", "ten years of tide tables", "survey answers on public transport",
         "photos of road signs", "sales of a farmers' market"),
        ("Pandas", "SQL", "Statistics", "Excel", "Machine Learning"),
    ),
)  # fmt: skip

_NOUNS = (
    "anchor", "basket", "beacon", "bridge", "button", "canvas", "caption", "cellar", "chapter", "column", "corner",
    "courtyard", "customer", "diagram", "doorway", "drawer", "engine", "feather", "folder", "fountain", "garden",
    "gallery", "handle", "harvest", "hinge", "invoice", "island", "journal", "kettle", "ladder", "lantern", "ledger",
    "letter", "machine", "mailbox", "margin", "market", "meadow", "menu", "mirror", "module", "notebook", "orchard",
    "outline", "package", "paddle", "palette", "parcel", "pattern", "pencil", "pocket", "portrait", "printer",
    "question", "quilt", "receipt", "record", "ribbon", "river", "sample", "saddle", "scanner", "schedule", "sensor",
    "shelter", "shutter", "sketch", "station", "street", "summary", "symbol", "table", "teapot", "ticket", "timber",
    "tower", "traveller", "tunnel", "umbrella", "valley", "vessel", "village", "violin", "wagon", "warehouse",
    "weather", "window", "workshop", "yard", "zebra",
)  # fmt: skip
_ADJECTIVES = (
    "amber", "blunt", "brisk", "broad", "calm", "clear", "coarse", "crisp", "curved", "damp", "dusty", "early", "even",
    "faded", "fine", "flat", "fresh", "gentle", "hollow", "honest", "keen", "late", "light", "loose", "mild", "narrow",
    "neat", "odd", "pale", "plain", "quick", "quiet", "rough", "round", "sharp", "short", "slow", "smooth", "spare",
    "steady", "stiff", "sturdy", "tall", "thin", "tidy", "tight", "warm", "wide", "worn", "young",
)  # fmt: skip
_RELATIONS = ("beside", "behind", "before", "after", "above", "below", "without", "instead of", "next to", "as well as")

WHY = (
    "The one we have breaks when two people use it at once.",
    "Our last supplier stopped halfway, so you would start from a draft.",
    "It should be easy to hand over to somebody who has never seen it.",
    "We have a short style guide and will answer questions on the same day.",
    "Please look at the attached examples before you answer.",
    "Accents such as naïve, façade and über must survive.",
    "Nothing about it is secret; you may show it in your portfolio.",
)
HOW = (
    "Work in small steps and show us something after the first.",
    "Deliver sources as well as the finished files.",
    "We will review each step within two days.",
    "Tell us what you would leave out if time were short.",
    "A short written summary at the end is part of the work.",
)
PEOPLE = ("amber", "basil", "clover", "dahlia", "elder", "fern", "ginger", "hazel", "iris", "juniper")
COMPANIES = ("Harbour & Hill", "Nine Lanterns", "Plum Street Studio", "Quiet Rivers", "Tin Kettle", "Windmill Works")
PLACES = ("Anywhere", "Lisbon", "Kyiv", "Toronto", "Leeds", "Nairobi", "Remote (Europe)")

SLAVIC_VERBS = ("Розробити", "Перекласти", "Намалювати", "Сделать", "Исправить", "Написать")
SLAVIC_THINGS = (
    "сайт для пекарні", "логотип чайної", "каталог садових інструментів", "інструкцію до кавоварки",
    "интернет-магазин велосипедов", "скрипт выгрузки накладных", "статьи о пчеловодстве", "бота для записи к врачу",
)  # fmt: skip
SLAVIC_WHY = (
    "Потрібно здати до кінця місяця, питання обговоримо в чаті.",
    "Є приклади та короткий опис, надішлемо після відповіді.",
    "Предыдущий исполнитель не закончил, есть черновик.",
    "Важна аккуратность, оплата через сейф.",
)
SLAVIC_SKILLS = ("Веб-програмування", "Дизайн сайтів", "Копірайтинг", "Переклад текстів", "Python", "Логотипи")


@dataclass(frozen=True, slots=True)
class Text:
    """Words of one posting."""

    area: str
    title: str
    paragraphs: tuple[str, ...]
    skills: tuple[str, ...]


def english(draw: Draw, number: int) -> Text:
    """Posting number `number` in English; the number makes its title one of a kind."""
    area = draw.pick(AREAS)
    title = f"{draw.pick(area.verbs)} {draw.pick(area.things)}, lot {number + 1}"
    skills = tuple(dict.fromkeys(draw.pick(area.skills) for _ in range(3)))
    first = f"{title}. {draw.pick(WHY)}"
    return Text(area.name, title, (first, _details(draw, draw.between(2, 5)), draw.pick(HOW)), skills)


def _details(draw: Draw, sentences: int) -> str:
    """Sentences that hardly two postings share, so that none is taken for another's copy."""
    found = []
    for _ in range(sentences):
        bits = draw.bits()
        nouns = [_NOUNS[(bits >> shift) % len(_NOUNS)] for shift in (0, 12, 24, 36)]
        first, second = _ADJECTIVES[(bits >> 44) % len(_ADJECTIVES)], _ADJECTIVES[(bits >> 52) % len(_ADJECTIVES)]
        relation = _RELATIONS[(bits >> 58) % len(_RELATIONS)]
        found.append(
            f"The {first} {nouns[0]} of the {nouns[1]} goes {relation} a {second} {nouns[2]} for every {nouns[3]}."
        )
    return " ".join(found)


def slavic(draw: Draw, number: int) -> Text:
    """Posting in Ukrainian or Russian."""
    title = f"{draw.pick(SLAVIC_VERBS)} {draw.pick(SLAVIC_THINGS)}, № {number + 1}"
    skills = tuple(dict.fromkeys(draw.pick(SLAVIC_SKILLS) for _ in range(2)))
    return Text("", title, (f"{title}. {draw.pick(SLAVIC_WHY)}",), skills)
