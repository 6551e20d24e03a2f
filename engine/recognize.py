"""Whose statement is it: the tree of a text that needs our plan, or nothing when DuckDB can have it as it stands."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from paretosql.engine.depth import deep
from paretosql.engine.dialect import ParseError, find_ours, looks_ours, parse
from paretosql.engine.nodes import DescribeModel, Explain, NdvCall, ShowModels, SketchCall
from paretosql.engine.reserved import refuse_reserved
from paretosql.engine.views import names_view

_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
_READERS = (exp.Query, exp.Describe, exp.Summarize, ShowModels, DescribeModel)


def our_tree(text: str, views: set[str], check_syntax: Callable[[str], object]) -> exp.Expr | None:
    """The parse of one statement that counts, itself or through one of `views`; None for anything else.

    Args:
        check_syntax: DuckDB's parser, which knows the syntax of our calls and refuses some text that ours accepts.
    Raises:
        ParseError: the text holds a call of ours and cannot be understood.
        NotSupportedError: it holds a statement or call of a later version.
    """
    try:
        with deep():
            trees = parse(text)
    except ParseError:
        if looks_ours(text):
            raise
        return None
    if len(trees) != 1:
        return None
    found = list(find_ours(trees[0]))
    for node in found:
        refuse_reserved(node, text)
    if not found and not names_view(trees[0], views):
        return None
    if all(isinstance(node, (NdvCall, SketchCall)) for node in found):
        check_syntax(text)
    return trees[0]


def changes(tree: exp.Expr) -> bool:
    """Whether a statement changes rows of tables, or copies into one."""
    return isinstance(tree, _CHANGES) or (isinstance(tree, exp.Copy) and bool(tree.args.get("kind")))


def reads_only(tree: exp.Expr) -> bool:
    """Whether a statement changes nothing, so that it may run again each time its result is read."""
    if isinstance(tree, Explain):
        return tree.args.get("mode") != "ANALYZE" or reads_only(tree.this)
    return isinstance(tree, _READERS)
