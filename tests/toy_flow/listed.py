"""Read the list of flows with one line more: what a new flow adds to it, and nothing else.

A plugin of pytest, so that it comes before whatever derives something of the list.
"""

import sys
from pathlib import Path
from types import ModuleType

LIST = Path(__file__).parents[2] / "sync" / "flows.py"


def _with_one_more(source: str) -> str:
    added = "from tests.toy_flow.building import GREETINGS\n"
    end = "\n)\nNAMES"
    if end not in source:
        raise ValueError("the list of flows ends otherwise than expected")
    return source.replace("\nFLOWS", f"{added}\nFLOWS").replace(end, f"\n    GREETINGS,{end}")


def _read() -> None:
    module = ModuleType("sync.flows")
    sys.modules[module.__name__] = module
    exec(compile(_with_one_more(LIST.read_text()), LIST, "exec"), module.__dict__)  # noqa: S102


if "sync.flows" in sys.modules:
    raise ImportError("the list of flows was read before")
_read()
