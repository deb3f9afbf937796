"""The words of a mailing as they will leave: a letter, a template of the provider, or plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hub import (
    AccountId,
    Button,
    Capabilities,
    Hub,
    HubError,
    ManyContent,
    addresses_in,
    is_countable,
)
from plugins.mailings.addresses import with_marks
from plugins.mailings.files import files_of
from plugins.mailings.letter import Letter, letter, said
from plugins.mailings.marks import erid_of, link_marks, marked
from plugins.mailings.plans import Plan, Step, Variant

_HREF = re.compile(r'<a\b[^>]*\bhref="https?://', re.IGNORECASE)


async def is_letter(hub: Hub, plan: Plan) -> bool:
    """Say whether it goes by a channel of letters."""
    if not plan.accounts:
        return True
    try:
        account = await hub.account(AccountId(plan.accounts[0]))
    except HubError:
        return True
    capabilities = hub.capabilities(account.channel)
    return capabilities is not None and capabilities.html


async def has_counted_links(hub: Hub, plan: Plan) -> bool:
    """Say whether clicks tell anything of each wording: both have links, and they are counted."""
    if not plan.tracks_clicks:
        return False
    made = [one for one in await contents_of(hub, plan) if not one.account_id and not one.template]
    return bool(made) and all(
        _HREF.search(one.html) if one.html else any(map(is_countable, plain_addresses(one)))
        for one in made
    )


def plain_addresses(content: ManyContent) -> list[str]:
    """Give the addresses of a message: those in its words, and those of its buttons."""
    return [*addresses_in(content.text), *(one.url for one in content.buttons if one.url)]


async def letters_of(hub: Hub, plan: Plan) -> list[Letter]:
    """Give each wording as a letter."""
    language = "ru" if (await hub.brand()).language.startswith("ru") else "en"
    return [_letter(plan, one, language) for one in plan.variants if one.text.strip()]


async def chain_of(hub: Hub, plan: Plan) -> list[tuple[Variant, Letter]]:
    """Give each wording and each later letter of a chain beside what it is laid out as."""
    language = "ru" if (await hub.brand()).language.startswith("ru") else "en"
    wordings = [*plan.variants, *map(_as_variant, plan.steps)]
    return [(one, _letter(plan, one, language)) for one in wordings if one.text.strip()]


def _letter(plan: Plan, wording: Variant, language: str, *, short: bool = False) -> Letter:
    erid = erid_of(plan, wording, short=short)
    return letter(
        marked(plan, wording.text, erid),
        language=language,
        utm=link_marks(plan, erid),
        advertising=plan.advertising,
        plain_twin=marked(plan, wording.plain, erid),
    )


async def contents_of(hub: Hub, plan: Plan) -> tuple[ManyContent, ...]:
    """Give the words as the outbox keeps them: each wording, and its own form for other channels."""
    variants = [one for one in plan.variants if one.text.strip()]
    return await _contents(hub, plan, variants)


async def steps_of(hub: Hub, plan: Plan) -> tuple[tuple[ManyContent, ...], ...]:
    """Give the words of the later letters of a chain."""
    return tuple([await _contents(hub, plan, [_as_variant(one)]) for one in plan.steps])


def _as_variant(one: Step) -> Variant:
    return Variant(
        subject=one.subject,
        text=one.text,
        short=one.short,
        erid=one.erid,
        short_erid=one.short_erid,
        buttons=one.buttons,
    )


async def _contents(hub: Hub, plan: Plan, variants: Sequence[Variant]) -> tuple[ManyContent, ...]:
    first, *others = plan.accounts or (0,)
    language = "ru" if (await hub.brand()).language.startswith("ru") else "en"
    # The wordings for the first channel come first: a test of two counts on their places.
    found = [
        await _form(hub, plan, variant, f"{n}", first, language)
        for n, variant in enumerate(variants)
    ]
    for account_id in others:
        found += [
            replace(
                await _form(hub, plan, variant, f"{n}", account_id, language),
                account_id=AccountId(account_id),
            )
            for n, variant in enumerate(variants)
        ]
    return tuple(found)


async def _form(
    hub: Hub, plan: Plan, variant: Variant, name: str, account_id: int, language: str
) -> ManyContent:
    """Give one wording as a kind of channel takes it: a letter, a template, or plain words."""
    capabilities = await capabilities_of(hub, account_id)
    # Over the channels after the first one another text leaves: a creative of its own.
    short = bool(plan.accounts) and account_id != plan.accounts[0]
    files: tuple[tuple[str, str, int, str], ...] = ()
    if capabilities is not None and capabilities.max_attachment_bytes:
        files = tuple(one.sent for one in await files_of(hub, plan.files))
    if capabilities is None or capabilities.html:
        made = _letter(plan, variant, language, short=short)
        return ManyContent(
            variant=name,
            subject=variant.subject,
            text=made.text,
            html=made.html,
            attachments=files,
            sender_name=plan.sender_name,
            tracks_clicks=plan.tracks_clicks,
            tracks_opens=plan.tracks_opens,
        )
    erid = erid_of(plan, variant, short=short)
    own = variant.short.strip() or said(variant.text)
    words = with_marks(marked(plan, own, erid), link_marks(plan, erid))
    if plan.template and capabilities.templates:
        lines = [one.partition("=") for one in plan.template_values.splitlines() if "=" in one]
        return ManyContent(
            variant=name,
            text=words,
            template=plan.template,
            template_language=plan.template_language,
            template_values=tuple((key.strip(), value.strip()) for key, _, value in lines),
            sender_name=plan.sender_name,
            tracks_clicks=plan.tracks_clicks,
        )
    return ManyContent(
        variant=name,
        text=words,
        buttons=_keys(plan, variant, erid) if capabilities.buttons else (),
        attachments=files,
        sender_name=plan.sender_name,
        tracks_clicks=plan.tracks_clicks,
    )


def _keys(plan: Plan, variant: Variant, erid: str) -> tuple[Button, ...]:
    """Give the buttons: what one without an address carries back is what stands on it."""
    marks = link_marks(plan, erid)
    return tuple(
        Button(
            label=one.label,
            payload="" if one.url else one.label,
            url=with_marks(one.url, marks),
        )
        for one in variant.buttons
    )


async def capabilities_of(hub: Hub, account_id: int) -> Capabilities | None:
    """Give what an account's channel can do, None where it is gone."""
    try:
        account = await hub.account(AccountId(account_id))
    except HubError:
        return None
    return hub.capabilities(account.channel, account.settings)
