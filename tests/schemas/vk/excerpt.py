"""Makes excerpt.json out of the published schema of the VK API: `python excerpt.py FOLDER`.

FOLDER is a checkout of the project VKCOM/vk-api-schema. Taken are the methods that the VK channel
and its tests use, the callback events they know, and whatever those refer to. Changed, so that a
JSON Schema validator of today takes the files:

1. references between files become references within this one;
2. `required: true` on a property (the way of draft 3) goes into the list of its object;
3. what refers to a file that the checkout lacks accepts anything;
4. `message_event`, whose object the schema describes, is added to the list of event types, where
   it was forgotten;
5. the payload of a pressed button may be an object: VK's apps send it so, and the published
   client libraries read it so, where the schema has a string;
6. descriptions are left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
METHODS = """
docs.getMessagesUploadServer docs.save groups.addCallbackServer groups.deleteCallbackServer
groups.editCallbackServer groups.getById groups.getCallbackConfirmationCode
groups.getCallbackServers groups.getCallbackSettings groups.getLongPollServer
groups.getLongPollSettings groups.getTokenPermissions groups.setCallbackSettings
groups.setLongPollSettings messages.delete messages.deleteReaction messages.edit
messages.getByConversationMessageId
messages.markAsRead messages.send messages.sendMessageEventAnswer messages.sendReaction
messages.setActivity photos.getMessagesUploadServer photos.saveMessagesPhoto users.get
"""
OBJECTS = """
callback_base callback_message_object callback_message callback_message_event
callback_message_read callback_message_typing_state callback_message_allow callback_message_deny
callback_message_reaction_event market_order messages_keyboard messages_forward
"""
KEPT = {"maxLength", "enum"}
DROPPED = {"description", "entity", "enumNames", "discriminator"}


class Schema:
    """The files of a checkout, and what was taken from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Any] = {}
        self.definitions: dict[str, Any] = {}

    def file(self, name: str) -> Any:
        if name not in self._files:
            path = self._folder / name
            self._files[name] = json.loads(path.read_text()) if path.exists() else None
        return self._files[name]

    def take(self, file: str, name: str) -> dict[str, str]:
        """Take a definition with all that it needs; gives the reference to it."""
        if name not in self.definitions:
            self.definitions[name] = {}
            found = self.file(file)
            if found is not None:
                self.definitions[name] = self.clean(found["definitions"][name])
        return {"$ref": f"#/definitions/{name}"}

    def clean(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.clean(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            file, _, place = node["$ref"].partition("#")
            return self.take(file.removeprefix("../"), place.rpartition("/")[2])
        cleaned = {
            name: self.clean(value)
            for name, value in node.items()
            if name not in DROPPED and not (name == "required" and isinstance(value, bool))
        }
        properties = node.get("properties")
        if isinstance(properties, dict):
            needed = [
                name
                for name, value in properties.items()
                if isinstance(value, dict) and value.get("required") is True
            ]
            cleaned["properties"] = {name: self.clean(value) for name, value in properties.items()}
            if needed:
                cleaned["required"] = needed
        return cleaned


def as_sent(parameter: dict[str, Any]) -> dict[str, Any]:
    """An object travels as a string of JSON; what it must hold is checked apart."""
    if parameter.get("type") == "string":
        return {"type": "string", **{k: v for k, v in parameter.items() if k in KEPT}}
    return {name: value for name, value in parameter.items() if name != "name"}


def main(folder: Path) -> None:
    schema = Schema(folder)
    methods = {}
    for name in METHODS.split():
        section = name.partition(".")[0]
        [method] = [
            one for one in schema.file(f"{section}/methods.json")["methods"] if one["name"] == name
        ]
        parameters = method.get("parameters", [])
        methods[name] = {
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {one["name"]: schema.clean(as_sent(one)) for one in parameters},
                "required": [one["name"] for one in parameters if one.get("required")],
            },
            "responses": [schema.clean(one) for one in method["responses"].values()],
        }
    for name in OBJECTS.split():
        schema.take(f"{name.partition('_')[0]}/objects.json", name)
    schema.definitions["callback_type"]["enum"].append("message_event")
    press = schema.definitions["callback_message_event"]
    press["properties"]["payload"]["type"] = ["string", "object"]
    errors = schema.file("errors.json")["errors"].values()
    excerpt = {
        "origin": "VKCOM/vk-api-schema, version 5.199; see LICENSE and excerpt.py",
        "errors": {str(one["code"]): one["description"] for one in errors},
        "methods": methods,
        "definitions": schema.definitions,
    }
    text = json.dumps(excerpt, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "excerpt.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
