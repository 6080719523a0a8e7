"""What a stranger relies on before reading any code: the locks fit what pyproject.toml says, and tell no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pinned(lock: str) -> dict[str, list[Version]]:
    """The versions that a lock names of each package: several where they differ by Python."""
    versions: dict[str, list[Version]] = {}
    for name, version in re.findall(
        r"^([a-z0-9-]+)(?:\[.*\])?==(\S+)", (ROOT / "locks" / lock).read_text(), re.MULTILINE
    ):
        versions.setdefault(name, []).append(Version(version))
    return versions


@pytest.mark.parametrize(("lock", "extras"), [("run.txt", ()), ("dev.txt", ("dev",)), ("bench.txt", ("dev", "bench"))])
def test_a_lock_has_all_that_is_asked_for_in_its_range(lock: str, extras: tuple[str, ...]):
    versions = pinned(lock)
    for text in (*PROJECT["dependencies"], *(text for extra in extras for text in EXTRAS[extra])):
        wanted = Requirement(text)
        there = versions.get(canonicalize_name(wanted.name), [])
        assert there, f"`make lock`: {wanted.name} is not in it"
        assert all(wanted.specifier.contains(version) for version in there), f"`make lock`: {text}"


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt", "bench.txt"])
def test_a_lock_names_hashes_and_no_address(lock: str):
    text = (ROOT / "locks" / lock).read_text()
    assert not re.search(r"https?:|file:|--(?:extra-)?index-url|--find-links", text)
    assert all(
        " \\\n    --hash=sha256:" in entry for entry in re.findall(r"^\S+==[^#]*?(?=^\S|\Z)", text, re.MULTILINE)
    )


def test_the_locks_agree():
    run, dev, bench = pinned("run.txt"), pinned("dev.txt"), pinned("bench.txt")
    assert run.items() <= dev.items() and dev.items() <= bench.items()


def test_the_newest_version_of_the_changelog_is_the_packages():
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == PROJECT["version"]
