"""How the VK stand-in tells of what happened: Bots Long Poll and the Callback API."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from tests.servers.stand_in import Reply, Request, StandIn, as_json
from tests.servers.vk_schema import EVENTS, complaints

VERSION = "5.199"
GROUP = 1001


class VkError(Exception):
    """VK refuses with a number."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class VkEvents(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.permissions = ["messages", "photos", "docs", "manage"]
        self.servers: list[dict[str, Any]] = []
        self.switches: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.deliveries: list[tuple[str, int, bytes]] = []
        self.key = "key-1"
        self.oldest = 0
        self.lost = False
        self._number = 1_000_000
        self._code = "c0de0001"
        self._changed = threading.Condition(self.lock)
        self._senders: list[threading.Thread] = []

    def stop(self) -> None:
        self.stopping.set()
        with self._changed:
            self._changed.notify_all()
        super().stop()
        for one in self._senders:
            one.join(10)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _manage(self, values: dict[str, Any]) -> None:
        if "manage" not in self.permissions:
            raise VkError(15)
        if values["group_id"] != GROUP:
            raise VkError(125)

    def _groups_get_callback_confirmation_code(self, values: dict[str, Any]) -> dict[str, str]:
        self._manage(values)
        return {"code": self._code}

    def _groups_get_callback_servers(self, values: dict[str, Any]) -> dict[str, Any]:
        self._manage(values)
        shown = [
            {name: value for name, value in one.items() if name != "switches"}
            for one in self.servers
        ]
        return {"count": len(shown), "items": shown}

    def _groups_add_callback_server(self, values: dict[str, Any]) -> dict[str, int]:
        self._manage(values)
        if len(self.servers) >= 10:
            raise VkError(2000)
        server = {
            "id": len(self.servers) + 1,
            "creator_id": 1,
            "status": "wait",
            "url": values["url"],
            "title": values["title"],
            "secret_key": values.get("secret_key", ""),
            "switches": {},
        }
        self.servers.append(server)
        self._confirm(server)
        return {"server_id": server["id"]}

    def _groups_edit_callback_server(self, values: dict[str, Any]) -> int:
        self._manage(values)
        server = self._server(values["server_id"])
        server |= {name: values[name] for name in ("url", "title", "secret_key") if name in values}
        self._confirm(server)
        return 1

    def _groups_delete_callback_server(self, values: dict[str, Any]) -> int:
        self._manage(values)
        self.servers.remove(self._server(values["server_id"]))
        return 1

    def _groups_set_callback_settings(self, values: dict[str, Any]) -> int:
        self._manage(values)
        if values.get("api_version", VERSION) != VERSION:
            raise VkError(100)
        switches = {name: one for name, one in values.items() if isinstance(one, bool)}
        self._server(values["server_id"])["switches"].update(switches)
        return 1

    def _server(self, number: int) -> dict[str, Any]:
        for one in self.servers:
            if one["id"] == number:
                return one
        raise VkError(104)

    def _confirm(self, server: dict[str, Any]) -> None:
        """Ask the address for the string that was valid now; the next server gets another one."""
        code = self._code
        self._code = f"c0de{self._next()}"
        event = self._event("confirmation", None)
        server["status"] = "wait"

        def ask() -> None:
            status, body = self._post(server, event)
            server["status"] = "ok" if (status, body) == (200, code.encode()) else "failed"

        self._begin(ask)

    # -- events ----------------------------------------------------------------------------

    def _event(self, kind: str, body: Any) -> dict[str, Any]:
        event = {
            "type": kind,
            "group_id": GROUP,
            "event_id": f"e{self._next()}",
            "v": VERSION,
        }
        if body is not None:
            event["object"] = body
        return event

    def emit(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send an event the ways the community has set."""
        event = self._event(kind, body)
        if kind in EVENTS:
            shown = {**event, "object": {}}
            self.objections += complaints("object callback_base", shown)
            self.objections += complaints(f"object {EVENTS[kind]}", body)
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()
            servers = [
                one for one in self.servers if one["status"] == "ok" and one["switches"].get(kind)
            ]
        for server in servers:
            self._begin(lambda server=server: self.deliver(event, server))  # type: ignore[misc]
        return event

    def deliver(self, event: dict[str, Any], server: dict[str, Any]) -> tuple[int, bytes]:
        """Post an event to a callback server; may be called again, as VK does."""
        status, body = self._post(server, event)
        with self.lock:
            self.deliveries.append((event["event_id"], status, body))
        if status == 200 and body != b"ok":
            self.object_to(f"a callback was answered {body!r} instead of ok")
        return status, body

    def _post(self, server: dict[str, Any], event: dict[str, Any]) -> tuple[int, bytes]:
        data = json.dumps({**event, "secret": server["secret_key"]}).encode()
        request = urllib.request.Request(
            server["url"], data, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()
        except OSError:
            return 0, b""

    def _begin(self, function: Any) -> None:
        thread = threading.Thread(target=function, daemon=True)
        self._senders.append(thread)
        thread.start()

    def _groups_get_long_poll_server(self, values: dict[str, Any]) -> dict[str, str]:
        self._manage(values)
        return {"key": self.key, "server": f"{self.url}/lp", "ts": str(len(self.events))}

    def _groups_set_long_poll_settings(self, values: dict[str, Any]) -> int:
        self._manage(values)
        self.switches.update(values)
        return 1

    def _long_poll(self, request: Request) -> Reply:
        query = request.query
        if query.get("act") != "a_check" or not 0 < int(query["wait"]) <= 90:
            self.object_to(f"long poll: {dict(query)}")
        with self._changed:
            if self.lost:
                self.lost = False
                return as_json({"failed": 3})
            if query["key"] != self.key:
                return as_json({"failed": 2})
            ts = int(query["ts"])
            if not self.oldest <= ts <= len(self.events):
                return as_json({"failed": 1, "ts": str(len(self.events))})
            end = time.monotonic() + int(query["wait"])
            while len(self.events) == ts and not self.stopping.is_set():
                left = end - time.monotonic()
                if left <= 0 or query["key"] != self.key:
                    break
                self._changed.wait(min(left, 1.0))
            if query["key"] != self.key:
                return as_json({"failed": 2})
            return as_json({"ts": str(len(self.events)), "updates": self.events[ts:]})
