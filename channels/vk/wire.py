"""The road to VK's API: where it goes, how long a call may take, and what its failures mean.

vk_api has the address of the API built in and passes no time limit to requests; this adapter
gives it both. Imported only when an account opens, because vk_api and requests are slow to load.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jconfig
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from vk_api import VkApiGroup
from vk_api.exceptions import ApiError, ApiHttpError

from channels.vk.refusals import refusal
from hub import HubError, OutcomeUnknown, TemporaryFailure

BUILT_IN = "https://api.vk.ru"
VERSION = "5.199"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0


class ApiAdapter(HTTPAdapter):
    """Sends what vk_api addresses to its built-in host to the configured one, with a deadline."""

    def __init__(self, base: str) -> None:
        self._base = base
        super().__init__(pool_connections=1, pool_maxsize=1)

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        """Send one request."""
        if request.url and request.url.startswith(f"{BUILT_IN}/"):
            request.url = self._base + request.url.removeprefix(BUILT_IN)
        more["timeout"] = (CONNECT_SECONDS, ANSWER_SECONDS)
        return super().send(request, *args, **more)


def open_session(token: str, base: str) -> Any:
    """Give vk_api's session of one community; it never writes to the disk and never waits twice."""
    http = requests.Session()
    http.headers["User-Agent"] = "DialogHub"
    adapter = ApiAdapter(base.rstrip("/"))
    for scheme in ("https://", "http://"):
        http.mount(scheme, adapter)
    session = VkApiGroup(
        token=token, api_version=VERSION, session=http, config=jconfig.MemoryConfig
    )
    # The library would sleep and repeat on error 6 without end, and ask for captchas: all of
    # VK's refusals come out, and the outbox decides.
    session.error_handlers.clear()
    return session


def meaning(error: Exception) -> HubError:
    """Translate what vk_api and requests raise into what happens next."""
    if isinstance(error, ApiError):
        return refusal(int(error.code), str(error.error.get("error_msg", "")))
    if isinstance(error, ApiHttpError):
        return _by_status(error.response)
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return OutcomeUnknown("VK answered with something that is not JSON")
    if _never_arrived(error):
        return TemporaryFailure("cannot reach VK")
    if isinstance(error, requests.exceptions.RequestException):
        return OutcomeUnknown(f"VK did not answer: {type(error).__name__}")
    return OutcomeUnknown("VK answered with something unexpected")


def _by_status(response: requests.Response) -> HubError:
    status = response.status_code
    if status >= 500:
        return OutcomeUnknown(f"VK answered {status}")
    after = response.headers.get("Retry-After", "")
    wait = timedelta(seconds=int(after)) if after.isdecimal() else None
    return TemporaryFailure(f"VK answered {status}", retry_after=wait)


def _never_arrived(error: Exception) -> bool:
    """Whether no connection was made, so that VK cannot have seen the request."""
    unmade = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError)
    if isinstance(error, (*unmade, requests.exceptions.ProxyError)):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError) or not error.args:
        return False
    reason = getattr(error.args[0], "reason", None)
    return isinstance(reason, NewConnectionError | NameResolutionError | ConnectTimeoutError)
