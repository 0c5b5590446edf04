"""Installs Debian packages where that is possible: as root, with apt-get."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence

TRIES = 3


def install(packages: Sequence[str]) -> str | None:
    """Install `packages`; return None, or one line that says what a person has to do instead."""
    wish = "apt-get install " + " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"missing on this machine: run `{wish}` as root, or your system's equivalent"
    print(f"Installing {', '.join(packages)} ...", flush=True)
    for attempt in range(TRIES):
        time.sleep(5 * attempt)  # A mirror that has just failed is given a moment.
        if _apt_get("update") and _apt_get("install", "--no-install-recommends", *packages):
            return None
    return f"`{wish}` failed {TRIES} times: see above"


def _apt_get(*arguments: str) -> bool:
    command = ["apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0
