"""Runs every static check, two at a time, and shows the output of those that fail."""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scripts.bootstrap import ROOT, search_path

# The slow ones first, so that the quick ones fill the other core.
CHECKS = {
    "types": "mypy",
    "front end": "npm run --silent check",
    "lint": "ruff check --quiet --output-format concise",
    "format": "ruff format --check --output-format concise",
    "imports": "lint-imports --no-cache --no-logo",
    "generated files": "python manage.py export_protocol --check",
    "migrations": "python manage.py makemigrations --check --dry-run",
    "lock files": "python -m scripts.lock --check",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One finished check."""

    name: str
    passed: bool
    seconds: float
    output: str


def run(name: str, data_dir: str) -> Result:
    """Run the check `name` away from the installation's own data."""
    started = time.monotonic()
    done = subprocess.run(
        CHECKS[name].split(),
        cwd=ROOT,
        env={**os.environ, "PATH": search_path(), "KARIBU_DATA_DIR": data_dir},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    return Result(name=name, passed=done.returncode == 0, seconds=seconds, output=done.stdout)


def main() -> int:
    """Run all checks, also after one has failed; return 1 where one did."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="karibu-") as data, ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda name: run(name, data), CHECKS):
            word = "passed" if result.passed else "FAILED"
            print(f"{result.name:18}{word} in {result.seconds:.1f} s", flush=True)
            if not result.passed:
                failed.append(result.name)
                print(result.output)
    if failed:
        print(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
