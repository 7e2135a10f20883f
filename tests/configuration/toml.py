"""Values as they stand in a TOML file."""

import json
from typing import Any


def toml(value: Any) -> str:
    """Return a value as TOML, in one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(str(name))} = {toml(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, frozenset):
        return toml(sorted(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    # A text of JSON is one of TOML, and so are its numbers.
    plain = value if isinstance(value, bool | int | float) else str(value)
    return json.dumps(plain, ensure_ascii=False)
