"""Pickling for other processes: what they cannot import goes by value, and code keeps the name of its file.

cloudpickle (https://github.com/cloudpipe/cloudpickle) sends by value what `__main__` defines. Here that holds for every
module that an interpreter started now, with the same path, would not find: above all those made from documents.
"""

from __future__ import annotations

import io
import sys
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import pickle
    from collections.abc import Callable

__all__ = ["dumps"]


def dumps(
    value: object,
    *,
    on_buffer: Callable[[pickle.PickleBuffer], object] | None = None,
    by_value: list[FunctionType] | None = None,
) -> bytes:
    """`value` as a pickle of protocol 5.

    Args:
        value: What to pickle.
        on_buffer: Called with each large buffer, which is then left out of the pickle.
        by_value: Gets each function that went by value.

    Raises:
        Exception: Whatever pickling it raises.
    """
    out = io.BytesIO()
    pickler = _pickler()(out, protocol=5, buffer_callback=on_buffer)
    pickler.by_value = [] if by_value is None else by_value
    pickler.dump(value)
    return out.getvalue()


@cache
def _pickler() -> Any:  # noqa: ANN401 - cloudpickle has no types
    """The class of picklers, made when the first is needed."""
    import cloudpickle  # noqa: PLC0415 - 40 ms, and most runs stay in their process

    usual = cloudpickle.Pickler.dispatch_table

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types of its own
        dispatch_table = usual.new_child({CodeType: lambda code: _code_reduced(code, *usual[CodeType](code))})
        by_value: list[FunctionType]

        def reducer_override(self, value: object) -> object:
            if isinstance(value, FunctionType | type | ModuleType):
                _see_to_module(value, cloudpickle.register_pickle_by_value)
            reduced = super().reducer_override(value)
            if isinstance(value, FunctionType) and reduced is not NotImplemented:
                self.by_value.append(value)
            return reduced

    return Pickler


def _code_reduced(code: CodeType, make: object, parts: object) -> tuple[object, ...]:
    """How a code object is rebuilt with the name of its file, which cloudpickle leaves out."""
    return _rebuilt, (code.co_filename, make, parts)


def _rebuilt(filename: str, make: Callable[..., CodeType], parts: tuple[object, ...]) -> CodeType:
    return make(*parts).replace(co_filename=filename)


_seen: WeakSet[ModuleType] = WeakSet()


def _see_to_module(value: FunctionType | type | ModuleType, register: Callable[[ModuleType], object]) -> None:
    """Have everything in the module of `value` sent by value, if another process could not import it."""
    name = value.__name__ if isinstance(value, ModuleType) else value.__module__
    module = sys.modules.get(str(name))
    if module is None or name == "__main__" or module in _seen:
        return
    _seen.add(module)
    if not _is_found(module):
        register(module)


def _is_found(module: ModuleType) -> bool:
    """Whether an interpreter started now would find the module, as far as its outermost package tells."""
    top = module.__name__.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    here = sys.modules.get(top, module)
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec = find(top, None) if find is not None else None
        if spec is not None:
            return spec.origin is None or spec.origin == getattr(here, "__file__", spec.origin)
    return False
