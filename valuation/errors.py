"""The one error tree. A message says the value, what was expected and what to do.

::

    ValuationError                exit status 1
    ├── InputError                a file, a row or a table is not what it should be
    ├── EnvironmentFault          disk, lock, missing model: the machine, not the data
    ├── ThinMatchError            too little to estimate what was asked for
    ├── BelowExpectation          exit status 3: a crawl did less than it should
    └── ConfigError               exit status 2: a setting, flag or mapping
"""

from __future__ import annotations


class ValuationError(Exception):
    """Base of every error that is the user's to mend: shown as one line, never as a trace-back."""

    exit_status = 1


class InputError(ValuationError):
    """A file, a row or a table is not what it should be."""


class EnvironmentFault(ValuationError):
    """The machine cannot do it now: no space, a lock held by another run, a model that is not there."""


class ThinMatchError(ValuationError):
    """Too few postings, sessions or users to estimate what was asked for."""


class ConfigError(ValuationError):
    """A setting, a flag or a mapping is unknown, misspelt or out of range."""

    exit_status = 2


class BelowExpectation(ValuationError):
    """The work was done and its results are written, but they are less than they should be: a half-working crawl."""

    exit_status = 3
