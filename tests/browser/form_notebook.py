"""A notebook with three forms that have a field of every kind, and what a person does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Locator, Page

__all__ = ["CELLS", "Filled"]

_TYPES = """%load_ext celltask
import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import *

import pandas as pd
from annotated_types import Ge, Le, Len
from pydantic import BaseModel, Field, SecretStr

from celltask import File, MultiLine, Secret

frame = pd.DataFrame({"city": ["Oslo", "Bern"], "people": [709037, 134591]})
other = frame.head(1)
number = 7


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Window:
    start: dt.date = dt.date(2026, 1, 1)
    days: int = 7


class Optimiser(BaseModel):
    name: Literal["adam", "sgd"] = "adam"
    rate: float = Field(0.01, gt=0, lt=1, description="size of a step")
    steps: list[int] = [10, 20]


class Settings(BaseModel):
    optimiser: Optimiser = Optimiser()
    seed: int | None = None"""
_PLAIN = '''%%task --no-card
def plain(
    count: int,
    weight: float = 1.5,
    share: Annotated[float, Ge(0), Le(1)] = 0.2,
    rounds: Annotated[int, Ge(1), Le(9)] = 3,
    price: Decimal = Decimal("9.90"),
    title: str = "Report",
    query: Annotated[str, MultiLine] = "select *",
    strict: bool = True,
    colour: Colour = Colour.RED,
    method: Literal["fast", "exact"] = "fast",
    day: dt.date = dt.date(2026, 5, 1),
    moment: dt.datetime = dt.datetime(2026, 5, 1, 9, 30),
    pause: dt.timedelta = dt.timedelta(minutes=90),
    at: dt.time = dt.time(9, 30),
) -> int:
    """One value in each field.

    Args:
        count: How many rows are read.
    """
    return count'''
_NESTED = '''%%task --no-card
def nested(
    limit: int | None = None,
    either: int | str = "seven",
    sizes: list[int] = [1, 2],
    names: Annotated[list[str], Len(1, 3)] = ["a"],
    weights: dict[str, float] = {"a": 0.5},
    point: tuple[int, str] = (1, "x"),
    window: Window = Window(),
    settings: Settings = Settings(),
    windows: list[Window] = [Window()],
    chosen: dict[str, list[int]] = {"a": [1]},
) -> list:
    """Fields that hold others."""
    return [limit, either, sizes, names, weights, point, window.days, settings.optimiser.rate, len(windows), chosen]'''
_DATA = '''%%task --no-card
def data(
    rows: pd.DataFrame,
    model: object,
    folder: Path = Path("here"),
    source: File | None = None,
    token: Annotated[str, Secret] = "hush",
    password: SecretStr = SecretStr("hush"),
    extra: list = [1, 2],
    table: pd.DataFrame = frame,
) -> pd.DataFrame:
    """Files, tables, secrets, and what only an expression tells."""
    print("read", len(rows), "rows with a token of", len(token))
    return rows'''
CELLS = (_TYPES, _PLAIN, _NESTED, _DATA, "%form plain", "%form nested", "%form data", "1")


class Filled:
    """One of the forms, filled in by somebody."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.form = page.locator(".celltask-form", has=page.get_by_title(f"run {name} with"))
        self.code = self.form.locator("pre", has_text=f"{name}(").first

    def field(self, name: str) -> Locator:
        """All that belongs to one input."""
        switch = self.page.get_by_title(f"give {name} as a Python expression")
        return self.form.locator(".celltask-field", has=switch).first

    def upload(self, place: int, file: FilePayload) -> None:
        """Choose `file` in the dialog that the button Upload of that field opens; counted from 0."""
        with self.page.expect_file_chooser() as dialog:
            self.form.locator(".celltask-field").nth(place).get_by_text("Upload").click()
        dialog.value.set_files(file)

    def tab_to(self, label: str) -> None:
        """Press Tab until the control with that label has the focus; none is far from the one before."""
        for _ in range(12):
            if self.page.evaluate(_LABEL) == label:
                return
            self.page.keyboard.press("Tab")
        message = f"Tab does not lead to {label}"
        raise AssertionError(message)

    def retype(self, label: str, text: str) -> None:
        """Go on to that control, and type in the place of what stands there."""
        self.tab_to(label)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)


_LABEL = """() => {
    const at = document.activeElement;
    return at.labels?.[0]?.innerText.trim() || at.getAttribute('aria-label') || at.title || at.innerText;
}"""
