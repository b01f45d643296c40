"""Reads YAML strictly: numbers with a point become Decimal, a key may stand once, errors name the line.

Only plain data is ever built; no tag can construct an object.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from levi_site.env import SettingError

MAX_BYTES = 100_000


class StrictLoader(yaml.SafeLoader):
    """SafeLoader with exact numbers and without silently overwritten keys."""


def construct_decimal(loader: StrictLoader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node)).replace("_", "").lower()
    return Decimal(text.replace(".inf", "inf").replace(".nan", "nan"))


def construct_unique_mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _value in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


StrictLoader.add_constructor("tag:yaml.org,2002:float", construct_decimal)
StrictLoader.add_constructor("tag:yaml.org,2002:map", construct_unique_mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """The top-level mapping of the file; SettingError names file, line and problem."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingError(
            f"LEVI_CONFIG={path}: cannot be read ({error.strerror}); point it at a copy of config/app.yaml"
        ) from error
    if len(raw) > MAX_BYTES:
        raise SettingError(f"{path}: {len(raw)} bytes; a configuration has at most {MAX_BYTES}")
    try:
        # StrictLoader derives from SafeLoader: no tag can construct an object.
        found = yaml.load(raw.decode("utf-8"), Loader=StrictLoader)
    except UnicodeDecodeError as error:
        raise SettingError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingError(f"{path}, line {line}: {error.problem}; check indentation and colons") from error
    except yaml.YAMLError as error:
        raise SettingError(f"{path}: not YAML: {error}") from error
    if not isinstance(found, dict):
        raise SettingError(f"{path}: holds no sections; it needs live, exchange and risk")
    return found
