"""What a page's script sends: a JSON object."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from hub.errors import Invalid


async def object_in(request: Request) -> dict[str, Any]:
    """Give the object in a request's body, {} where there is none; raises Invalid for all else."""
    try:
        found = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise Invalid("this is not JSON", field="body") from error
    if not isinstance(found, dict):
        raise Invalid("an object is needed", field="body")
    return found
