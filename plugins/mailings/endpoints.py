"""Endpoints of mailings for programs: read by who may see mailings, written by who may send them."""

from __future__ import annotations

from typing import Any

from hub import Endpoint, Route

SEE, DO = "mailings.view", "mailings.send"


def read(path: str, endpoint: Endpoint, gives: Any, **asks: str) -> Route:
    """Give the route of an endpoint that only tells; `asks` are its query parameters."""
    return Route(path=path, endpoint=endpoint, permission=SEE, api=True, gives=gives, asks=asks)


def write(
    verb: str, path: str, endpoint: Endpoint, takes: Any, gives: Any, right: str = DO, **more: Any
) -> Route:
    """Give the route of an endpoint that changes something."""
    return Route(
        path=path,
        endpoint=endpoint,
        methods=(verb,),
        permission=right,
        api=True,
        takes=takes,
        gives=gives,
        **more,
    )
