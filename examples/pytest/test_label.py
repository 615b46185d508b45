"""Tests `label.py`, unchanged, against an emulator."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("label.py")


def run(emulator):
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, env=emulator.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


def labels(emulator):
    return {
        annotation["input_id"]: [concept["id"] for concept in annotation["data"]["concepts"]]
        for annotation in emulator.dump()["annotations"]
        if annotation["data"].get("concepts")
    }


def test_only_inputs_without_labels_get_one(emulator):
    concepts = [{"id": "sports", "value": 1}]
    emulator.seed(
        [
            {"id": "a", "input_id": "old-1", "data": {"concepts": concepts}},
            {"id": "b", "input_id": "old-2", "data": {}},
        ]
    )
    assert run(emulator) == "2 labelled"
    assert labels(emulator) == {
        "old-1": ["sports"],
        "old-2": ["to-check"],
        "news-1": ["to-check"],
    }


def test_each_test_starts_with_an_empty_app(emulator):
    assert emulator.dump()["inputs"] == []
