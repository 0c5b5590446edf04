"""Runs every test: Python on SQLite, Python on PostgreSQL, TypeScript.

All arguments go to pytest. With KARIBU_REQUIRE_ALL=1, a part that could not run is a failure;
with COVERAGE=1, a report of the lines that the Python parts did not reach follows them.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from scripts import debian
from scripts.bootstrap import ROOT, exit_on_sigterm, search_path
from tests.services.postgres import PostgresServer
from tests.services.server import MissingProgramError

REQUIRE_ALL = os.environ.get("KARIBU_REQUIRE_ALL") == "1"
COVERAGE = os.environ.get("COVERAGE") == "1"

# Debian's package, and the program below /usr that shows that it is there.
NEEDED = {
    "chromium": "bin/chromium",
    "postgresql": "lib/postgresql/*/bin/postgres",
    "redis-server": "bin/redis-server",
}
# What a person has set for an installation of their own has no place in a test run.
SETTINGS = re.compile(
    r"(KARIBU|CENTRIFUGO|CELERY|AI)_(?!REQUIRE_ALL$)|(DATABASE|REDIS|EMAIL|STORAGE)_URL$"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CLOSING_LINE = re.compile(r"(=+ )?(\d+|no) [a-z].* in [\d.]+s.*")
SUMMARY_LINE = re.compile(r"(SKIPPED|FAILED|ERROR) .*")
NO_TEST_RAN = 5


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one part went, and which of pytest's lines a reader should see last."""

    state: Literal["passed", "FAILED", "COULD NOT RUN"]
    reason: str = ""
    summary: list[str] = field(default_factory=list)
    closing: str = ""


def python_on_sqlite() -> Outcome:
    """Run pytest on the embedded default."""
    return _pytest({})


def python_on_postgres() -> Outcome:
    """Run the same suite on a PostgreSQL that lives as long as the run."""
    try:
        server = PostgresServer()
    except MissingProgramError as missing:
        return Outcome(state="COULD NOT RUN", reason=str(missing))
    with server:
        return _pytest({"DATABASE_URL": server.url})


def typescript() -> Outcome:
    """Run the front end's tests."""
    status, _ = _run(["npm", "test"], {})
    return Outcome(state="FAILED" if status else "passed")


PARTS: dict[str, Callable[[], Outcome]] = {
    "Python on SQLite": python_on_sqlite,
    "Python on PostgreSQL": python_on_postgres,
    "TypeScript": typescript,
}


def _pytest(settings: dict[str, str]) -> Outcome:
    module = ["coverage", "run", "-m", "pytest"] if COVERAGE else ["pytest"]
    colour = "--color=yes" if sys.stdout.isatty() else "--color=no"
    status, output = _run(["python", "-m", *module, colour, *sys.argv[1:]], settings)
    lines = COLOUR.sub("", output).splitlines()
    return Outcome(
        state="FAILED" if status else "passed",
        reason="no test ran" if status == NO_TEST_RAN else "",
        summary=[line for line in lines if SUMMARY_LINE.fullmatch(line)],
        closing=next((line for line in reversed(lines) if CLOSING_LINE.fullmatch(line)), ""),
    )


def _run(command: Sequence[str], settings: dict[str, str]) -> tuple[int, str]:
    """Run `command` with `settings` alone, showing its output; return its status and output."""
    output = bytearray()
    with tempfile.TemporaryDirectory(prefix="karibu-") as data:
        inherited = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
        if not sys.stdout.isatty():
            inherited["NO_COLOR"] = "1"
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=inherited | {"PATH": search_path(), "KARIBU_DATA_DIR": data} | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - for mypy: it was asked for above
            try:
                # In chunks, not lines: pytest's dots are to appear as they come.
                while chunk := process.stdout.read(65536):
                    output += chunk
                    sys.stdout.buffer.write(chunk)
                    sys.stdout.buffer.flush()
            except BaseException:
                process.terminate()
                raise
    return process.returncode, output.decode(errors="replace")


def install_what_is_missing() -> None:
    """Install the services where that is possible; each test says later what it lacks."""
    missing = [name for name, path in NEEDED.items() if not any(Path("/usr").glob(path))]
    if missing and (problem := debian.install(missing)):
        print(f"{', '.join(missing)}: {problem}", flush=True)


def report_coverage() -> None:
    """Print what the Python parts together did not reach."""
    for step in (["combine", "--quiet"], ["report"]):
        subprocess.run([sys.executable, "-m", "coverage", *step], cwd=ROOT, check=False)


def report(outcomes: dict[str, Outcome], seconds: dict[str, float]) -> None:
    """Repeat what pytest skipped and failed, say how each part went, and end in its own words."""
    for name, outcome in outcomes.items():
        because = f": {outcome.reason}" if outcome.reason else ""
        print(f"\n{name}: {outcome.state} in {seconds[name]:.0f} s{because}")
        for line in outcome.summary:
            print(f"  {line}")
    for outcome in outcomes.values():
        if outcome.closing:
            print(outcome.closing)


def main() -> int:
    """Run the parts in order; return 1 where one failed, or could not run but had to."""
    exit_on_sigterm()
    install_what_is_missing()
    outcomes: dict[str, Outcome] = {}
    seconds: dict[str, float] = {}
    for name, part in PARTS.items():
        print(f"\n{name}", flush=True)
        started = time.monotonic()
        outcomes[name] = part()
        seconds[name] = time.monotonic() - started
    if COVERAGE:
        report_coverage()
    report(outcomes, seconds)
    bad = {"FAILED", "COULD NOT RUN"} if REQUIRE_ALL else {"FAILED"}
    return 1 if any(outcome.state in bad for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
