"""The table of what each way supports, as the Python package reads it."""

from __future__ import annotations

import json
import subprocess

import pytest
from gradmod import find_binary
from gradmod._command.support import Construct, Way, reason, refused_construct


def _cells() -> list[dict[str, str]]:
    command = [str(find_binary()), "support", "--message-format", "json"]
    text = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def test_all_that_python_looks_for_is_in_the_table() -> None:
    cells = _cells()
    assert {construct.value for construct in Construct} <= {cell["construct"] for cell in cells}
    assert {way.value for way in Way} == {cell["way"] for cell in cells}


def test_a_reason_is_a_sentence_with_a_way_out() -> None:
    assert reason(Construct.DELAY, Way.REVERSE) == (
        "the delay of a NetCon as a parameter is differentiated in the limit of small dt only: "
        "use attach(..., spike_times=True)"
    )
    with pytest.raises(KeyError):
        reason(Construct.DELAY, Way.SPIKE_TIMES)


def test_the_first_of_several_obstacles_is_said() -> None:
    assert refused_construct({"events", "random"}, Way.FORWARD_THREADS) is None
    said = refused_construct({"windows", "voltage-pointer"}, Way.REVERSE_THREADS)
    assert said is not None and said.startswith("a POINTER that sees a voltage is supported in one thread only")
