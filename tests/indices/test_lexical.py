import numpy as np
import pytest

from indices.lexical import Lexical, fit_lexical
from indices.scope import NAMES, scope
from valuation.errors import InputError

TOPICS = ["python scraper data", "logo brand design", "wordpress plugin php", "c++ engine unreal", "c# unity game"]


def texts(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return [
        " ".join(rng.permutation((TOPICS[row % 5] + " fix help build need site app").split())[:6]) for row in range(n)
    ]


def fit_words(basket, *, components, seed):
    """Components at weight one, without amounts of work."""
    return fit_lexical(basket, components=components, seed=seed, weight=1.0, scope_weight=0.0)


@pytest.fixture(scope="module")
def fitted():
    return fit_words(texts(), components=10, seed=3)


def test_texts_of_a_kind_are_alike(fitted):
    rows = fitted.transform(["need a python scraper", "python data scraper", "logo and brand design"])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.8 > 0.2 > unit[0] @ unit[2]


def test_components_are_those_of_the_weights():
    from sklearn.feature_extraction.text import TfidfVectorizer

    ours = fit_words(texts(), components=30, seed=3).transform(texts())
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"(?u)\b\w[\w+#]*")
    weights = vectorizer.fit_transform(texts()).toarray()
    _, size, right = np.linalg.svd(weights, full_matrices=False)
    np.testing.assert_allclose(np.abs(ours[:, :3]), np.abs(weights @ right[:3].T), atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=0)[:3], size[:3], rtol=1e-3)


def test_a_word_counts_less_each_time_it_comes_again(fitted):
    once, often = fitted.transform(["logo wordpress", "logo logo logo logo logo logo logo logo wordpress"])
    unit = [row / np.linalg.norm(row) for row in (once, often)]
    assert 0.8 < unit[0] @ unit[1] < 0.999


def test_languages_of_one_letter_are_words(fitted):
    assert {"c++", "c#"} <= set(fitted.terms)
    one, other = fitted.transform(["c++ engine", "c# engine"])
    assert not np.allclose(one, other)


def test_a_text_alone_or_in_company_gets_the_same_figures(fitted):
    some = texts(50, seed=9)
    assert np.array_equal(fitted.transform(some), np.vstack([fitted.transform([text]) for text in some]))


def test_the_order_of_the_basket_does_not_matter(fitted):
    again = fit_words(texts()[::-1], components=10, seed=3)
    assert again.terms == fitted.terms
    assert np.array_equal(again.components, fitted.components)


def test_saved_and_loaded_gives_the_same_figures_and_bytes(fitted, tmp_path):
    fitted.save(tmp_path / "one.npz")
    loaded = Lexical.load(tmp_path / "one.npz")
    assert np.array_equal(loaded.transform(texts()), fitted.transform(texts()))
    assert (loaded.terms, loaded.requested) == (fitted.terms, 10)
    loaded.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_no_components(tmp_path):
    none = fit_words(texts(), components=0, seed=1)
    none.save(tmp_path / "none.npz")
    assert Lexical.load(tmp_path / "none.npz").transform(["a b", "c"]).shape == (2, 0)


@pytest.mark.parametrize(
    ("basket", "dimension"),
    [
        (["logo one", "logo two"], 0),
        (["alpha", "beta"], 0),
        (["", "..."], 0),
        ([], 0),
        (["logo brand"] * 3, 1),
        (texts(), None),
    ],
)
def test_more_components_than_the_texts_give_are_reduced_and_told(basket, dimension):
    fit = fit_words(basket, components=500, seed=1)
    expected = min(len(basket), len(fit.terms)) if dimension is None else dimension
    assert (fit.requested, fit.dimension) == (500, expected)
    assert fit.transform(["logo"]).shape == (1, expected)
    assert np.isfinite(fit.transform(["logo"])).all()


def test_unknown_words_are_zero(fitted):
    assert not fitted.transform(["zzz qqq"]).any()
    assert fitted.transform([]).shape == (0, 10)


def test_negative_components_are_refused():
    with pytest.raises(InputError, match="components -1"):
        fit_words(["a"], components=-1, seed=1)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04cut"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "lexical.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="lexical.npz: not readable .*delete .* and run again"):
        Lexical.load(path)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_in_the_file_is_not_opened(tmp_path):
    path, sprung = tmp_path / "lexical.npz", tmp_path / "sprung"
    np.savez(
        path, terms=np.array([Trap(sprung)], dtype=object), idf=np.ones(1), components=np.ones((1, 1)), requested=1,
        weight=1.0, scope_scale=np.zeros(0),
    )  # fmt: skip
    with pytest.raises(InputError, match="not readable"):
        Lexical.load(path)
    assert not sprung.exists()


def test_a_missing_file_or_parts_that_do_not_fit_are_named(tmp_path, fitted):
    with pytest.raises(InputError, match="no such file"):
        Lexical.load(tmp_path / "none.npz")
    Lexical(fitted.terms, fitted.idf[:-1], fitted.components, 10, 1.0, np.zeros(0)).save(tmp_path / "odd.npz")
    with pytest.raises(InputError, match="do not fit together"):
        Lexical.load(tmp_path / "odd.npz")
    Lexical(fitted.terms, fitted.idf, fitted.components, 10, 1.0, np.ones(3)).save(tmp_path / "odd.npz")
    with pytest.raises(InputError, match="do not fit together"):
        Lexical.load(tmp_path / "odd.npz")


def sized(n=120):
    """Texts of which some state pages, and others hours."""
    amounts = ["3 pages", "40 pages", "8 hours", "soon"]
    return [f"{text} in {amounts[row % 4]}" for row, text in enumerate(texts(n))]


def test_the_weight_multiplies_the_components_alone(fitted):
    heavy = fit_lexical(texts(), components=10, seed=3, weight=2.0, scope_weight=0.0)
    assert np.array_equal(heavy.transform(texts()), 2.0 * fitted.transform(texts()))
    both = [fit_lexical(sized(), components=5, seed=3, weight=w, scope_weight=0.5).transform(sized()) for w in (1, 3)]
    assert np.array_equal(3.0 * both[0][:, :5], both[1][:, :5])
    assert np.array_equal(both[0][:, 5:], both[1][:, 5:])


def test_amounts_of_work_come_last_at_the_spread_asked_for():
    fit = fit_lexical(sized(), components=5, seed=3, weight=1.0, scope_weight=0.2)
    amounts = fit.transform(sized())[:, 5:]
    measured = scope(sized())
    varies = measured.std(axis=0) > 0
    np.testing.assert_allclose(amounts.std(axis=0)[varies], 0.2, rtol=1e-9)
    assert varies.sum() == 4  # noqa: PLR2004 - pages and hours, stated and how many
    assert not amounts[:, ~varies].any()
    np.testing.assert_allclose(amounts, measured * fit.scope_scale)
    assert fit.dimension == 5 + len(NAMES)


def test_amounts_that_the_basket_never_states_stay_nothing():
    fit = fit_lexical(texts(), components=5, seed=3, weight=1.0, scope_weight=0.2)
    assert not fit.transform(["7 pages in 3 hours"])[:, 5:].any()
    assert np.isfinite(fit.scope_scale).all()


def test_the_scale_of_amounts_is_the_basket_s_not_the_text_s():
    fit = fit_lexical(sized(), components=0, seed=3, weight=1.0, scope_weight=0.2)
    assert np.array_equal(fit.transform(sized())[:1], fit.transform(sized()[:1]))
    assert fit_lexical([], components=0, seed=3, weight=1.0, scope_weight=0.2).transform(["2 pages"]).any() == np.False_


def test_weight_and_scale_are_saved(tmp_path):
    fit = fit_lexical(sized(), components=5, seed=3, weight=2.0, scope_weight=0.2)
    fit.save(tmp_path / "one.npz")
    loaded = Lexical.load(tmp_path / "one.npz")
    assert (loaded.weight, loaded.dimension) == (2.0, fit.dimension)
    assert np.array_equal(loaded.transform(sized()), fit.transform(sized()))
