"""A stand-in for Telegram's Bot API, over real HTTP, as strict as the original where it matters.

    async with TelegramServer() as server:
        bot = server.new_bot("123456:AAAA...")
        await bot.hears(text="Hello", chat=server.private(7, "Vera"))

It holds bots, chats, messages and files; it delivers updates to the bot's webhook, with its
secret, until they are taken, or gives them to the one who asks (`getUpdates`, with the offset's
meaning and 409). Every request must name a method and parameters that aiogram's classes declare,
with values that they accept. tests/wire/telegram/test_stand_in.py checks the stand-in itself with
python-telegram-bot, a client that knows nothing of us.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiogram import methods as m
from aiogram.methods.base import TelegramMethod
from aiogram.types import Update
from aiohttp import web
from pydantic import ValidationError

Json = dict[str, Any]
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
METHODS: dict[str, type[TelegramMethod[Any]]] = {
    found.__api_method__: found
    for name in m.__all__
    if isinstance(found := getattr(m, name), type)
    and issubclass(found, TelegramMethod)
    and hasattr(found, "__api_method__")
}
MEDIA = {
    "sendPhoto": "photo",
    "sendVideo": "video",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendDocument": "document",
}
MAX_DOWNLOAD = 20_000_000


class Refused(Exception):
    """An answer with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass
class StandInBot:
    """One bot: what it was sent, what it did, how it receives."""

    server: TelegramServer
    token: str
    webhook: str = ""
    secret: str = ""
    allowed: list[str] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    number: int = 1000
    polling: bool = False
    last_error: str = ""
    answered: list[str] = field(default_factory=list)
    typed: list[int] = field(default_factory=list)
    reactions: dict[tuple[int, int], list[Json]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def user(self) -> Json:
        """The bot as a user."""
        return {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Shop",
            "username": "shop_bot",
        }

    async def hears(self, chat: Json, sender: Json | None = None, **content: Any) -> Json:
        """Somebody writes; gives the message."""
        author = sender or {k: v for k, v in chat.items() if k not in ("type",)} | {"is_bot": False}
        message = self.server.keep(chat, {"from": {"language_code": "ru", **author}, **content})
        await self.happens(message=message)
        return message

    async def happens(self, **update: Any) -> int:
        """Deliver an update; gives its number."""
        self.number += 1
        body = {"update_id": self.number, **update}
        # What we make up must be what Telegram would send.
        Update.model_validate(body)
        await self.deliver(body)
        return self.number

    async def deliver(self, body: Json) -> None:
        """Give an update to the webhook until it is taken, or keep it for who asks."""
        if not self.webhook:
            self.updates.append(body)
            self.news.set()
            return
        for _ in range(20):
            if await self.post(body) == 200:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"the webhook never took the update: {self.last_error}")

    async def post(self, body: Json, secret: str | None = None) -> int:
        """Post one update as it is; gives the status."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret if secret is None else secret}
        async with self.server.session.post(
            self.server.reach(self.webhook), json=body, headers=headers
        ) as answer:
            if answer.status != 200:
                self.last_error = f"Wrong response from the webhook: {answer.status}"
            return answer.status


class TelegramServer:
    """The servers of Telegram."""

    def __init__(self) -> None:
        self.bots: dict[str, StandInBot] = {}
        self.chats: dict[int, Json] = {}
        self.messages: dict[tuple[int, int], Json] = {}
        self.files: dict[str, bytes] = {}
        self.blocked: set[int] = set()
        self.migrated: dict[int, int] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.calls: list[tuple[str, Json]] = []
        self.hub_url = ""
        self.url = ""
        self.disk: Path | None = None
        """The folder of a server with --local, where a file's path is one of the disk."""

    async def __aenter__(self) -> TelegramServer:
        self.session = aiohttp.ClientSession()
        app = web.Application(client_max_size=60_000_000)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = site._server.sockets[0].getsockname()[:2]  # type: ignore[union-attr]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self.session.close()

    def reach(self, url: str) -> str:
        """The hub's public name is an invention: its real address is on this machine."""
        return self.hub_url + url[url.index("/", 8) :] if self.hub_url else url

    def new_bot(self, token: str) -> StandInBot:
        self.bots[token] = StandInBot(self, token)
        return self.bots[token]

    def private(self, number: int, name: str) -> Json:
        """A person's chat with a bot."""
        return self.chats.setdefault(number, {"id": number, "type": "private", "first_name": name})

    def group(self, number: int, title: str, **more: Any) -> Json:
        return self.chats.setdefault(
            number, {"id": number, "type": "supergroup", "title": title, **more}
        )

    def keep(self, chat: Json, content: Json) -> Json:
        """Keep a message under the next number of its chat."""
        number = 1 + max([n for c, n in self.messages if c == chat["id"]], default=0)
        message = {"message_id": number, "date": int(time.time()), "chat": chat, **content}
        self.messages[chat["id"], number] = message
        return message

    def keep_file(self, content: bytes, **more: Any) -> Json:
        """Keep a file; gives what a message says of it."""
        number = f"file{len(self.files) + 1:06d}"
        self.files[number] = content
        return {
            "file_id": number,
            "file_unique_id": f"u{number}",
            "file_size": len(content),
            **more,
        }

    def said(self, method: str) -> list[Json]:
        """What was asked of one method, in order."""
        return [given for name, given in self.calls if name == method]

    def fails(self, method: str, *faults: Fault) -> None:
        """Script the next answers of a method."""
        self.faults.setdefault(method, []).extend(faults)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        script = self.faults.get(name)
        fault = script.pop(0) if script else None
        try:
            if fault is not None and (given := await fault(request)) is not None:
                return given
            bot = self.bots.get(request.match_info["token"])
            if bot is None:
                raise Refused(401, "Unauthorized")
            if name not in METHODS:
                raise Refused(404, "Not Found")
            parameters = await _parameters(request, METHODS[name])
            self.calls.append((name, parameters))
            result = await self._call(bot, name, parameters)
            return web.json_response({"ok": True, "result": result})
        except Refused as error:
            body: Json = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                body["parameters"] = error.parameters
            return web.json_response(body, status=error.code)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        script = self.faults.get("file")
        if script and (given := await script.pop(0)(request)) is not None:
            return given
        content = self.files.get(request.match_info["path"].removeprefix("files/"))
        if request.match_info["token"] not in self.bots or content is None:
            return web.json_response({"ok": False, "error_code": 404}, status=404)
        return web.Response(body=content)

    async def _call(self, bot: StandInBot, name: str, given: Json) -> Any:
        if name == "getMe":
            return bot.user | {"can_join_groups": True, "can_read_all_group_messages": False}
        if name == "setWebhook":
            if not given["url"].startswith("https://"):
                raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided")
            bot.webhook, bot.secret = given["url"], given.get("secret_token", "")
            bot.allowed = given.get("allowed_updates") or []
            return True
        if name == "deleteWebhook":
            bot.webhook = ""
            return True
        if name == "getWebhookInfo":
            info = {
                "url": bot.webhook,
                "has_custom_certificate": False,
                "pending_update_count": len(bot.updates),
            }
            if bot.last_error:
                info |= {"last_error_date": int(time.time()), "last_error_message": bot.last_error}
            return info
        if name == "getUpdates":
            return await self._updates(bot, given)
        if name == "getFile":
            content = self.files.get(given["file_id"])
            if content is None:
                raise Refused(
                    400, "Bad Request: wrong file_id or the file is temporarily unavailable"
                )
            if len(content) > MAX_DOWNLOAD and self.disk is None:
                raise Refused(400, "Bad Request: file is too big")
            number = given["file_id"]
            path = f"files/{number}" if self.disk is None else str(self.disk / number)
            if self.disk is not None:
                await asyncio.to_thread((self.disk / number).write_bytes, content)
            return {
                "file_id": number,
                "file_unique_id": f"u{number}",
                "file_size": len(content),
                "file_path": path,
            }
        if name == "answerCallbackQuery":
            bot.answered.append(given["callback_query_id"])
            return True
        if name == "deleteBusinessMessages":
            for one in given["message_ids"]:
                gone = [key for key in self.messages if key[1] == one]
                for key in gone:
                    del self.messages[key]
            return True
        chat = self._chat(given["chat_id"])
        if name == "sendChatAction":
            bot.typed.append(chat["id"])
            return True
        if name in ("editMessageText", "editMessageCaption", "deleteMessage", "setMessageReaction"):
            return self._change(bot, name, chat, given)
        if name == "sendMediaGroup":
            if not 2 <= len(given["media"]) <= 10:
                raise Refused(400, "Bad Request: wrong number of messages in the album")
            return [
                self.keep(chat, {"from": bot.user, **self._media(one["type"], one)})
                for one in given["media"]
            ]
        content: Json = {"from": bot.user}
        if bool(given.get("direct_messages_topic_id")) != bool(chat.get("is_direct_messages")):
            raise Refused(400, "Bad Request: the topic of direct messages must be specified")
        if given.get("business_connection_id"):
            content["business_connection_id"] = given["business_connection_id"]
        if given.get("message_thread_id"):
            content |= {"message_thread_id": given["message_thread_id"], "is_topic_message": True}
        if given.get("reply_markup"):
            content["reply_markup"] = given["reply_markup"]
        if name == "sendMessage":
            _fits(given["text"], 4096, "message")
            content["text"] = given["text"]
        elif name in MEDIA:
            content |= self._media(MEDIA[name], given | {"media": given[MEDIA[name]]})
        else:
            raise Refused(404, "Not Found: the stand-in does not know this method")
        return self.keep(chat, content)

    def _chat(self, number: Any) -> Json:
        number = int(number)
        if number in self.migrated:
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=self.migrated[number],
            )
        if number in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if number not in self.chats:
            raise Refused(400, "Bad Request: chat not found")
        return self.chats[number]

    def _change(self, bot: StandInBot, name: str, chat: Json, given: Json) -> Any:
        key = (chat["id"], int(given["message_id"]))
        message = self.messages.get(key)
        if message is None:
            raise Refused(400, f"Bad Request: message to {name} not found")
        if name == "setMessageReaction":
            bot.reactions[key] = given.get("reaction") or []
            return True
        if name == "deleteMessage":
            del self.messages[key]
            return True
        word = "text" if name == "editMessageText" else "caption"
        if message.get(word) == given[word]:
            raise Refused(400, "Bad Request: message is not modified")
        message |= {word: given[word], "edit_date": int(time.time())}
        return message

    def _media(self, kind: str, given: Json) -> Json:
        caption = given.get("caption") or ""
        if caption:
            _fits(caption, 1024, "message caption")
        name, content = given["media"]
        sized = {"width": 90, "height": 90}
        about: Json = {
            "photo": sized,
            "video": {**sized, "duration": 1},
            "audio": {"duration": 1},
            "voice": {"duration": 1},
        }.get(kind, {"file_name": name})
        kept = self.keep_file(content, **about)
        found: Json = {kind: [kept] if kind == "photo" else kept}
        return found | ({"caption": caption} if caption else {})

    async def _updates(self, bot: StandInBot, given: Json) -> list[Json]:
        if bot.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        if bot.polling:
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        offset = int(given.get("offset") or 0)
        bot.updates = [one for one in bot.updates if one["update_id"] >= offset]
        bot.polling = True
        try:
            if not bot.updates:
                bot.news.clear()
                wait = min(float(given.get("timeout") or 0), 2.0)
                await asyncio.wait_for(bot.news.wait(), wait)
        except TimeoutError:
            pass
        finally:
            bot.polling = False
        return bot.updates[:100]


def _fits(text: str, most: int, what: str) -> None:
    if not text.strip():
        raise Refused(400, f"Bad Request: {what} text is empty")
    if len(text.encode("utf-16-le")) // 2 > most:
        raise Refused(400, f"Bad Request: {what} is too long")


async def _parameters(request: web.Request, method: type[TelegramMethod[Any]]) -> Json:
    """Read a form or JSON, and hold it against what the method declares."""
    given: Json = {}
    files: dict[str, tuple[str, bytes]] = {}
    if request.content_type == "application/json":
        given = await request.json()
    elif request.can_read_body:
        form = await request.post()
        for name, value in form.items():
            if isinstance(value, web.FileField):
                files[name] = (value.filename, value.file.read())
            elif isinstance(value, bytes | bytearray):
                files[name] = (name, bytes(value))
            else:
                given[name] = _value(name, str(value))
    fields = method.model_fields
    attached = {name for name in files if name in fields}
    for name in [*given, *attached]:
        if name not in fields:
            raise Refused(400, f"Bad Request: {name} is no parameter of {method.__api_method__}")
    try:
        # A file is declared as InputFile or str: its stand-in here is a file_id.
        method.model_validate(_without_files(given | dict.fromkeys(attached, "file")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Refused(400, f"Bad Request: {first['loc']}: {first['msg']}") from None
    found = {**given, **{name: files[name] for name in attached}}
    return {name: _put_in(value, files) for name, value in found.items()}


def _value(name: str, text: str) -> Any:
    if text[:1] in "[{" and name not in ("text", "caption"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _without_files(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_files(one) for key, one in value.items()}
    return value


def _put_in(value: Any, files: dict[str, tuple[str, bytes]]) -> Any:
    if isinstance(value, str) and value.startswith("attach://"):
        return files[value.removeprefix("attach://")]
    if isinstance(value, list):
        return [_put_in(one, files) for one in value]
    if isinstance(value, dict):
        return {key: _put_in(one, files) for key, one in value.items()}
    return value
