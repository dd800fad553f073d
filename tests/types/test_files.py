"""Files and directories: told by their content, kept with their content, and required to exist."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing

import pytest

from celltask.core.types.base import Mismatch
from celltask.core.types.check import check_type_handler
from celltask.core.types.files import Directory, File
from celltask.core.types.lookup import handler_for


@pytest.fixture
def table(tmp_path: pathlib.Path) -> pathlib.Path:
    """A small CSV file."""
    path = tmp_path / "prices.csv"
    path.write_text("a,b\n1,2\n")
    return path


@pytest.fixture
def pictures(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with files, a directory within, and an empty one."""
    root = tmp_path / "pictures"
    (root / "old").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "one.txt").write_text("one")
    (root / "old" / "two.txt").write_text("two")
    return root


def test_file_and_directory_keep_the_promises_of_their_handlers(table: pathlib.Path, pictures: pathlib.Path) -> None:
    """They come through calls, bytes and JSON as they were; what does not exist or is the other is refused."""
    check_type_handler(File, values=[File(str(table))], wrong=[str(pictures), "no such file", 5, "", Directory("/")])
    check_type_handler(Directory, values=[Directory(str(pictures))], wrong=[str(table), "no such place", None])
    check_type_handler(File["csv"], values=[File(str(table), "csv")], wrong=[File(str(table), "png")])  # type: ignore[misc]  # short for Annotated


@pytest.mark.parametrize("given", [str, pathlib.Path, lambda path: File(str(path))])
def test_file_may_be_given_as_a_path(given: typing.Callable[[pathlib.Path], object], table: pathlib.Path) -> None:
    """A string, a `Path` and a `File` all say which file is meant."""
    made = handler_for(typing.Annotated[File, "csv"]).receive(given(table))
    assert isinstance(made, File)
    assert (made.path, made.format, made.name) == (str(table), "csv", "prices.csv")
    assert made.read_text() == "a,b\n1,2\n"
    with open(made) as file:  # noqa: PTH123 - that it works is what is tested
        assert file.readline() == "a,b\n"


def test_file_given_by_a_relative_path_stays_where_it_is(
    table: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file is found again after the working directory has changed."""
    monkeypatch.chdir(table.parent)
    made = File("prices.csv")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert made.read_bytes() == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("annotation", "given", "told"),
    [
        (File, "no.csv", "there is no file {here}/no.csv"),
        (File, ".", "{here} is no file"),
        (Directory, "prices.csv", "{here}/prices.csv is no directory"),
        (File, "https://example.org/a.csv", "only local paths are known; download it first"),
        (typing.Annotated[File, "csv"], File("prices.csv", "png"), "it is declared as 'png'"),
    ],
)
def test_file_that_cannot_be_used_says_why(
    annotation: object, given: object, told: str, table: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that is no such file is told with the whole path."""
    monkeypatch.chdir(table.parent)
    with pytest.raises(Mismatch) as caught:
        handler_for(annotation).receive(given)
    assert caught.value.hint.replace(str(table.parent), "{here}") == told


def test_digest_of_a_file_is_that_of_its_content(table: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Where a file lies does not count; what is in it and its suffix do."""
    digest = handler_for(File).digest
    before = digest(File(str(table)))
    (tmp_path / "copy.csv").write_text("a,b\n1,2\n")
    (tmp_path / "copy.txt").write_text("a,b\n1,2\n")
    assert digest(File(str(tmp_path / "copy.csv"))) == before
    assert digest(File(str(tmp_path / "copy.txt"))) != before
    table.write_text("a,b\n1,3\n")
    assert digest(File(str(table))) != before
    assert handler_for(pathlib.Path).digest(table) == handler_for(pathlib.Path).digest(pathlib.Path(str(table)))


def test_digest_of_a_directory_is_that_of_all_that_is_in_it(pictures: pathlib.Path) -> None:
    """A changed, added or renamed file, however deep, changes the digest."""
    digest = handler_for(Directory).digest
    place = Directory(str(pictures))
    seen = {digest(place)}
    for change in (
        lambda: (pictures / "old" / "two.txt").write_text("2"),
        lambda: (pictures / "old" / "two.txt").rename(pictures / "old" / "zwei.txt"),
        (pictures / "empty").rmdir,
        lambda: (pictures / "three.txt").write_text(""),
    ):
        change()
        seen.add(digest(place))
    assert len(seen) == 5


def test_stored_file_comes_back_after_it_was_deleted(table: pathlib.Path, pictures: pathlib.Path) -> None:
    """The bytes of a file hold its content, and the old place is used while that is still there."""
    file, place = handler_for(File["csv"]), handler_for(Directory)  # type: ignore[misc]  # short for Annotated
    stored, stored_place = file.encode(File(str(table), "csv")), place.encode(Directory(str(pictures)))
    assert typing.cast("File", file.decode(stored)).path == str(table)
    table.write_text("changed since")
    (pictures / "one.txt").unlink()
    back = typing.cast("File", file.decode(stored))
    assert (back.read_text(), back.name, back.format) == ("a,b\n1,2\n", "prices.csv", "csv")
    files = typing.cast("Directory", place.decode(stored_place)).files()
    assert [one.name for one in files] == ["two.txt", "one.txt"]
    assert [one.read_text() for one in files] == ["two", "one"]


def test_path_on_the_command_line_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, table: pathlib.Path) -> None:
    """``~`` is the home directory."""
    monkeypatch.setenv("HOME", str(table.parent))
    assert handler_for(pathlib.Path).parse("~/prices.csv") == table
    assert typing.cast("File", handler_for(File).parse("~/prices.csv")).path == str(table)


def test_stored_file_that_came_back_goes_with_the_process(tmp_path: pathlib.Path) -> None:
    """What was written anew for it is removed when Python ends."""
    code = """if True:
        import os, pathlib
        from celltask.core.types.files import File
        from celltask.core.types.lookup import handler_for
        pathlib.Path("prices.csv").write_text("a")
        stored = handler_for(File).encode(File("prices.csv"))
        os.remove("prices.csv")
        back = handler_for(File).decode(stored)
        assert pathlib.Path(back).read_text() == "a"
        assert "celltask-" in back.path"""
    temporary = tmp_path / "t"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": "t"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert list(temporary.iterdir()) == []
