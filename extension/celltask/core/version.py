"""Version: a label that people can find in their history. Never a key: that is the digest."""

from __future__ import annotations

import os

__all__ = ["git_version"]

_TIMEOUT_S = 5.0
_COMMIT_DIGITS = 12
_DIGEST_DIGITS = 8


def git_version(path: str, digest: str) -> str:
    """A label for the code with this digest in the document at `path`.

    Returns:
        The commit (12 digits) of the repository that holds the file, if the file is as committed;
        ``"<commit>+<8 digits of the digest>"`` if it was changed or never committed; 12 digits of the digest
        where there is no repository, no commit, no git or no such file. Nothing is raised.

    >>> git_version("<cell 4>", "0123456789abcdef0123")
    '0123456789ab'
    """
    plain = digest[:_COMMIT_DIGITS]
    if not path or not os.path.isfile(path):  # noqa: PTH113 - pathlib is slow to import
        return plain
    told = _status(os.path.realpath(path))
    if told is None:
        return plain
    lines = told.splitlines()
    commits = [line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")]
    if not commits or not commits[0].isalnum():  # "(initial)": nothing was committed yet
        return plain
    commit = commits[0][:_COMMIT_DIGITS]
    is_clean = all(line.startswith("#") for line in lines)
    return commit if is_clean else f"{commit}+{digest[:_DIGEST_DIGITS]}"


def _status(path: str) -> str | None:
    """What git says of the newest commit and of one file, or ``None`` if it cannot say."""
    import subprocess  # noqa: PLC0415 - only asked for by people

    folder, name = os.path.split(path)
    command = ["git", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false", "status"]
    command += ["--porcelain=v2", "--branch", "--ignored", "--untracked-files=all", "--", name]
    # Variables of a hook or a rebase that runs us would point git to another repository.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the file's name stands after "--"
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
