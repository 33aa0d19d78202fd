"""As much of GraphQL as a job search needs: which fields a query selects, and the arguments it writes out."""

from __future__ import annotations

import json
import re
from typing import Any

Selection = dict[str, "Selection"]
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[{}()\[\]:,!=$@]|[^\s{}()\[\]:,!=$@"]+')


class QueryError(ValueError):
    """A query that cannot be answered."""


def selections(query: str) -> tuple[Selection, str]:
    """Fields that a query selects, as a tree, and the text of its first field's arguments.

    Raises
    ------
    QueryError
        Braces that do not match, or no query at all.

    >>> selections("query Q($n: Int) { search(first: $n) { edges { node { id title } } } }")
    ({'search': {'edges': {'node': {'id': {}, 'title': {}}}}}, 'first : $ n')
    """
    tokens = _TOKEN.findall(re.sub(r"#[^\n]*", "", query))
    place, arguments = 0, ""
    while place < len(tokens) and tokens[place] != "{":
        place = _closing(tokens, place) + 1 if tokens[place] == "(" else place + 1
    if place >= len(tokens):
        raise QueryError("Invalid Syntax : offending token '<EOF>'")
    if "(" in tokens[place:]:
        start = tokens.index("(", place)
        arguments = " ".join(tokens[start + 1 : _closing(tokens, start)])
    tree, end = _fields(tokens, place + 1)
    if end != len(tokens):
        raise QueryError(f"Invalid Syntax : offending token '{tokens[end][:20]}'")
    return tree, arguments


def _closing(tokens: list[str], start: int) -> int:
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place] == "(") - (tokens[place] == ")")
        if depth == 0:
            return place
    raise QueryError("Invalid Syntax : offending token '<EOF>'")


def _fields(tokens: list[str], place: int, depth: int = 0) -> tuple[Selection, int]:
    found: Selection = {}
    name = ""
    while place < len(tokens):
        token = tokens[place]
        if token == "}":
            return found, place + 1
        if token == "{":
            if not name or depth > 20:
                raise QueryError("Invalid Syntax : offending token '{'")
            found[name], place = _fields(tokens, place + 1, depth + 1)
            name = ""
        elif token == "(":
            place = _closing(tokens, place) + 1
        elif token in (":", ","):
            place += 1
        else:
            name, place = token, place + 1
            found.setdefault(name, {})
    raise QueryError("Invalid Syntax : offending token '<EOF>'")


def inline(arguments: str, name: str) -> str | None:
    """Value of an argument that the query writes out itself.

    >>> inline('marketPlaceJobFilter : { pagination_eq : { after : "100" , first : 50 } }', "first")
    '50'
    """
    found = re.search(rf'\b{name} : (?:"((?:[^"\\]|\\.)*)"|([\w.-]+))', arguments)
    return (found[1] if found[1] is not None else found[2]) if found else None


def choose(value: Any, wanted: Selection, path: str) -> Any:  # noqa: ANN401  # JSON
    """As much of a value as is selected.

    Raises
    ------
    QueryError
        A field that does not exist, an object without selection, or a selection in a plain value.
    """
    if isinstance(value, list):
        return [choose(item, wanted, path) for item in value]
    if value is None:
        return None
    if not isinstance(value, dict):
        if wanted:
            raise QueryError(f"Validation error (SubselectionNotAllowed@[{path}]) : a plain value has no fields")
        return value
    if not wanted:
        raise QueryError(f"Validation error (SubselectionRequired@[{path}]) : an object needs a selection of fields")
    unknown = [name for name in wanted if name not in value and name != "__typename"]
    if unknown:
        raise QueryError(f"Validation error (FieldUndefined@[{path}/{unknown[0]}]) : Field '{unknown[0]}' is undefined")
    return {name: choose(value.get(name, "Object"), inner, f"{path}/{name}") for name, inner in wanted.items()}


def read_body(body: bytes) -> tuple[str, dict[str, Any]]:
    """Query and variables of a request's body.

    Raises
    ------
    QueryError
        No JSON object with a query.
    """
    try:
        data = json.loads(body)
        query, variables = data["query"], data.get("variables") or {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QueryError("Request body must be a JSON object with a query") from error
    if not isinstance(query, str) or not isinstance(variables, dict):
        raise QueryError("Request body must hold a query text and an object of variables")
    return query, variables
