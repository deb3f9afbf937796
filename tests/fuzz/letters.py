"""Byte fuzzing of everything that reads a letter; no part of `make test`.

    .venv/bin/pip install -c constraints.txt -e .[fuzz]
    .venv/bin/python -m tests.fuzz.letters -max_total_time=300

Starts from the samples of tests/wire/email/samples; options are libFuzzer's. An input that
breaks something is kept as `crash-...` in the present folder.
"""

from __future__ import annotations

import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["channels.email", "email", "flufl.bounce"]):
    from tests.fuzz.reading import SAMPLES, read_letter


def main() -> None:
    """Fuzz until told otherwise."""
    with tempfile.TemporaryDirectory() as found:
        # New inputs go to the first folder; the samples are only read.
        folders = (
            [] if any(not one.startswith("-") for one in sys.argv[1:]) else [found, str(SAMPLES)]
        )
        atheris.Setup([*sys.argv, "-timeout=10", "-max_len=20000", *folders], read_letter)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
