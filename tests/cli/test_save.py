"""`--save` and tables: what a run leaves in files, what it takes from them, and what is refused before it runs."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from celltask.core.types.lookup import handler_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Cli, Said

SALES = '''
import pathlib
from typing import NamedTuple

import pandas as pd
import polars as pl
import pyarrow as pa

from celltask import Directory, File, task


class Both(NamedTuple):
    table: pd.DataFrame
    count: int


class Model:
    def __init__(self, rate): self.rate = rate


@task
def by_region(sales: pd.DataFrame) -> pd.DataFrame:
    """Sales by region.

    Args:
        sales: One row for each.
    """
    return sales.groupby("region").sum()


@task
def both(sales: pd.DataFrame) -> Both:
    pathlib.Path("it_ran").touch()
    return Both(sales[sales.amount > 1], len(sales))


@task
def rows(count: int) -> pd.DataFrame:
    return pd.DataFrame({"a": range(count)})


@task
def as_polars(sales: pl.DataFrame) -> pl.DataFrame:
    return sales


@task
def as_arrow(sales: pa.Table) -> pa.Table:
    return sales


@task
def rate(value: float = 0.5) -> float:
    return value


@task
def model(value: float = 0.5) -> Model:
    return Model(value)


class Mute:
    def __repr__(self): return "<mute>"
    def __str__(self): raise ValueError("no words")


@task
def mute() -> Mute:
    return Mute()


@task
def nothing() -> None:
    pass


@task
def size(file: File, folder: Directory | None = None, files: list[File] = []) -> int:
    return len(pathlib.Path(file).read_bytes())


@task
def read(path: pathlib.Path) -> str:
    return path.read_text()
'''
CSV = "region,amount\nnorth,1\nsouth,2\nnorth,3\n"


@pytest.fixture
def sales_py(folder: Path) -> str:
    """A module with tasks about tables, and a table beside it."""
    (folder / "sales.py").write_text(SALES)
    (folder / "sales.csv").write_text(CSV)
    return "sales.py"


def test_an_output_is_kept_as_the_suffix_says(cli: Cli, sales_py: str, folder: Path) -> None:
    """The result is printed as ever, and each file is told on standard error."""
    words = [word for suffix in ("csv", "json", "parquet", "txt", "pkl") for word in ("--save", f"out.{suffix}")]
    said = cli("run", sales_py, "by_region", "--sales", "sales.csv", *words)
    assert said.out == "        amount\nregion        \nnorth        4\nsouth        2\n"
    assert said.err.splitlines()[-5:] == [
        f"saved o0 to out.{suffix}" for suffix in ("csv", "json", "parquet", "txt", "pkl")
    ]
    assert (folder / "out.csv").read_text() == "region,amount\nnorth,4\nsouth,2\n"
    assert json.loads((folder / "out.json").read_text()) == [
        {"region": "north", "amount": 4},
        {"region": "south", "amount": 2},
    ]
    assert (folder / "out.txt").read_text() == said.out
    whole = pd.read_parquet(folder / "out.parquet")
    assert whole.equals(pickle.loads((folder / "out.pkl").read_bytes()))  # noqa: S301 - written above
    assert whole.index.name == "region"
    assert sorted(path.name for path in folder.iterdir() if "out." in path.name) == [
        "out.csv", "out.json", "out.parquet", "out.pkl", "out.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["as_polars", "as_arrow"])
def test_tables_of_every_library_are_kept(cli: Cli, sales_py: str, folder: Path, name: str, suffix: str) -> None:
    """What was saved is read by the next run as the same table."""
    assert cli("run", sales_py, name, "--sales", "sales.csv", "--save", f"out.{suffix}").code == 0
    cls = pl.DataFrame if name == "as_polars" else pa.Table
    handler = handler_for(cls)
    assert handler.digest(handler.parse(f"out.{suffix}")) == handler.digest(handler.parse("sales.csv"))


def test_several_outputs_are_kept_by_name(cli: Cli, sales_py: str, folder: Path) -> None:
    """NAME=FILE says which; rows that were filtered are numbered anew; --quiet tells nothing."""
    words = ["--sales", "sales.csv", "--save", "count=n.json", "--save=table=t.csv", "--quiet"]
    said = cli("run", sales_py, "both", *words)
    assert said == (0, "table:\n  region  amount\n1  south       2\n2  north       3\ncount: 3\n", "")
    assert (folder / "n.json").read_text() == "3\n"
    assert (folder / "t.csv").read_text() == "region,amount\nsouth,2\nnorth,3\n"


def test_save_may_stand_anywhere_and_beside_json(cli: Cli, sales_py: str, folder: Path) -> None:
    """Before FILE, before NAME and after it; standard output is still one JSON object."""
    said = cli("run", "--save", "a.json", sales_py, "--save", "b.txt", "rate", "--save", "c.pkl", "--json")
    assert json.loads(said.out)["outputs"] == {"o0": 0.5}
    assert said.err == "saved o0 to a.json\nsaved o0 to b.txt\nsaved o0 to c.pkl\n"
    assert (folder / "b.txt").read_text() == "0.5\n"


def test_a_kept_object_of_a_page_needs_no_page(cli: Cli, folder: Path) -> None:
    """A pickle of a class that a page defines is read where neither the page nor celltask is."""
    (folder / "page.md").write_text(
        "```{code-cell}\nclass Model:\n    def __init__(self, rate): self.rate = rate\n```\n"
        "```{code-cell}\n%%task\ndef fit(rate: float) -> Model:\n    return Model(rate)\n```\n"
    )
    assert cli("run", "page.md", "--rate", "0.5", "--save", "model.pkl").code == 0
    code = "import pickle, sys; print(pickle.load(open('model.pkl', 'rb')).rate, 'celltask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0.5 False\n", "")


def test_a_file_is_replaced_only_when_all_is_written(cli: Cli, sales_py: str, folder: Path) -> None:
    """What cannot be written leaves the file of before, and no part beside it; the result is printed all the same."""
    (folder / "old.txt").write_text("old")
    said = cli("run", sales_py, "mute", "--save", "old.txt", "--quiet")
    assert said == (
        2,
        "<mute>\n",
        "o0 cannot be saved: no words\n  at: old.txt\n  mend: save it as .pkl, or elsewhere\n",
    )
    assert (folder / "old.txt").read_text() == "old"
    assert [path.name for path in folder.iterdir() if path.name.startswith(".old")] == []


REFUSED: list[tuple[str, str]] = [
    ("rate --save r.xls", "'.xls' is no format to save in|--save r.xls|use .pkl, .json or .txt"),
    ("rate --save r", "'r' has no suffix, so it is no format to save in|--save r|use .pkl, .json or .txt"),
    ("rate --save r.csv", "only tables are saved as .csv, and o0 is float|--save r.csv|use .pkl, .json or .txt"),
    ("rate --save o1=r.pkl", "there is no output 'o1'|--save o1=r.pkl|use one of: o0"),
    ("rate --save no/r.pkl", "no/r.pkl cannot be written|--save no/r.pkl|there is no folder {folder}/no"),
    ("rate --save a.pkl --save a.pkl", "two outputs go to a.pkl||give each a file of its own"),
    ("model --save m.json", "JSON cannot hold o0, as o0 is Model|--save m.json|use .pkl"),
    ("model --save m.csv", "only tables are saved as .csv, and o0 is Model|--save m.csv|use .pkl or .txt"),
    ("nothing --save n.pkl", "there is no output to save|--save n.pkl|leave out --save"),
    (
        "both --sales sales.csv --save b.pkl",
        (
            "there are 2 outputs, and b.pkl names none of them|--save b.pkl"
            "|write for example --save table=b.pkl; the outputs are table, count"
        ),
    ),
    (
        "both --sales sales.csv --save table=b.xls",
        "'.xls' is no format to save in|--save table=b.xls|use .pkl, .json, .csv, .parquet or .txt",
    ),
]


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[words for words, _ in REFUSED])
def test_what_cannot_be_kept_is_refused_before_the_run(
    cli: Cli, sales_py: str, folder: Path, words: str, told: str
) -> None:
    """An unknown output or suffix costs nobody an hour of training."""
    what, option, mend = told.replace("{folder}", str(folder)).split("|")
    at = f"celltask run sales.py {words.split(maxsplit=1)[0]} {option}".rstrip()
    assert cli("run", sales_py, *words.split()) == (2, "", f"{what}\n  at: {at}\n  mend: {mend}\n")
    assert not (folder / "it_ran").exists()


def test_a_small_table_is_rows_in_json_and_a_large_one_a_line(cli: Cli, sales_py: str) -> None:
    """Up to 1000 rows are told; an index with a name is a column."""
    told = json.loads(cli("run", sales_py, "by_region", "--sales", "sales.csv", "--json").out)
    assert told["outputs"] == {"o0": [{"region": "north", "amount": 4}, {"region": "south", "amount": 2}]}
    for count, shown in ((2, [{"a": 0}, {"a": 1}]), (1001, "table of 1001 x 1: a")):
        assert json.loads(cli("run", sales_py, "rows", "--count", str(count), "--json").out)["outputs"] == {"o0": shown}


def test_a_table_is_told_as_a_file(cli: Cli, sales_py: str) -> None:
    """Help, the mend of a missing input and the example of a wrong one all show a path."""
    out = " ".join(cli("run", sales_py, "by_region", "--help").out.split())
    assert (
        "--sales FILE pandas.DataFrame (table: path to .csv, .json, .parquet, .arrow, or JSON). One row for each. "
        "[required]" in out
    )
    assert cli("run", sales_py, "by_region").err == (
        "by_region needs a value for --sales\n  at: sales.py, line 21\n"
        "  mend: celltask run sales.py by_region --sales FILE\n"
    )
    assert cli("run", sales_py, "by_region", "--sales", '{"a": 1}').err == (
        "--sales takes pandas.DataFrame as lists by column, or as a list of records, not {'a': 1}\n"
        "  at: celltask run sales.py by_region --sales '{\"a\": 1}'\n  mend: write for example --sales table.csv\n"
    )


@pytest.mark.parametrize("text", [CSV, '[{"region": "north", "amount": 4}, {"region": "south", "amount": 2}]'])
@pytest.mark.parametrize("word", ["-", "@-"])
def test_a_table_may_come_from_standard_input(
    process: Callable[..., Said], sales_py: str, word: str, text: str
) -> None:
    """As CSV or as JSON."""
    said = process("run", sales_py, "by_region", "--sales", word, "--quiet", input_text=text)
    assert said == (0, "        amount\nregion        \nnorth        4\nsouth        2\n", "")


def test_standard_input_is_told_back_as_typed(process: Callable[..., Said], sales_py: str) -> None:
    """A dash stays a dash in messages."""
    assert process("run", sales_py, "by_region", "--sales", "-", input_text="\n").err == (
        "--sales takes pandas.DataFrame as CSV or JSON, not ''\n"
        "  at: celltask run sales.py by_region --sales -\n  mend: standard input is empty\n"
    )
    assert process("run", sales_py, "rate", "--value", "-", input_text="x").err == (
        "--value takes float, not 'x'\n  at: celltask run sales.py rate --value -\n"
        "  mend: write for example --value 0.5\n"
    )


@pytest.mark.parametrize(
    ("words", "what", "mend"),
    [
        ("by_region --sales sale.csv", "--sales: there is no file 'sale.csv'", "did you mean sales.csv?"),
        ("by_region --sales zebra.csv", "--sales: there is no file 'zebra.csv'", "check the path"),
        ("size --file sale.cvs", "--file: there is no file 'sale.cvs'", "did you mean sales.csv or sales.py?"),
        ("size --file sales.csv --folder zzz", "--folder: there is no folder 'zzz'", "check the path"),
        ("size --file sales.csv --files a.bin", "--files: there is no file 'a.bin'", "check the path"),
    ],
)
def test_a_missing_file_is_told_with_its_folder_and_what_is_like_it(  # noqa: PLR0913, PLR0917 - a table and its fixtures
    cli: Cli, sales_py: str, folder: Path, words: str, what: str, mend: str
) -> None:
    """Names are near by what stands before the suffix, and a table's by its suffix too."""
    name, *_, flag, path = words.split()
    said = cli("run", sales_py, *words.split())
    at = f"celltask run sales.py {name} {flag} {path}"
    assert said == (2, "", f"{what}\n  at: {at}\n  mend: looked in {folder}; {mend}\n")


def test_a_missing_folder_of_a_file_is_told(cli: Cli, sales_py: str, folder: Path) -> None:
    """It is the folder that has to be mended then."""
    assert cli("run", sales_py, "by_region", "--sales", "no/sales.csv").err == (
        "--sales: there is no file 'no/sales.csv'\n  at: celltask run sales.py by_region --sales no/sales.csv\n"
        f"  mend: there is no folder {folder}/no\n"
    )


def test_a_task_that_misses_a_file_tells_where_it_was_looked_for(cli: Cli, sales_py: str, folder: Path) -> None:
    """A `Path` may name what is yet to be made, so that only the task can tell."""
    said = cli("run", sales_py, "read", "--path", "sale.csv", "--quiet")
    assert said.code == 1
    assert said.err.splitlines()[-1] == f"  mend: looked in {folder}; did you mean sales.csv or sales.py?"


def test_a_missing_program_is_no_missing_file(cli: Cli, folder: Path) -> None:
    """Where nothing was looked for in a folder, no folder is told."""
    (folder / "calls.py").write_text(
        "import subprocess\nfrom celltask import task\n@task\ndef call() -> int:\n"
        "    return subprocess.call(['no-such-program'])\n"
    )
    said = cli("run", "calls.py", "--quiet")
    assert said == (
        1,
        "",
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'no-such-program'\n"
            "  in: call\n  at: calls.py, line 5, in call\n        return subprocess.call(['no-such-program'])\n"
        ),
    )


def test_the_home_directory_may_be_a_tilde(
    cli: Cli, sales_py: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a shell leaves it: after ``=`` and ``@``, for tables, files, what is saved, and the document."""
    monkeypatch.setenv("HOME", str(folder))
    (folder / "inputs.json").write_text('{"value": 0.25}')
    assert cli("run", f"~/{sales_py}", "size", "--file=~/sales.csv", "--quiet").out == "38\n"
    assert cli("run", sales_py, "rows", "--count=2", "--save=~/home.csv").code == 0
    assert cli("run", sales_py, "as_polars", "--sales=~/home.csv", "--quiet").code == 0
    assert cli("run", sales_py, "rate", "--inputs-file=~/inputs.json", "--quiet").out == "0.25\n"
