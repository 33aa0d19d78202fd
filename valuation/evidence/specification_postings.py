"""Which postings of the basket a block keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import ThinMatchError
from valuation.evidence.specifications import WHOLE, WITHOUT

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from valuation.evidence.specifications import Block

FULL_TEXT = 300
"""Characters from which a description counts as full."""


def posting_filter(rows: pd.DataFrame, postings: pd.DataFrame, block: Block) -> NDArray[np.int64]:
    """Rows of the basket that a block keeps, ascending.

    Parameters
    ----------
    rows : DataFrame
        The basket's clusters (see `Basket.rows`).
    postings : DataFrame
        A Postings table that has every posting_id of `rows`: dates and descriptions.
    block : Block
        Its filter and truncation; prices are cut at quantiles of the whole basket.

    Raises
    ------
    ThinMatchError
        Nothing is left.
    """
    known = postings.set_index("posting_id").loc[rows["posting_id"]]
    keep = np.ones(len(rows), dtype=bool)
    if block.basket.startswith(WITHOUT):
        keep = (rows["source"] != block.basket.removeprefix(WITHOUT)).to_numpy()
    elif block.basket in ("first_half", "last_half"):
        early = (known["posted_at"] <= known["posted_at"].quantile(0.5, interpolation="lower")).to_numpy()
        keep = early if block.basket == "first_half" else ~early
    elif block.basket == "full_text":
        keep = (known["description"].fillna("").str.strip().str.len() >= FULL_TEXT).to_numpy()
    elif block.basket != WHOLE:
        raise ValueError(f"unknown part of the basket: {block.basket}")
    if block.truncation:
        log_price = rows["log_price"]
        ends = log_price.quantile([block.truncation, 1 - block.truncation])
        keep = keep & log_price.between(*ends).to_numpy()
    if not keep.any():
        raise ThinMatchError(f"no posting is left in the basket {block.basket}")
    return np.flatnonzero(keep)
