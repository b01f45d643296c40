"""Names the running code: the git commit, or a hash over the source files where there is no repository.

Permits are tied to it, so that a worker of an old deployment cannot send what a new one approved.
Local changes to tracked code are not looked for: that would cost a second at every start.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from levi_site.env import REPO_DIR

LENGTH = 12
SOURCE_DIRS = ("levi_site", "trading")


def find_git_commit(repo: Path) -> str | None:
    """The commit of HEAD, read from the files (git itself may be absent or refuse a foreign owner)."""
    git = repo / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except OSError:
        return None


def hash_sources(repo: Path) -> str:
    digest = hashlib.sha256()
    for folder in SOURCE_DIRS:
        for path in sorted((repo / folder).rglob("*.py")):
            digest.update(str(path.relative_to(repo)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def get_build() -> str:
    return (find_git_commit(REPO_DIR) or hash_sources(REPO_DIR))[:LENGTH]
