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
from sqlglot.generator import Generator
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parser import Parser
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from paretosql.engine.nodes import Infix, Prefix
from paretosql.errors import NotSupportedError, compose

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
_JOINED = ("on", "using", "method", "nearest")  # what a join other than a comma needs at least one of
_OPERANDS = (
    exp.Literal,
    exp.Column,
    exp.Func,
    exp.Paren,
    exp.Bracket,
    exp.Subquery,
    exp.Placeholder,
    exp.Null,
    exp.Boolean,
)
UNITS = frozenset(_UNITS.split())


def _infix(text: str) -> Callable[..., exp.Expr]:
    return lambda this, expression: Infix(this=this, expression=expression, op=text)


def _literal(kind: TokenType) -> Callable[[Any, Token], exp.Expr]:
    """A parser of one kind of literal that also keeps its text."""
    known: Any = DuckDBParser.PRIMARY_PARSERS[kind]

    def parse(self: Any, token: Token) -> exp.Expr:
        node: exp.Expr = known(self, token)
        node.meta["text"] = self._find_sql(token, token)
        return node

    return parse


def _colons(self: Any, this: exp.Expr, to: exp.Expr) -> exp.Expr:
    """`this::to`, remembered as such: sqlglot reads `DATE 'x'::T` as DATE ('x'::T), and only the text gets it right."""
    node: exp.Expr = self.build_cast(strict=self.STRICT_CAST, this=this, to=to)
    node.meta["form"] = "::"
    return node


def _aggregate(name: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    return lambda args: exp.AnonymousAggFunc(this=name, expressions=args)


class FaithfulParser(DuckDBParser):
    """DuckDB's parser without the steps that prepare a translation."""

    FUNCTIONS: ClassVar[dict[Any, Any]] = {
        **{name.upper(): _aggregate(name) for name in AGGREGATES},
        **{name: DuckDBParser.FUNCTIONS[name] for name in TYPED},
    }
    FUNCTION_PARSERS: ClassVar[dict[Any, Any]] = {
        **{name: DuckDBParser.FUNCTION_PARSERS[name] for name in SPECIAL},
        "EXTRACT": lambda self: self._parse_extract(),
        "POSITION": lambda self: self._parse_position(),
    }
    _reading_type = False

    def _match(self, token_type: Any, *args: Any, **options: Any) -> Any:
        """No type of DuckDB's has angle brackets: in `range < 3` the word is a column."""
        if token_type == TokenType.LT and self._reading_type:
            return None
        return super()._match(token_type, *args, **options)

    # sqlglot reads list(x)[1] as a list literal; DuckDB has the literal ARRAY[1], but no LIST[1]
    ARRAY_CONSTRUCTORS: ClassVar[dict[str, Any]] = {"ARRAY": exp.Array}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[Any, Any]] = {
        **{
            name: parse
            for name, parse in DuckDBParser.NO_PAREN_FUNCTION_PARSERS.items()
            if name in ("ANY", "CASE", "MAP")
        },
        "@": lambda self: self.expression(Prefix(this=self._parse_unary(), op="@")),
    }
    UNARY_PARSERS: ClassVar[dict[Any, Any]] = {
        **DuckDBParser.UNARY_PARSERS,
        TokenType.PLUS: lambda self: self.expression(Prefix(this=self._parse_unary(), op="+")),
    }
    FUNC_TOKENS = DuckDBParser.FUNC_TOKENS | {TokenType.APPLY}
    RANGE_PARSERS: ClassVar[dict[Any, Any]] = {
        **DuckDBParser.RANGE_PARSERS,
        TokenType.CARET_AT: lambda self, this: self.expression(
            Infix(this=this, expression=self._parse_bitwise(), op="^@")
        ),
    }
    PRIMARY_PARSERS: ClassVar[dict[Any, Any]] = {
        **DuckDBParser.PRIMARY_PARSERS,
        **{kind: _literal(kind) for kind in _LITERALS},
    }
    COLUMN_OPERATORS: ClassVar[dict[Any, Any]] = {**DuckDBParser.COLUMN_OPERATORS, TokenType.DCOLON: _colons}
    EXPONENT: ClassVar[dict[Any, Any]] = {TokenType.CARET: _infix("^"), TokenType.DSTAR: _infix("**")}
    EQUALITY: ClassVar[dict[Any, Any]] = {**DuckDBParser.EQUALITY, TokenType.NULLSAFE_EQ: _infix("<=>")}
    JSON_OPERATORS: ClassVar[dict[Any, Any]] = {
        TokenType.ARROW: lambda self, this, path: self.expression(exp.JSONExtract(this=this, expression=path)),
        TokenType.DARROW: lambda self, this, path: self.expression(exp.JSONExtractScalar(this=this, expression=path)),
    }
    # DuckDB 2.0 has no arrow lambdas: an arrow is always JSON's
    LAMBDAS: ClassVar[dict[Any, Any]] = {TokenType.FARROW: DuckDBParser.LAMBDAS[TokenType.FARROW]}
    TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {}
    TYPE_CONVERTERS: ClassVar[dict[Any, Any]] = {}

    def _parse_cube_or_rollup(self, with_prefix: bool = False) -> exp.Cube | exp.Rollup | None:
        """CUBE and ROLLUP over any expression, where sqlglot stops before comparisons."""
        kind = exp.Cube if self._match(TokenType.CUBE) else exp.Rollup if self._match(TokenType.ROLLUP) else None
        if kind is None:
            return None
        return self.expression(kind(expressions=self._parse_wrapped_csv(self._parse_disjunction)))

    def _parse_grouping_set(self) -> exp.Expr | None:
        return self._parse_grouping_sets() or self._parse_cube_or_rollup() or self._parse_disjunction()

    def _written(self, node: Any, start: int) -> Any:
        """Keep the text of a node from token `start` on, for the generator to print."""
        if isinstance(node, exp.Expr) and self._index > start:
            node.meta["text"] = self._find_sql(self._tokens[start], self._prev)
        return node

    def _parse_types(self, *args: Any, **options: Any) -> Any:
        start = self._index
        before, self._reading_type = self._reading_type, True
        try:
            found = super()._parse_types(*args, **options)
        finally:
            self._reading_type = before
        return self._written(found, start) if isinstance(found, exp.DataType) else found

    def _parse_type(self, *args: Any, **options: Any) -> Any:
        token = self._curr
        found = super()._parse_type(*args, **options)
        if isinstance(found, exp.Cast) and token.token_type in self.TYPE_TOKENS and "form" not in found.meta:
            found.meta["form"] = "prefix"
        return found

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

    def _parse_placeholder(self) -> exp.Expr | None:
        token = self._curr
        found = super()._parse_placeholder()
        return found.update_positions(token) if found is not None else None

    def _parse_primary(self) -> exp.Expr | None:
        if self._match_pair(TokenType.DOT, TokenType.NUMBER):
            return exp.Literal.number(f".{self._prev.text}")
        return super()._parse_primary()

    def _parse_is(self, this: exp.Expr | None) -> exp.Expr | None:
        found = super()._parse_is(this)
        if isinstance(found, exp.Not) and isinstance(found.this, exp.Is):
            found.this.set("negate", True)
            return found.this
        return found

    def _parse_simplified_pivot(self, is_unpivot: bool | None = None) -> Any:
        pivot = super()._parse_simplified_pivot(is_unpivot)
        if self._curr.token_type not in self.QUERY_MODIFIER_TOKENS:
            return pivot
        query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.Subquery(this=pivot)))
        return self._parse_query_modifiers(query)

    def _parse_join(self, *args: Any, **options: Any) -> Any:
        listed = self._curr.token_type == TokenType.COMMA
        join = super()._parse_join(*args, **options)
        if isinstance(join, exp.Join) and not listed:
            free = join.kind in ("CROSS", "POSITIONAL") or any(join.args.get(each) for each in _JOINED)
            if not free:
                self.raise_error("Expected ON or USING after JOIN")
        return join

    def _parse_select_query(self, *args: Any, **options: Any) -> Any:
        inside = self._prev.token_type == TokenType.L_PAREN and self._match(TokenType.SHOW, advance=False)
        if inside and self._next.text.upper() in ("TABLES", "ALL", "MODELS", "MODEL"):
            self._advance()
            return self._parse_show()
        return super()._parse_select_query(*args, **options)

    def _parse_extract(self) -> Any:
        part = self._parse_string() or self._parse_var(any_token=True)
        if not self._match(TokenType.FROM):
            self.raise_error("Expected FROM in EXTRACT")
        return self.expression(exp.Extract(this=part, expression=self._parse_bitwise()))

    def _parse_position(self, haystack_first: bool = False) -> Any:
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

    def _parse_ordered(self, parse_method: Any = None) -> Any:
        found = super()._parse_ordered(parse_method)
        if found is not None and self._prev.text.upper() not in ("FIRST", "LAST"):
            found.set("nulls_first", None)
        return found


def _text_or(default: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    return lambda self, node: node.meta.get("text") or default(self, node)


def _cast(self: Generator, node: exp.Cast) -> str:
    """A cast in the form it was written in, as long as its operand still fits that form."""
    this, form = node.this, node.meta.get("form")
    if form == "prefix" and isinstance(this, (exp.Literal, exp.Cast)):
        return f"{self.sql(node, 'to')} {self.sql(this)}"
    primary = isinstance(this, exp.Dot) or not isinstance(this, (exp.Binary, Prefix))
    if form == "::" and primary and isinstance(this, _OPERANDS):
        return f"{self.sql(this)}::{self.sql(node, 'to')}"
    return self.cast_sql(node)


def _ordered(self: Generator, node: exp.Ordered) -> str:
    desc, nulls_first = node.args.get("desc"), node.args.get("nulls_first")
    order = "" if desc is None else " DESC" if desc else " ASC"
    nulls = "" if nulls_first is None else " NULLS FIRST" if nulls_first else " NULLS LAST"
    return f"{self.sql(node, 'this')}{order}{nulls}"


def _interval(self: Generator, node: exp.Interval) -> str:
    unit = node.args.get("unit")
    this = node.this if isinstance(node.this, (exp.Literal, exp.Paren)) else exp.Paren(this=node.this)
    return f"INTERVAL {self.sql(this)}{f' {self.sql(unit)}' if unit else ''}"


def _keywords() -> dict[type[exp.Expr], Callable[[Any, Any], str]]:
    """Printers of CURRENT_DATE and its like, which keep the case they were written in."""
    printers = {}
    for kind in DuckDBParser.NO_PAREN_FUNCTIONS.values():
        known = DuckDBGenerator.TRANSFORMS.get(kind) or getattr(DuckDBGenerator, f"{kind.key}_sql", None)
        printers[kind] = _text_or(known or Generator.function_fallback_sql)
    return printers


class FaithfulGenerator(DuckDBGenerator):
    """DuckDB's generator without rewriting."""

    MULTI_ARG_DISTINCT = True
    PROPERTIES_LOCATION: ClassVar[dict[Any, Any]] = {
        **DuckDBGenerator.PROPERTIES_LOCATION,
        exp.WithDataProperty: exp.Properties.Location.POST_EXPRESSION,
    }

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **DuckDBGenerator.TRANSFORMS,
        **_keywords(),
        exp.IgnoreNulls: Generator.ignorenulls_sql,
        exp.RespectNulls: Generator.respectnulls_sql,
        exp.HexString: _text_or(lambda self, node: f"X'{node.this}'"),
        exp.BitString: _text_or(lambda self, node: f"B'{node.this}'"),
        exp.ByteString: _text_or(DuckDBGenerator.bytestring_sql),
        exp.RawString: _text_or(DuckDBGenerator.rawstring_sql),
        exp.DataType: _text_or(DuckDBGenerator.datatype_sql),
        exp.Cast: _cast,
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

    def unsupported(self, message: str) -> None:
        """Printing must not drop anything: what sqlglot would leave out with a warning is an error here."""
        raise NotSupportedError(compose(f"this statement cannot be rewritten for DuckDB: {message}"))

    def join_sql(self, expression: exp.Join, join_op: str | None = None) -> str:
        special = expression.kind in ("MARK", "SINGLE", "SEMI", "ANTI")
        printer = DuckDBGenerator if special else Generator
        return printer.join_sql(self, expression, join_op)
