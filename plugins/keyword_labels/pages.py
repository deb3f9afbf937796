"""The page of the words: a line for each meaning, and a sentence to try them on."""

from __future__ import annotations

from hub import Answer, Hub, HubError, Page, PluginRequest, Redirect, Route
from plugins.keyword_labels.commands import SaveMeanings
from plugins.keyword_labels.words import KNOWN, STARTING, label_of, read_words, written

PATH = "/p/keyword_labels/"
SPARE = 2
MOST_FIELDS = 40


def routes() -> list[Route]:
    """Its endpoints; a colleague must be logged in."""
    return [
        Route(path="/", endpoint=shown, permission="rules.view"),
        Route(path="/", endpoint=save, methods=("POST",), permission="rules.manage"),
    ]


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """Show the words; `try` says what a sentence would be taken for."""
    words = await written(hub) or STARTING
    pairs = [(name, ", ".join(parts)) for name, parts in words.items()]
    return _page(request, pairs, text=request.query.get("try", "")[:2000])


async def save(hub: Hub, request: PluginRequest) -> Answer:
    """Keep the words, or bring back those of the start."""
    fields = request.fields
    pairs = [
        (fields.get(f"name_{n}", "")[:200], fields.get(f"words_{n}", "")[:20_000])
        for n in range(MOST_FIELDS)
    ]
    try:
        words = {} if fields.get("do") == "start" else read_words(pairs)
        await hub.do(SaveMeanings(words=words))
    except HubError as error:
        return _page(request, [one for one in pairs if any(one)], problem=str(error))
    await KNOWN.renew(hub)
    return Redirect(to=f"{PATH}?saved=1")


def _page(
    request: PluginRequest, pairs: list[tuple[str, str]], *, text: str = "", problem: str = ""
) -> Page:
    words = {name: tuple(one.strip() for one in said.split(",")) for name, said in pairs}
    russian = request.language == "ru"
    return Page(
        template="words.html",
        title="Смысл сообщений" if russian else "What messages are about",
        status=422 if problem else 200,
        values={
            "section": "marketing",
            "tab": "Meanings",
            "pairs": [*pairs, *[("", "")] * SPARE],
            "text": text,
            "label": label_of(text, words) if text else None,
            "problem": problem,
            "saved": bool(request.query.get("saved")),
            "may_edit": "rules.manage" in request.may,
        },
    )
