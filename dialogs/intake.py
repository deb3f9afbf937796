"""Taking customers' messages in: dedupe, identify, match, record, all in one transaction.

Works on a whole group of messages with a handful of statements. A repeat of a dedupe key
changes nothing and gives the earlier message's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import update

from crm_store import request_deadlines
from crm_store.tables.dialogs import messages
from crm_store.unit_of_work import UnitOfWork
from dialogs.albums import append, followers
from dialogs.edits import merge_parked
from dialogs.identity import Key, aliases_of, identify, partner_of
from dialogs.inbound_rows import Writer
from dialogs.lookup import find_message
from dialogs.many_answers import heed_answers
from dialogs.matching import Matcher, load_rules
from dialogs.named_requests import NamedRequests
from dialogs.notice_answers import refuse_answers
from dialogs.repeated import claim_keys, places_of, refuse_erased
from hub.commands import Receive
from hub.errors import NotFound
from hub.ids import AccountId, MessageId, bounded_key
from hub.records.dialogs import Received


def receive_many(uow: UnitOfWork, commands: Sequence[Receive]) -> list[Received]:
    """Take a group of messages in."""
    rules = load_rules(uow, (one.account_id for one in commands))
    for command in commands:
        if command.account_id not in rules:
            raise NotFound(f"there is no account {command.account_id}")
    fresh = claim_keys(uow, commands)
    for refuse in (refuse_erased, refuse_answers):
        for n in refuse(uow, commands, fresh):
            del fresh[n]
    later = followers(uow, commands, fresh)
    batch = [one for n, one in enumerate(commands) if n in fresh]
    places: dict[int, Received] = {}
    if batch:
        partners = [partner_of(one.message) for one in batch]
        aliases = aliases_of([one.message for one in batch])
        vouched, told = _told(uow, batch, rules)
        peers = identify(uow, partners, aliases, vouched, told)
        located = [
            (command, peers[partner.kind, partner.value], partner)
            for command, partner in zip(batch, partners, strict=True)
        ]
        named = NamedRequests(uow, located)
        writer = Writer(uow, Matcher(uow, located, rules, named), rules)
        for n, (command, peer, partner) in zip(sorted(fresh), located, strict=True):
            places[n] = writer.take(fresh[n], command, peer, partner)
        writer.flush()
        came = [places[n] for n in sorted(fresh)]
        bound = named.bind(located, came)
        _owe_answers(uow, batch, came, writer.known | bound)
        _answers(uow, batch, [fresh[n] for n in sorted(fresh)])
        heed_answers(uow, batch, came, _with_threads(uow, batch, rules))
        _merge_early(uow, batch)
    for n in later:
        found = append(uow, commands[n])
        if found is not None:
            places[n] = found
            merge_parked(uow, commands[n].account_id, [commands[n].message.external_id])
    missing = [one for n, one in enumerate(commands) if n not in places]
    earlier = places_of(uow, missing) if missing else {}
    return [
        places.get(n) or earlier[one.account_id, bounded_key(one.message.dedupe_key)]
        for n, one in enumerate(commands)
    ]


def _told(
    uow: UnitOfWork, batch: Sequence[Receive], rules: Mapping[int, Any]
) -> tuple[set[Key], set[Key]]:
    """Give the senders whose network lets nobody else write in their name, and those that their
    own channel told (a form tells what somebody has typed)."""
    vouched: set[Key] = set()
    told: set[Key] = set()
    for one in batch:
        capabilities = uow.channels.get(rules[one.account_id].channel)
        sender = one.message.sender
        if capabilities is None or one.message.group or sender.kind != capabilities.address_kind:
            continue
        known = {(each.kind, each.value) for each in (sender, *one.message.aliases)}
        told |= known
        if capabilities.vouches:
            vouched |= known
    return vouched, told


def _with_threads(
    uow: UnitOfWork, batch: Sequence[Receive], rules: Mapping[int, Any]
) -> list[bool]:
    kinds = [uow.channels.get(rules[one.account_id].channel) for one in batch]
    return [one is not None and one.threads for one in kinds]


def _is_letter(command: Receive) -> bool:
    return bool(command.message.references) or bool(command.message.headers)


def _answers(uow: UnitOfWork, batch: Sequence[Receive], ids: Sequence[MessageId]) -> None:
    """Note which entry a message answers, so that it can be shown and jumped to.

    A letter quotes what it answers by itself, and answers the one before it nearly always.
    """
    for command, message_id in zip(batch, ids, strict=True):
        name = command.message.in_reply_to
        if not name or _is_letter(command):
            continue
        answered = find_message(uow, command.account_id, name, lock=False)
        if answered is not None:
            uow.conn.execute(
                update(messages).where(messages.c.id == message_id).values(reply_to=answered.id)
            )


def _owe_answers(
    uow: UnitOfWork, batch: Sequence[Receive], places: Sequence[Received], known: set[int]
) -> None:
    """What a person wrote (and no machine) moves the requests of dialogs that were there."""
    asked = {
        int(place.dialog_id)
        for command, place in zip(batch, places, strict=True)
        if not command.message.automated and place.dialog_id in known
    }
    if asked:
        request_deadlines.asked(uow, asked)


def _merge_early(uow: UnitOfWork, batch: Sequence[Receive]) -> None:
    """Carry out edits and reactions that overtook the messages that have just come."""
    names: dict[AccountId, list[str]] = {}
    for command in batch:
        # A letter is never changed after it was sent.
        if not _is_letter(command):
            names.setdefault(command.account_id, []).append(command.message.external_id)
    for account_id, external_ids in names.items():
        merge_parked(uow, account_id, external_ids)


def receive(uow: UnitOfWork, command: Receive) -> Received:
    """Take one message in."""
    return receive_many(uow, [command])[0]
