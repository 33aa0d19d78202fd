"""Session-value engine: what sessions with AI assistants are worth, by comparison with freelance postings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valuation.workspace import Workspace

__version__ = "0.1.0"
__all__ = ["Workspace", "__version__"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attribute hook
    """Import `Workspace` on first use: `import valuation` stays instant."""
    if name == "Workspace":
        from valuation.workspace import Workspace

        return Workspace
    raise AttributeError(f"module 'valuation' has no attribute {name!r}")
