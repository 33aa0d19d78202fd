"""What a warning is, and how its sentence is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from valuation.report.provenance import key_of, traced

if TYPE_CHECKING:
    from collections.abc import Mapping

Severity = Literal["serious", "caution", "note"]


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 (the name without underscore is a built-in)
    """A warning that fired.

    Attributes
    ----------
    code : str
        The rule.
    subject : str
        What it fired on, where a rule can fire more than once; else ''.
    severity : {'serious', 'caution', 'note'}
        serious: the headline may not mean what it says; caution: read it with this in mind; note: good to know.
    title : str
        A few words.
    sentence : Markup
        The finding, every number traced.
    numbers : mapping of str to float
        The numbers of the sentence; ``warning:CODE,SUBJECT:NAME`` is their source.
    """

    code: str
    subject: str
    severity: Severity
    title: str
    sentence: Markup
    numbers: Mapping[str, float]


def warning(
    code: str,
    severity: Severity,
    title: str,
    template: str,
    numbers: Mapping[str, tuple[float, str]],
    words: Mapping[str, Markup] | None = None,
    subject: str = "",
) -> Warning_:
    """Fill `template` with traced numbers (value, style), words, and ``limit_…`` constants given as words."""
    row = key_of(code, subject)
    shown = {name: traced(value, f"warning:{row}:{name}", style) for name, (value, style) in numbers.items()}
    sentence = Markup(template).format(**shown, **(words or {}))  # noqa: S704 (templates are literals of this module)
    return Warning_(code, subject, severity, title, sentence, {name: value for name, (value, _) in numbers.items()})
