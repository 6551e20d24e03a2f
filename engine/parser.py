"""The parser of our dialect: DuckDB's, plus our calls, and statements about models, plans, settings and statistics."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from paretosql.engine.call_parser import NAME, QUERY, CallParser
from paretosql.engine.nodes import (
    EXPLAIN_MODES,
    SETTINGS,
    AnalyzeSample,
    CreateModel,
    DescribeModel,
    DropModel,
    Explain,
    SetOurs,
    ShowModels,
)

NO_STATEMENTS = {
    "ALTER": "CREATE OR REPLACE MODEL trains it anew; paretosql models export, then import --as, renames it.",
    "EXPORT": "on the command line: paretosql models export DATABASE NAME -o FOLDER.",
}


class ParetoParser(CallParser):
    """Our statements; every method starts after the words its name mentions."""

    def _parse_statement(self) -> exp.Expr | None:
        if self._word(0) == "RESET" and self._is(0, TokenType.VAR):
            self._advance()
            start = self._prev
            return self._parse_setting("RESET") or self._parse_as_command(start)
        if self._word(0) in NO_STATEMENTS and self._word(1) == "MODEL" and self._is(2, *NAME, TokenType.STRING):
            problem = f"{self._word(0)} MODEL is not a statement here"
            self.raise_error(problem, self._curr, NO_STATEMENTS[self._word(0)])
        if self._word(0) == "ANALYZE" and self._sample_follows():
            return self._parse_analyze_sample()
        return super()._parse_statement()

    def _sample_follows(self) -> bool:
        """Whether the statement that begins here says WITH SAMPLE."""
        ahead = 0
        while (token := self._token(ahead)) is not None and token.token_type != TokenType.SEMICOLON:
            if self._word(ahead) == "WITH" and self._word(ahead + 1) == "SAMPLE":
                return True
            ahead += 1
        return False

    def _parse_analyze_sample(self) -> exp.Expr:
        """ANALYZE t [COLUMNS (a, b)] WITH SAMPLE rate; every other ANALYZE is DuckDB's."""
        token, hint = self._curr, "write ANALYZE t COLUMNS (a, b) WITH SAMPLE 0.01; without COLUMNS it takes all."
        self._advance()
        if not self._is(0, *NAME, *self.ID_VAR_TOKENS):
            self.raise_error("expected the name of a table after ANALYZE", None, hint)
        table, columns = self._parse_table_parts(schema=True), None
        if self._match_text_seq("COLUMNS"):
            columns = self._parse_wrapped_csv(self._parse_id_var)
        if not columns and columns is not None:
            self.raise_error("expected the name of a column", self._prev, hint)
        if not self._match_text_seq("WITH", "SAMPLE"):
            self.raise_error("expected COLUMNS or WITH SAMPLE after the table", None, hint)
        rate = self._parse_unary()
        if rate is None:
            self.raise_error("expected the share of rows to read after WITH SAMPLE", None, hint)
        if self._curr and (self._word(0) == "PERCENT" or self._is(0, TokenType.MOD)):
            self.raise_error("WITH SAMPLE takes a share, not a percentage", None, "1 percent is WITH SAMPLE 0.01.")
        return self.expression(AnalyzeSample(this=table, columns=columns, rate=rate), token)

    def _parse_describe(self) -> Any:
        if self._prev.text.upper() == "EXPLAIN":
            return self._parse_explain()
        if self._model_follows(0):
            token = self._curr
            self._advance()
            return self.expression(DescribeModel(this=self._parse_model_name()), token)
        return super()._parse_describe()

    def _parse_explain(self) -> exp.Expr:
        token = self._prev
        mode, style = "", None
        if self._is(0, TokenType.L_PAREN) and not self._is(1, *QUERY) and self._is(1, *NAME, *self.ID_VAR_TOKENS):
            begin = self._curr
            while self._curr and not self._match(TokenType.R_PAREN):
                self._advance()
            style = self._find_sql(begin, self._prev)
        elif self._match_texts(EXPLAIN_MODES):
            mode = self._prev.text.upper()
        if not self._curr:
            self.raise_error(f"expected a statement after EXPLAIN {mode}".rstrip())
        if self._curr.token_type in self.dialect.tokenizer_class.COMMANDS:
            statement: exp.Expr | None = self._parse_as_command(self._curr)
        else:
            statement = self._parse_statement()
        return self.expression(Explain(this=statement, mode=mode, style=style), token)

    def _parse_show(self) -> exp.Expr | None:
        token = self._prev
        if self._word(0) == "MODELS" and self._ends(1):
            self._advance()
            return self.expression(ShowModels(), token)
        if self._word(0) == "MODELS" and self._word(1) == "LIKE" and self._is(2, TokenType.STRING) and self._ends(3):
            self._advance(2)
            return self.expression(ShowModels(like=self._parse_string()), token)
        if self._word(0) == "MODELS":
            self.raise_error("SHOW MODELS takes nothing but LIKE", None, "write SHOW MODELS or SHOW MODELS LIKE 'a%'.")
        if self._word(0) == "MODEL" and self._word(1) == "TYPES" and self._ends(2):
            self._advance(2)
            return self.expression(ShowModels(types=True), token)
        if self._model_follows(0):
            self.raise_error(
                "SHOW MODEL takes no name", None, "write DESCRIBE MODEL name, SHOW MODELS or SHOW MODEL TYPES."
            )
        return super()._parse_show()

    def _parse_drop(self, exists: bool = False, kind: str | None = None) -> Any:
        if kind is None and self._word(0) == "MODEL":
            token = self._curr
            self._advance()
            exists = bool(self._parse_exists())
            return self.expression(DropModel(exists=exists, this=self._parse_model_name()), token)
        return super()._parse_drop(exists, kind)

    def _parse_create(self) -> Any:
        replace = self._word(0) == "OR" and self._word(1) == "REPLACE"
        if self._word(2 if replace else 0) != "MODEL":
            return super()._parse_create()
        self._advance(2 if replace else 0)
        token = self._curr
        self._advance()
        exists = bool(self._parse_exists(not_=True))
        if exists and replace:
            self.raise_error("OR REPLACE and IF NOT EXISTS exclude each other", self._prev, "keep one of them.")
        name, transform, options = self._parse_model_name(), None, None
        if self._match_text_seq("TRANSFORM"):
            transform = self._parse_wrapped_csv(self._parse_expression)
        if self._match_text_seq("OPTIONS"):
            signs = (TokenType.EQ, TokenType.FARROW, TokenType.COLON_EQ)
            options = self._parse_wrapped(lambda: self._parse_options(*signs))
        hint = "CREATE MODEL name OPTIONS (model_type = '...') AS SELECT ..."
        if not self._match(TokenType.ALIAS):
            self.raise_error("expected AS and a query", None, hint)
        query = self._parse_ddl_select()
        if query is None:
            self.raise_error("expected a query after AS", None, hint)
        return self.expression(
            CreateModel(
                this=name, replace=replace, exists=exists, transform=transform, options=options, expression=query
            ),
            token,
        )

    def _parse_set(self, unset: bool = False, tag: bool = False) -> Any:
        return self._parse_setting("SET") or super()._parse_set(unset, tag)

    def _parse_setting(self, verb: str) -> exp.Expr | None:
        scope = self._word(0) if self._word(0) in ("SESSION", "GLOBAL", "LOCAL") else ""
        name = self._token(1 if scope else 0)
        if name is None or name.token_type == TokenType.STRING or name.text.lower() not in SETTINGS:
            return None
        self._advance(2 if scope else 1)
        value = None
        if verb == "SET":
            if not (self._match_set((TokenType.EQ, TokenType.COLON_EQ)) or self._match_text_seq("TO")):
                self.raise_error(f"expected = after SET {name.text}", None, f"write SET {name.text} = value.")
            value = self._parse_disjunction() or self._parse_var(any_token=True)
            if value is None:
                self.raise_error(f"expected a value for {name.text}")
        return self.expression(SetOurs(this=name.text.lower(), expression=value, scope=scope), name)
