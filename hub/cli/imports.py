"""`dialoghub import`: a CSV file or a workbook becomes clients or leads, after a dry run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    Progress,
    YesOption,
    confirm,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
    table,
)
from hub.errors import Conflict, Invalid

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.records.imports import Import


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_file)


def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or XLSX, headings first; or a ZIP of it and the files it names."),
    ],
    kind: Annotated[
        str, typer.Option(help="What the rows are: client, contact or lead.")
    ] = "client",
    map: Annotated[
        list[str] | None,
        typer.Option(help="HEADING=PROPERTY, once for each column; nothing: as suggested."),
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="By what rows are recognised, in this order.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="What is there already: skip, fill, overwrite, new.")
    ] = "",
    default: Annotated[
        list[str] | None, typer.Option(help="PROPERTY=VALUE for rows that bring none.")
    ] = None,
    bad_rows: Annotated[
        Path | None, typer.Option(help="Where to write the rows that were left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and write nothing.")] = False,
    yes: YesOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a file: say what would happen, then do it."""
    settings = load_settings(data, database)
    if not file.is_file():
        raise Invalid(f"there is no file {file}")
    if bad_rows is not None and bad_rows.exists():
        raise Invalid(f"{bad_rows} exists already")

    async def carry_out() -> Import:
        async with opened(settings) as hub:
            one = await _prepared(hub, file, kind, _pairs(map), key or [], policy, _pairs(default))
            one = await _step(hub, one, "check")
            if not as_json:
                _tell(one)
            if not dry_run:
                new = one.found.get("created", 0) + one.found.get("updated", 0)
                confirm(f"Import {new} of {one.rows} rows?", yes=yes)
                one = await _step(hub, one, "run")
            if bad_rows is not None:
                await _write_bad(hub, one, bad_rows)
            return one

    one = run_async(carry_out())
    counts = dict(one.found if dry_run else one.counts)
    if as_json:
        say_json({"id": str(one.id), "state": one.state, **counts})
    elif not dry_run:
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        say(f"Import {one.id}: {said}")


def _pairs(given: list[str] | None) -> dict[str, str]:
    found = {}
    for one in given or []:
        name, equals, value = one.partition("=")
        if not equals:
            raise Invalid(f"{one!r} is not written as NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


async def _prepared(
    hub: BoundHub,
    file: Path,
    kind: str,
    columns: dict[str, str],
    keys: list[str],
    policy: str,
    defaults: dict[str, str],
) -> Import:
    from crm_store import imports as store
    from hub.commands import SetUpImport
    from hub.import_columns import plain
    from hub.importing import upload
    from hub.records.imports import ImportFields

    import_id = await upload(hub, kind, file.name, file)
    one = await hub.read(store.one_import, import_id)
    wanted = {plain(head): name for head, name in columns.items()}
    unknown = set(wanted) - {plain(head) for head in one.heads}
    if unknown:
        raise Invalid(f"the file has no heading {', '.join(sorted(unknown))!r}")
    fills = one.fields.columns
    if columns:
        fills = tuple(wanted.get(plain(head), "") for head in one.heads)
    fields = ImportFields(
        columns=fills,
        keys=tuple(keys) or tuple(name for name in one.fields.keys if name in fills),
        policy=policy or one.fields.policy,
        defaults=defaults or one.fields.defaults,
    )
    await hub.do(SetUpImport(import_id=import_id, fields=fields))
    return await hub.read(store.one_import, import_id)


async def _step(hub: BoundHub, one: Import, what: str) -> Import:
    """Do one step here and now; a running hub that takes the job first is waited for."""
    import asyncio

    from crm_store import imports as store
    from hub.commands import StartImport
    from hub.importing import work

    await hub.do(StartImport(import_id=one.id, what=what))
    progress = Progress(what)
    task = asyncio.create_task(work(hub, one.id))
    while True:
        done, _ = await asyncio.wait({task}, timeout=0.3)
        now = await hub.read(store.one_import, one.id)
        progress(now.checked if what == "check" else now.done, now.rows)
        if done:
            task.result()
        if done and not now.is_busy:
            break
        if done:
            await asyncio.sleep(0.3)
    progress.done()
    if now.state == "failed":
        raise Conflict(f"the import stopped: {now.error}")
    return now


def _tell(one: Import) -> None:
    pairs = zip(one.heads, one.fields.columns, strict=True)
    table(("column", "fills"), [(head, name or "-") for head, name in pairs])
    by = ", ".join(one.fields.keys) or "nothing"
    say(f"\nRows are recognised by {by}; what is there already: {one.fields.policy}")
    say(", ".join(f"{number} {name}" for name, number in one.found.items()))


async def _write_bad(hub: BoundHub, one: Import, path: Path) -> None:
    from crm_store import imports as store
    from hub.import_files import bad_file
    from hub.importing import said

    rows = await hub.read(store.bad_rows, one.id)
    source = hub.runtime.blobs.path(await hub.read(store.blob_of, one.id))
    reasons = {number: ": ".join(filter(None, said(text))) for number, text in rows.items()}
    with path.open("wb") as out:
        for line in bad_file(source, one.form, one.heads, reasons, "error"):
            out.write(line)
    say(f"{path}: {len(reasons)} rows")
