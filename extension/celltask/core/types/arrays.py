"""NumPy: arrays as read-only views of the giver's memory, scalars as the immutable values they are."""

from __future__ import annotations

import copy
import io
import typing
from base64 import b64decode, b64encode

import numpy as np

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.lending import lend
from celltask.core.types.naming import class_name
from celltask.core.types.oddities import oddities_of_array

if typing.TYPE_CHECKING:
    from celltask.core.types.copying import Copier
    from celltask.core.types.digest import Hasher

__all__ = ["ArrayHandler", "copy_array", "copy_scalar", "digest_array", "digest_dtype", "digest_scalar"]

AnyArray = np.ndarray[typing.Any, np.dtype[typing.Any]]


class ArrayHandler(BuiltInHandler):
    """`np.ndarray` and `NDArray[T]`, with the element type and the number of dimensions as far as they are declared."""

    def __init__(self, annotation: object, element: type | None, dimensions: int | None) -> None:
        shape = "" if dimensions is None else f" of {dimensions} dimension{'' if dimensions == 1 else 's'}"
        super().__init__(annotation, f"ndarray[{class_name(element)}]{shape}" if element else f"ndarray{shape}")
        self._element, self._dimensions = element, dimensions

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of an array or of a scalar class; other classes of NumPy are objects like any."""
        plain = typing.get_origin(annotation) or annotation
        if plain is np.ndarray:
            return cls(annotation, *_element_and_dimensions(typing.get_args(annotation)))
        return NumpyScalarHandler.for_annotation(plain)

    def validate(self, value: object) -> object:
        """`value`, if it is an array of the declared element type and number of dimensions."""
        if not isinstance(value, np.ndarray):
            hint = "convert it with np.asarray(…)" if isinstance(value, list | tuple) else ""
            raise Mismatch(self.name, value, hint=hint)
        if self._element is not None and not np.issubdtype(value.dtype, self._element):
            raise Mismatch(self.name, value, hint=f"its elements are {value.dtype}")
        if self._dimensions is not None and value.ndim != self._dimensions:
            raise Mismatch(self.name, value, hint=f"it has {value.ndim}")
        return value

    def receive(self, value: object) -> object:
        """A read-only view."""
        valid = self.validate(value)
        if type(valid) is np.ndarray and not valid.dtype.hasobject:
            return read_only_view(valid)
        return self.isolate(valid)

    def to_json(self, value: Valid) -> object:
        """Nested lists if they say it all, else the bytes of an npy file in base64."""
        array: AnyArray = value
        if array.dtype.kind in "fib" and array.size:
            listed = array.tolist()
            if array.dtype == np.asarray(listed).dtype and np.isfinite(array).all():
                return listed
        data = encode(value)
        if data is None:
            raise Mismatch("an array with a JSON form", value, hint="it holds Python objects")
        return {"npy": b64encode(data).decode("ascii")}

    def from_json(self, data: object) -> object:
        """From nested lists, or from what `to_json` makes."""
        if isinstance(data, dict) and set(data) == {"npy"}:
            try:
                return self.validate(decode(b"N", memoryview(b64decode(data["npy"]))))
            except (ValueError, TypeError, EOFError) as error:
                raise Mismatch(self.name, data, hint=str(error)) from None
        if not isinstance(data, list | int | float):
            return self.validate(data)
        concrete = self._element is not None and not self._element.__subclasses__()
        try:
            made = np.asarray(data, dtype=self._element if concrete else None)
        except (ValueError, TypeError, OverflowError) as error:
            uneven = "inhomogeneous" in str(error)
            hint = "the lists in it differ in length" if uneven else str(error).splitlines()[0]
            raise Mismatch(self.name, data, hint=hint) from None
        if made.dtype.hasobject:
            raise Mismatch(self.name, data, hint="there is more in it than numbers and text")
        if self._element is np.floating and made.dtype.kind == "i":
            made = made.astype(float)
        return self.validate(made)

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "array", "x-python": self.name}

    def preview(self, value: Valid) -> str:
        """Shape and element type, how many elements are infinite or missing, and what they are if there is room."""
        array: AnyArray = value
        head = f"array of {' x '.join(map(str, array.shape)) or 'no dimension'}, {array.dtype}"
        odd = oddities_of_array(array)
        head += f", {odd}" if odd else ""
        few = " ".join(np.array2string(array, threshold=6, edgeitems=2, precision=4).split())
        whole = f"{head}: {few}"
        return whole if len(whole) <= 80 else head[:80]  # noqa: PLR2004 - one line, as promised


def _element_and_dimensions(arguments: tuple[object, ...]) -> tuple[type | None, int | None]:
    element: type | None = None
    dimensions = None
    if len(arguments) > 1:
        inner = typing.get_args(arguments[1])
        found = (typing.get_origin(inner[0]) or inner[0]) if inner else None
        element = found if isinstance(found, type) else None
    shape = typing.get_args(arguments[0]) if arguments else ()
    if shape and ... not in shape:
        dimensions = len(shape)
    return element, dimensions


class NumpyScalarHandler(BuiltInHandler):
    """`np.float64`, `np.integer`, …: scalars of NumPy."""

    def __init__(self, annotation: object, cls: type[np.generic]) -> None:
        super().__init__(annotation, class_name(cls))
        self.cls = cls
        if cls not in (np.void, np.object_) and not cls.__subclasses__():
            self.exact, self.accepts = cls, frozenset({cls})

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a scalar class."""
        if isinstance(annotation, type) and issubclass(annotation, np.generic):
            return cls(annotation, annotation)
        return None

    def validate(self, value: object) -> object:
        """`value`, or a Python number that the class holds exactly."""
        if isinstance(value, self.cls):
            return value
        if self.exact is not None and type(value) in (int, float, bool, complex, str):
            from celltask.core.types.alike import is_alike  # noqa: PLC0415 - only where a scalar is converted

            try:
                made: typing.Any = self.exact(value)
            except (ValueError, TypeError, OverflowError):
                raise Mismatch(self.name, value) from None
            if is_alike(made.item(), value):
                return made
        raise Mismatch(self.name, value)

    def isolate(self, value: object) -> object:
        """The value: scalars of NumPy are immutable, but for `np.void`."""
        return value if self.exact is not None else super().isolate(value)

    def to_json(self, value: Valid) -> object:
        """The Python number it stands for."""
        from celltask.core.types.lookup import handler_for  # noqa: PLC0415 - lookup stands above the families

        plain = value.item()
        return handler_for(type(plain)).to_json(plain)

    def from_json(self, data: object) -> object:
        """From a number."""
        if self.exact is not None and data in ("nan", "inf", "-inf"):
            data = float(data)
        if self.exact is not None and isinstance(data, int) and issubclass(self.cls, np.floating):
            data = float(data)
        return self.validate(data)


def read_only_view(array: AnyArray) -> AnyArray:
    """A view of `array` that cannot be written to, and cannot be made writable either."""
    # A plain view could: `setflags(write=True)` is allowed where the base is writable. A memoryview in between
    # says that it is not.
    lend(array)
    buffer: typing.Any = array  # NumPy's types do not say that an array is one
    try:
        made: AnyArray = np.asarray(memoryview(buffer).toreadonly())
        if made.dtype == array.dtype and made.shape == array.shape:
            return made
    except (ValueError, BufferError):  # dates, and what else the buffer protocol has no letter for
        if array.dtype.kind in "mM":
            return read_only_view(array.view(np.int64)).view(array.dtype)
    made = array.view()
    made.flags.writeable = False
    return made


def copy_array(value: AnyArray, copier: Copier) -> object:
    """An array as it enters or leaves a task.

    Entering, it is a read-only view; leaving, itself unless it is read-only, since then it may be a view of an
    input. Arrays with Python objects in them are always copied, and so are those that belong to an object, whose
    methods may write to them.
    """
    plain = type(value) in (np.ndarray, np.memmap)
    if not plain or value.dtype.hasobject:
        return _deep_copy(value, copier)
    if copier.inside_object:
        new = value.copy(order="K")
        copier.remember(value, new)
        return new
    if not copier.releasing:
        return read_only_view(value)
    return value if value.flags.writeable or _is_file(value) else value.copy(order="K")


def _is_file(value: AnyArray) -> bool:
    return type(value) is np.memmap and value.mode == "r"


def _deep_copy(value: AnyArray, copier: Copier) -> object:
    if type(value) is not np.ndarray or value.dtype != object:
        new = copy.deepcopy(value, copier.memo)
        copier.remember(value, new)
        return new
    new = np.empty_like(value, subok=False)
    copier.remember(value, new)
    flat = new.reshape(-1) if new.flags.c_contiguous else None
    if flat is None:
        for index in np.ndindex(value.shape):
            new[index] = _item(value[index], index, copier)
    else:
        for at, item in enumerate(value.flat):
            flat[at] = _item(item, (at,), copier)
    return new


def _item(item: object, index: tuple[int, ...], copier: Copier) -> object:
    try:
        return copier.copy(item)
    except Mismatch as mismatch:
        raise mismatch.inside(str(list(index))) from None


def copy_scalar(value: object, copier: Copier) -> object:
    """A scalar or dtype itself; a record is copied, since it can be written to."""
    if isinstance(value, np.void):
        new = copy.deepcopy(value)
        copier.remember(value, new)
        return new
    return value


def encode(value: object) -> bytes | None:
    """The bytes of an npy file; None where npy would need a pickle or lose the class."""
    if type(value) is not np.ndarray or value.dtype.hasobject or value.dtype.kind == "T":
        return None
    file = io.BytesIO()
    np.save(file, value, allow_pickle=False)
    return file.getvalue()


def decode(mark: bytes, data: memoryview) -> object:
    """The array that `encode` made `data` of."""
    del mark
    return np.load(io.BytesIO(data), allow_pickle=False)


def digest_array(value: AnyArray, hasher: Hasher) -> bytes:
    """An array by element type, shape and elements in C order; a view and its copy are alike."""
    if type(value) not in (np.ndarray, np.memmap):
        from celltask.core.types.digest import tell_object  # noqa: PLC0415 - digest names this module, and has loaded it

        return tell_object(hasher, value)
    if value.dtype.names is not None:  # field by field: what lies between them is no content
        fields = [hasher.token(name) + digest_array(value[name], hasher) for name in value.dtype.names]
        return hasher.node(f"records {value.shape} {len(fields)}", fields)
    head = f"array {value.dtype.str} {value.shape}"
    if value.dtype.hasobject or value.dtype.kind == "T":
        return hasher.node(head, hasher.items(value.ravel().tolist()))
    if not value.size:
        return hasher.node(head, [])
    whole: typing.Any = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    return hasher.node(head, [memoryview(whole)])


def digest_scalar(value: np.generic, hasher: Hasher) -> bytes:
    """A scalar as an array without dimensions, so by class and bytes."""
    return hasher.node("scalar", [digest_array(np.asarray(value), hasher)])


def digest_dtype(value: np.dtype[typing.Any], hasher: Hasher) -> bytes:
    """An element type by its description."""
    return hasher.node("dtype", [hasher.token(value.str), hasher.token(repr(value.descr))])
