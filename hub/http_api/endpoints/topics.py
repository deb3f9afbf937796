"""What people subscribe to, and subscriptions that wait for the button of their letter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Response

from crm_store import topics as reads
from hub import commands as c
from hub.errors import Conflict
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import version_of
from hub.http_api.errors import Refused, failures
from hub.http_api.shapes import topics as s
from hub.ids import AccountId, AddressId
from hub.messages import Address
from hub.shapes import GivenId, Listing

router = rights.router("Subscriptions")

TopicKey = Annotated[GivenId, Path(alias="topic_id", description="The topic.")]
AddressKey = Annotated[GivenId, Path(alias="address_id", description="The address.")]


async def _shown(caller: Caller, topic_id: int, response: Response) -> s.Topic:
    found = await caller.hub.read(reads.one_topic, topic_id)
    response.headers["etag"] = f'"{found.version}"'
    return s.Topic.model_validate(found)


def _command(body: s.SaveTopic, **more: Any) -> c.SaveTopic:
    values = body.model_dump()
    account = AccountId(values.pop("account_id") or 0)
    return c.SaveTopic(account_id=account, **values, **more)


@router.get("/topics", summary="What people may subscribe to")
async def listed(caller: rights.MayViewContacts) -> list[s.Topic]:
    """Give every topic by name."""
    return [s.Topic.model_validate(one) for one in await caller.hub.read(reads.all_topics)]


@router.post("/topics", status_code=201, summary="Add a topic", responses=failures(409))
async def create(caller: rights.MaySendMailings, body: s.SaveTopic, response: Response) -> s.Topic:
    """Add a topic; unless `confirm` is off, its subscriptions count after a button was pressed."""
    (topic_id,) = await caller.hub.do(_command(body))
    return await _shown(caller, topic_id, response)


@router.get("/topics/{topic_id}", summary="One topic")
async def one(caller: rights.MayViewContacts, topic_id: TopicKey, response: Response) -> s.Topic:
    """Give one topic; its ETag is what a change asks for."""
    return await _shown(caller, topic_id, response)


@router.put("/topics/{topic_id}", summary="Change a topic", responses=failures(409, 412))
async def change(
    caller: rights.MaySendMailings,
    topic_id: TopicKey,
    body: s.SaveTopic,
    response: Response,
    if_match: Annotated[str, Header(max_length=100, description="The ETag you saw.")] = "",
) -> s.Topic:
    """Change a topic; its name stays, for mailings and consents know it."""
    try:
        await caller.hub.do(_command(body, topic_id=topic_id, version=version_of(if_match)))
    except Conflict as error:
        if if_match and error.what == "version":
            raise Refused(412, "version", str(error)) from error
        raise
    return await _shown(caller, topic_id, response)


@router.delete("/topics/{topic_id}", status_code=204, summary="Remove a topic")
async def remove(caller: rights.MaySendMailings, topic_id: TopicKey) -> Response:
    """Take a topic out of the list; what people said about it stays."""
    await caller.hub.do(c.RemoveTopic(topic_id=topic_id))
    return Response(status_code=204)


@router.post("/subscriptions", status_code=202, summary="Subscribe somebody")
async def subscribe(caller: rights.MayEditContacts, body: s.Subscribe) -> s.Subscribed:
    """Take a subscription of a form of your own: who is not known becomes a person. Where the
    topic asks for it, a letter with a button is sent, and the consent counts once it is pressed."""
    (result,) = await caller.hub.do(
        c.Subscribe(
            address=Address(kind="email", value=body.email, name=body.name),
            topic=body.topic,
            how="api",
            evidence=body.evidence,
            ip=body.ip,
            language=body.language,
        )
    )
    return s.Subscribed(result=result)


@router.get("/confirmations", summary="Who was asked to confirm")
async def asked(
    caller: rights.MayViewContacts,
    topic: Annotated[str, Query(max_length=100, pattern=s.WORD)] = "",
    state: Annotated[Literal["", "waiting", "confirmed", "expired"], Query()] = "",
    before: Annotated[GivenId | None, Query(description="Older ones than this.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.Confirmation]:
    """Give the questions, the newest first."""
    found = await caller.hub.read(
        lambda reader: reads.asked(
            reader, topic=topic, state=state, before=before or 0, limit=limit + 1
        )
    )
    items = [s.Confirmation.model_validate(each) for each in found[:limit]]
    more = str(found[limit - 1].id) if len(found) > limit else ""
    return Listing[s.Confirmation](items=items, next=more)


@router.post(
    "/addresses/{address_id}/confirmations", status_code=202, summary="Send the question again"
)
async def again(
    caller: rights.MayEditContacts, address_id: AddressKey, body: s.Again
) -> s.Subscribed:
    """Send the letter of a subscription that was not confirmed once more, within its limit."""
    (result,) = await caller.hub.do(c.AskAgain(address_id=AddressId(address_id), topic=body.topic))
    return s.Subscribed(result=result)
