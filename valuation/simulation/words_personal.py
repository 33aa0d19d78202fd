"""Sessions that no posting resembles."""

from __future__ import annotations

PERSONAL = (
    "Composed a birthday poem for {who} in rhyming verse about {what}.",
    "Chatted about a recipe for {food} and swapped the butter for olive oil.",
    "Wrote a love letter to {who}, tender and a little sad, recalling {what}.",
    "Talked over a strange dream of {what} and what it might mean.",
    "Suggested names for a newborn kitten that adores {what} and {food}.",
    "Consoled the person after a quarrel with {who} and listened.",
    "Told a bedtime story in which a dragon eats {food} beside {what}.",
    "Wondered whether {who} would enjoy {food} at the picnic by {what}.",
    "Invented a limerick on {food} and {who}.",
)
PERSONAL_TAILS = (
    "It ended with a laugh.",
    "Grandmother's spices were mentioned fondly.",
    "The stars and the moonlight came up again and again.",
    "A second stanza was more cheerful.",
    "They said goodnight afterwards.",
    "Cinnamon was preferred to nutmeg.",
    "",
)
WHO = ("grandmother", "an old friend", "a beloved sister", "the neighbour's daughter", "a retired uncle", "a godchild")
WHAT = ("the autumn moon", "a lighthouse", "wild geese", "the old orchard", "summer rain", "a lost teddy bear")
FOOD = ("lentil soup", "apple strudel", "mushroom risotto", "plum dumplings", "sourdough bread", "lemon cake")
