"""Makes the virtual environment that every make target uses.

Run by whatever `python3` the machine has, so it uses the standard library alone and no syntax newer
than Python 3.6. It works only when pyproject.toml, constraints.txt or the interpreter changed since
the last time; otherwise it ends within a moment. `--dev` adds what tests and checks need, and
`--servers` the servers and the browser that tests start, installed while pip is at work.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
OLDEST = (3, 11)
NEWER_NAMES = ("python3.13", "python3.12", "python3.11")


def main():
    parser = argparse.ArgumentParser(description="Make .venv and install what is pinned.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    parser.add_argument("--servers", action="store_true", help="also the servers of the tests")
    wanted = parser.parse_args()
    use_new_enough_python()
    # apt works alone: first for the virtual environment, where Python lacks the means to make one.
    with locked():
        if is_stale(wanted.dev) and not venv_works():
            install_venv_module_where_missing()
    with servers_meanwhile() if wanted.servers else contextlib.nullcontext(), locked():
        if is_stale(wanted.dev):
            make_environment(wanted.dev)


@contextlib.contextmanager
def servers_meanwhile():
    """Install them beside what the caller does; what failed of both is told, and fails."""
    installing = subprocess.Popen([str(ROOT / "tools" / "system_packages")])
    try:
        yield
    finally:
        # Also where pip failed: apt is never left alone, nor cut off in the middle.
        failed = installing.wait() != 0
        if failed:
            say("The servers of the tests could not be installed; the lines above say why.")
    if failed:
        sys.exit(1)


@contextlib.contextmanager
def locked():
    """Two make targets started together must not build the same directory twice."""
    with open(__file__) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_stale(wants_dev):
    installed = read_stamp()
    current = installed.get("fingerprint") == fingerprint_of_inputs()
    return not current or (wants_dev and not installed.get("dev", False))


def make_environment(wants_dev):
    dev = wants_dev or read_stamp().get("dev", False)
    make_venv()
    install(dev=dev)
    STAMP.write_text(json.dumps({"fingerprint": fingerprint_of_inputs(), "dev": dev}))


def use_new_enough_python():
    if sys.version_info >= OLDEST:
        return
    for name in NEWER_NAMES:
        path = shutil.which(name)
        if path:
            os.execv(path, [path, *sys.argv])
    give_up(
        "Dialog Hub needs Python {}.{} or newer; this is {}.{}. Install one and name it: "
        "make PYTHON=/path/to/python3 ...".format(*OLDEST, *sys.version_info[:2])
    )


def fingerprint_of_inputs():
    # The path counts too: scripts in a virtual environment hold it, and a moved checkout breaks them.
    digest = hashlib.sha256(f"{ROOT} {sys.version}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def read_stamp():
    if not (VENV / "bin" / "python").exists():
        return {}
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def make_venv():
    if venv_works():
        return
    if VENV.exists():
        shutil.rmtree(str(VENV))
    say("Making the virtual environment ...")
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)])
    if done.returncode != 0:
        give_up("The virtual environment could not be made; the lines above say why.")


def venv_works():
    """An environment of another Python version, or one copied here, is made anew."""
    python = VENV / "bin" / "python"
    question = "import sys, pip; print(sys.prefix, *sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [str(python), "-c", question],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError:
        return False
    return answer.stdout.split() == [str(VENV)] + [str(n) for n in sys.version_info[:2]]


def install_venv_module_where_missing():
    # Debian and Ubuntu take ensurepip out of python3 and give it in a package of its own.
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401

        return
    except ImportError:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        give_up(
            "Python's venv module is missing: install it "
            f"(on Debian and Ubuntu: sudo apt-get install {package}) and run this again."
        )
    say(f"Installing {package} ...")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["update", "-qq"], ["install", "-y", "-qq", package]):
        quiet = {"stdout": subprocess.DEVNULL, "env": environment}
        if subprocess.run(["apt-get", *command], **quiet).returncode != 0:
            give_up(f"apt-get could not install {package}; the lines above say why.")
    # The running interpreter has already remembered that the module is missing.
    os.execv(sys.executable, [sys.executable, *sys.argv])


def install(dev):
    say("Installing the pinned packages (a minute the first time) ...")
    # setuptools first: our own package is then built with the pinned one, and without a second download.
    pip("setuptools", "wheel")
    pip("--no-build-isolation", "--editable", f"{ROOT}{'[dev]' if dev else ''}")


def pip(*arguments):
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq"]
    command += ["--disable-pip-version-check", "--no-input"]
    command += ["--constraint", str(ROOT / "constraints.txt")]
    if subprocess.run(command + list(arguments)).returncode != 0:
        give_up("pip could not install the packages; the lines above say why.")


def say(line):
    print(line, flush=True)


def give_up(line):
    sys.exit(line)


if __name__ == "__main__":
    main()
