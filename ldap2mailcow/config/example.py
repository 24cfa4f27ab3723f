"""The example config: the text that the first run writes."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import yaml

from .files import FileProblem, write_new_file
from .mistakes import ConfigError, Mistake


def example_text() -> str:
    """Return the example with its comments, as YAML."""
    return importlib.resources.files(__package__).joinpath("config.example.yaml").read_text(encoding="utf-8")


def write_first_config(path: Path) -> None:
    """Write the example, as JSON where the name says so; only its owner can read it.

    Raises ConfigError where a file is there already, or none can be written.
    """
    text = example_text()
    if path.suffix.lower() == ".json":
        text = json.dumps(yaml.safe_load(text), indent=2) + "\n"
    try:
        write_new_file(path, text)
    except FileProblem as problem:
        raise ConfigError([Mistake("", str(problem))], path) from None
