"""Paths, files and directories; and `kwtypes`, which says the columns of a table.

A `Path` is a path and nothing more. A `File` or `Directory` stands for what lies there: its digest is that of the
content, and a store keeps the content.
"""

from __future__ import annotations

import os
import pathlib
import typing
from dataclasses import dataclass, field

from celltask.core.scratch import temporary_folder
from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.naming import class_name, type_name

if typing.TYPE_CHECKING:
    from celltask.core.types.digest import Hasher

__all__ = ["Columns", "Directory", "File", "FileHandler", "kwtypes"]


@dataclass(frozen=True, slots=True)
class _Place(os.PathLike[str]):
    path: str
    """Where it lies; absolute, whatever was given."""
    format: str = field(default="", compare=False)
    """What it is written in, e.g. ``"csv"``; empty if that was not said."""

    def __post_init__(self) -> None:
        # `Path.resolve` would follow links as well, and so name another place.
        object.__setattr__(self, "path", os.path.abspath(os.fspath(self.path)))  # noqa: PTH100 - as just said

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.path

    def __class_getitem__(cls, form: str) -> object:
        return typing.Annotated[cls, form]

    @property
    def name(self) -> str:
        """Last part of the path."""
        return pathlib.PurePath(self.path).name


class File(_Place):
    """A file as an input or output of a task: `open`, `pathlib` and libraries take it for its path.

    `Annotated[File, "csv"]`, or for short `File["csv"]`, says what it is written in.

    Args:
        path: Where it lies; relative to the working directory of the moment.
        format: What it is written in, e.g. ``"csv"``.

    >>> File("/tmp/prices.csv").name
    'prices.csv'
    """

    __slots__ = ()

    def read_text(self, encoding: str = "utf-8") -> str:
        """The whole content as text."""
        return pathlib.Path(self.path).read_text(encoding)

    def read_bytes(self) -> bytes:
        """The whole content."""
        return pathlib.Path(self.path).read_bytes()


class Directory(_Place):
    """A directory with all that is in it, as an input or output of a task.

    Args:
        path: Where it lies; relative to the working directory of the moment.
        format: What the files in it are written in, e.g. ``"parquet"``.

    >>> Directory("/tmp/pictures").name
    'pictures'
    """

    __slots__ = ()

    def files(self) -> list[File]:
        """Every file in it, in the directories in it too, in the order of their paths."""
        return [File(str(path)) for path in sorted(pathlib.Path(self.path).rglob("*")) if path.is_file()]


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and types of columns that a table must have; made by `kwtypes`."""

    types: tuple[tuple[str, object], ...]


def kwtypes(**columns: object) -> Columns:
    """Say which columns a table must have, beside it in `Annotated`.

    ``Annotated[pd.DataFrame, kwtypes(price=float)]`` is a frame with a column of floats called "price".

    Args:
        columns: Name to type: int, float, bool, str, bytes, datetime, date, timedelta, `Any`, or the library's
            own name of the type, such as ``"category"``.

    >>> kwtypes(price=float).types
    (('price', <class 'float'>),)
    """
    return Columns(tuple(columns.items()))


class FileHandler(BuiltInHandler):
    """`Path`, `File` and `Directory`."""

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a path class, of `File` or of `Directory`."""
        if not isinstance(annotation, type):
            return None
        if issubclass(annotation, _Place):
            return PlaceHandler(annotation, annotation, "")
        return PathHandler(annotation) if issubclass(annotation, pathlib.PurePath) else None

    @classmethod
    def with_format(cls, base: object, metadata: list[object]) -> TypeHandler | None:
        """The handler of `Annotated[File, "csv"]`; None if `base` is no file or no format is given."""
        words = [one for one in metadata if isinstance(one, str)]
        if not (isinstance(base, type) and issubclass(base, _Place) and words):
            return None
        return PlaceHandler(typing.Annotated[base, words[0]], base, words[0])

    def isolate(self, value: object) -> object:
        """The value: paths are immutable."""
        return value

    def receive(self, value: object) -> object:
        """The value validated."""
        return self.validate(value)

    def release(self, value: object) -> object:
        """The value validated."""
        return self.validate(value)

    def to_json(self, value: Valid) -> object:
        """The path."""
        return os.fspath(value)

    def from_json(self, data: object) -> object:
        """From a path."""
        return self.validate(data)

    def parse(self, text: str) -> object:
        """From a path; ``~`` is the home directory."""
        return self.from_json(str(pathlib.Path(text).expanduser()) if text else text)

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "string", "format": "path"}


class PathHandler(FileHandler):
    """`pathlib` paths; what lies there, if anything, is not looked at."""

    def __init__(self, annotation: type[pathlib.PurePath]) -> None:
        super().__init__(annotation)
        self.cls = annotation
        made = type(annotation("x"))
        if made is annotation or annotation in (pathlib.Path, pathlib.PurePath):
            self.exact, self.accepts = made, frozenset({made})

    def validate(self, value: object) -> object:
        """`value`, or the path that a string says."""
        if isinstance(value, self.cls):
            return value
        if isinstance(value, str) and value:
            return self.cls(value)
        if isinstance(value, _Place):
            return self.cls(value.path)
        raise Mismatch(self.name, value)


class PlaceHandler(FileHandler):
    """`File` and `Directory`, which must exist."""

    def __init__(self, annotation: object, cls: type[_Place], form: str) -> None:
        super().__init__(annotation, f"{class_name(cls)}[{form!r}]" if form else type_name(annotation))
        self.cls, self.form = cls, form

    def validate(self, value: object) -> object:
        """`value`, or the file or directory at a path; it must exist."""
        if isinstance(value, _Place) and not isinstance(value, self.cls):
            raise Mismatch(self.name, value)
        if not isinstance(value, str | os.PathLike) or not str(value):
            raise Mismatch(self.name, value)
        if isinstance(value, str) and "://" in value:
            raise Mismatch(self.name, value, hint="only local paths are known; download it first")
        place = value if isinstance(value, self.cls) else self.cls(os.fspath(value), self.form)
        if self.form and place.format not in ("", self.form):
            raise Mismatch(self.name, value, hint=f"it is declared as {place.format!r}")
        there, other = pathlib.Path(place).is_file(), pathlib.Path(place).is_dir()
        if issubclass(self.cls, Directory):
            there, other = other, there
        if not there:
            kind = "file" if issubclass(self.cls, File) else "directory"
            why = f"{place} is no {kind}" if other else f"there is no {kind} {place}"
            raise Mismatch(self.name, value, hint=why)
        return self.cls(place.path, self.form) if self.form and not place.format else place

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        kind = "file-path" if issubclass(self.cls, File) else "directory-path"
        told: dict[str, object] = {"type": "string", "format": kind}
        return told | {"x-format": self.form} if self.form else told


def encode(value: _Place) -> bytes:
    """Path, name and content of a file or directory."""
    import io  # noqa: PLC0415 - only where a file is stored
    import json  # noqa: PLC0415 - only where a file is stored
    import zipfile  # noqa: PLC0415 - only where a file is stored

    place = value
    head = json.dumps({"path": place.path, "name": place.name, "format": place.format}).encode() + b"\n"
    if isinstance(place, File):
        return head + place.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(pathlib.Path(place.path).rglob("*")):
            # A fixed date, so that equal directories are equal bytes
            entry = zipfile.ZipInfo(path.relative_to(place.path).as_posix() + ("/" if path.is_dir() else ""))
            archive.writestr(entry, b"" if path.is_dir() else path.read_bytes())
    return head + packed.getvalue()


def decode(mark: bytes, data: memoryview) -> object:
    """The file or directory at its old place if its content is still there, else in a directory of this process."""
    import io  # noqa: PLC0415 - only where a file is stored
    import json  # noqa: PLC0415 - only where a file is stored
    import zipfile  # noqa: PLC0415 - only where a file is stored

    head, _, content = bytes(data).partition(b"\n")
    told = json.loads(head)
    cls: type[_Place] = File if mark == b"F" else Directory
    place = cls(told["path"], told["format"])
    if _holds(place, content):
        return place
    path = temporary_folder() / told["name"]
    if mark == b"F":
        path.write_bytes(content)
    else:
        path.mkdir()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(path)
    return cls(str(path), told["format"])


def _holds(place: _Place, content: bytes) -> bool:
    try:
        if isinstance(place, File):
            return place.read_bytes() == content
        return pathlib.Path(place).is_dir() and encode(place).partition(b"\n")[2] == content
    except OSError:
        return False


def digest_path(value: pathlib.PurePath, hasher: Hasher) -> bytes:
    """A path by its text, since how it was put together is no content."""
    return hasher.node("path", [hasher.token(type(value).__name__), hasher.token(str(value))])


def digest_file(value: File, hasher: Hasher) -> bytes:
    """A file by its content, its suffix and its format; where it lies does not count."""
    return hasher.node("file", [_content_token(value, hasher), hasher.token(pathlib.Path(value).suffix)])


def digest_directory(value: Directory, hasher: Hasher) -> bytes:
    """A directory by the names and contents of what is in it."""
    try:
        paths = sorted(pathlib.Path(value).rglob("*"))
    except OSError as error:
        raise Mismatch("a directory that can be read", value, hint=str(error)) from None
    parts = []
    for path in paths:
        parts.append(hasher.token(path.relative_to(value.path).as_posix()))
        parts.append(hasher.token(None) if path.is_dir() else _content_token(path, hasher))
    return hasher.node("directory", parts)


def _content_token(path: os.PathLike[str], hasher: Hasher) -> bytes:
    import hashlib  # noqa: PLC0415 - only where a file is hashed

    try:
        with pathlib.Path(path).open("rb") as file:
            return hasher.token(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise Mismatch("a file that can be read", path, hint=str(error)) from None
