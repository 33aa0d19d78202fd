"""Numbers that come from no table of the run: thresholds of the warnings, and what the published study printed.

The report shows them through the same traced elements as all other numbers, with ``constant:NAME:value`` as source.
"""

from __future__ import annotations

# Thresholds of the warning rules, each with its reason.
MIN_EFFECTIVE = 30.0  # under about 30 clusters, a normal interval is too short (METHOD section 7)
MIX_DISTANCE = (
    0.3  # total variation: three sessions in ten changed kind within a month; no series survives that unnoticed
)
MIX_CATEGORIES = 20  # attributes with more values than that are names, not kinds
MIX_NOISE = 3.0  # the distance must also exceed three times what two random samples of these sizes show
LENGTH_CHANGE = 0.25  # a quarter longer or shorter: with an elasticity of 0.3 that alone moves values by 7 %
LENGTH_CORRELATION = 0.25  # in a first real run value and log length correlated 0.31 and it mattered
MATCHED_FALL = 0.05  # five points fewer matched: the bounds for the unmatched then dominate sampling error
OVERLAP = 0.2  # under a fifth of users seen at both ends, growth compares different people
ONE_USER = 0.5  # the disclosure rule's limit: more than half of a month is one person's work
SLOPE_LOW, SLOPE_HIGH = 0.85, 1.15  # what the project accepts of a pricer on held-out postings
HUB_SHARE = 0.2  # the top 1 % of postings carrying a fifth of all weight is twenty times an even spread
COVERAGE_MISS = 0.02  # held-out coverage of the single-posting band must lie within two points of its level
COMMON_USERS = 10  # fewer people seen at both ends than that say little of the same people over time
VERY_FEW = 10.0  # effective clusters under which even widened intervals cover too little in simulations
SAME_SIGN = 0.95  # one specification in twenty the other way round may be chance; more is a finding
UNMATCHED_HIGH = 0.15  # a seventh of the sessions without a value leaves bounds wider than most intervals
SIGN_SERIOUS = 0.75  # a quarter of the specifications the other way round
UNMATCHED_MUCH = 0.3  # three sessions in ten without a value: the figure is about the rest, however steady the share
UNMATCHED_RISE = 0.02  # two points more of them between the end months
BALANCED_LEAST = 0.5  # of the components: in simulated worlds with fewer the doubly robust interval was too short
TILT_LOW, TILT_HIGH = 0.85, 1.15  # growth measured on held-out postings, against the growth of their actual prices
RESPONSE_LEAST = 0.7  # with three in ten audited sessions without a value the bounds are as wide as most intervals
RESPONSE_APART = 0.1  # a tenth more of them in one month can move growth as far as its interval
AUDITED_LEAST = 30.0  # a month; about as few as simulations tried: with 25 intervals covered 0.94
PRECISION_LEAST = 0.5  # under it most gigs are of other work
AGREEMENT_LEAST = 0.4  # Krippendorff concludes nothing under 0.667; under 0.4 one analyst's verdict says little
SUM_GAP = 1e-6  # log points: contributions and values are sums of the same numbers
FULL_TEXT = 300  # characters from which the pricer card calls a posting fully described
COVERED_LOW = 0.8  # a fixed mix of less than four fifths of a month says little of the month
MIN_CELL_SESSIONS = 15.0  # disclosure minimum where the manifest does not name one (METHOD section 11)
MIN_CELL_USERS = 5.0
SERIES_LEVEL = 0.95
CAVEAT = "A relative, coarse measure: never a wage, an invoice or a saving."  # under every figure and table that leaves
BAND_LEVEL = 0.90

CONSTANTS: dict[str, float] = {
    "index_base": 100.0,
    "min_effective": MIN_EFFECTIVE,
    "mix_distance": MIX_DISTANCE,
    "length_change": LENGTH_CHANGE,
    "length_correlation": LENGTH_CORRELATION,
    "matched_fall": MATCHED_FALL,
    "overlap": OVERLAP,
    "one_user": ONE_USER,
    "slope_low": SLOPE_LOW,
    "slope_high": SLOPE_HIGH,
    "hub_share": HUB_SHARE,
    "hub_top": 0.01,
    "coverage_miss": COVERAGE_MISS,
    "common_users": COMMON_USERS,
    "very_few": VERY_FEW,
    "same_sign": SAME_SIGN,
    "unmatched_high": UNMATCHED_HIGH,
    "unmatched_much": UNMATCHED_MUCH,
    "unmatched_rise": UNMATCHED_RISE,
    "balanced_least": BALANCED_LEAST,
    "tilt_low": TILT_LOW,
    "tilt_high": TILT_HIGH,
    "one": 1.0,
    "response_least": RESPONSE_LEAST,
    "response_apart": RESPONSE_APART,
    "audited_least": AUDITED_LEAST,
    "precision_least": PRECISION_LEAST,
    "agreement_least": AGREEMENT_LEAST,
    "full_text": FULL_TEXT,
    "placebo_level": 0.95,
    "series_level": SERIES_LEVEL,
    "band_level": BAND_LEVEL,
    # The published study (June 2026), METHOD section 0.
    "study_sessions": 398198,
    "study_users": 234751,
    "study_growth": 0.27,
    "study_growth_build": 0.43,
    "study_growth_operate": 0.34,
    "study_growth_fix": 0.32,
    "study_growth_communicate": 0.02,
    "study_holdout": 999,
    "study_r2": 0.38,
    "study_r2_lower": 0.32,
    "study_r2_upper": 0.44,
    "study_bias_tier_0": 2.39,
    "study_bias_tier_1": 1.10,
    "study_bias_tier_2": 0.53,
    "study_bias_tier_3": 0.14,
    "study_tier_0": 10,
    "study_tier_1": 200,
    "study_tier_2": 1000,
    "study_tier_3": 5000,
    "study_tier_4": 50000,
}
