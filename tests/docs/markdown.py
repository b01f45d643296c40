"""Reads Markdown as GitHub shows it: headings with their anchors, links, code. Pure but for reading the file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
EXPLICIT = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SOURCE = re.compile(r"(?:src|srcset|href)=\"([^\"]+)\"")
CODE = re.compile(r"`([^`\n]+)`")


def make_anchor(heading: str) -> str:
    """GitHub's rule: lower case, punctuation gone, blanks to hyphens."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda found: found.group(1) or "", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def list_anchors(file: Path) -> frozenset[str]:
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    anchors: list[str] = []
    for heading in HEADING.findall(text):
        base = make_anchor(heading)
        taken = sum(1 for anchor in anchors if re.fullmatch(re.escape(base) + r"(-\d+)?", anchor))
        anchors.append(f"{base}-{taken}" if taken else base)
    return frozenset(anchors) | frozenset(EXPLICIT.findall(text))


def list_links(file: Path) -> list[str]:
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    text = CODE.sub("", text)
    return LINK.findall(text) + SOURCE.findall(text)


def list_code(file: Path) -> list[str]:
    """Every piece of inline code and every line of a fenced block."""
    text = file.read_text(encoding="utf-8")
    lines = [line for block in FENCE.findall(text) for line in block.splitlines()[1:-1]]
    return lines + CODE.findall(FENCE.sub("", text))
