"""Draw the icon as PNG for what knows no SVG: Android's home screen and notices on a device.

    python tools/raster_icons.py

Writes beside `favicon.svg`, from which all are made: `icon-192.png` and `icon-512.png`; `icon-mask.png`,
whose edge a phone may cut into its own form; `badge.png`, the white form that stands in a status bar.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import sync_playwright

STATIC = Path(__file__).parents[1] / "hub/web/static"
CHROMIUM = "/usr/bin/chromium"
PAGE = "<style>*{{margin:0}}svg{{display:block;width:{size}px;height:{size}px}}</style>{svg}"


def drawings() -> dict[str, tuple[int, str]]:
    """Give the side in pixels and the SVG of each file."""
    svg = (STATIC / "favicon.svg").read_text()
    return {
        "icon-192.png": (192, svg),
        "icon-512.png": (512, svg),
        "icon-mask.png": (512, svg.replace(' rx="8"', "")),
        "badge.png": (96, re.sub(r"<rect[^>]*>", "", svg).replace("0 0 32 32", "7 7 18 18")),
    }


def main() -> None:
    """Draw all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (size, svg) in drawings().items():
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(PAGE.format(size=size, svg=svg))
            page.screenshot(path=STATIC / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
