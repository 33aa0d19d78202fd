"""Marked words: clearly above the mean, never stop words, and the text itself never changes."""

from hypothesis import given
from hypothesis import strategies as st

from indices.attribution import WordSpan
from valuation.review.marks import MOST_MARKS, between, marked_by_meaning, marks, shared_words


class Counts:
    """A store that knows how rare words are."""

    def __init__(self, counts=None, n=1000):
        self.counts, self.n = counts or {}, n

    def document_counts(self, words):
        return {word: self.counts[word] for word in words if word in self.counts}

    def count(self):
        return self.n


def spans(text, weights):
    out, at = [], 0
    for word, weight in weights:
        start = text.index(word, at)
        at = start + len(word)
        out.append(WordSpan(start, at, weight))
    return out


def marked(segments):
    return [text for text, mark in segments if mark]


def whole(segments):
    return "".join(text for text, _ in segments)


def test_words_clearly_above_the_mean_are_marked():
    text = "Fix the login of a WordPress shop today"
    words = spans(
        text, [("Fix", 0.02), ("the", 0.5), ("login", 0.1), ("WordPress", 0.12), ("shop", 0.02), ("today", 0.0)]
    )
    segments = marked_by_meaning(text, words)
    assert marked(segments) == ["login", "WordPress"]  # "the" is a stop word, whatever it contributes
    assert whole(segments) == text


def test_words_side_by_side_are_one_mark():
    text = "Fix WordPress shop, today please"
    words = spans(text, [("Fix", 0.0), ("WordPress", 0.1), ("shop", 0.1), ("today", 0.0), ("please", 0.0)])
    assert marked_by_meaning(text, words) == [("Fix ", False), ("WordPress shop", True), (", today please", False)]


def test_alike_or_negative_contributions_mark_nothing():
    text = "alpha beta gamma"
    for weight in (0.1, -0.1, 0.0):
        words = spans(text, [("alpha", weight), ("beta", weight), ("gamma", weight)])
        assert marked_by_meaning(text, words) == [(text, False)]
    assert marked_by_meaning(text, []) == [(text, False)]
    assert marked_by_meaning("", []) == []


def test_punctuation_and_numbers_are_never_marked():
    text = "— 2024 of x logo page text"
    words = spans(
        text, [("—", 1.0), ("2024", 1.0), ("of", 1.0), ("x", 1.0), ("logo", 0.2), ("page", 0.0), ("text", 0.0)]
    )
    assert marked(marked_by_meaning(text, words)) == ["logo"]


@given(
    st.lists(st.tuples(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), st.floats(-1, 1)), max_size=60)
)
def test_marks_change_no_text_and_are_few(words):
    text = " ".join(word for word, _ in words)
    found, at = [], 0
    for word, weight in words:
        found.append(WordSpan(at, at + len(word), weight))
        at += len(word) + 1
    segments = marked_by_meaning(text, found)
    assert whole(segments) == text
    assert len(marked(segments)) <= MOST_MARKS
    assert all(part for part, _ in segments)


def test_shared_words_are_marked_the_rarest_first_whatever_their_form():
    gig = "Websites and Companies: build a website with ACME tools for the company"
    counts = {"website": 100, "websites": 90, "company": 20, "companies": 10, "acme": 1, "tools": 400, "build": 50}
    segments = shared_words(gig, "I built one Website for a company using acme tool", counts, 1000)
    assert whole(segments) == gig
    assert marked(segments) == ["Websites", "Companies", "website", "ACME", "company"]  # tools: in too many gigs


def test_at_most_twelve_places_are_marked_and_the_rarest_are_kept():
    gig = "acme " + "logo design " * 20
    segments = shared_words(gig, "acme logo", {"acme": 1, "logo": 50}, 1000)
    assert marked(segments) == ["acme logo", *["logo"] * 10]


@given(st.text(), st.text())
def test_shared_words_change_no_text(text, other):
    segments = shared_words(text, other, {}, 10)
    assert whole(segments) == text
    assert len(marked(segments)) <= MOST_MARKS


def test_it_is_said_how_marks_were_found():
    text = "Fix the WordPress login"
    words = spans(text, [("Fix", 0.0), ("the", 0.0), ("WordPress", 0.2), ("login", 0.0)])
    assert marks(text, "a login", Counts(), words).how == "meaning"
    by_words = marks(text, "a login", Counts())
    assert (by_words.how, marked(by_words.segments)) == ("shared words", ["login"])
    nothing = marks(text, "quite different", Counts())
    assert (nothing.how, nothing.segments) == ("none", [(text, False)])


def test_a_part_of_a_marked_text_keeps_its_marks():
    segments = [("Fix ", False), ("login", True), (" page", False)]
    assert between(segments, 0, 100) == segments
    assert between(segments, 4, 9) == [("login", True)]
    assert between(segments, 5, 5) == []
    assert whole(between(segments, 0, 6) + between(segments, 6, 14)) == "Fix login page"
