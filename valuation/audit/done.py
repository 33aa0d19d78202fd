"""When nothing is left to ask an analyst of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valuation.verdicts import COMPARABLE, WHOLE_SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def is_done(said: Mapping[str, str], shown: Sequence[str]) -> bool:
    """Whether nothing is left to ask of a session.

    That is so when the session as a whole is judged, or every gig shown is and one of them is comparable: else the
    analyst has not said yet what the session is worth, or that they cannot say.

    Parameters
    ----------
    said : mapping of str to str
        Standing verdicts by posting_id, ``''`` for the session as a whole.
    shown : sequence of str
        posting_ids on the page.
    """
    if WHOLE_SESSION in said:
        return True
    return bool(shown) and all(one in said for one in shown) and COMPARABLE in said.values()
