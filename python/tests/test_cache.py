"""The cache: what is in it is whole, nobody else's, and works wherever it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import gradmod
import pytest
from gradmod._build.cache import cache_directory, kept, publish, scratch
from gradmod._build.library import library, load

MECHANISM = "NEURON { SUFFIX %s  RANGE x }\nASSIGNED { x }\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADMOD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def put(name: str, text: str = "whole") -> Path:
    with scratch() as directory:
        made = directory / "made"
        made.mkdir()
        (made / "file").write_text(text)
        return publish(made, cache_directory() / name)


@pytest.mark.parametrize("damage", ["", "who", "whale", None])
def test_what_is_damaged_is_made_again(cache: Path, damage: str | None) -> None:
    place = put("one")
    assert kept("one") == place
    if damage is None:
        (place / "file").unlink()
    else:
        (place / "file").write_text(damage)
    assert kept("one") is None
    assert (put("one") / "file").read_text() == "whole"
    assert kept("one") == place
    assert [path.name for path in cache.iterdir()] == ["one"]


def test_a_link_is_not_followed(cache: Path, tmp_path: Path) -> None:
    place = put("one")
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert kept("one") is None


def test_a_damaged_library_is_compiled_again(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "damaged.mod"
    source.write_text(MECHANISM % "damaged_and_made_again")
    built = library([source], quiet=True)
    os.truncate(built, 1000)
    assert library([source], quiet=True) == built
    assert built.stat().st_size > 1000


def test_a_cache_that_others_can_write_is_refused(cache: Path) -> None:
    put("one")
    cache.chmod(0o777)
    with pytest.raises(gradmod.Error, match=r"can be written by anybody.*GRADMOD_CACHE"):
        kept("one")
    with pytest.raises(gradmod.Error, match="can be written by anybody"):
        put("two")
    # Folders that umask 002 makes are fine.
    cache.chmod(0o775)
    assert kept("one")


def test_a_cache_of_another_user_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("one")
    if os.geteuid() == 0:
        os.chown(cache, 12345, -1)
    else:
        monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(gradmod.Error, match="belongs to another user"):
        kept("one")


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRADMOD_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(gradmod.Error, match=r"cannot write to its cache .*GRADMOD_CACHE names another"):
        put("one")


def test_a_full_disk(cache: Path, tmp_path: Path) -> None:
    code = (
        "import resource, signal, test_cache\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: test_cache.put('one', 'x' * 1000)\n"
        "except test_cache.gradmod.Error as error: print(error)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "cannot write to its cache" in done.stdout, done
    assert kept("one") is None
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", ["my cache", "Speicher für Läufe", "кэш", "缓存"])
def test_a_cache_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("GRADMOD_CACHE", str(tmp_path / name))
    emitted = tmp_path / name / "emitted"
    emitted.mkdir(parents=True)
    suffix = "anywhere_" + "_".join(str(ord(letter)) for letter in name[:2])
    (emitted / f"{suffix}.mod").write_text(MECHANISM % suffix)
    load(emitted, quiet=True)
    from neuron import h

    section = h.Section(name="anywhere")
    section.insert(suffix)
