"""What the first page of a web process would otherwise make while somebody waits: the table of addresses in both
directions, and the panel's compiled templates. Nothing is connected and nothing is read from the database.
"""

from __future__ import annotations

from django.template import engines
from django.urls import reverse

from levi_site.env import REPO_DIR

TEMPLATES = REPO_DIR / "templates"
# Unfold's frame, which its few pages extend, is compiled with the first of them.
OWN = ("panel", "admin")


def warm_up_pages() -> int:
    """How many templates are compiled now; called again, it finds them."""
    reverse("admin:index")  # fills the resolver's table
    names = [
        path.relative_to(TEMPLATES).as_posix()
        for folder in OWN
        for path in TEMPLATES.glob(f"{folder}/*.html")
    ]
    for name in ("error.html", *names):
        engines["django"].get_template(name)
    return len(names) + 1
