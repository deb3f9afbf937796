"""Files of messages, and the original letters, shown so that they can do no harm.

A letter's HTML is cleaned by an allow-list and served from its own address, in a sandbox, with
a policy of its own that allows no script and no request to anybody else. Remote images stay
off until somebody asks for them, and then come through our own proxy.
"""

from __future__ import annotations

import asyncio
import re
from html import escape
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import nh3
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from crm_store import attachments as attachment_reads
from crm_store import messages as message_reads
from hub.errors import HubError
from hub.ids import AttachmentId, MessageId
from hub.judged_client import judged_client
from hub.reach import check_url
from hub.shared_files import opened
from hub.web.i18n import translate
from hub.web.numbers import number

SHOWABLE = {
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
}
MAX_IMAGE = 8_000_000
MAX_HTML = 2_000_000
IMAGE_SECONDS = 8.0
_MAIL_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups "
    "allow-popups-to-escape-sandbox"
)
_TAGS = {
    "a",
    "abbr",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
}
_LOOKS = {
    "align",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "dir",
    "face",
    "height",
    "lang",
    "size",
    "style",
    "title",
    "valign",
    "width",
}
_ATTRIBUTES = {
    "*": _LOOKS,
    "a": {"href", "name"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}
_STYLES = {
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "direction",
    "display",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
}
_URL_IN_STYLE = re.compile(r"(?i)url\s*\(|expression\s*\(|@import|image-set|\\")
# Pictures may be data; what one clicks on may not.
_LINKED = re.compile(r"(?i)\s*(https?:|mailto:|tel:)")
_IMAGE = re.compile(r'<img(?:\s+[\w-]+="[^"]*")*\s*/?>')
_SIZE = re.compile(r'(?:\s(?:width|height)="|[";\s](?:width|height):\s*)([^";]*)')
_PIXEL = re.compile(r"^\s*[01](px)?\s*$")


def clean(html: str, message_id: int, inline: dict[str, int], *, images: bool) -> tuple[str, int]:
    """Clean a letter; gives the HTML and how many remote images were left out.

    `inline` maps content ids to attachments. `images` sends remote images through our proxy.
    """
    blocked = 0

    def attribute(tag: str, name: str, value: str) -> str | None:
        nonlocal blocked
        if name == "style":
            return None if _URL_IN_STYLE.search(value) else value
        if tag == "a" and name == "href" and not _LINKED.match(value):
            return None
        if tag == "img" and name == "src":
            if value.startswith("cid:"):
                attachment = inline.get(value[4:].strip("<>"))
                return f"/files/{attachment}?inline=1" if attachment else None
            if value.startswith(("http://", "https://")):
                if not images:
                    blocked += 1
                    return None
                return f"/mail/{message_id}/image?u={quote(value, safe='')}"
            if value.startswith("data:image/") and len(value) < 500_000:
                return value
            return None
        return value

    cleaned = nh3.clean(
        html[:MAX_HTML],
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        filter_style_properties=_STYLES,
        strip_comments=True,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        clean_content_tags={"script", "style", "title", "template", "noscript"},
    )
    return _IMAGE.sub(_without_pixel, cleaned), blocked


def _without_pixel(found: re.Match[str]) -> str:
    """Leave out a picture that nobody can see: it is there to tell that the letter was read."""
    image = found[0]
    sizes = [_PIXEL.match(one) for one in _SIZE.findall(image)]
    return "" if sizes and all(sizes) else image


async def letter(request: Request) -> Response:
    """Show a letter's own HTML in its sandbox."""
    message_id = MessageId(number(request.path_params["message_id"]))
    message = await request.state.hub.message(message_id)
    images = request.query_params.get("images") == "yes"
    inline = {one.content_id.strip("<>"): one.id for one in message.attachments if one.content_id}
    body, blocked = await asyncio.to_thread(clean, message.html, message_id, inline, images=images)
    note = ""
    if blocked:
        language = request.state.language
        words = translate(language, "Remote images are not loaded: they would tell the sender.")
        show = translate(language, "Show them once")
        note = (
            '<p style="font:13px system-ui;background:#fff6dd;padding:8px;margin:0 0 8px">'
            f'{escape(words)} ({blocked}) <a href="/mail/{message_id}?images=yes">{escape(show)}'
            "</a></p>"
        )
    page = (
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        "<style>body{font:14px/1.45 system-ui,sans-serif;margin:10px;color:#1c1e24;"
        "background:#fff;overflow-wrap:anywhere}img{max-width:100%;height:auto}"
        f"table{{max-width:100%}}</style>{note}{body}"
    )
    return HTMLResponse(
        page,
        headers={
            "Content-Security-Policy": _MAIL_POLICY,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "private, max-age=300",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


async def remote_image(request: Request) -> Response:
    """Fetch a remote image for a letter: images only, no private addresses, small, soon."""
    message_id = MessageId(number(request.path_params["message_id"]))
    url = request.query_params.get("u", "")
    message = await request.state.hub.message(message_id)
    # Only what stands in the letter: the proxy fetches for nobody else.
    if not url or (url not in message.html and url.replace("&", "&amp;") not in message.html):
        return PlainTextResponse("not in this letter", 404)
    try:
        content, media_type = await fetch_image(url)
    except HubError as error:
        return PlainTextResponse(str(error), 404)
    return Response(
        content,
        media_type=media_type,
        headers={
            "Cache-Control": "private, max-age=86400",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


async def fetch_image(url: str) -> tuple[bytes, str]:
    """Get an image from the open internet; raises HubError where it is refused."""
    check_url(url)
    headers = {"Accept": "image/*", "User-Agent": "Mozilla/5.0"}
    try:
        async with (
            asyncio.timeout(IMAGE_SECONDS),
            judged_client(allow_private=False, seconds=IMAGE_SECONDS) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            media_type = answer.headers.get("content-type", "").split(";")[0].strip().lower()
            if answer.status_code != 200 or media_type not in SHOWABLE:
                raise HubError("this is not an image")
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_IMAGE:
                    raise HubError("the image is too large")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise HubError("the image could not be fetched") from error
    return bytes(content), media_type


async def file(request: Request) -> Response:
    """Give a file: shown only if it is a harmless picture, else downloaded."""
    attachment_id = AttachmentId(number(request.path_params["attachment_id"]))
    hub, runtime = request.state.hub, request.app.state.runtime
    record, blob_id = await hub.read(attachment_reads.attachment, attachment_id)
    if not blob_id:
        return PlainTextResponse("the file has not arrived yet", 404)
    path = runtime.blobs.path(blob_id)
    inline = request.query_params.get("inline") == "1" and record.media_type in SHOWABLE
    kind = "inline" if inline else "attachment"
    name = re.sub(r"[\x00-\x1f\"\\/]", "_", record.name or "file")
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_")
    headers: dict[str, str] = {
        "Content-Disposition": f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=86400",
    }
    media_type = record.media_type if inline else "application/octet-stream"
    return FileResponse(path, media_type=media_type, headers=headers)


async def shared(request: Request) -> Response:
    """Give a provider the file that a message of ours names; the link is the proof."""
    runtime = request.app.state.runtime
    blob_id, media_type, name = opened(runtime.keys, request.path_params["token"])
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name or 'file')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return FileResponse(runtime.blobs.path(blob_id), media_type=media_type, headers=headers)


async def original(request: Request) -> Response:
    """Give a message's raw bytes as a download."""
    message_id = MessageId(number(request.path_params["message_id"]))
    runtime = request.app.state.runtime
    content, blob_id, _ = await request.state.hub.read(message_reads.raw, message_id)
    if blob_id:
        content = await asyncio.to_thread(runtime.blobs.get, blob_id)
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{message_id}.eml"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


def routes() -> list[Route]:
    """Give the routes of files and letters."""
    return [
        Route("/files/{attachment_id:int}", file),
        Route("/shared/{token}", shared),
        Route("/mail/{message_id:int}", letter),
        Route("/mail/{message_id:int}/image", remote_image),
        Route("/mail/{message_id:int}/raw", original),
    ]
