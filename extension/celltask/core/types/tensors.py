"""PyTorch: tensors told by their elements, handed over as copies, stored as they lie."""

from __future__ import annotations

import copy
import json
import typing
from pickle import PickleBuffer

import torch

from celltask.core.types.base import Mismatch
from celltask.core.types.naming import class_name

if typing.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.core.types.copying import Copier
    from celltask.core.types.digest import Hasher
    from celltask.core.types.pieces import Buffer

__all__ = ["copy_tensor", "digest_tensor", "reduced_tensor", "tensor_of", "tensor_pieces"]


def digest_tensor(value: torch.Tensor, hasher: Hasher) -> bytes:
    """A tensor by class, element type, shape, kind of device and elements; a view and its copy are alike."""
    cls = type(value)
    head = f"tensor {cls.__module__}.{cls.__qualname__} {value.dtype} {tuple(value.shape)} {value.layout} "
    head += f"{value.device.type} {value.requires_grad}"
    try:
        parts: list[bytes | memoryview] = list(_elements(value, hasher))
    except (RuntimeError, NotImplementedError, TypeError) as error:
        hint = f"the elements of a {class_name(cls)} of {value.dtype} on {value.device} cannot be read: {error}"
        raise Mismatch("a value whose content can be told", value, hint=hint.splitlines()[0]) from None
    parts += hasher.pairs(vars(value), attributes=True)
    if value.is_leaf and value.grad is not None:
        parts.append(hasher.token(value.grad))
    return hasher.node(head, parts)


def _elements(value: torch.Tensor, hasher: Hasher) -> typing.Iterator[bytes | memoryview]:
    if value.layout is torch.strided:
        yield _memory_of(value)
        return
    sparse = value.detach().to_sparse().coalesce()
    yield hasher.token(sparse.indices())
    yield hasher.token(sparse.values())


def _memory_of(value: torch.Tensor) -> memoryview:
    """The elements in C order; in the memory of `value` if they lie there so."""
    whole = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
    return memoryview(whole.reshape(-1).view(torch.uint8).numpy())


def copy_tensor(value: torch.Tensor, copier: Copier) -> object:
    """A copy with the gradient that it has, if it was not computed from others; of a part of a large one, that part."""
    is_part = value.layout is torch.strided and value.untyped_storage().nbytes() > value.numel() * value.element_size()
    if value.is_leaf and not (is_part and type(value) is torch.Tensor and value.grad is None and not vars(value)):
        new = copy.deepcopy(value, copier.memo)
    else:
        new = value.detach().clone().requires_grad_(value.requires_grad)
    copier.remember(value, new)
    return new


def _is_plain(value: torch.Tensor) -> bool:
    """Whether class, element type, shape, elements and whether it wants a gradient are all there is to it."""
    return (
        type(value) in (torch.Tensor, torch.nn.Parameter)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and value.is_leaf
        and value.grad is None
        and not vars(value)
        and not value._backward_hooks  # noqa: SLF001 - PyTorch's own pickles look there too
    )


def reduced_tensor(value: torch.Tensor) -> tuple[typing.Any, ...] | None:
    """What a pickle makes a plain tensor of, its elements as a buffer beside it; none for other tensors.

    PyTorch's own way copies them four times, and gives other bytes each time.
    """
    if not _is_plain(value):
        return None
    described = value.dtype, tuple(value.shape), {"requires_grad": value.requires_grad}
    rebuild = _rebuilt_parameter if type(value) is torch.nn.Parameter else _rebuilt
    return rebuild, (PickleBuffer(_memory_of(value)), *described)


def _rebuilt(data: Buffer, dtype: torch.dtype, shape: tuple[int, ...], wants: Mapping[str, bool]) -> torch.Tensor:
    # A copy, since the buffer may be a file that is mapped to be read, and a tensor can always be written to.
    made = (
        torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape) if len(data) else torch.empty(shape, dtype=dtype)
    )
    return made.requires_grad_(**wants)


def _rebuilt_parameter(
    data: Buffer, dtype: torch.dtype, shape: tuple[int, ...], wants: Mapping[str, bool]
) -> torch.Tensor:
    return torch.nn.Parameter(_rebuilt(data, dtype, shape, {"requires_grad": False}), **wants)


def tensor_pieces(value: torch.Tensor) -> list[Buffer] | None:
    """Element type and shape, and the elements as they lie; none where there is more to the tensor."""
    if type(value) is not torch.Tensor or value.requires_grad or not _is_plain(value):
        return None
    return [json.dumps([str(value.dtype).removeprefix("torch."), list(value.shape)]).encode(), _memory_of(value)]


def tensor_of(pieces: Sequence[Buffer]) -> object:
    """The tensor that `tensor_pieces` made `pieces` of."""
    kind, shape = json.loads(bytes(pieces[0]))
    return _rebuilt(pieces[1], getattr(torch, kind), tuple(shape), {"requires_grad": False})
