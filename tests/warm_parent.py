"""Imported once by the parent of all warm processes: everything that a hub imports."""

from __future__ import annotations

import gc
import importlib
import pkgutil

import tests.quick_passwords  # noqa: F401 - makes them quick

for _name in ("hub", "crm_store", "dialogs", "channels", "plugins", "tests.houses"):
    _package = importlib.import_module(_name)
    for _found in pkgutil.walk_packages(getattr(_package, "__path__", ()), f"{_name}."):
        if "migrations" not in _found.name and not _found.name.endswith("__main__"):
            importlib.import_module(_found.name)

# A child would look through all of this for rubbish, and so copy it.
gc.collect()
gc.freeze()
