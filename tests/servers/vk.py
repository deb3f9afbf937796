"""VK in the test process: its API, its upload servers, Bots Long Poll and the Callback API.

Strict: every request is checked against VK's published schema, and so is every answer and every
event of this stand-in. `write`, `press`, `read_up_to` and so on are what a person does in VK's
app; the events go out as the community has set them, by long poll and to its callback servers.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from tests.servers.stand_in import Reply, Request, as_json
from tests.servers.vk_events import GROUP, VERSION, VkError, VkEvents
from tests.servers.vk_schema import complaints, error_words, excerpt, read_form

TOKEN = "vk1.a.standintokenofthebakery0123456789"
ANNA = 5001
MAX_TEXT = 4096
REMEMBERED_SECONDS = 3600
BITS = 0x7FFFFFFF


def error(code: int, **more: Any) -> Reply:
    """An answer of VK that refuses; order it with `fail_next`."""
    body = {"error_code": code, "error_msg": error_words(code), "request_params": [], **more}
    return as_json({"error": body})


def function_of(method: str) -> str:
    """`messages.sendReaction` is played by `_messages_send_reaction`."""
    return "_" + re.sub("([A-Z])", r"_\1", method).lower().replace(".", "_")


class Vk(VkEvents):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.users: dict[int, dict[str, Any]] = {
            ANNA: {"first_name": "Анна", "last_name": "Белова", "city": {"id": 2, "title": "Псков"}}
        }
        self.denied: set[int] = set()
        self.talks: dict[int, list[dict[str, Any]]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answered: list[str] = []
        self.kept: dict[str, bytes] = {}
        self.now = time.time
        self._known: dict[tuple[int, int], tuple[float, dict[str, Any]]] = {}
        self._uploads: dict[str, tuple[str, str, bytes]] = {}
        self._saved: dict[str, dict[str, Any]] = {}

    # -- HTTP ------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        place, _, rest = request.path.lstrip("/").partition("/")
        if place == "method":
            return self._method(rest, request)
        if place == "upload":
            return self._upload(rest, request)
        if place == "file":
            found = self.kept.get(rest)
            return Reply(200, found, "application/octet-stream") if found else Reply(404)
        if place == "lp":
            return self._long_poll(request)
        self.object_to(f"nothing stands at {request.path}")
        return Reply(404)

    def _method(self, method: str, request: Request) -> Reply:
        given = {**request.query, **request.form()}
        token, version = given.pop("access_token", ""), given.pop("v", "")
        if method not in excerpt()["methods"]:
            self.object_to(f"the method {method} is not one of those we know")
            return error(3)
        if token not in self.tokens:
            return error(5)
        if version != VERSION:
            return error(8)
        values, wrong = read_form(method, given)
        if wrong:
            self.objections += wrong
            return error(100)
        with self.lock:
            self.calls.append((method, values))
            try:
                result = getattr(self, function_of(method))(values)
            except VkError as refused:
                return error(refused.code)
        answer = {"response": result}
        self.objections += complaints(f"response {method}", answer)
        return as_json(answer)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each accepted call of a method."""
        with self.lock:
            return [values for name, values in self.calls if name == method]

    # -- messages --------------------------------------------------------------------------

    def _messages_send(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        if "random_id" not in values or not 0 <= values["random_id"] <= BITS:
            raise VkError(100)
        text = values.get("message", "")
        if len(text) > MAX_TEXT:
            raise VkError(914)
        if not text and not values.get("attachment"):
            raise VkError(100)
        for one in filter(None, values.get("attachment", "").split(",")):
            if one not in self._saved:
                self.object_to(f"messages.send names {one}, which was never saved")
                raise VkError(100)
        keyboard = json.loads(values.get("keyboard", "null"))
        if keyboard is not None:
            self._check_keyboard(keyboard)
        peers = values.get("peer_ids") or [values.get("peer_id") or values.get("user_id")]
        return [self._deliver(int(peer), values, keyboard) for peer in peers]

    def _check_keyboard(self, keyboard: dict[str, Any]) -> None:
        rows = keyboard["buttons"]
        actions = [one["action"] for row in rows for one in row]
        too_much = len(rows) > 6 or len(actions) > 10 or any(len(row) > 5 for row in rows)
        if not keyboard.get("inline") or too_much:
            raise VkError(911)
        for one in actions:
            payload = one.get("payload", "null")
            json.loads(payload)
            if len(one["label"]) > 40 or len(payload) > 255:
                raise VkError(911)

    def _deliver(self, peer: int, values: dict[str, Any], keyboard: Any) -> dict[str, Any]:
        if peer in self.denied or peer not in self.talks:
            refused = {"code": 901, "description": error_words(901)}
            nothing = {"message_id": 0, "conversation_message_id": 0}
            return {"peer_id": peer, **nothing, "error": refused}
        random_id = values["random_id"]
        known = self._known.get((peer, random_id))
        if random_id and known and self.now() - known[0] < REMEMBERED_SECONDS:
            message = known[1]
        else:
            message = self._new(peer, -GROUP, values.get("message", ""), out=1)
            message["random_id"] = random_id
            message["attachment_names"] = values.get("attachment", "")
            if keyboard:
                message["keyboard"] = keyboard
            if "forward" in values:
                message["answers"] = self._forwarded(json.loads(values["forward"]))
            self._known[peer, random_id] = (self.now(), message)
        return {
            "peer_id": peer,
            "message_id": message["id"],
            "conversation_message_id": message["conversation_message_id"],
        }

    def _forwarded(self, forward: dict[str, Any]) -> int:
        [number] = forward["conversation_message_ids"]
        return int(self.message(forward["peer_id"], number)["conversation_message_id"])

    def _new(self, peer: int, sender: int, text: str, out: int = 0) -> dict[str, Any]:
        talk = self.talks.setdefault(peer, [])
        message = {
            "id": self._next(),
            "conversation_message_id": len(talk) + 1,
            "date": int(self.now()),
            "from_id": sender,
            "peer_id": peer,
            "text": text,
            "out": out,
            "version": self._next(),
            "important": False,
            "is_hidden": False,
            "attachments": [],
            "fwd_messages": [],
            "random_id": 0,
        }
        talk.append(message)
        return message

    def message(self, peer: int, number: int) -> dict[str, Any]:
        for one in self.talks.get(peer, ()):
            if one["conversation_message_id"] == number:
                return one
        raise VkError(100)

    def sent(self, peer: int = ANNA) -> list[dict[str, Any]]:
        """What the community wrote to a peer, as the person sees it now."""
        with self.lock:
            return [one for one in self.talks.get(peer, ()) if one["out"] and "gone" not in one]

    def _messages_get_by_conversation_message_id(self, values: dict[str, Any]) -> dict[str, Any]:
        items = []
        for number in values["conversation_message_ids"]:
            message = dict(self.message(values["peer_id"], number))
            names = message.pop("attachment_names", "")
            files = [self._saved[one] for one in names.split(",") if one]
            items.append({**message, "attachments": [*message["attachments"], *files]})
        return {"count": len(items), "items": items}

    def _messages_edit(self, values: dict[str, Any]) -> int:
        message = self.message(values["peer_id"], values["cmid"])
        if message["from_id"] != -GROUP:
            raise VkError(920)
        if self.now() - message["date"] > 86_400:
            raise VkError(909)
        message["text"] = values.get("message", "")
        message["attachment_names"] = values.get("attachment", "")
        return 1

    def _messages_delete(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        for number in values["cmids"]:
            message = self.message(values["peer_id"], number)
            if message["from_id"] != -GROUP or not values.get("delete_for_all"):
                raise VkError(924)
            message["gone"] = True
        return [
            {"peer_id": values["peer_id"], "conversation_message_id": number, "response": 1}
            for number in values["cmids"]
        ]

    def _messages_send_reaction(self, values: dict[str, Any]) -> int:
        self.message(values["peer_id"], values["cmid"])["reaction"] = values["reaction_id"]
        return 1

    def _messages_delete_reaction(self, values: dict[str, Any]) -> int:
        self.message(values["peer_id"], values["cmid"]).pop("reaction", None)
        return 1

    def _messages_set_activity(self, _: dict[str, Any]) -> int:
        return 1

    def _messages_mark_as_read(self, _: dict[str, Any]) -> int:
        return 1

    def _messages_send_message_event_answer(self, values: dict[str, Any]) -> int:
        if not any(
            one["type"] == "message_event" and one["object"]["event_id"] == values["event_id"]
            for one in self.events
        ):
            raise VkError(100)
        self.answered.append(values["event_id"])
        return 1

    # -- people and the community ------------------------------------------------------------

    def _users_get(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"id": int(one), **self.users[int(one)]}
            for one in values.get("user_ids", ())
            if int(one) in self.users
        ]

    def _groups_get_by_id(self, _: dict[str, Any]) -> dict[str, Any]:
        group = {"id": GROUP, "name": "Пекарня", "screen_name": "bakery", "type": "group"}
        return {"groups": [group], "profiles": []}

    def _groups_get_token_permissions(self, _: dict[str, Any]) -> dict[str, Any]:
        given = [{"name": one, "setting": 1 << n} for n, one in enumerate(self.permissions)]
        return {"mask": (1 << len(given)) - 1, "permissions": given}

    # -- files -----------------------------------------------------------------------------

    def _photos_get_messages_upload_server(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"album_id": -64, "user_id": 0, "upload_url": f"{self.url}/upload/photo"}

    def _docs_get_messages_upload_server(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"upload_url": f"{self.url}/upload/{values.get('type', 'doc')}"}

    def _upload(self, kind: str, request: Request) -> Reply:
        name, content, media_type = request.files()["photo" if kind == "photo" else "file"]
        token = f"upload{self._next()}"
        if kind == "photo" and media_type not in ("image/jpeg", "image/png", "image/gif"):
            return as_json({"server": 1, "photo": "[]", "hash": token})
        if name.endswith(".exe"):
            return as_json({"error": "prohibited", "error_descr": "the extension is prohibited"})
        self._uploads[token] = (kind, name, content)
        if kind == "photo":
            return as_json({"server": 1, "photo": json.dumps([{"id": token}]), "hash": token})
        return as_json({"file": token})

    def _keep(self, name: str, content: bytes) -> str:
        place = f"{self._next()}/{name}"
        self.kept[place] = content
        return f"{self.url}/file/{place}"

    def _photos_save_messages_photo(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        if values.get("hash") not in self._uploads or "server" not in values:
            raise VkError(121)
        _, _, content = self._uploads.pop(values["hash"])
        return [self._photo(-GROUP, self._keep("p.jpg", content), saved=True)]

    def _photo(self, owner: int, url: str, *, saved: bool = False) -> dict[str, Any]:
        number = self._next()
        photo: dict[str, Any] = {
            "id": number,
            "album_id": -64,
            "owner_id": owner,
            "date": int(self.now()),
            "access_key": f"key{number}",
            "has_tags": False,
            "text": "",
            "sizes": [
                {"type": "s", "width": 75, "height": 56, "url": f"{url}?size=s"},
                {"type": "w", "width": 2560, "height": 1920, "url": url},
                {"type": "x", "width": 604, "height": 453, "url": f"{url}?size=x"},
            ],
        }
        if saved:
            self._saved[f"photo{owner}_{number}_key{number}"] = {"type": "photo", "photo": photo}
        return photo

    def _docs_save(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["file"] not in self._uploads:
            raise VkError(105)
        kind, name, content = self._uploads.pop(values["file"])
        title = values.get("title", name)
        url = self._keep("d", content)
        if kind == "audio_message":
            voice = self.voice(url)
            self._saved[f"doc{voice['owner_id']}_{voice['id']}_{voice['access_key']}"] = {
                "type": "audio_message",
                "audio_message": voice,
            }
            return {"type": "audio_message", "audio_message": voice}
        doc = self.doc(title, content, url, owner=-GROUP)
        name = f"doc{doc['owner_id']}_{doc['id']}_{doc['access_key']}"
        self._saved[name] = {"type": "doc", "doc": doc}
        return {"type": "doc", "doc": doc}

    # -- what a person can send --------------------------------------------------------------

    def photo(self, content: bytes, owner: int = ANNA) -> dict[str, Any]:
        return {"type": "photo", "photo": self._photo(owner, self._keep("photo.jpg", content))}

    def doc(self, title: str, content: bytes, url: str = "", owner: int = ANNA) -> dict[str, Any]:
        number = self._next()
        return {
            "id": number,
            "owner_id": owner,
            "title": title,
            "size": len(content),
            "ext": title.rpartition(".")[2],
            "url": url or self._keep("doc", content),
            "date": int(self.now()),
            "type": 1,
            "access_key": f"key{number}",
        }

    def voice(self, url: str, owner: int = ANNA) -> dict[str, Any]:
        number = self._next()
        return {
            "id": number,
            "owner_id": owner,
            "duration": 3,
            "link_ogg": url,
            "link_mp3": f"{url}?mp3",
            "waveform": [0, 3, 9],
            "access_key": f"key{number}",
        }

    # -- what a person does ------------------------------------------------------------------

    def write(
        self, text: str = "", peer: int = 0, sender: int = ANNA, **more: Any
    ) -> dict[str, Any]:
        """A message to the community, or into a chat; `more` goes into the message as it is."""
        with self.lock:
            message = self._new(peer or sender, sender, text)
            message |= more
            info = {
                "button_actions": ["text", "callback", "open_link"],
                "keyboard": True,
                "inline_keyboard": True,
                "carousel": True,
                "lang_id": 0,
            }
            self.emit("message_new", {"message": dict(message), "client_info": info})
            return message

    def rewrite(self, message: dict[str, Any], text: str) -> None:
        with self.lock:
            message |= {"text": text, "update_time": int(self.now())}
            self.emit("message_edit", dict(message))

    def press(self, message: dict[str, Any], button: int = 0, sender: int = ANNA) -> str:
        actions = [one["action"] for row in message["keyboard"]["buttons"] for one in row]
        event_id = f"press{self._next()}"
        body = {
            "user_id": sender,
            "peer_id": message["peer_id"],
            "event_id": event_id,
            "payload": json.loads(actions[button]["payload"]),
            "conversation_message_id": message["conversation_message_id"],
        }
        self.emit("message_event", body)
        return event_id

    def read_up_to(self, message: dict[str, Any], sender: int = ANNA) -> None:
        body = {
            "from_id": sender,
            "peer_id": message["peer_id"],
            "read_message_id": message["id"],
            "conversation_message_id": message["conversation_message_id"],
        }
        self.emit("message_read", body)

    def react(self, message: dict[str, Any], number: int = 0, sender: int = ANNA) -> None:
        body = {
            "reacted_id": sender,
            "peer_id": message["peer_id"],
            "cmid": message["conversation_message_id"],
            **({"reaction_id": number} if number else {}),
        }
        self.emit("message_reaction_event", body)

    def type(self, sender: int = ANNA) -> None:
        self.emit("message_typing_state", {"from_id": sender, "to_id": -GROUP, "state": "0"})

    def allow(self, sender: int = ANNA) -> None:
        with self.lock:
            self.talks.setdefault(sender, [])
            self.denied.discard(sender)
            self.emit("message_allow", {"user_id": sender, "key": ""})

    def deny(self, sender: int = ANNA) -> None:
        with self.lock:
            self.denied.add(sender)
            self.emit("message_deny", {"user_id": sender})

    def order(
        self,
        number: int,
        status: int = 0,
        *,
        edited: bool = False,
        goods: tuple[str, ...] = (),
        **more: Any,
    ) -> None:
        money = {"id": 643, "name": "RUB", "title": "₽"}
        price = {"amount": "45000", "currency": money, "text": "450 ₽"}
        body = {
            "id": number,
            "group_id": GROUP,
            "user_id": ANNA,
            "date": int(self.now()),
            "status": status,
            "items_count": 1,
            "display_order_id": f"{GROUP}-{number}",
            "total_price": price,
            "comment": "Без свечей",
            "preview_order_items": [_good(n, one, price) for n, one in enumerate(goods, 1)],
            **more,
        }
        self.emit("market_order_edit" if edited else "market_order_new", body)


def _good(number: int, title: str, price: dict[str, Any]) -> dict[str, Any]:
    """One line of an order: a good of the shop."""
    item = {
        "id": number,
        "owner_id": -GROUP,
        "title": title,
        "description": title,
        "price": price,
        "availability": 0,
        "category": {
            "inner_type": "market_market_category_nested",
            "id": 1,
            "name": "Еда",
        },
    }
    return {
        "owner_id": -GROUP,
        "item_id": number,
        "title": title,
        "price": price,
        "quantity": 1,
        "item": item,
    }
