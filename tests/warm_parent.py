"""Imported once by the parent of all warm processes: everything that a hub imports."""

from __future__ import annotations

import tests.quick_passwords  # noqa: F401 - makes them quick
from tests.warm_python import PRODUCT, import_all, keep

import_all(*PRODUCT, "tests.houses")
keep()
