"""The one place that calls the Bot API: aiogram's client, and what its errors mean for us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import aiohttp
from aiogram import Bot
from aiogram import exceptions as e
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods import GetUpdates, Response, TelegramMethod

from channels.telegram.reading import UPDATES
from channels.telegram.settings import TelegramSettings
from hub import (
    AccountRefused,
    HttpClient,
    HubError,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    TemporaryFailure,
)

T = TypeVar("T")
SECONDS = 25.0
POLL_SECONDS = 25
UPLOAD_SECONDS = 110.0
# What Telegram says of a message that it will never take (Bot API, "Making requests": the
# description is for people, so these are the beginnings seen, in lower case).
_REASONS: tuple[tuple[str, RejectReason], ...] = (
    ("chat not found", RejectReason.INVALID_ADDRESS),
    ("user not found", RejectReason.INVALID_ADDRESS),
    ("peer_id_invalid", RejectReason.INVALID_ADDRESS),
    ("message thread not found", RejectReason.INVALID_ADDRESS),
    ("topic_closed", RejectReason.BLOCKED),
    ("not enough rights", RejectReason.BLOCKED),
    ("have no rights", RejectReason.BLOCKED),
    ("chat_write_forbidden", RejectReason.BLOCKED),
    ("message is too long", RejectReason.TOO_LARGE),
    ("caption is too long", RejectReason.TOO_LARGE),
    ("file is too big", RejectReason.TOO_LARGE),
    ("message can't be edited", RejectReason.EXPIRED),
    ("message can't be deleted", RejectReason.EXPIRED),
)


class Session(AiohttpSession):
    """aiogram's HTTP client, which knows a proxy's page from an answer of Telegram's.

    Once finished it stays so: aiogram's own opens again for a call that comes late, and nobody
    would close it then.
    """

    is_over = False

    async def create_session(self) -> aiohttp.ClientSession:
        """Give the connections; raises TemporaryFailure once they were let go."""
        if self.is_over:
            raise TemporaryFailure("the account was changed meanwhile")
        return await super().create_session()

    async def finish(self) -> None:
        """Let the connections go, for good."""
        self.is_over = True
        await self.close()

    def check_response(
        self, bot: Bot, method: TelegramMethod[T], status_code: int, content: str
    ) -> Response[T]:
        """Read an answer; what no JSON is and says 5xx never came as far as the Bot API."""
        try:
            return super().check_response(bot, method, status_code, content)
        except e.ClientDecodeError as error:
            if status_code >= 500:
                words = f"a page instead of an answer, status {status_code}"
                raise e.TelegramServerError(method=method, message=words) from error
            raise


def new_bot(settings: TelegramSettings) -> Bot:
    """Make the client of one bot; it must be closed by `finish`."""
    server = TelegramAPIServer.from_base(settings.api_url, is_local=settings.local_files)
    # The limit is that of connections: a wait for a free one counts into the time-out.
    session = Session(api=server, limit=50, timeout=SECONDS)
    return Bot(token=settings.token.get_secret_value(), session=session)


async def finish(bot: Bot) -> None:
    """Let a client's connections go; whatever still wants to call is told so."""
    if isinstance(bot.session, Session):
        await bot.session.finish()


async def call(bot: Bot, method: TelegramMethod[T], seconds: float = SECONDS) -> T:
    """Call a method that may be repeated, or not be repeated, with our words for its failures.

    Raises TemporaryFailure, AccountRefused, PermanentFailure, OutcomeUnknown; lets
    TelegramMigrateToChat out, whose caller knows where to go on.
    """
    try:
        return await bot(method, request_timeout=int(seconds))
    except e.TelegramMigrateToChat:
        raise
    except e.ClientDecodeError as error:
        taken = _taken(method, error.data)
        if taken is not None:
            return taken
        raise OutcomeUnknown("Telegram's answer cannot be read") from error
    except e.AiogramError as error:
        raise meaning(error) from error


async def download(bot: Bot, path: str) -> bytes:
    """Get the bytes of a file; `path` is Telegram's, or one of this disk (a server with --local)."""
    try:
        found = await bot.download_file(path, timeout=int(UPLOAD_SECONDS))
    except AiogramError as error:
        raise meaning(error) from error
    except aiohttp.ClientResponseError as error:
        if 400 <= error.status < 500 and error.status != 429:
            raise PermanentFailure(
                RejectReason.EXPIRED, f"Telegram no longer has this file: {error.status}"
            ) from error
        raise TemporaryFailure(f"Telegram's file store answered {error.status}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TemporaryFailure(f"no file from Telegram: {type(error).__name__}") from error
    except OSError as error:
        raise PermanentFailure(
            RejectReason.OTHER,
            "the file is not on this machine's disk: a Bot API server with --local must run here, "
            "and the hub must be allowed to read its folder",
        ) from error
    return found.read() if found is not None else b""


async def get_updates(bot: Bot, http: HttpClient, offset: int) -> list[object]:
    """Ask for updates, waiting for the first; gives them as they came.

    Not by aiogram: it reads all updates or none, so that one of a new shape would stop every
    other for ever.
    """
    method = GetUpdates()
    url = bot.session.api.api_url(token=bot.token, method=method.__api_method__)
    wish: dict[str, object] = {"timeout": POLL_SECONDS, "allowed_updates": UPDATES}
    if offset:
        wish["offset"] = offset
    try:
        answer = await http.request("POST", url, json=wish, timeout=POLL_SECONDS + 15)
    except HubError:
        raise
    except Exception as error:
        raise TemporaryFailure(f"no answer from Telegram: {type(error).__name__}") from error
    try:
        found = json.loads(answer.content)
        if answer.status_code == 200 and found["ok"] is True:
            return list(found["result"])
        bot.session.check_response(bot, method, answer.status_code, answer.text)
    except AiogramError as error:
        raise meaning(error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise TemporaryFailure("Telegram's answer cannot be read") from error
    raise TemporaryFailure(f"Telegram answered {answer.status_code}")


def meaning(error: e.AiogramError) -> Exception:
    """Translate aiogram's error into what happens next."""
    words = str(getattr(error, "message", "") or error)
    if isinstance(error, e.TelegramRetryAfter):
        after = timedelta(seconds=error.retry_after)
        return TemporaryFailure(f"Telegram asks to wait {error.retry_after} s", retry_after=after)
    if isinstance(error, e.TelegramNetworkError):
        # Where no connection was made nothing can have arrived; else nobody knows.
        if isinstance(error.__cause__, aiohttp.ClientConnectorError):
            return TemporaryFailure(f"Telegram cannot be reached: {error.__cause__}")
        return OutcomeUnknown(f"no answer from Telegram: {words}")
    if isinstance(error, e.TelegramUnauthorizedError | e.TelegramNotFound):
        return AccountRefused("Telegram does not know this token: it was revoked or mistyped")
    if isinstance(error, e.TelegramConflictError):
        return AccountRefused(
            "another program asks for this bot's messages: a bot can have one reader only"
        )
    if isinstance(error, e.TelegramForbiddenError):
        return PermanentFailure(RejectReason.BLOCKED, words)
    if isinstance(error, e.TelegramEntityTooLarge):
        return PermanentFailure(RejectReason.TOO_LARGE, words)
    if isinstance(error, e.TelegramServerError):
        return TemporaryFailure(f"Telegram's servers are in trouble: {words}")
    lower = words.lower()
    for beginning, reason in _REASONS:
        if beginning in lower:
            return PermanentFailure(reason, words)
    return PermanentFailure(RejectReason.PROVIDER_ERROR, words)


def _taken(method: TelegramMethod[T], data: Any) -> T | None:
    """Give the result where the call succeeded and only aiogram could not read all of it.

    A message that Telegram took must never be sent again because its description has a field
    that is new.
    """
    if not isinstance(data, Mapping) or data.get("ok") is not True:
        return None
    result = data.get("result")
    if isinstance(result, Mapping) and isinstance(result.get("message_id"), int):
        from aiogram.types import Chat, Message

        chat = result.get("chat")
        chat_id = chat.get("id", 0) if isinstance(chat, Mapping) else 0
        known = {
            "message_id": result["message_id"],
            "date": result.get("date", 0),
            "chat": Chat.model_construct(id=chat_id, type="private"),
        }
        return Message.model_construct(**known)  # type: ignore[return-value]
    return None
