"""Has every requirement a test that is named after it?"""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from requirements.ids import LEVELS, OF_LEVEL

FOLDER = Path(__file__).parent


@cache
def functions():
    """The names of the test functions of this folder."""
    trees = [ast.parse(path.read_text("utf-8")) for path in FOLDER.glob("test_*.py") if path != Path(__file__)]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return [node.name for node in nodes if node.name.startswith("test_")]


def named_after(id):
    """How the name of a test of this requirement begins."""
    return f"test_{id.lower().replace('-', '_')}_"


def test_every_requirement_has_a_test():
    tests = functions()
    assert [id for id in LEVELS if not any(name.startswith(named_after(id)) for name in tests)] == []


def test_every_test_is_of_a_requirement():
    beginnings = tuple(map(named_after, LEVELS))
    assert [name for name in functions() if not name.startswith(beginnings)] == []


def test_no_id_is_listed_twice_and_no_test_hides_another():
    assert len(LEVELS) == len(" ".join(OF_LEVEL.values()).split()) == 279
    assert [name for name, times in Counter(functions()).items() if times > 1] == []
