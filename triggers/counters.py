"""Counters of conditions: what stands on no record and is counted for a whole batch of events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from crm_store.absences import substitutes
from crm_store.completeness import COUNTED, LACKS, missing_in
from crm_store.desks import people_away
from crm_store.nouns import NOUNS
from crm_store.object_fields import WON
from crm_store.refusals import refusals
from crm_store.tables.dialogs import bodies, dialogs, messages
from crm_store.tables.interests import interests, stages
from crm_store.tables.objects import leads
from crm_store.tables.people import addresses
from crm_store.tables.segments import segment_members, segments
from crm_store.tables.users import brands, team_members, users
from crm_store.team_tree import parents_of, upwards
from crm_store.viewer import Reader
from hub.records.dialogs import Dialog, Message
from hub.records.people import Contact

DAY_US = 86_400_000_000
Counted = Mapping[str, Mapping[int, object]]


class Counters:
    """Counts for these dialogs, messages, people, interests and clients, by their ids."""

    def __init__(
        self,
        reader: Reader,
        dialogs: Mapping[int, Dialog],
        messages: Mapping[int, Message],
        contacts: Mapping[int, Contact],
        interests: Mapping[int, Any],
        clients: Mapping[int, Any],
    ) -> None:
        self._reader = reader
        self._dialogs = dialogs
        self._messages = messages
        self._contacts = contacts
        self._interests = interests
        self._clients = clients
        self._more: dict[str, dict[int, object]] = {}

    def count(self, needs: Collection[str]) -> Counted:
        """Give what is needed, by the names of fields."""
        people, talks = sorted(self._contacts), sorted(self._dialogs)
        parts: tuple[tuple[str, Callable[[Sequence[int]], None], Sequence[int]], ...] = (
            ("first_ever", self._first_ever, people),
            ("leads", self._leads, people),
            ("duplicates", self._duplicates, people),
            ("segments", self._segments, people),
            ("load", self._load, talks),
            ("previous", self._previous, talks),
            ("answered", self._answered, talks),
            ("automatic", self._automatic, talks),
            ("away", self._away, talks),
            ("head", self._head, talks),
            ("advertising", self._advertising, talks),
            ("headers", self._headers, sorted(self._messages)),
            ("norm", self._norm, sorted(self._interests)),
            ("purchase", self._purchase, sorted(self._clients)),
            ("lacks", self._lacks, sorted(self._clients)),
        )
        for part, read, ids in parts:
            if part in needs and ids:
                read(ids)
        return self._more

    def _put(self, name: str, values: Mapping[int, object]) -> None:
        self._more.setdefault(name, {}).update(values)

    def _first_ever(self, ids: Sequence[int]) -> None:
        """True where the person's only inbound message so far is the newest one."""
        rows = self._reader.conn.execute(
            select(dialogs.c.contact_id, func.sum(dialogs.c.inbound_count).label("n"))
            .where(dialogs.c.contact_id.in_(ids))
            .group_by(dialogs.c.contact_id)
        )
        self._put("contact.first_ever", {row.contact_id: int(row.n or 0) <= 1 for row in rows})

    def _leads(self, ids: Sequence[int]) -> None:
        counts: dict[str, dict[int, int]] = {"open": {}, "rejected": {}}
        rows = self._reader.conn.execute(
            select(leads.c.contact_id, leads.c.status, func.count().label("n"))
            .where(leads.c.contact_id.in_(ids), leads.c.deleted_at == 0)
            .group_by(leads.c.contact_id, leads.c.status)
        )
        for row in rows:
            key = "rejected" if row.status == "rejected" else "open"
            if row.status in ("new", "in_work", "rejected"):
                counts[key][row.contact_id] = counts[key].get(row.contact_id, 0) + row.n
        for key, name in (("open", "contact.open_leads"), ("rejected", "contact.rejected_leads")):
            self._put(name, {one: counts[key].get(one, 0) for one in ids})

    def _duplicates(self, ids: Sequence[int]) -> None:
        twin = addresses.alias("twin")
        rows = self._reader.conn.execute(
            select(addresses.c.contact_id, func.count(twin.c.contact_id.distinct()).label("n"))
            .join(
                twin,
                (twin.c.value == addresses.c.value) & (twin.c.contact_id != addresses.c.contact_id),
            )
            .where(addresses.c.contact_id.in_(ids))
            .group_by(addresses.c.contact_id)
        )
        self._put("contact.duplicates", dict.fromkeys(ids, 0))
        self._put("contact.duplicates", {row.contact_id: row.n for row in rows})

    def _load(self, ids: Sequence[int]) -> None:
        people = {one.assignee_id for one in self._dialogs.values()} - {0}
        rows = self._reader.conn.execute(
            select(dialogs.c.assignee_id, func.count().label("n"))
            .where(dialogs.c.assignee_id.in_(sorted(people)), dialogs.c.is_open)
            .group_by(dialogs.c.assignee_id)
        )
        loads = {row.assignee_id: row.n for row in rows}
        self._put(
            "dialog.assignee_load",
            {one: loads.get(self._dialogs[one].assignee_id, 0) for one in ids},
        )

    def _previous(self, ids: Sequence[int]) -> None:
        other = dialogs.alias("other")
        rows = self._reader.conn.execute(
            select(dialogs.c.id, func.max(other.c.closed_at).label("at"))
            .join(
                other, (other.c.contact_id == dialogs.c.contact_id) & (other.c.id != dialogs.c.id)
            )
            .where(dialogs.c.id.in_(ids))
            .group_by(dialogs.c.id)
        )
        self._put("dialog.previous_closed_at", {row.id: row.at or 0 for row in rows})

    def _answered(self, ids: Sequence[int]) -> None:
        rows = self._reader.conn.execute(
            select(dialogs.c.id, dialogs.c.first_response_at).where(dialogs.c.id.in_(ids))
        )
        self._put("dialog.answered", {row.id: row.first_response_at > 0 for row in rows})

    def _automatic(self, ids: Sequence[int]) -> None:
        rows = self._reader.conn.execute(
            select(messages.c.dialog_id, func.count().label("n"))
            .where(
                messages.c.dialog_id.in_(ids),
                messages.c.direction == "out",
                messages.c.automated,
                messages.c.at > self._reader.now - DAY_US,
            )
            .group_by(messages.c.dialog_id)
        )
        self._put("dialog.automatic_today", dict.fromkeys(ids, 0))
        self._put("dialog.automatic_today", {row.dialog_id: row.n for row in rows})

    def _headers(self, ids: Sequence[int]) -> None:
        rows = self._reader.conn.execute(
            select(bodies.c.message_id, bodies.c.headers).where(bodies.c.message_id.in_(ids))
        )
        self._put(
            "message.headers",
            {
                row.message_id: [f"{name}: {value}" for name, value in dict(row.headers).items()]
                for row in rows
            },
        )

    def _segments(self, ids: Sequence[int]) -> None:
        """The static and watched segments that people are in, as they were counted last."""
        found: dict[int, list[int]] = {one: [] for one in ids}
        there = select(segments.c.id).where(segments.c.removed_at == 0)
        rows = self._reader.conn.execute(
            select(segment_members.c.contact_id, segment_members.c.segment_id).where(
                segment_members.c.contact_id.in_(ids),
                # A removed one keeps its people for a while: it may be brought back.
                segment_members.c.segment_id.in_(there),
            )
        )
        for row in rows:
            found[row.contact_id].append(row.segment_id)
        self._put("contact.segments", {one: [str(n) for n in each] for one, each in found.items()})

    def _away(self, ids: Sequence[int]) -> None:
        away = people_away(self._reader.conn, self._reader.now)
        instead = substitutes(self._reader.conn, self._reader.now)
        mine = {one: self._dialogs[one].assignee_id for one in ids}
        self._put("dialog.assignee_absent", {one: who in away for one, who in mine.items()})
        self._put("dialog.substitute", {one: instead.get(who, 0) for one, who in mine.items()})

    def _head(self, ids: Sequence[int]) -> None:
        """The supervisor of the dialog's team, else of the nearest above it, else one of the house;
        of those who are not away."""
        rows = self._reader.conn.execute(
            select(users.c.id, team_members.c.team_id)
            .outerjoin(team_members, team_members.c.user_id == users.c.id)
            .where(users.c.active, users.c.role == "supervisor")
            .order_by(users.c.id)
        ).all()
        away = people_away(self._reader.conn, self._reader.now)
        there = [one for one in rows if one.id not in away]
        anybody = there[0].id if there else 0
        of_team = {one.team_id: one.id for one in reversed(there) if one.team_id}
        parents = parents_of(self._reader.conn)
        heads: dict[int, object] = {}
        for one in ids:
            near = upwards(parents, self._dialogs[one].team_id)
            heads[one] = next((of_team[team] for team in near if team in of_team), anybody)
        self._put("dialog.head", heads)

    def _advertising(self, ids: Sequence[int]) -> None:
        """Whether a person may be sent advertising where the dialog is."""
        groups: dict[tuple[str, int], list[tuple[int, tuple[int, int]]]] = {}
        for one in ids:
            dialog = self._dialogs[one]
            pair = (int(dialog.contact_id), int(dialog.address_id))
            key = (dialog.address_kind, int(dialog.account_id))
            groups.setdefault(key, []).append((one, pair))
        for (channel, account_id), pairs in groups.items():
            refused = refusals(
                self._reader.conn,
                [pair for _, pair in pairs],
                channel=channel,
                topic="",
                account_id=account_id,
            )
            self._put("dialog.advertising", {one: pair not in refused for one, pair in pairs})

    def _norm(self, ids: Sequence[int]) -> None:
        """How much of its stage's norm an interest has spent, in per cent."""
        places = {one: int(self._interests[one].stage_id) for one in ids}
        norms = {
            row.id: row.norm_us
            for row in self._reader.conn.execute(
                select(stages.c.id, stages.c.norm_us).where(stages.c.id.in_(set(places.values())))
            )
        }
        now = self._reader.now
        self._put(
            "interest.norm_spent",
            {
                one: 100 * (now - int(self._interests[one].stage_since)) // norm
                for one, place in places.items()
                if (norm := norms.get(place, 0))
            },
        )

    def _lacks(self, ids: Sequence[int]) -> None:
        """What is not filled in on a client's card, in the house's language."""
        language = self._reader.conn.execute(select(brands.c.language).limit(1)).scalar() or "en"
        kind = NOUNS["client"].kind

        def words(name: str) -> str:
            prop = kind.property(name)
            return prop.translations.get(language, prop.label)

        found: dict[int, object] = {}
        for one in ids:
            lacks = missing_in({name: getattr(self._clients[one], name) for name in COUNTED})
            found[one] = ", ".join(" / ".join(map(words, names)) for names in lacks)
        self._put(LACKS, found)

    def _purchase(self, ids: Sequence[int]) -> None:
        """When the last interest of a client was won."""
        rows = self._reader.conn.execute(
            select(interests.c.client_id, func.max(interests.c.closed_at).label("at"))
            .where(interests.c.client_id.in_(ids), WON)
            .group_by(interests.c.client_id)
        )
        self._put("client.last_purchase", {row.client_id: row.at for row in rows})
