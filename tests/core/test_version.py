"""The label of a version: the commit where there is one, the digest where there is not."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from celltask.core.version import git_version

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "0123456789abcdef" * 4


def git(folder: Path, *words: str) -> str:
    """Run git as a user without any settings."""
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", *settings, *words]
    done = subprocess.run(command, cwd=folder, env=clean, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one committed document in a folder whose name is awkward."""
    folder = tmp_path / "my docs [é]"
    folder.mkdir()
    git(tmp_path, "init", "-q")
    (folder / "tutorial.md").write_text("one\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return folder


def test_clean_document_has_the_commit(repository: Path) -> None:
    """A document as it was committed is labelled by the commit, whatever else changed."""
    (repository / "other.md").write_text("new\n")
    assert git_version(str(repository / "tutorial.md"), DIGEST) == git(repository, "rev-parse", "HEAD")[:12]


@pytest.mark.parametrize("how", ["changed", "staged", "untracked", "ignored", "in a new folder"])
def test_changed_document_has_commit_and_digest(repository: Path, how: str) -> None:
    """A document that is not as committed is labelled by both."""
    file = repository / {"untracked": "new.md", "ignored": "new.log"}.get(how, "tutorial.md")
    if how == "in a new folder":
        file = repository / "new" / "deep" / "new.md"
        file.parent.mkdir(parents=True)
    file.write_text("two\n")
    if how == "staged":
        git(repository, "add", ".")
    commit = git(repository, "rev-parse", "HEAD")[:12]
    assert git_version(str(file), DIGEST) == f"{commit}+01234567"


def test_relative_paths_and_links_are_followed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label does not depend on how the document is named."""
    commit = git(repository, "rev-parse", "HEAD")[:12]
    monkeypatch.chdir(repository)
    assert git_version("tutorial.md", DIGEST) == commit
    outside = tmp_path / "link.md"
    outside.symlink_to(repository / "tutorial.md")
    assert git_version(str(outside), DIGEST) == commit


def test_variables_of_git_do_not_mislead(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a git hook, variables that name another repository are not obeyed."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))
    commit = git(repository, "rev-parse", "HEAD")[:12]
    assert git_version(str(repository / "tutorial.md"), DIGEST) == commit


@pytest.mark.parametrize("path", ["", "<string>", "/no/such/file.py", "/nowhere/ipykernel_1/2.py", "a\0b"])
def test_code_without_a_file_has_the_digest(path: str) -> None:
    """Cells of an unsaved notebook are labelled by the digest alone."""
    assert git_version(path, DIGEST) == "0123456789ab"


def test_repository_without_a_commit_has_the_digest(tmp_path: Path) -> None:
    """Before the first commit there is nothing but the digest."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a.md").write_text("a")
    assert git_version(str(tmp_path / "a.md"), DIGEST) == "0123456789ab"


def test_file_outside_a_repository_has_the_digest(tmp_path: Path) -> None:
    """Without a repository there is nothing but the digest."""
    (tmp_path / "a.md").write_text("a")
    assert git_version(str(tmp_path / "a.md"), DIGEST) == "0123456789ab"


@pytest.mark.parametrize("script", [None, "#!/bin/sh\nexec sleep 20\n", "#!/bin/sh\nexit 3\n"])
def test_missing_slow_or_broken_git_is_no_error(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    """A git that is missing, hangs or fails leaves the digest as the label."""
    from celltask.core import version  # noqa: PLC0415 - to wait less than a user would

    monkeypatch.setattr(version, "_TIMEOUT_S", 0.5)
    programs = tmp_path / "bin"
    programs.mkdir()
    if script is not None:
        (programs / "git").write_text(script)
        (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin" if script else str(programs))
    assert git_version(str(repository / "tutorial.md"), DIGEST) == "0123456789ab"
