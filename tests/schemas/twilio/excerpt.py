"""Makes excerpt.json out of Twilio's published OpenAPI: `python excerpt.py FOLDER`.

FOLDER holds twilio_api_v2010.json and twilio_content_v1.json of the project twilio/twilio-oai.
Taken are the requests that the channels make and their answers. Changed: OpenAPI's `nullable`
became a type, descriptions are left out, and `format` too, because Twilio's own examples do not
hold to it (numbers with a channel's prefix, dates of RFC 2822).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from openapi import DROPPED, Excerpt  # noqa: E402

CALLS = {
    "Messages POST": ("api", "/2010-04-01/Accounts/{AccountSid}/Messages.json", "post"),
    "Account GET": ("api", "/2010-04-01/Accounts/{Sid}.json", "get"),
    "Balance GET": ("api", "/2010-04-01/Accounts/{AccountSid}/Balance.json", "get"),
    "Numbers GET": ("api", "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json", "get"),
    "Number POST": (
        "api",
        "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json",
        "post",
    ),
    "Contents GET": ("content", "/v1/ContentAndApprovals", "get"),
    "Content POST": ("content", "/v1/Content", "post"),
}
FORM = "application/x-www-form-urlencoded"


def main(folder: Path) -> None:
    DROPPED.add("format")
    files = {
        "api": json.loads((folder / "twilio_api_v2010.json").read_text()),
        "content": json.loads((folder / "twilio_content_v1.json").read_text()),
    }
    taken = {name: Excerpt(one["components"]["schemas"]) for name, one in files.items()}
    calls: dict[str, Any] = {}
    for name, (file, path, method) in CALLS.items():
        found = files[file]["paths"][path][method]
        answer = next(one for code, one in found["responses"].items() if code.startswith("2"))
        calls[name] = {
            "response": taken[file].take(answer["content"]["application/json"]["schema"])
        }
        if "requestBody" in found:
            kinds = found["requestBody"]["content"]
            kind = FORM if FORM in kinds else "application/json"
            request = taken[file].take(kinds[kind]["schema"])
            calls[name]["request"] = {**request, "additionalProperties": False}
    definitions = {key: one for each in taken.values() for key, one in each.definitions.items()}
    text = json.dumps({"calls": calls, "definitions": definitions}, indent=1, sort_keys=True)
    (HERE / "excerpt.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
