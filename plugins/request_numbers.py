"""Request numbers: the client gets the number of his request by the channel he wrote on.

An ordinary automatic message: the outbox, the reply window and the guard against answering
machines decide about it as about any other, and it never counts as an answer to the client.
"""

from __future__ import annotations

from hub import (
    Brand,
    Cause,
    Conflict,
    Event,
    Hub,
    Lane,
    NotFound,
    RequestCreated,
    SendMessage,
    Unsupported,
    hookimpl,
)

event_types = ("request.created",)

TEXTS = {
    "en": "We have registered your request #{number} and will get back to you.",
    "ru": "Мы зарегистрировали вашу заявку № {number} и скоро ответим.",
}
"""What is said where the organisation has no words of its own (Settings, Deadlines)."""


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Tell the numbers of new requests."""
    for event in events:
        if isinstance(event, RequestCreated) and event.tell_client and event.dialog_id:
            await _tell(hub, event)


async def _tell(hub: Hub, event: RequestCreated) -> None:
    brand = await hub.brand()
    try:
        dialog = await hub.dialog(event.dialog_id)
        person = await hub.contact(dialog.contact_id)
        text = words(brand, person.language or brand.language).replace(
            "{number}", str(event.number)
        )
        await hub.do(
            SendMessage(
                dialog_id=event.dialog_id,
                text=text,
                automated=True,
                lane=Lane.TRIGGER,
                idempotency_key=f"request-number:{event.request_id}",
                cause=Cause(
                    kind="request",
                    id=event.request_id,
                    event=event.id,
                    depth=event.cause.depth + 1,
                ),
            )
        )
    except (Conflict, Unsupported, NotFound) as refused:
        # A machine wrote, the reply window is closed, the dialog is gone: nothing is to be told.
        hub.log.info(
            "number_not_told request=%d reason=%s", event.request_id, type(refused).__name__
        )


def words(brand: Brand, language: str) -> str:
    """Give the organisation's words in a language, or the hub's."""
    known = "ru" if language.lower().startswith("ru") else "en"
    own = brand.settings.get("request_texts", {})
    chosen = own.get(known, "") if isinstance(own, dict) else ""
    return str(chosen).strip() or TEXTS[known]
