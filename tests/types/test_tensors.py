"""Tensors of PyTorch: told by content, handed over as copies, stored and cached."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import pytest

from celltask import task
from celltask.core.types.base import Mismatch, Valid
from celltask.core.types.copying import isolated
from celltask.core.types.digest import digest_value
from celltask.core.types.lookup import handler_for
from celltask.core.types.pieces import are_code, pieces_of, value_of

torch: Valid = pytest.importorskip("torch", reason="PyTorch is not installed; `pip install torch` has it tested too")

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")

calls: list[str] = []


def numbers() -> Valid:
    """Two rows of three."""
    return torch.arange(6.0).reshape(2, 3)


def network() -> Valid:
    """Two layers, always with the same weights."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))


def with_gradient() -> Valid:
    """A tensor that was learnt from."""
    weights = torch.ones(2, requires_grad=True)
    (weights * 3).sum().backward()
    return weights


ALIKE = {
    "a copy": lambda: (numbers(), numbers().clone()),
    "a view": lambda: (numbers().T, numbers().T.contiguous()),
    "a part": lambda: (numbers()[:, 1:], numbers()[:, 1:].clone()),
    "a conjugate": lambda: (torch.tensor([1 + 2j]).conj(), torch.tensor([1 - 2j])),
    "bfloat16": lambda: (numbers().bfloat16(), numbers().bfloat16()),
    "no elements": lambda: (torch.empty(0, 3), torch.empty(0, 3)),
    "no dimension": lambda: (torch.tensor(1.5), torch.tensor(1.5)),
    "sparse": lambda: (numbers().to_sparse(), numbers().to_sparse()),
    "sparse rows": lambda: (numbers().to_sparse_csr(), numbers().to_sparse_csr()),
    "a network": lambda: (network(), copy.deepcopy(network())),
    "weights": lambda: (network().state_dict(), copy.deepcopy(network().state_dict())),
    "an optimizer": lambda: (torch.optim.Adam(network().parameters()), torch.optim.Adam(network().parameters())),
}


@pytest.mark.parametrize("case", ALIKE)
def test_equal_tensors_have_one_digest(case: str) -> None:
    """However their elements lie in memory."""
    one, other = ALIKE[case]()
    assert digest_value(one) == digest_value(other)


def test_tensors_that_differ_have_digests_that_differ() -> None:
    """In elements, shape, element type, class, whether they want a gradient, or the gradient."""
    tied, changed = network(), network()
    with torch.no_grad():
        changed[0].weight[0, 0] += 1
    trained = network().eval()
    several = [
        numbers(), numbers() + 1, numbers().reshape(3, 2), numbers().double(), numbers().to_sparse(),
        numbers().requires_grad_(), torch.nn.Parameter(numbers()), torch.ones(2, requires_grad=True), with_gradient(),
        torch.empty(0, 3), torch.empty(3, 0), tied, changed, trained,
    ]  # fmt: skip
    assert len({digest_value(one) for one in several}) == len(several)


def test_digests_are_the_same_in_every_process() -> None:
    """Also with another hash seed."""
    code = (
        "import torch; from celltask.core.types.digest import digest_value; torch.manual_seed(0); "
        "print(digest_value(torch.nn.Linear(2, 2)))"
    )
    seeds = ({**os.environ, "PYTHONHASHSEED": seed} for seed in "12")
    told = {
        subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True).stdout for env in seeds
    }
    torch.manual_seed(0)
    assert told == {digest_value(torch.nn.Linear(2, 2)).encode() + b"\n"}


def test_a_tensor_without_elements_that_can_be_read_is_refused() -> None:
    """By name, never guessed."""
    with pytest.raises(Mismatch) as caught:
        digest_value({"x": torch.empty(2, device="meta")})
    assert caught.value.hint is not None
    assert "a Tensor of torch.float32 on meta cannot be read" in caught.value.hint


def test_a_task_cannot_change_the_tensors_of_its_caller() -> None:
    """Neither alone nor within a network; what is one tensor stays one."""
    mine = numbers()
    first, second = isolated([mine, mine])  # type: ignore[misc]  # it gives a list
    first += 1
    assert torch.equal(mine, numbers())
    assert first is second
    model = network()
    its = isolated(model)
    with torch.no_grad():
        its[0].weight += 1  # type: ignore[index]  # it gives a network
    assert torch.equal(model[0].weight, network()[0].weight)


def test_of_a_part_of_a_large_tensor_only_that_part_is_copied() -> None:
    """A batch costs what a batch has, not what the whole data have."""
    copied: Valid = isolated(torch.zeros(100_000)[10:20])
    assert copied.untyped_storage().nbytes() == 10 * 4


def test_gradients_come_along() -> None:
    """Of tensors that were not computed from others; of those that were, the elements."""
    copied: Valid = isolated(with_gradient())
    assert copied.grad.tolist() == [3.0, 3.0]
    computed: Valid = isolated(torch.ones(2, requires_grad=True) * 2)
    assert (computed.tolist(), computed.requires_grad, computed.is_leaf) == ([2.0, 2.0], True, True)


@pytest.mark.parametrize("case", ALIKE)
def test_what_is_stored_comes_back(case: str) -> None:
    """With the same content; a tensor alone is no code, and what is read can be written to."""
    value, _ = ALIKE[case]()
    handler = handler_for(type(value))
    pieces = [bytes(piece) for piece in pieces_of(value, handler)]
    found = value_of(pieces, handler)
    assert digest_value(found) == digest_value(value)
    is_plain = type(value) is torch.Tensor and "sparse" not in case
    assert are_code(pieces) is not is_plain
    if is_plain:
        found += 1  # type: ignore[operator]  # a tensor


def test_cached_tasks_know_tensors_and_networks_again(own_store: object) -> None:
    """A second call with equal content is not computed."""
    del own_store
    calls.clear()

    @task(cache=True, allow_globals=["calls"])
    def applied(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        calls.append("applied")
        result = model(x)
        return result.detach()

    first = applied(network(), numbers())
    assert torch.equal(applied(network(), numbers()), first)
    assert calls == ["applied"]


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_tensors_pass_from_node_to_node(engine: Valid) -> None:
    """Also between processes."""

    @task
    def doubled(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    assert doubled.run(x=numbers(), engine=engine).value.tolist() == (numbers() * 2).tolist()
