"""Pins every dependency, with hashes and without index addresses.

requirements/*.in become *.txt, package.json becomes package-lock.json. What is pinned stays
pinned, unless `--upgrade` asks for the newest; `--check` changes nothing and fails where a lock
file is stale.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.bootstrap import REQUIREMENTS, ROOT, search_path

NAMES = ("run", "dev", "node")  # dev.in is constrained by run.txt, so run comes first.
ENVIRONMENT = {**os.environ, "PATH": search_path()}
NPM_LOCK = ROOT / "package-lock.json"
ADDRESS = re.compile(r'--(extra-)?index-url|"resolved": "http|^[a-z].* @ http', re.MULTILINE)


def compile_requirements(folder: Path, *options: str) -> None:
    """Bring the .txt files of `folder` up to date with their .in files, keeping their pins."""
    for name in NAMES:
        compiler = ["uv", "pip", "compile", "--quiet", "--output-file", f"{name}.txt"]
        subprocess.run([*compiler, *options, f"{name}.in"], cwd=folder, env=ENVIRONMENT, check=True)


def lock(*options: str) -> None:
    """Write every lock file."""
    compile_requirements(REQUIREMENTS, *options)
    npm = ["npm", "update" if "--upgrade" in options else "install", "--package-lock-only"]
    subprocess.run(
        [*npm, "--omit-lockfile-registry-resolved"], cwd=ROOT, env=ENVIRONMENT, check=True
    )


def faults() -> Iterator[str]:
    """Yield one line per stale or talkative lock file; `npm ci` watches over its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "pyproject.toml", folder)  # uv reads its options from beside them.
        fresh = shutil.copytree(REQUIREMENTS, Path(folder, "requirements"))
        compile_requirements(fresh)
        for path in sorted(fresh.glob("*.txt")):
            if path.read_text() != (REQUIREMENTS / path.name).read_text():
                yield f"requirements/{path.name} is stale: run make lock"
    for path in (*sorted(REQUIREMENTS.glob("*.txt")), NPM_LOCK):
        if found := ADDRESS.search(path.read_text()):
            yield f"{path.relative_to(ROOT)} holds an address: {found[0]}"


def main() -> int:
    """Lock, or check the locks."""
    if "--check" not in sys.argv:
        lock(*sys.argv[1:])
        return 0
    found = list(faults())
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
