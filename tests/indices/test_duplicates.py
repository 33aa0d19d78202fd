import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indices.duplicates import bands, duplicate_clusters, normalised
from valuation.errors import InputError

WORDS = [f"w{n}" for n in range(400)]


def clusters(texts, similarity=0.9, seed=7):
    return duplicate_clusters(texts, similarity=similarity, seed=seed).tolist()


def partition(codes, order=None):
    groups = {}
    for position, code in enumerate(codes):
        groups.setdefault(code, set()).add(position if order is None else int(order[position]))
    return {frozenset(group) for group in groups.values()}


def sentence(rng, n):
    return list(rng.choice(WORDS, n))


def brute_force(texts, similarity):
    """Connected components over all pairs."""
    words = [normalised(text).split(" ") for text in texts]
    sets = [{tuple(w[at : at + 3]) for at in range(len(w) - 2)} if len(w) >= 5 else set() for w in words]
    group = list(range(len(texts)))
    for one in range(len(texts)):
        for other in range(one):
            union = len(sets[one] | sets[other])
            close = union and len(sets[one] & sets[other]) / union >= similarity
            if words[one] == words[other] or close:
                group = [group[one] if code == group[other] else code for code in group]
    return group


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Logo-Design,\n URGENT!! ", "logo design urgent"),
        ("snake_case Straße", "snake case strasse"),
        ("?!", "?!"),
        ("", ""),
    ],
)
def test_normalised(text, expected):
    assert normalised(text) == expected


def test_same_text_after_levelling_is_one_also_when_short():
    assert clusters(["Logo design", "web site", "LOGO  design!", "Web, site", "logo"]) == [0, 1, 0, 1, 2]


def test_short_texts_are_one_only_if_the_same():
    assert clusters(["fix my web site", "fix my web page", "fix my web site now"], similarity=0.1) == [0, 1, 2]


def test_texts_without_words_are_not_all_one():
    assert clusters(["🙂", "🙁", "🙂", "..."]) == [0, 1, 0, 2]


def test_codes_are_numbered_by_first_appearance():
    assert clusters(["b", "a", "b", "c", "a"]) == [0, 1, 0, 2, 1]
    assert clusters([]) == []


def test_similarity_is_of_three_word_shingles():
    base = [f"x{n}" for n in range(22)]  # 20 shingles; a changed last word replaces one: 19 shared of 21
    changed = [*base[:-1], "other"]
    texts = [" ".join(base), " ".join(changed)]
    assert clusters(texts, similarity=0.90) == [0, 0]
    assert clusters(texts, similarity=0.91) == [0, 1]
    assert clusters([" ".join(base), " ".join(base[::-1])], similarity=0.01) == [0, 1]


def test_links_are_chained():
    words = [f"x{n}" for n in range(100)]
    texts = [" ".join([*[f"y{n}" for n in range(done)], *words[done:]]) for done in range(9)]
    assert clusters(texts, similarity=0.9) == [0] * 9
    assert clusters([texts[0], texts[8]], similarity=0.9) == [0, 1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), similarity=st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]))
def test_agrees_with_all_pairs(seed, similarity):
    rng = np.random.default_rng(seed)
    bases = [sentence(rng, rng.integers(3, 30)) for _ in range(6)]
    texts = []
    for _ in range(30):
        words = list(bases[rng.integers(6)])
        for _ in range(rng.integers(0, 4)):
            words[rng.integers(len(words))] = WORDS[rng.integers(400)]
        texts.append(" ".join(words))
    found = duplicate_clusters(texts, similarity=similarity, seed=seed)
    assert partition(found) == partition(brute_force(texts, similarity))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_texts_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    base = sentence(rng, 40)
    texts = [" ".join([*base[:cut], *sentence(rng, 40 - cut)]) for cut in rng.integers(10, 41, 60)]
    order = rng.permutation(60)
    shuffled = clusters([texts[row] for row in order], similarity=0.6)
    assert partition(clusters(texts, similarity=0.6)) == partition(shuffled, order)


def planted(n_base, n_copies, seed=0):
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, rng.integers(8, 80))) for _ in range(n_base)]
    origin = rng.integers(0, n_base, n_copies)
    copies = []
    for row in origin:
        words = texts[row].split(" ")
        copies.append(" ".join([*words, "extra"]) if len(words) > 25 else texts[row].upper() + "!")
    return texts, copies, origin


def test_planted_near_duplicates_are_found_and_nothing_else():
    texts, copies, origin = planted(600, 300)
    codes = duplicate_clusters(texts + copies, similarity=0.9, seed=1)
    assert np.array_equal(codes[600:], codes[:600][origin])
    assert codes.max() + 1 == 600


@pytest.mark.slow
def test_one_template_used_thousands_of_times_stays_affordable():
    template = " ".join(f"t{n}" for n in range(60))
    texts = [f"{template} {n} {n * n} {n * 7} {n * 13}" for n in range(2000)]
    started = time.process_time()
    joined = duplicate_clusters(texts, similarity=0.8, seed=1)
    assert set(joined.tolist()) == {0}
    apart = duplicate_clusters(texts, similarity=0.95, seed=1)
    assert apart.max() == 1999
    assert time.process_time() - started < 60  # all 2 million pairs of each call take longer


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.8, 0.9, 0.99])
def test_bands_find_pairs_at_the_threshold(similarity):
    many, rows = bands(similarity)
    assert many * rows <= 128
    assert 1 - (1 - similarity**rows) ** many >= 0.999


@pytest.mark.parametrize("similarity", [0.0, -1.0, 1.01, float("nan")])
def test_similarity_out_of_range_is_refused(similarity):
    with pytest.raises(InputError, match="expected a number in"):
        duplicate_clusters(["a"], similarity=similarity, seed=1)


def test_a_megabyte_of_text():
    long = "word " * 200_000
    other = " ".join(map(str, range(150_000)))
    assert clusters([long, other, long.upper(), other + " end"]) == [0, 1, 0, 1]
