"""sqlglot's DuckDB dialect made faithful: what was parsed is printed with the same meaning and the same column names.

sqlglot translates between databases: it renames functions (`len` to `LENGTH`), normalises literals and drops what its
target does by default. Our trees only go back to the database they came from. Here functions keep the name they were
written with, types and bare keywords their text, and ORDER BY exactly the words that were there. DuckDB names result
columns after the text, so this also keeps `len(s)` the name of its column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generator import Generator
from sqlglot.parser import Parser
from sqlglot.tokens import Token, TokenType

from paretosql.engine.nodes import Infix, Prefix

# Functions that stay typed nodes: they print as they are written and the planner may ask for them.
TYPED = ("COUNT", "SUM", "AVG", "COALESCE", "COLUMNS")
# Functions with a syntax of their own that sqlglot parses and prints well.
SPECIAL = ("CAST", "TRY_CAST", "SUBSTRING", "TRIM", "OVERLAY", "MIN", "MAX")
# The other aggregates of DuckDB 2.0, from duckdb_functions(): functions, then ordered-set forms, then macros.
_AGGREGATES = """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last
    arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg bit_and bit_or bit_xor bitstring_agg bool_and
    bool_or combine_aggr corr count_if count_star countif covar_pop covar_samp decimal_average entropy favg first fsum
    group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop last list listagg lttb mad max_by mean median
    min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile sem skewness stddev stddev_pop stddev_samp string_agg
    sum_no_overflow sumkahan var_pop var_samp variance variant_group_object
    percentile_cont percentile_disc
    geomean geometric_mean json_group_array json_group_object json_group_structure variant_group_array wavg weighted_avg
"""
_UNITS = """
    YEAR YEARS MONTH MONTHS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND MILLISECONDS MICROSECOND
    MICROSECONDS WEEK WEEKS QUARTER QUARTERS DECADE DECADES CENTURY CENTURIES MILLENNIUM MILLENNIA
"""
AGGREGATES = frozenset(_AGGREGATES.split())
_LITERALS = (TokenType.HEX_STRING, TokenType.BIT_STRING, TokenType.BYTE_STRING, TokenType.HEREDOC_STRING)
UNITS = frozenset(_UNITS.split())


def _infix(text: str) -> Callable[..., exp.Expression]:
    return lambda this, expression: Infix(this=this, expression=expression, op=text)


def _literal(kind: TokenType) -> Callable[[Any, Token], exp.Expression]:
    """A parser of one kind of literal that also keeps its text."""

    def parse(self: Any, token: Token) -> exp.Expression:
        node: exp.Expression = DuckDB.Parser.PRIMARY_PARSERS[kind](self, token)
        node.meta["text"] = self._find_sql(token, token)
        return node

    return parse


def _aggregate(name: str) -> Callable[[list[exp.Expression]], exp.Expression]:
    return lambda args: exp.AnonymousAggFunc(this=name, expressions=args)


class FaithfulParser(DuckDB.Parser):
    """DuckDB's parser without the steps that prepare a translation."""

    FUNCTIONS: ClassVar[dict[Any, Any]] = {
        **{name.upper(): _aggregate(name) for name in AGGREGATES},
        **{name: DuckDB.Parser.FUNCTIONS[name] for name in TYPED},
    }
    FUNCTION_PARSERS: ClassVar[dict[Any, Any]] = {
        **{name: DuckDB.Parser.FUNCTION_PARSERS[name] for name in SPECIAL},
        "EXTRACT": lambda self: self._parse_extract(),
        "POSITION": lambda self: self._parse_position(),
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[Any, Any]] = {
        **{
            name: parse
            for name, parse in DuckDB.Parser.NO_PAREN_FUNCTION_PARSERS.items()
            if name in ("ANY", "CASE", "MAP")
        },
        "@": lambda self: self.expression(Prefix(this=self._parse_unary(), op="@")),
    }
    UNARY_PARSERS: ClassVar[dict[Any, Any]] = {
        **DuckDB.Parser.UNARY_PARSERS,
        TokenType.PLUS: lambda self: self.expression(Prefix(this=self._parse_unary(), op="+")),
    }
    FUNC_TOKENS = DuckDB.Parser.FUNC_TOKENS | {TokenType.APPLY}
    RANGE_PARSERS: ClassVar[dict[Any, Any]] = {
        **DuckDB.Parser.RANGE_PARSERS,
        TokenType.CARET_AT: lambda self, this: self.expression(
            Infix(this=this, expression=self._parse_bitwise(), op="^@")
        ),
    }
    PRIMARY_PARSERS: ClassVar[dict[Any, Any]] = {
        **DuckDB.Parser.PRIMARY_PARSERS,
        **{kind: _literal(kind) for kind in _LITERALS},
    }
    EXPONENT: ClassVar[dict[Any, Any]] = {TokenType.CARET: _infix("^"), TokenType.DSTAR: _infix("**")}
    EQUALITY: ClassVar[dict[Any, Any]] = {**DuckDB.Parser.EQUALITY, TokenType.NULLSAFE_EQ: _infix("<=>")}
    JSON_OPERATORS: ClassVar[dict[Any, Any]] = {
        TokenType.ARROW: lambda self, this, path: self.expression(exp.JSONExtract(this=this, expression=path)),
        TokenType.DARROW: lambda self, this, path: self.expression(exp.JSONExtractScalar(this=this, expression=path)),
    }
    # DuckDB 2.0 has no arrow lambdas: an arrow is always JSON's
    LAMBDAS: ClassVar[dict[Any, Any]] = {TokenType.FARROW: DuckDB.Parser.LAMBDAS[TokenType.FARROW]}
    TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {}
    TYPE_CONVERTERS: ClassVar[dict[Any, Any]] = {}

    def _written(self, node: Any, start: int) -> Any:
        """Keep the text of a node from token `start` on, for the generator to print."""
        if isinstance(node, exp.Expression) and self._index > start:
            node.meta["text"] = self._find_sql(self._tokens[start], self._prev)
        return node

    def _parse_types(self, *args: Any, **options: Any) -> Any:
        start = self._index
        found = super()._parse_types(*args, **options)
        return self._written(found, start) if isinstance(found, exp.DataType) else found

    def _parse_function_call(self, *args: Any, **options: Any) -> Any:
        start, name = self._index, self._curr.text
        called = self._next.token_type == TokenType.L_PAREN
        found = super()._parse_function_call(*args, **options)
        if found is not None and not called and self._index == start + 1:
            return self._written(found, start)
        inner = found
        while isinstance(inner, (exp.Window, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
            inner = inner.this
        if isinstance(inner, exp.AnonymousAggFunc):
            inner.set("this", name)
        return found

    def _parse_placeholder(self) -> exp.Expression | None:
        token = self._curr
        found = super()._parse_placeholder()
        return found.update_positions(token) if found is not None else None

    def _parse_primary(self) -> exp.Expression | None:
        if self._match_pair(TokenType.DOT, TokenType.NUMBER):
            return exp.Literal.number(f".{self._prev.text}")
        return super()._parse_primary()

    def _parse_is(self, this: exp.Expression | None) -> exp.Expression | None:
        found = super()._parse_is(this)
        if isinstance(found, exp.Not) and isinstance(found.this, exp.Is):
            found.this.set("negate", True)
            return found.this
        return found

    def _parse_simplified_pivot(self, is_unpivot: bool | None = None) -> exp.Expression:
        pivot = super()._parse_simplified_pivot(is_unpivot)
        if self._curr.token_type not in self.QUERY_MODIFIER_TOKENS:
            return pivot
        query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.Subquery(this=pivot)))
        return self._parse_query_modifiers(query)

    def _parse_select_query(self, *args: Any, **options: Any) -> Any:
        inside = self._prev.token_type == TokenType.L_PAREN and self._match(TokenType.SHOW, advance=False)
        if inside and self._next.text.upper() in ("TABLES", "ALL", "MODELS", "MODEL"):
            self._advance()
            return self._parse_show()
        return super()._parse_select_query(*args, **options)

    def _parse_extract(self) -> exp.Expression:
        part = self._parse_string() or self._parse_var(any_token=True)
        if not self._match(TokenType.FROM):
            self.raise_error("Expected FROM in EXTRACT")
        return self.expression(exp.Extract(this=part, expression=self._parse_bitwise()))

    def _parse_position(self, haystack_first: bool = False) -> exp.Expression:
        needle = self._parse_bitwise()
        if not self._match(TokenType.IN):
            self.raise_error("Expected IN in POSITION")
        return self.expression(exp.StrPosition(this=self._parse_bitwise(), substr=needle))

    def _parse_interval(self, require_interval: bool = True, parse_function_unit: bool = True) -> Any:
        """INTERVAL '1 day', INTERVAL '1' DAY, INTERVAL 1 DAY or INTERVAL (expression) DAY, kept as written."""
        start = self._index
        if not self._match(TokenType.INTERVAL):
            return None
        if self._curr.token_type in (TokenType.STRING, TokenType.NUMBER, TokenType.L_PAREN):
            string = self._curr.token_type == TokenType.STRING
            this = Parser._parse_primary(self)
            unit = self._curr.text if self._curr.text.upper() in UNITS else None
            if this is not None and (unit or string):
                if unit:
                    self._advance()
                return self.expression(exp.Interval(this=this, unit=exp.var(unit) if unit else None))
        self._retreat(start)
        return None

    def _parse_ordered(self, parse_method: Any = None) -> exp.Expression | None:
        found = super()._parse_ordered(parse_method)
        if found is not None and self._prev.text.upper() not in ("FIRST", "LAST"):
            found.set("nulls_first", None)
        return found


def _text_or(default: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    return lambda self, node: node.meta.get("text") or default(self, node)


def _ordered(self: Generator, node: exp.Ordered) -> str:
    desc, nulls_first = node.args.get("desc"), node.args.get("nulls_first")
    order = "" if desc is None else " DESC" if desc else " ASC"
    nulls = "" if nulls_first is None else " NULLS FIRST" if nulls_first else " NULLS LAST"
    return f"{self.sql(node, 'this')}{order}{nulls}"


def _interval(self: Generator, node: exp.Interval) -> str:
    unit = node.args.get("unit")
    this = node.this if isinstance(node.this, (exp.Literal, exp.Paren)) else exp.Paren(this=node.this)
    return f"INTERVAL {self.sql(this)}{f' {self.sql(unit)}' if unit else ''}"


def _keywords() -> dict[type[exp.Expression], Callable[[Any, Any], str]]:
    """Printers of CURRENT_DATE and its like, which keep the case they were written in."""
    printers = {}
    for kind in DuckDB.Parser.NO_PAREN_FUNCTIONS.values():
        known = DuckDB.Generator.TRANSFORMS.get(kind) or getattr(DuckDB.Generator, f"{kind.key}_sql", None)
        printers[kind] = _text_or(known or Generator.function_fallback_sql)
    return printers


class FaithfulGenerator(DuckDB.Generator):
    """DuckDB's generator without rewriting."""

    MULTI_ARG_DISTINCT = True

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **DuckDB.Generator.TRANSFORMS,
        **_keywords(),
        exp.IgnoreNulls: Generator.ignorenulls_sql,
        exp.RespectNulls: Generator.respectnulls_sql,
        exp.HexString: _text_or(lambda self, node: f"X'{node.this}'"),
        exp.BitString: _text_or(lambda self, node: f"B'{node.this}'"),
        exp.ByteString: _text_or(DuckDB.Generator.bytestring_sql),
        exp.RawString: _text_or(DuckDB.Generator.rawstring_sql),
        exp.DataType: _text_or(DuckDB.Generator.datatype_sql),
        exp.Ordered: _ordered,
        exp.Interval: _interval,
        exp.Extract: lambda self, node: f"EXTRACT({self.sql(node, 'this')} FROM {self.sql(node, 'expression')})",
        exp.StrPosition: lambda self, node: f"POSITION({self.sql(node, 'substr')} IN {self.sql(node, 'this')})",
        exp.JSONExtract: lambda self, node: self.binary(node, "->"),
        exp.JSONExtractScalar: lambda self, node: self.binary(node, "->>"),
        exp.WithinGroup: Generator.withingroup_sql,
        exp.Array: lambda self, node: f"[{self.expressions(node, flat=True)}]",
        Infix: lambda self, node: self.binary(node, node.args["op"]),
        Prefix: lambda self, node: f"{node.args['op']} {self.sql(node, 'this')}",
    }
