"""`python -m bench [name ...]`: every benchmark, or those named, one after another.

Each prints its targets with gate, goal and what was reached; options of one are given to its own
module (`python -m bench.inbox --help`). The first run fills stores with a million messages and
keeps them in the system's temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
import time

BENCHES = {
    "intake": ["--seconds", "3", "--rounds", "5"],
    "mail": [],
    "inbox": [],
    "search": [],
    "browser": [],
    "start": [],
    "live": [],
    "channels": ["--kit"],
    "office": [],
    "imports": ["--rows", "10000"],
    "objects": [],
    "mailing": ["--letters", "4000"],
    "opens": [],
    "rendering": [],
    "segments": [],
    "peers": [],
}


def main(names: list[str]) -> int:
    """Run what was asked for; gives how many failed."""
    unknown = [one for one in names if one not in BENCHES]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
        return 2
    failed = 0
    for name in names or BENCHES:
        began = time.monotonic()
        print(f"== {name}: python -m bench.{name} {' '.join(BENCHES[name])}".rstrip(), flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}", *BENCHES[name]])
        failed += done.returncode != 0
        print(f"-- {name}: {time.monotonic() - began:.0f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
