"""A letter to a colleague: what he has not seen on the screen, in his language, with links.

Made when it is carried: what he has seen meanwhile, what he may not see any more and what is over
is left out, and where nothing remains no letter leaves. It says what the notices say and nothing of
what customers wrote. It calls itself automatic (RFC 3834), so that no machine answers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from crm_store.mailboxes import EMAIL
from crm_store.notice_letters import told_by
from crm_store.tables.users import brands, users
from crm_store.viewer import Reader, load_viewer
from hub.errors import HubError
from hub.ids import AccountId, DeliveryId, DialogId, MessageId
from hub.messages import Address, Lane, OutboundMessage
from hub.objects import Actor, ActorKind, Cause
from hub.web.i18n import translate
from hub.web.notice_words import Line, line_of
from hub.web.render import Renderer

if TYPE_CHECKING:
    from hub.runtime import Runtime

MOST = 30
"""So many notices stand in one letter; the others are counted."""


class NothingToTell(HubError):
    """Its reader has seen everything, or may see nothing of it: the letter does not leave."""


class NoticeLetters:
    """Makes letters of claimed rows."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._renderer = Renderer()

    def read(
        self, conn: Connection, rows: Sequence[Row[Any]]
    ) -> dict[int, OutboundMessage | Exception]:
        """Give the letters by their ids, or why one does not leave."""
        if not rows:
            return {}
        told: dict[int, list[Row[Any]]] = {row.id: [] for row in rows}
        for notice in told_by(conn, [row.id for row in rows]):
            told[notice.letter_id].append(notice)
        ids = {row.user_id for row in rows}
        people = {one.id: one for one in conn.execute(select(users).where(users.c.id.in_(ids)))}
        house = str(conn.execute(select(brands.c.name).order_by(brands.c.id)).scalar() or "")
        made: dict[int, OutboundMessage | Exception] = {}
        for row in rows:
            to = people.get(row.user_id)
            try:
                if to is None or not to.active:
                    raise NothingToTell("this colleague is not here any more")
                made[row.id] = self._letter(row, to, self._lines(conn, to, told[row.id]), house)
            except NothingToTell as error:
                made[row.id] = error
        return made

    def _lines(self, conn: Connection, to: Row[Any], told: Sequence[Row[Any]]) -> list[Line]:
        runtime = self._runtime
        viewer = load_viewer(conn, Actor(kind=ActorKind.USER, id=to.id))
        reader = Reader(
            conn=conn,
            viewer=viewer,
            now=runtime.now(),
            nouns=runtime.nouns,
            ageing=runtime.ageing,
        )
        wanted = to.preferences.get("letters", {})
        found = [
            line_of(reader, to.language, one, one.created_at)
            for one in told
            if wanted.get(one.kind) is True
        ]
        lines = [one for one in found if one is not None]
        if not lines:
            raise NothingToTell("everything was seen, or is over")
        return lines

    def _letter(
        self, row: Row[Any], to: Row[Any], lines: Sequence[Line], house: str
    ) -> OutboundMessage:
        language, base = to.language, self._runtime.public_url.rstrip("/")

        shown, more = lines[:MOST], max(0, len(lines) - MOST)
        subject = lines[0].words
        if len(lines) > 1:
            subject = translate(language, "Notices for you: {count}").format(count=len(lines))
        links = (
            (translate(language, "All notices"), f"{base}/notices"),
            (translate(language, "Which of them come by e-mail"), f"{base}/settings/notices"),
        )
        rest = translate(language, "And {count} more.").format(count=more) if more else ""
        end = translate(language, "A program wrote this letter: an answer to it reaches nobody.")
        text = "\n\n".join(
            [
                *(f"{one.words}\n{base}{one.path}" for one in shown),
                *([rest] if rest else []),
                "\n".join(f"{name}: {url}" for name, url in links),
                end,
            ]
        )
        html = self._renderer.text(
            "letters/notices.html",
            language,
            zone=to.time_zone or "UTC",
            subject=subject,
            lines=shown,
            base=base,
            rest=rest,
            links=links,
            end=end,
        )
        return OutboundMessage(
            id=DeliveryId(row.id),
            message_id=MessageId(0),
            dialog_id=DialogId(0),
            account_id=AccountId(row.account_id),
            to=Address(kind=EMAIL, value=to.email, name=to.name),
            subject=subject,
            text=text,
            html=html,
            lane=Lane.TRIGGER,
            idempotency_key=f"{row.id}",
            automated=True,
            sender_name=house,
            cause=Cause(kind="notice"),
        )
