"""Where the built front ends are: their names carry a hash, and a manifest tells it."""

import json
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static

MANIFEST = Path(settings.BASE_DIR) / "assets" / "dist" / "manifest.json"


def find_url(name: str) -> str | None:
    """The address of an asset by its logical name; None while it has not been built.

    Read anew each time, for a running server to follow a new build.
    """
    try:
        manifest = json.loads(MANIFEST.read_text())
    except FileNotFoundError:
        return None
    entry = manifest.get(name)
    return static(entry["file"]) if entry else None
