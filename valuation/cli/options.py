"""The options that every verb takes, before or after it, and the decorator that adds them."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from valuation.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        help="The workspace. Default: VALUATION_WORKSPACE, else the current folder.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change one setting for this call; repeatable."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")]

EVERYWHERE = {
    "workspace": (WorkspaceOption, None),
    "set_": (SetOption, None),
    "as_json": (JsonOption, False),
    "quiet": (QuietOption, False),
}


@dataclass(frozen=True, slots=True)
class Call:
    """What stands on the command line beside the verb's own arguments.

    Attributes
    ----------
    workspace : str or None
        As given; the last one wins.
    overrides : tuple of str
        ``section.key=value``, in the order given.
    as_json, quiet : bool
        Given anywhere.
    """

    workspace: str | None = None
    overrides: tuple[str, ...] = ()
    as_json: bool = False
    quiet: bool = False

    @property
    def root(self) -> str:
        """The workspace's folder: the option, else the environment's, else the current one."""
        return self.workspace or os.environ.get("VALUATION_WORKSPACE") or "."

    def without_workspace(self, verb: str) -> None:
        """Refuse, rather than ignore, the options that `verb` has no use for.

        Raises
        ------
        ConfigError
            ``--workspace`` or ``--set`` was given to a verb that makes its own folder.
        """
        if self.workspace is not None:
            raise ConfigError(f"valuation {verb} takes its folder as DIR, not as --workspace {self.workspace}")
        if self.overrides:
            raise ConfigError(
                f"valuation {verb} takes no --set (got {self.overrides[0]}); put settings into DIR/valuation.toml"
            )


def with_call(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb, whose first parameter is a `Call`, the options of `EVERYWHERE`.

    What is given before the verb reaches it through the context's ``obj``; what is given after it is merged in here.
    """
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in EVERYWHERE.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    def verb(context: typer.Context, **given: Any) -> None:  # noqa: ANN401 - the parser's own names and types
        said = {name: given.pop(name) for name in EVERYWHERE}
        context.obj = _merged(context.obj or Call(), **said)
        function(context.obj, **given)

    verb.__signature__ = signature.replace(parameters=[context, *own, *added])  # type: ignore[attr-defined]
    verb.__annotations__ = {p.name: p.annotation for p in [context, *own, *added]} | {"return": None}
    verb.__name__, verb.__doc__, verb.__module__ = function.__name__, function.__doc__, function.__module__
    return verb


def listed(given: str) -> tuple[str, ...]:
    """Split a comma-separated option; blanks around the names are dropped."""
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _merged(before: Call, *, workspace: str | None, set_: list[str] | None, as_json: bool, quiet: bool) -> Call:
    """Lay the options of one level over those before it."""
    return replace(
        before,
        workspace=workspace if workspace is not None else before.workspace,
        overrides=(*before.overrides, *(set_ or ())),
        as_json=as_json or before.as_json,
        quiet=quiet or before.quiet,
    )
