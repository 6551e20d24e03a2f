"""The first half of our parser: what a statement of ours may hold, which are calls; and how errors are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from sqlglot import exp
from sqlglot.errors import ErrorLevel
from sqlglot.errors import ParseError as GlotError
from sqlglot.tokenizer_core import Token, TokenType

from paretosql.engine.faithful import FaithfulParser
from paretosql.engine.nodes import (
    VERBS,
    ModelCall,
    NdvCall,
    NdvReport,
    SketchCall,
    TraceSimulate,
)
from paretosql.engine.signatures import AGGREGATES, SCALARS

NAME = (TokenType.VAR, TokenType.IDENTIFIER)
QUERY = (TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.VALUES, TokenType.TABLE, TokenType.L_PAREN)


# BigQuery's functions of models that have no equal here, and what to write instead
INSTEAD = {
    "global_explain": "write feature_importance(MODEL m) for gbdt, weights(MODEL m) for linear and logistic.",
    "explain_predict": "write weights(MODEL m) for linear and logistic: a prediction is the sum of weight times value.",
    "forecast": "lagged columns, lag(y) OVER (ORDER BY t), make forecasting a question for predict.",
    "detect_anomalies": "predict of a kmeans model gives the distance of each row: the farthest are the odd ones.",
    "arima_coefficients": "forecasting models are not here.",
    "generate_text": "models that write text are not here.",
    "generate_embedding": "embed(MODEL m, TABLE items) gives the vectors of als and bpr models.",
    "advanced_weights": "write weights(MODEL m).",
    "principal_components": "principal components are not here.",
}


class Refused(GlotError):
    """A parse error with the offset and length of the text it is about, and a hint."""

    def __init__(self, problem: str, start: int, length: int, hint: str | None) -> None:
        super().__init__(problem, [{"description": problem}])
        self.problem, self.start, self.length, self.hint = problem, start, length, hint


def _plain(message: str, text: str) -> str:
    """One of sqlglot's messages without the names of its classes."""
    if message.startswith("Required"):
        return f"something is missing before {text!r}" if text else "the statement ends too early"
    if message.startswith("Invalid expression"):
        return f"unexpected {text!r}"
    message = message.partition(" but got <")[0]
    return message[:1].lower() + message[1:] if message[1:2].islower() else message


class CallParser(FaithfulParser):
    """DuckDB's grammar with our calls; every method starts after the words its name mentions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "error_level": ErrorLevel.IMMEDIATE})

    def raise_error(self, message: str, token: Token | None = None, hint: str | None = None) -> NoReturn:
        """Stop here, pointing at `token`, or at the token the parser looks at, or behind the last one."""
        token = token or self._curr
        if token:
            raise Refused(_plain(message, token.text), token.start, token.end + 1 - token.start, hint)
        raise Refused(_plain(message, ""), self._prev.end + 1 if self._prev else 0, 1, hint)

    def _warn_unsupported(self) -> None:
        """Statements sqlglot does not know stay text, without a warning in the log."""

    # Looking ahead

    def _token(self, ahead: int) -> Token | None:
        at = self._index + ahead
        return self._tokens[at] if at < self._tokens_size else None

    def _word(self, ahead: int) -> str:
        """The unquoted word at a distance, upper case; '' for anything else."""
        token = self._token(ahead)
        if token is None or token.token_type in (TokenType.IDENTIFIER, TokenType.STRING):
            return ""
        return token.text.upper()

    def _is(self, ahead: int, *kinds: TokenType) -> bool:
        token = self._token(ahead)
        return token is not None and token.token_type in kinds

    def _ends(self, ahead: int) -> bool:
        return self._token(ahead) is None or self._is(ahead, TokenType.R_PAREN)

    def _model_follows(self, ahead: int) -> bool:
        """Whether `MODEL name` stands here, rather than a column or table that is called model."""
        if self._word(ahead) != "MODEL":
            return False
        if self._is(ahead + 1, *NAME, TokenType.STRING):
            return True
        return self._is(ahead + 1, *self.ID_VAR_TOKENS) and (
            self._token(ahead + 2) is None
            or self._is(ahead + 2, TokenType.COMMA, TokenType.R_PAREN, TokenType.DOT, TokenType.L_PAREN)
        )

    # Calls

    def _parse_function_call(
        self,
        functions: dict[str, Callable[..., Any]] | None = None,
        anonymous: bool = False,
        optional_parens: bool = True,
        any_token: bool = False,
    ) -> Any:
        if self._word(0) == "ML" and self._is(1, TokenType.DOT) and self._is(3, TokenType.L_PAREN):
            verb = self._token(2)
            if verb and self._model_follows(4):
                self._advance(2)
                if verb.text.lower() not in VERBS:
                    problem = f"ML.{verb.text.upper()} of a model is not here"
                    hint = INSTEAD.get(verb.text.lower(), f"models can be asked to {', '.join(VERBS)}.")
                    self.raise_error(problem, verb, hint)
        if not anonymous and self._is(1, TokenType.L_PAREN) and self._curr.token_type in self.FUNC_TOKENS:
            parse = self._ours_called(self._curr.text.lower())
            if parse:
                return self._parse_call_of_ours(parse)
        return super()._parse_function_call(functions, anonymous, optional_parens, any_token)

    def _ours_called(self, name: str) -> Callable[[Token], exp.Expr] | None:
        if name in AGGREGATES:
            return self._parse_aggregate
        if name in SCALARS:
            return self._parse_scalar
        if name == "ndv_report":
            return self._parse_report
        if name == "trace_simulate":
            return self._parse_trace
        if name in VERBS and self._model_follows(2):
            return self._parse_model_call
        return None

    def _parse_call_of_ours(self, parse: Callable[[Token], exp.Expr]) -> Any:
        token, comments = self._curr, self._curr.comments
        self._advance(2)
        node = parse(token).update_positions(token)
        node.add_comments(comments)
        if not self._match(TokenType.R_PAREN, expression=node):
            self.raise_error(f"expected , or ) in the call of {token.text}")
        return self._parse_window(node)

    def _option_follows(self) -> bool:
        return self._is(1, TokenType.FARROW, TokenType.COLON_EQ)

    def _parse_options(self, *signs: TokenType) -> list[exp.Expr]:
        """`name => value, ...` up to the first thing that is not one; names must differ."""
        options: list[exp.Expr] = []
        while self._curr and self._is(1, *(signs or (TokenType.FARROW, TokenType.COLON_EQ))):
            name = self._curr
            key = exp.var(name.text.lower()).update_positions(name)
            if any(each.this.name == key.name for each in options):
                self.raise_error(f"the option {key.name} is given twice", name, "keep one of them.")
            self._advance(2)
            value = self._parse_source() if self._word(0) == "TABLE" else self._parse_disjunction()
            if value is None:
                self.raise_error(f"the option {key.name} has no value", None, f"write {key.name} => value.")
            options.append(exp.Kwarg(this=key, expression=value).update_positions(name))
            if not self._match(TokenType.COMMA):
                break
            if not (self._curr and self._is(1, *(signs or (TokenType.FARROW, TokenType.COLON_EQ)))):
                self.raise_error("expected an option after the comma", None, "options are written name => value.")
        return options

    def _parse_aggregate(self, token: Token) -> exp.Expr:
        name = token.text.lower()
        signature = AGGREGATES[name]
        hint = f"write {name}(column), or with options {signature.example}."
        if len(signature.values) > 1 or not signature.options:
            hint = f"write {signature.example}."
        self._check_first(name, signature.values[0], hint)
        if self._curr and self._curr.token_type == TokenType.STAR:
            extra = " ndv_report does every column." if name == "ndv" else ""
            problem = "ndv counts the distinct values of one expression, not of *"
            self.raise_error(problem if name == "ndv" else f"{name} takes an expression, not *", None, f"{hint}{extra}")
        this: exp.Expr | None
        if self._match(TokenType.DISTINCT):
            if not signature.distinct:
                problem = f"{name} takes no DISTINCT: how often values occur is part of its answer"
                self.raise_error(problem, self._prev, hint)
            this = exp.Distinct(expressions=[self._parse_disjunction()])
        else:
            this = self._parse_lambda()
        if this is None:
            self.raise_error(f"expected an expression in the call of {name}", None, hint)
        weight, options = self._parse_weight(name, hint) if len(signature.values) > 1 else None, []
        if self._match(TokenType.COMMA):
            options = self._parse_named(name, len(signature.values), hint)
        return self.expression(NdvCall(this=this, function=name, weight=weight, options=options))

    def _parse_scalar(self, token: Token) -> exp.Expr:
        name = token.text.lower()
        signature = SCALARS[name]
        hint = f"write {signature.example}."
        self._check_first(name, signature.values[0], hint)
        this = self._parse_lambda()
        if this is None:
            self.raise_error(f"expected {signature.values[0]} in the call of {name}", None, hint)
        options = self._parse_named(name, 1, hint) if self._match(TokenType.COMMA) else []
        return self.expression(SketchCall(this=this, function=name, options=options))

    def _check_first(self, name: str, what: str, hint: str) -> None:
        if self._curr and (self._curr.token_type == TokenType.R_PAREN or self._option_follows()):
            self.raise_error(f"{name} needs {what}", None, hint)

    def _parse_weight(self, name: str, hint: str) -> exp.Expr:
        weight = None
        if self._match(TokenType.COMMA) and not self._option_follows():
            weight = self._parse_lambda()
        if weight is None:
            self.raise_error(f"{name} needs {AGGREGATES[name].values[1]}", None, hint)
        return weight

    def _parse_named(self, name: str, values: int, hint: str) -> list[exp.Expr]:
        """The options of a call whose positional arguments are complete."""
        if not self._option_follows():
            many = "one expression" if values == 1 else f"{values} expressions"
            self.raise_error(f"{name} takes {many}, then named options", None, hint)
        return self._parse_options()

    def _parse_arguments(self) -> tuple[list[exp.Expr], list[exp.Expr]]:
        """Positional arguments, then options, up to the closing parenthesis."""
        positional: list[exp.Expr] = []
        while self._curr and not self._is(0, TokenType.R_PAREN) and not self._option_follows():
            argument = self._parse_lambda()
            if argument is None:
                self.raise_error("expected an argument")
            positional.append(argument)
            if not self._match(TokenType.COMMA):
                return positional, []
        return positional, self._parse_options()

    def _parse_source(self) -> exp.Expr | None:
        """`TABLE name` or `(query)`; None when neither stands here."""
        if self._match(TokenType.TABLE):
            table: exp.Expr | None = self._parse_table_parts()
            return table
        if self._is(0, TokenType.L_PAREN) and self._is(1, *QUERY):
            start = self._index
            self._advance()
            query = self._parse_ddl_select()
            if query is not None and self._match(TokenType.R_PAREN) and not isinstance(query, exp.Paren):
                return self.expression(exp.Subquery(this=query))
            self._retreat(start)
        return None

    def _parse_report(self, token: Token) -> exp.Expr:
        source = self._parse_source() or self._parse_string() or self._parse_placeholder()
        if source is None:
            self.raise_error(
                "expected TABLE, a query or a file name in ndv_report", None, self._source_hint("'file.parquet'")
            )
        return self.expression(NdvReport(this=source, options=self._parse_rest()))

    def _parse_trace(self, token: Token) -> exp.Expr:
        source = self._parse_string() or self._parse_placeholder()
        if source is None:
            self.raise_error(
                "expected the folder of a trace in trace_simulate",
                None,
                "write trace_simulate('DIR'), or trace_simulate('') for jobs that are made up.",
            )
        return self.expression(TraceSimulate(this=source, options=self._parse_rest()))

    def _parse_rest(self) -> list[exp.Expr]:
        return self._parse_options() if self._match(TokenType.COMMA) else []

    def _source_hint(self, other: str = "") -> str:
        name = self._curr.text if self._curr and self._is(0, *NAME) else "name"
        extra = f", or {other}" if other else ""
        return f"write TABLE {name}, or (SELECT ... FROM {name}){extra}."

    def _parse_model_call(self, token: Token) -> exp.Expr:
        self._advance()  # MODEL
        call = ModelCall(this=self._parse_model_name(), verb=token.text.lower())
        if self._match(TokenType.COMMA):
            if self._word(0) in ("SELECT", "FROM", "WITH"):
                hint = f"write {token.text}(MODEL m, (SELECT ..))."
                self.raise_error("a query in a call stands in brackets", None, hint)
            source = self._parse_source()
            call.set("source", source)
            if source is None or self._match(TokenType.COMMA):
                if source is not None and self._word(0) == "STRUCT":
                    call.set("options", self._parse_struct_options())
                    return self.expression(call)
                positional, options = self._parse_arguments()
                call.set("expressions", positional)
                call.set("options", options)
        return self.expression(call)

    def _parse_table_parts(self, *args: Any, **options: Any) -> Any:
        table = super()._parse_table_parts(*args, **options)
        self._split_backticks(table)
        call = table.this if isinstance(table, exp.Table) else None
        if isinstance(call, ModelCall) and call.expressions and call.args.get("source") is None:
            named = next((each for each in call.expressions[0].walk() if each.meta.get("start") is not None), call)
            start, end = named.meta["start"], named.meta["end"] + 1
            name = self.sql[start:end] if named is not call else "name"
            raise Refused(
                f"expected TABLE or a query after MODEL {call.this.name}",
                start,
                end - start,
                f"write TABLE {name}, or (SELECT ... FROM {name}).",
            )
        return table

    def _split_backticks(self, table: Any) -> None:
        """A whole path in one pair of backticks, `project.dataset.table`, as its parts."""
        name = table.this if isinstance(table, exp.Table) else None
        start = name.meta.get("start") if isinstance(name, exp.Identifier) else None
        if name is None or start is None or self.sql[start : start + 1] != "`" or table.args.get("db") is not None:
            return
        parts = name.name.split(".")
        if 1 < len(parts) <= 3:
            for key, part in zip(("this", "db", "catalog"), reversed(parts), strict=False):
                table.set(key, exp.to_identifier(part, quoted=True).update_positions(**_place_of(name)))

    def _parse_struct_options(self) -> list[exp.Expr]:
        """BigQuery's `STRUCT(10 AS k)` read as `k => 10`."""
        self._advance()
        options: list[exp.Expr] = []
        for field in self._parse_wrapped_csv(self._parse_expression):
            if not isinstance(field, exp.Alias):
                self.raise_error("every field of STRUCT needs a name", self._prev, "write k => 10.")
            options.append(exp.Kwarg(this=exp.var(field.alias.lower()), expression=field.this))
        return options

    def _parse_model_name(self) -> Any:
        if not self._is(0, *NAME, *self.ID_VAR_TOKENS):
            self.raise_error("expected the name of a model", None, "model names are written like table names.")
        return self._parse_table_parts(schema=True)


def _place_of(node: exp.Expr) -> dict[str, Any]:
    """Where a node stands, to give to another."""
    return {key: node.meta[key] for key in ("line", "col", "start", "end") if key in node.meta}
