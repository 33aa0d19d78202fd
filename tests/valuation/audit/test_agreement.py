"""Agreement of analysts on an audit's verdicts: units, missing ones, users, and what is said of too few."""

import numpy as np
import pandas as pd
import pytest

from valuation.audit.agreement import NOMINAL, agreement

HOW = {"seed": 3, "replicates": 199, "level": 0.95}
NO_VALUES = pd.DataFrame({"session_id": [], "analyst": [], "log_value": []})


def judged(rows):
    """Rows (session, posting, analyst, verdict)."""
    return pd.DataFrame(rows, columns=["session_id", "posting_id", "analyst", "verdict"])


def drawn(units, same, seed):
    """Two analysts who choose alike with probability `same`, sessions of three gigs, users of two sessions."""
    rng = np.random.default_rng(seed)
    first = rng.choice(NOMINAL, units, p=[0.6, 0.15, 0.15, 0.1])
    second = np.where(rng.random(units) < same, first, rng.choice(NOMINAL, units, p=[0.6, 0.15, 0.15, 0.1]))
    ids = [(f"s{at // 3:03d}", f"p{at % 3}") for at in range(units)]
    judges = (("ada", first), ("bo", second))
    rows = [(*one, name, verdict) for name, of in judges for one, verdict in zip(ids, of, strict=True)]
    return judged(rows), {f"s{at:03d}": f"u{at // 2}" for at in range(units)}


def of(report, measure):
    return {row.measure: row for row in report.rows}[measure]


def test_figures_are_those_of_a_small_table_done_by_hand():
    """Five pairs: four judged alike (3 comparable, 1 wrong kind), one comparable against wrong kind."""
    same = ["comparable"] * 3 + ["wrong_kind"]
    rows = [(f"s{at}", "p", name, verdict) for at, verdict in enumerate(same) for name in ("ada", "bo")]
    rows += [("s4", "p", "ada", "comparable"), ("s4", "p", "bo", "wrong_kind")]
    report = agreement(judged(rows), NO_VALUES, {}, **HOW)
    alpha = of(report, "alpha_nominal")
    assert (alpha.n_units, alpha.n_users, alpha.reason) == (5, 5, "")
    assert alpha.estimate == pytest.approx(1 - 9 * 2 / (2 * 7 * 3))  # 7 comparable and 3 wrong kind of 10 values
    chance = (0.7 * 0.3 + 0.3 * 0.7) / 3
    assert of(report, "ac1_nominal").estimate == pytest.approx((0.8 - chance) / (1 - chance))
    ordinal = of(report, "alpha_ordinal")  # wrong kind has no place in the order; what is left is all comparable
    assert np.isnan(ordinal.estimate) and ordinal.n_units == 3
    assert ordinal.reason == "all judgements are the same: agreement cannot be told from chance"
    prices = of(report, "alpha_log_price")
    assert (prices.n_units, prices.reason) == (0, "0 judged twice, 2 needed") and np.isnan(prices.estimate)
    assert report.cant_say_rate == 0.0


def test_order_decides_the_ordinal_alpha():
    """A disagreement over two steps counts for more than one over one step."""

    def report(last):
        rows = [(f"s{at}", "p", name, verdict)
                for at, verdict in enumerate(["session_smaller", "comparable", "session_larger"] * 2)
                for name in ("ada", "bo")]  # fmt: skip
        rows += [("s9", "p", "ada", "session_smaller"), ("s9", "p", "bo", last)]
        return agreement(judged(rows), NO_VALUES, {}, **HOW)

    near, far = report("comparable"), report("session_larger")
    assert of(near, "alpha_nominal").estimate == pytest.approx(of(far, "alpha_nominal").estimate)
    assert of(near, "alpha_ordinal").estimate > of(far, "alpha_ordinal").estimate + 0.1


def test_cant_say_is_missing_and_counted():
    rows = [
        (f"s{at}", "p", name, "comparable" if at < 2 else "wrong_kind") for at in range(4) for name in ("ada", "bo")
    ]
    before = agreement(judged(rows), NO_VALUES, {}, **HOW)
    rows += [("s8", "p", "ada", "cant_say"), ("s8", "p", "bo", "comparable"), ("s9", "p", "ada", "cant_say")]
    after = agreement(judged(rows), NO_VALUES, {}, **HOW)
    assert of(after, "alpha_nominal") == of(before, "alpha_nominal")
    assert of(after, "ac1_nominal") == of(before, "ac1_nominal")
    assert after.cant_say_rate == pytest.approx(1 / 10)  # s9 was judged once


def test_verdicts_on_whole_sessions_are_not_pairs():
    rows = [(f"s{at}", None, name, "comparable") for at in range(4) for name in ("ada", "bo")]
    report = agreement(judged(rows), NO_VALUES, {}, **HOW)
    assert of(report, "alpha_nominal").n_units == 0 and np.isnan(report.cant_say_rate)


def test_values_agree_on_the_log_scale():
    values = pd.DataFrame(
        [(f"s{at}", name, base + off) for at, base in enumerate([4.0, 5.0, 6.0, 7.0])
         for name, off in (("ada", 0.1), ("bo", -0.1))] + [("s7", "ada", 9.0), ("s8", "ada", np.nan)],
        columns=["session_id", "analyst", "log_value"],
    )  # fmt: skip
    row = of(agreement(judged([]), values, {}, **HOW), "alpha_log_price")
    within, all_ = 4 * 0.2**2, 2 * (1.5**2 + 0.5**2) * 2 + 8 * 0.1**2  # pairs' squared differences; squares about 5.5
    assert row.estimate == pytest.approx(1 - (within * 2 / 8) / (2 * all_ / 7))
    assert row.n_units == 4 and row.lower < row.estimate <= row.upper


def test_order_of_rows_does_not_matter_and_the_seed_does():
    verdicts, user_of = drawn(60, 0.7, 1)
    first = agreement(verdicts, NO_VALUES, user_of, **HOW)
    shuffled = agreement(verdicts.sample(frac=1, random_state=4), NO_VALUES, user_of, **HOW)
    assert repr(shuffled) == repr(first)  # NaN is not equal to itself
    other = agreement(verdicts, NO_VALUES, user_of, **(HOW | {"seed": 4}))
    assert of(other, "alpha_nominal").estimate == of(first, "alpha_nominal").estimate
    assert of(other, "alpha_nominal").lower != of(first, "alpha_nominal").lower


def test_one_user_gives_no_interval():
    verdicts, user_of = drawn(60, 0.7, 1)
    row = of(agreement(verdicts, NO_VALUES, dict.fromkeys(user_of, "u"), **HOW), "alpha_nominal")
    assert np.isfinite(row.estimate) and np.isnan(row.lower) and row.reason == "all from one user: no interval"


def test_perfect_and_chance_agreement():
    perfect, user_of = drawn(90, 1.0, 2)
    report = agreement(perfect, NO_VALUES, user_of, **HOW)
    assert [of(report, name).estimate for name in ("alpha_nominal", "ac1_nominal", "alpha_ordinal")] == [1.0] * 3
    chance, user_of = drawn(900, 0.0, 3)
    row = of(agreement(chance, NO_VALUES, user_of, **HOW), "alpha_nominal")
    assert abs(row.estimate) < 0.1 and row.lower < 0 < row.upper


@pytest.mark.slow
def test_intervals_hold_the_agreement_of_many_audits():
    """Alpha of endless pairs is the probability of choosing alike on purpose; 50 users of six pairs."""
    held = []
    for seed in range(300):
        verdicts, user_of = drawn(300, 0.6, seed)
        row = of(agreement(verdicts, NO_VALUES, user_of, **(HOW | {"seed": seed})), "alpha_nominal")
        held.append(row.lower <= 0.6 <= row.upper)
    assert 0.95 - 4 * 0.0126 < np.mean(held) < 0.95 + 3 * 0.0126
