"""Segments: named groups of people, their size per channel, their people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path, Query, Response

from crm_store import segment_fields
from crm_store import segments as reads
from crm_store.segment_memberships import segments_of
from hub import commands as c
from hub.errors import Conflict
from hub.filters import Use
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import ContactKey, version_of
from hub.http_api.errors import Refused, failures
from hub.http_api.shapes import segments as s
from hub.ids import ContactId
from hub.shapes import GivenId, Listing

router = rights.router("Contacts")
SegmentKey = Annotated[GivenId, Path(alias="segment_id", description="The segment.")]
Channel = Annotated[
    str, Query(max_length=100, pattern=r"^[^\x00]*$", description="A kind of address, as email.")
]


async def _shown(caller: Caller, segment_id: int, response: Response) -> s.Segment:
    found = await caller.hub.read(reads.one, segment_id)
    response.headers["etag"] = f'"{found.version}"'
    return s.Segment.model_validate(found)


@router.get("/segments", summary="Every segment")
async def listed(caller: rights.MayViewContacts) -> Listing[s.Segment]:
    """Give every segment by name."""
    found = await caller.hub.read(reads.all_segments)
    return Listing[s.Segment](items=[s.Segment.model_validate(one) for one in found], next="")


@router.post("/segments", status_code=201, summary="Make a segment")
async def create(
    caller: rights.MaySendMailings, body: s.SaveSegment, response: Response
) -> s.Segment:
    """Make a segment of conditions and other segments, or one to be filled by hand."""
    (segment_id,) = await caller.hub.do(_command(body))
    return await _shown(caller, segment_id, response)


def _command(body: s.SaveSegment, **more: Any) -> c.SaveSegment:
    return c.SaveSegment(
        name=body.name,
        static=body.static,
        filter=body.filter,
        any_of=tuple(body.any_of),
        all_of=tuple(body.all_of),
        not_in=tuple(body.not_in),
        watched=body.watched,
        **more,
    )


@router.get("/contacts/{contact_id}/segments", summary="The segments of a person")
async def of_contact(caller: rights.MayViewContacts, contact_id: ContactKey) -> Listing[s.Segment]:
    """Give the segments in which a person is, by name: those filled by hand, and the watched ones
    as of their last look (`counted_at`); who is in the others is known when they are asked."""
    person = await caller.hub.contact(ContactId(contact_id))
    found = await caller.hub.read(segments_of, [person.id])
    return Listing[s.Segment](items=[s.Segment.model_validate(one) for one in found], next="")


@router.get("/segments/fields", summary="What a segment can ask for")
async def fields(caller: rights.MayViewContacts) -> Listing[s.SegmentField]:
    """Give every field of a segment's filter, plugins' and your own among them, with how it is
    compared and what can be chosen."""
    known = await caller.hub.read(segment_fields.with_choices)
    return Listing[s.SegmentField](
        items=[
            s.SegmentField(
                name=one.name,
                type=one.type.value,
                labels={"en": one.label, **one.translations},
                operators=sorted(each.value for each in one.operators(Use.QUERY)),
                choices=[
                    s.SegmentFieldChoice(
                        value=each.value, labels={"en": each.label, **each.translations}
                    )
                    for each in one.choices
                ],
            )
            for one in known.values()
        ],
        next="",
    )


@router.get("/segments/{segment_id}", summary="One segment")
async def one(
    caller: rights.MayViewContacts, segment_id: SegmentKey, response: Response
) -> s.Segment:
    """Give a segment."""
    return await _shown(caller, segment_id, response)


@router.put("/segments/{segment_id}", summary="Change a segment", responses=failures(409, 412))
async def change(
    caller: rights.MaySendMailings,
    segment_id: SegmentKey,
    body: s.SaveSegment,
    response: Response,
    if_match: Annotated[str, Header(max_length=100, description="The ETag you saw.")] = "",
) -> s.Segment:
    """Change a segment whole; one that would be made of itself is refused with the way round."""
    try:
        await caller.hub.do(_command(body, segment_id=segment_id, version=version_of(if_match)))
    except Conflict as error:
        if if_match and error.what == "version":
            raise Refused(412, "version", str(error), details=error.details) from error
        raise
    return await _shown(caller, segment_id, response)


@router.delete(
    "/segments/{segment_id}", status_code=204, summary="Remove a segment", responses=failures(409)
)
async def remove(caller: rights.MaySendMailings, segment_id: SegmentKey) -> Response:
    """Put a segment away; 409 `in_use` while another one is made of it."""
    await caller.hub.do(c.RemoveSegment(segment_id=segment_id))
    return Response(status_code=204)


@router.post(
    "/segments/{segment_id}/restore", summary="Bring a segment back", responses=failures(409)
)
async def restore(
    caller: rights.MaySendMailings, segment_id: SegmentKey, response: Response
) -> s.Segment:
    """Bring a removed segment back with its people; 409 `age` thirty days after it was removed."""
    await caller.hub.do(c.RemoveSegment(segment_id=segment_id, restore=True))
    return await _shown(caller, segment_id, response)


@router.post("/segments/{segment_id}/members", summary="Fill a static segment")
async def fill(
    caller: rights.MaySendMailings, segment_id: SegmentKey, body: s.FillSegment
) -> s.Filled:
    """Put people in and take people out."""
    command = c.FillSegment(
        segment_id=segment_id,
        add=tuple(ContactId(one) for one in body.add),
        remove=tuple(ContactId(one) for one in body.remove),
    )
    (changed,) = await caller.hub.do(command)
    return s.Filled(changed=changed)


@router.get("/segments/{segment_id}/members", summary="The people of a segment")
async def people(
    caller: rights.MayViewContacts,
    segment_id: SegmentKey,
    channel: Channel = "email",
    before: Annotated[str, Query(max_length=19, pattern=r"^[0-9]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Listing[s.Member]:
    """Give who is in it now, with an address of a channel; continued by `before=<next>`."""
    segment = await caller.hub.read(reads.one, segment_id)
    after = min(int(before or 0), (1 << 63) - 1)
    found = await caller.hub.audience(segment, channel=channel, after=after, limit=limit)
    following = str(found[-1].contact_id) if len(found) == limit else ""
    return Listing[s.Member](items=[s.Member.model_validate(one) for one in found], next=following)


@router.get("/segments/{segment_id}/reach", summary="How many can be reached")
async def reach(
    caller: rights.MayViewContacts,
    segment_id: SegmentKey,
    channel: Channel = "email",
    topic: Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")] = "",
    advertising: bool = True,
    exact: Annotated[
        bool, Query(description="Count everybody, also where an estimate would be quicker.")
    ] = False,
) -> s.Reach:
    """Give the live size on a channel after exclusions, with the reasons.

    Of more than 20,000 people it is an estimate at once (`estimated`) unless it shall be `exact`.
    """
    segment = await caller.hub.read(reads.one, segment_id)
    told = await caller.hub.reaches(
        segment, channels=(channel,), topic=topic, advertising=advertising, exact=exact
    )
    (found,) = told.each
    return s.Reach(
        total=found.total,
        reached=found.reached,
        kept_back=[s.Reason(reason=reason, count=n) for reason, n in found.kept_back],
        estimated=found.estimated,
        counted_at=caller.hub.now(),
    )
