"""Requests: numbered and moved, with clocks that run beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from crm_store import object_writes, sla, support_levels
from crm_store.dialog_words import from_dialog, split
from crm_store.habits import PEOPLE, Habits
from crm_store.notices import tell
from crm_store.nouns import NOUNS, Noun
from crm_store.request_clocks import BY_STARTING, OVER, Clocks, status_values
from crm_store.sql import upsert
from crm_store.tables.dialogs import dialogs
from crm_store.tables.objects import dialog_links
from crm_store.tables.requests import request_clocks, requests, sequences
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from hub.commands import CreateObject, SetRequestStatus
from hub.deadlines import FIRST, SOLUTION
from hub.errors import Conflict, Invalid
from hub.events import RequestCreated
from hub.ids import DialogId, RequestId, SlaPolicyId, UserId
from hub.objects import Ref

REQUEST = NOUNS["request"]
FIRST_NUMBER = 1001
STATUSES = tuple(one.value for one in REQUEST.kind.property("status").choices)
_DECIDING = frozenset({"type", "priority", "level", "category", "tags", "client_id", "team_id"})


class RequestHabits(Habits):
    """A request has a number, and promises that follow it."""

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make a request, by hand or of a dialog."""
        taken = from_dialog(uow, command.dialog_id) if command.dialog_id else {}
        if "message" in taken:
            taken["description"] = taken.pop("message")
        given, own = split(noun, taken)
        given |= {name: one for name, one in command.values.items() if one not in (None, "")}
        read = object_writes.read_values(noun.kind, given, new=True)
        values = {**support_levels.chosen(uow, read), **own}
        _check_score(values)
        object_id = command.object_id or uow.new_id()
        clocks = self._begin(uow, object_id, values, command.dialog_id)
        values |= {"number": next_number(uow), **clocks.columns()}
        if _is_answered(uow, command.dialog_id):
            values["first_responded_at"] = uow.now
        object_writes.create(uow, noun, object_id, values, command.dialog_id)
        policy = clocks.policy
        uow.record(
            RequestCreated(
                request_id=RequestId(object_id),
                number=int(str(values["number"])),
                dialog_id=command.dialog_id,
                policy_id=policy.id if policy else SlaPolicyId(0),
                tell_client=bool(policy and policy.tell_client) and _may_tell(uow, command),
            )
        )
        clocks.write()
        _tell_owner(uow, object_id, values)
        return object_id

    def _begin(
        self, uow: UnitOfWork, object_id: int, values: dict[str, object], dialog_id: DialogId
    ) -> Clocks:
        row = _Draft(object_id, values, uow.now)
        clocks = Clocks(uow, row, sla.applying(uow, values))
        if not _is_answered(uow, dialog_id):
            # The promise to the client began when he wrote, not when somebody pressed a key.
            since = _waiting_since(uow, dialog_id)
            clocks.start(FIRST, min(since, uow.now) if since else uow.now)
        clocks.start(SOLUTION, uow.now)
        if values.get("solution_due"):
            clocks.set_solution(int(str(values["solution_due"])))
        return clocks

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Let another policy apply, and a deadline be set by hand."""
        _check_score(values)
        values = support_levels.chosen(uow, values, row)
        _check_parent(uow, row.id, int(str(values.get("parent_id") or 0)))
        deciding = _DECIDING & set(values)
        by_hand = "solution_due" in values and values["solution_due"] != row.solution_due
        rest = {name: one for name, one in values.items() if name != "solution_due"}
        if not deciding and not by_hand:
            return rest
        clocks = Clocks.of(uow, row)
        clocks.pass_time()
        if deciding:
            clocks.replace_policy(sla.applying(uow, {**row._mapping, **values}))
        if by_hand and row.status not in OVER:
            clocks.set_solution(int(str(values["solution_due"])))
        clocks.write()
        return {**rest, **clocks.columns()}

    def changed(self, uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
        """Tell who has it now."""
        if values.get("owner_id") and values["owner_id"] != row.owner_id:
            _tell_owner(uow, row.id, values)

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """What lies in the bin breaks no promise."""
        uow.conn.execute(
            update(request_clocks).where(request_clocks.c.request_id == row.id).values(watch_at=0)
        )
        if restore:
            again = object_writes.lock(uow, REQUEST, row.id)
            clocks = Clocks.of(uow, again)
            clocks.write()


class _Draft:
    """A request that is not written yet, as its clocks see it."""

    def __init__(self, object_id: int, values: Mapping[str, object], now: int) -> None:
        self.id = object_id
        self.created_at = now
        self.deleted_at = 0
        self.status = "new"
        self.first_responded_at = 0
        self.owner_id = values.get("owner_id", 0)
        self.team_id = values.get("team_id", 0)


def _check_parent(uow: UnitOfWork, request_id: int, parent_id: int) -> None:
    """Raise Invalid where a request would be a part of itself, over however many others."""
    seen: set[int] = set()
    while parent_id and parent_id not in seen:
        if parent_id == request_id:
            raise Invalid("a request is not a part of itself", field="parent_id")
        seen.add(parent_id)
        above = select(requests.c.parent_id).where(requests.c.id == parent_id)
        parent_id = int(uow.conn.execute(above).scalar() or 0)


def _check_score(values: Mapping[str, object]) -> None:
    score = values.get("satisfaction", 0)
    if not isinstance(score, int) or not 0 <= score <= 5:
        raise Invalid("a score is a number from 1 to 5", field="satisfaction")


def next_number(uow: UnitOfWork) -> int:
    """Give the next number; the sequence's row is locked until the transaction ends."""
    statement = upsert(uow.dialect, sequences).values(name="request:1", value=FIRST_NUMBER)
    found = uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": sequences.c.value + 1}
        ).returning(sequences.c.value)
    ).scalar_one()
    return int(found)


def _waiting_since(uow: UnitOfWork, dialog_id: DialogId) -> int:
    if not dialog_id:
        return 0
    found = uow.conn.execute(
        select(dialogs.c.waiting_since).where(dialogs.c.id == dialog_id)
    ).scalar()
    return int(found or 0)


def _is_answered(uow: UnitOfWork, dialog_id: DialogId) -> bool:
    """Say whether a person of ours has answered before the request was made."""
    if not dialog_id:
        return False
    row = uow.conn.execute(
        select(dialogs.c.waiting_since, dialogs.c.first_response_at).where(
            dialogs.c.id == dialog_id
        )
    ).first()
    return row is not None and not row.waiting_since and bool(row.first_response_at)


def _may_tell(uow: UnitOfWork, command: CreateObject) -> bool:
    """Say whether the account lets requests tell their numbers."""
    if not command.dialog_id:
        return False
    row = uow.conn.execute(
        select(accounts.c.settings, accounts.c.removed)
        .join(dialogs, dialogs.c.account_id == accounts.c.id)
        .where(dialogs.c.id == command.dialog_id)
    ).first()
    return row is not None and not row.removed


def _tell_owner(uow: UnitOfWork, request_id: int, values: Mapping[str, object]) -> None:
    owner = values.get("owner_id", 0)
    if isinstance(owner, int) and owner:
        tell(uow, [owner], "request.assigned", Ref(kind="request", id=request_id))


def set_status(uow: UnitOfWork, command: SetRequestStatus) -> int:
    """Move a request; gives its new version."""
    if command.status not in STATUSES:
        raise Invalid(f"a status is one of: {', '.join(STATUSES)}", field="status")
    row = object_writes.lock(uow, REQUEST, command.request_id)
    if command.expected and command.expected != row.status:
        raise Conflict(
            "the request was moved meanwhile", what="status", details={"status": row.status}
        )
    if row.merged_into:
        raise Conflict("this request was merged into another", what="merged")
    if row.status == command.status:
        return int(row.version)
    clocks = Clocks.of(uow, row)
    clocks.pass_time()
    clocks.move(row.status, command.status)
    linked = uow.conn.execute(
        select(dialog_links.c.dialog_id)
        .where(dialog_links.c.kind == "request", dialog_links.c.object_id == row.id)
        .limit(1)
    ).first()
    if linked is None and row.status == "new":
        # Without a dialog, beginning to work is the first response.
        clocks.meet(FIRST, BY_STARTING)
    more = status_values(uow, row, command.status, " ".join(command.reason.split())[:400])
    if linked is None and not row.first_responded_at:
        more["first_responded_at"] = uow.now
    if command.solution.strip():
        more["solution"] = command.solution.strip()[:100_000]
    if command.status == "in_work" and not row.owner_id and uow.actor.kind in PEOPLE:
        more["owner_id"] = UserId(uow.actor.id)
    return clocks.save(**more)
