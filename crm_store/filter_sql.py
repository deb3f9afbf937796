"""Filters over rows: a tree becomes one SQL condition, the same on both databases.

A query field gives its SQL for the object that is asked about: an expression, or, of a set, a
SELECT of its members. Every single condition is made two-valued before groups combine them,
so that NULL never decides: empty is a value, and negations match it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    true,
)

from crm_store.sql import owned
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.filters import (
    ME,
    Condition,
    Field,
    FieldType,
    Filter,
    Match,
    Moment,
    Operator,
    Use,
    Value,
    parse,
)
from hub.filters.tree import LINE_LENGTH
from hub.terms import fold, query_terms

Subject = ColumnElement[int]
Clause = ColumnElement[bool]

_O = Operator
NEVER = literal_column("0", BigInteger)
"""No moment; written into the question, so that an index of what has none is known to fit."""
ASKING = "filter_me"
"""The name under which a question is told who asks it."""
_NEGATIVE = frozenset({_O.NOT_EQUALS, _O.NOT_IN, _O.NOT_EMPTY, _O.NOT_CONTAINS})


def asking(user_id: int) -> int:
    """Give the value of ASKING: where nobody asks, "me" is no one, not the empty reference."""
    return user_id or -1


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryField:
    """How a field is asked of the database.

    `sql` gets the column with the subject's id and gives an expression: of a line its folded
    twin, of a set a SELECT of one column with its folded members. `words` gives the condition
    that the indexed text has all the terms. A plugin answers with EXISTS or a scalar subquery
    over its own tables. `nullable` may be False for a plain column, which then keeps its index;
    `positive` says of a plain column that it is never negative: "set" is then a bound, from which
    an index is read on, and rows without a value are not walked through.
    """

    sql: Callable[[Subject], Any]
    words: Callable[[Subject, Sequence[str], str], Clause] | None = None
    nullable: bool = True
    positive: bool = False


def compile_sql(
    tree: Filter,
    fields: Mapping[str, Field],
    columns: Mapping[str, QueryField],
    subject: Subject,
    moment: Moment,
    dialect: str,
) -> Clause:
    """Give the condition of a filter for rows whose object's id is `subject`."""
    return _Compiler(fields, columns, subject, moment, dialect).part(tree)


def dialog_clause(reader: Reader, data: Mapping[str, object]) -> Clause:
    """Give the condition of a filter given as JSON, over the table `dialogs`."""
    # The import is late: the fields of dialogs are built on this module.
    from crm_store.dialog_columns import DIALOG_COLUMNS
    from crm_store.tables.dialogs import dialogs
    from hub.filters.dialog_fields import DIALOG_FIELDS

    tree = parse(data, DIALOG_FIELDS, Use.QUERY)
    moment = Moment(now=reader.now, me=reader.viewer.user_id)
    return compile_sql(
        tree, DIALOG_FIELDS, DIALOG_COLUMNS, dialogs.c.id, moment, reader.conn.dialect.name
    )


class _Compiler:
    def __init__(
        self,
        fields: Mapping[str, Field],
        columns: Mapping[str, QueryField],
        subject: Subject,
        moment: Moment,
        dialect: str,
    ) -> None:
        self._fields = fields
        self._columns = columns
        self._subject = subject
        self._moment = moment
        self._dialect = dialect

    def part(self, tree: Filter) -> Clause:
        if isinstance(tree, Condition):
            return self._condition(tree)
        parts = [self.part(one) for one in tree.parts]
        if tree.match is Match.ALL:
            return and_(true(), *parts)
        some = or_(false(), *parts)
        return some if tree.match is Match.ANY else not_(some)

    def _condition(self, condition: Condition) -> Clause:
        name, operator = condition.field, condition.operator
        field, column = self._fields.get(name), self._columns.get(name)
        if field is None or column is None or operator not in field.operators(Use.QUERY):
            raise Invalid(f"{name} {operator} cannot be asked of the database", field=name)
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        if operator is _O.WORDS:
            return self._words(column, name, values)
        if operator is _O.NOT_EMPTY and column.positive:
            return _is(column.sql(self._subject) > 0)
        if operator in _NEGATIVE:
            return not_(self._positive(field.type, column, operator, values))
        return self._positive(field.type, column, operator, values)

    def _words(self, column: QueryField, name: str, values: Sequence[object]) -> Clause:
        if column.words is None:
            raise Invalid(f"{name} is not indexed by its words", field=name)
        found = [
            column.words(self._subject, query_terms(str(one)), self._dialect) for one in values
        ]
        return or_(*found)

    def _positive(
        self, kind: FieldType, column: QueryField, operator: Operator, values: Sequence[Any]
    ) -> Clause:
        expression = column.sql(self._subject)
        if kind is FieldType.SET:
            return _members(expression, operator, values)
        if column.nullable and kind is not FieldType.NUMBER:
            expression = func.coalesce(expression, _EMPTY[kind])
        match kind:
            case FieldType.LINE | FieldType.TEXT | FieldType.CHOICE:
                clause = self._text(kind, expression, operator, values)
            case FieldType.FLAG:
                clause = expression.is_(true()) if values[0] else expression.is_(false())
            case FieldType.REF | FieldType.FILE:
                clause = self._reference(expression, operator, values)
            case FieldType.INSTANT:
                given = _is(expression > 0) if column.positive else _is(expression != 0)
                clause = self._instant(expression, operator, values, given)
            case _:
                clause = _number(expression, operator, values, nullable=column.nullable)
        return clause

    def _text(
        self, kind: FieldType, expression: Any, operator: Operator, values: Sequence[Any]
    ) -> Clause:
        if operator in (_O.EMPTY, _O.NOT_EMPTY):
            return _is(expression == "")
        if kind is FieldType.CHOICE:
            return _is(expression.in_(values))
        if operator in (_O.CONTAINS, _O.NOT_CONTAINS):
            place = func.instr if self._dialect == "sqlite" else func.strpos
            return or_(*(place(expression, fold(one)) > 0 for one in values))
        if operator is _O.STARTS:
            # LIKE would fold on SQLite and read signs; this compares what stands there.
            folded = [fold(one) for one in values]
            return or_(*(func.substr(expression, 1, len(one)) == one for one in folded))
        return _is(expression.in_([fold(one)[:LINE_LENGTH] for one in values]))

    def _reference(self, expression: Any, operator: Operator, values: Sequence[Any]) -> Clause:
        if operator in (_O.EMPTY, _O.NOT_EMPTY):
            return _is(expression == 0)
        known = [one for one in values if one != ME and one > 0]
        named = _is(expression.in_(known))
        if ME not in values:
            return named
        # A value of the question, whose text is then the same for everybody who asks.
        me = bindparam(ASKING, asking(self._moment.me), BigInteger)
        mine = owned(self._dialect, expression, _is(expression == me))
        return or_(mine, named) if known else mine

    def _instant(
        self, expression: Any, operator: Operator, values: Sequence[Any], given: Clause
    ) -> Clause:
        if operator in (_O.EMPTY, _O.NOT_EMPTY):
            return _is(expression == NEVER)
        now = self._moment.now
        low, high = values[0], values[-1]
        match operator:
            case _O.GREATER:
                # Days before 1970 are negative, and 0 is no day at all.
                later = expression > low
                return _is(later) if isinstance(low, int) and low >= 0 else and_(given, later)
            case _O.LESS:
                return and_(given, expression < high)
            case _O.OLDER_THAN:
                return and_(given, expression < now - low)
            case _O.WITHIN_LAST:
                return and_(given, expression.between(now - low, now))
            case _O.WITHIN_NEXT:
                return and_(given, expression.between(now, now + low))
        return and_(given, expression.between(low, high))


_EMPTY: Mapping[FieldType, ColumnElement[Any]] = {
    FieldType.LINE: literal(""),
    FieldType.TEXT: literal(""),
    FieldType.CHOICE: literal(""),
    FieldType.FLAG: false(),
    FieldType.INSTANT: literal(0),
    FieldType.REF: literal(0),
    FieldType.FILE: literal(0),
}


def _is(clause: Any) -> Clause:
    """Say that what the operators of an untyped expression give is a condition."""
    checked: Clause = clause
    return checked


def _number(
    expression: Any, operator: Operator, values: Sequence[Any], *, nullable: bool
) -> Clause:
    if operator in (_O.EMPTY, _O.NOT_EMPTY):
        return _is(expression.is_(None))
    match operator:
        case _O.GREATER:
            clause = expression > values[0]
        case _O.LESS:
            clause = expression < values[0]
        case _O.BETWEEN:
            clause = expression.between(*values)
        case _:
            clause = expression.in_(values)
    return _is(func.coalesce(clause, false()) if nullable else clause)


def _members(members: Select[Any], operator: Operator, values: Sequence[Value]) -> Clause:
    if operator in (_O.EMPTY, _O.NOT_EMPTY):
        some = members.exists()
        # Asked for positively: whoever calls negates NOT_EMPTY.
        return not_(some)
    [column] = members.selected_columns
    return members.where(column.in_([fold(str(one)) for one in values])).exists()
