"""Fetch the third-party files of the interface, as vendor.lock says, and nothing else.

    .venv/bin/python tools/vendor.py           fetch every package, verify it, write the files
    .venv/bin/python tools/vendor.py --check   only compare what lies here with the lock (offline)
    .venv/bin/python tools/vendor.py --lock    fetch, and write the checksums into the lock

Only maintainers need it: the files are committed. It uses the ordinary npm client for the
download; running, installing or developing the hub needs no Node.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "hub/web/static/vendor/vendor.lock"
HEAD = """\
# Third-party files of the interface: what, from which package, with which checksums, and why.
# Written by tools/vendor.py; a test recomputes every checksum.
"""


@dataclass
class Package:
    """One package of the lock."""

    name: str
    version: str
    licence: str
    why: str
    folder: str
    integrity: str = ""
    files: dict[str, str] = field(default_factory=dict)
    sprite: str = ""
    sprite_sha256: str = ""
    icons: list[str] = field(default_factory=list)

    @property
    def place(self) -> Path:
        """Where its files lie."""
        return ROOT / self.folder


def read_lock() -> list[Package]:
    """Read the lock."""
    data: dict[str, Any] = tomllib.loads(LOCK.read_text(encoding="utf-8"))
    return [Package(**one) for one in data["package"]]


def write_lock(packages: list[Package]) -> None:
    """Write the lock."""
    lines = [HEAD]
    for one in packages:
        lines.append("[[package]]")
        lines += [
            f'{name} = "{getattr(one, name)}"'
            for name in ("name", "version", "licence", "why", "folder", "integrity")
        ]
        if one.sprite:
            lines.append(f'sprite = "{one.sprite}"')
            lines.append(f'sprite_sha256 = "{one.sprite_sha256}"')
            lines.append("icons = [")
            lines += [f'    "{icon}",' for icon in sorted(one.icons)]
            lines.append("]")
        lines.append("[package.files]")
        lines += [f'"{path}" = "{mark}"' for path, mark in sorted(one.files.items())]
        lines.append("")
    LOCK.write_text("\n".join(lines), encoding="utf-8")


def sha256(content: bytes) -> str:
    """Give a checksum as the lock writes it."""
    return hashlib.sha256(content).hexdigest()


def download(package: Package, folder: Path) -> Path:
    """Get the archive by the npm client and check it against the lock."""
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / done.stdout.split()[-1]
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if package.integrity and found != package.integrity:
        raise SystemExit(f"{package.name}: the archive is not the one that was locked")
    package.integrity = found
    return archive


def take(package: Package, archive: Path, *, lock: bool) -> None:
    """Write the listed files, and the sprite, out of an archive."""
    with tarfile.open(archive) as tar:

        def content(path: str) -> bytes:
            member = tar.extractfile(f"package/{path}")
            if member is None:
                raise SystemExit(f"{package.name} has no {path}")
            return member.read()

        for path in package.files:
            found = content(path)
            if not lock and sha256(found) != package.files[path]:
                raise SystemExit(f"{package.name}: {path} is not what was locked")
            package.files[path] = sha256(found)
            target = package.place / Path(path).name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found)
        if package.sprite:
            sprite = make_sprite({name: content(f"icons/{name}.svg") for name in package.icons})
            package.sprite_sha256 = sha256(sprite)
            (ROOT / package.sprite).write_bytes(sprite)


def make_sprite(icons: dict[str, bytes]) -> bytes:
    """Put icons into one file, each a symbol that is drawn in the colour of the text."""
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">']
    for name, content in sorted(icons.items()):
        text = content.decode()
        inner = re.sub(r"\s+", " ", text[text.index(">", text.index("<svg")) + 1 :]).strip()
        inner = inner.removesuffix("</svg>").strip()
        lines.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{inner}</symbol>'
        )
    return ("\n".join(lines) + "\n</svg>\n").encode()


def differences() -> list[str]:
    """Say what of the files that lie here is not as the lock says."""
    found, known = [], {LOCK}
    for package in read_lock():
        for path, mark in package.files.items():
            place = package.place / Path(path).name
            known.add(place)
            if not place.is_file() or sha256(place.read_bytes()) != mark:
                found.append(f"{place.relative_to(ROOT)} is not what was locked")
        if package.sprite and sha256((ROOT / package.sprite).read_bytes()) != package.sprite_sha256:
            found.append(f"{package.sprite} is not what was locked")
    for folder in {LOCK.parent, ROOT / "tests/browser/vendor"}:
        strangers = (one for one in folder.rglob("*") if one.is_file() and one not in known)
        found += [f"{one.relative_to(ROOT)} is not in the lock" for one in strangers]
    return found


def main() -> int:
    """Fetch, or check."""
    if "--check" in sys.argv:
        found = differences()
        print("\n".join(found) or "every vendored file is as locked")
        return int(bool(found))
    packages = read_lock()
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            take(package, download(package, Path(folder)), lock="--lock" in sys.argv)
            print(f"{package.name} {package.version}: {len(package.files)} files")
    if "--lock" in sys.argv:
        write_lock(packages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
