import numpy as np
import pytest

from indices.lexical import Lexical, fit_lexical
from valuation.errors import InputError

TOPICS = ["python scraper data", "logo brand design", "wordpress plugin php", "c++ engine unreal", "c# unity game"]


def texts(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return [
        " ".join(rng.permutation((TOPICS[row % 5] + " fix help build need site app").split())[:6]) for row in range(n)
    ]


@pytest.fixture(scope="module")
def fitted():
    return fit_lexical(texts(), components=10, seed=3)


def test_texts_of_a_kind_are_alike(fitted):
    rows = fitted.transform(["need a python scraper", "python data scraper", "logo and brand design"])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.8 > 0.2 > unit[0] @ unit[2]


def test_components_are_those_of_the_weights(fitted):
    from sklearn.feature_extraction.text import TfidfVectorizer

    ours = fitted.transform(texts())
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
    again = fit_lexical(texts()[::-1], components=10, seed=3)
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
    none = fit_lexical(texts(), components=0, seed=1)
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
    fit = fit_lexical(basket, components=500, seed=1)
    expected = min(len(basket), len(fit.terms)) if dimension is None else dimension
    assert (fit.requested, fit.dimension) == (500, expected)
    assert fit.transform(["logo"]).shape == (1, expected)
    assert np.isfinite(fit.transform(["logo"])).all()


def test_unknown_words_are_zero(fitted):
    assert not fitted.transform(["zzz qqq"]).any()
    assert fitted.transform([]).shape == (0, 10)


def test_negative_components_are_refused():
    with pytest.raises(InputError, match="components -1"):
        fit_lexical(["a"], components=-1, seed=1)


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
        path, terms=np.array([Trap(sprung)], dtype=object), idf=np.ones(1), components=np.ones((1, 1)), requested=1
    )
    with pytest.raises(InputError, match="not readable"):
        Lexical.load(path)
    assert not sprung.exists()


def test_a_missing_file_or_parts_that_do_not_fit_are_named(tmp_path, fitted):
    with pytest.raises(InputError, match="no such file"):
        Lexical.load(tmp_path / "none.npz")
    Lexical(fitted.terms, fitted.idf[:-1], fitted.components, 10).save(tmp_path / "odd.npz")
    with pytest.raises(InputError, match="do not fit together"):
        Lexical.load(tmp_path / "odd.npz")
