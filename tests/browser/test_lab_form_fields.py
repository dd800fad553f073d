"""Fields of every kind in a real JupyterLab: filled with keys and with the mouse, and errors beside them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab
from form_notebook import CELLS, Filled
from opened import Opened

if not lab.missing("playwright"):
    from playwright.sync_api import FilePayload, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

pytestmark = lab.marks("playwright", "jupyterlab")


_DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))"


@pytest.fixture(scope="module", params=["light", "dark"])
def opened(
    request: pytest.FixtureRequest, server_of: Callable[[str], lab.Server], browser: Browser
) -> Iterator[Opened]:
    """The notebook with the forms, in one of the two themes."""
    server = server_of(request.param)
    with lab.lab_page(browser, dark=request.param == "dark", height=4000) as page:
        opened = Opened(page, server, "fields", *CELLS)
        expect(page.locator(".celltask-form")).to_have_count(3)
        yield opened
    lab.end_kernels(server)


@pytest.fixture
def form(opened: Opened) -> Callable[[str], Filled]:
    """Gives one of the forms as it was at first."""

    def reset(name: str) -> Filled:
        filled = Filled(opened.page, name)
        filled.form.get_by_label("result in").fill("before")
        filled.form.locator("pre", has_text="before = ").wait_for()
        filled.form.get_by_title("show the defaults again").click()
        filled.form.locator("pre", has_text=f"{name}_result = ").wait_for()
        opened.page.evaluate(_DRAWN)  # a reset makes some places anew, and the page draws them a moment after the text
        expect(filled.form.get_by_role("alert")).to_have_count(0)
        return filled

    return reset


def test_every_plain_field_is_filled_with_the_keyboard(form: Callable[[str], Filled]) -> None:
    """Tab leads from field to field, and letters, arrows and Space fill them; the call says each value."""
    filled = form("plain")
    keys = filled.page.keyboard
    filled.field("count").get_by_label("count", exact=True).focus()
    keys.type("12")
    filled.retype("weight", "2.5")
    filled.retype("share", "0.25")
    expect(filled.form.get_by_label("slide share")).to_have_value("0.25")
    filled.tab_to("slide share")
    keys.press("ArrowRight")
    filled.tab_to("slide rounds")
    keys.press("ArrowRight")
    expect(filled.form.get_by_label("rounds", exact=True)).to_have_value("4")
    filled.retype("price", "19.99")
    filled.retype("title", "Second quarter")
    filled.retype("query", "select city")
    keys.press("Enter")
    keys.type("from orders")
    filled.tab_to("strict")
    keys.press("Space")
    filled.tab_to("colour")
    keys.press("ArrowDown")
    filled.tab_to("method")
    keys.press("ArrowDown")
    filled.tab_to("day")
    keys.type("06152026")
    filled.retype("moment", "2026-06-15T08:00")
    filled.retype("pause", "45m")
    filled.retype("at", "10:15")
    expect(filled.code).to_have_text(
        "plain_result = plain(\n    count=12,\n    weight=2.5,\n    share=0.26,\n    rounds=4,\n"
        "    price=Decimal('19.99'),\n    title='Second quarter',\n    query='select city\\nfrom orders',\n"
        "    strict=False,\n    colour=Colour.GREEN,\n    method='exact',\n    day=dt.date(2026, 6, 15),\n"
        "    moment=dt.datetime(2026, 6, 15, 8, 0),\n    pause=dt.timedelta(seconds=2700),\n    at=dt.time(10, 15),\n)"
    )


def test_every_field_that_holds_others_is_filled_with_the_mouse(opened: Opened, form: Callable[[str], Filled]) -> None:
    """Rows are added and removed, types chosen, inner fields filled; the copied call gives what Run gives."""
    filled = form("nested")
    filled.field("limit").get_by_label("limit").first.select_option("int")
    filled.field("limit").get_by_role("textbox").fill("7")
    filled.field("either").get_by_label("either").first.select_option("int")
    expect(filled.field("either").get_by_role("textbox")).to_have_value("")  # that of the other type is gone
    filled.field("either").get_by_role("textbox").fill("8")
    sizes = filled.field("sizes")
    sizes.get_by_title("remove this from sizes").first.click()
    expect(sizes.get_by_role("textbox")).to_have_count(1)
    sizes.get_by_title("add one to sizes").click()
    sizes.get_by_role("textbox").nth(1).fill("9")
    filled.field("names").get_by_role("textbox").fill("b")
    filled.field("weights").get_by_title("add one to weights").click()
    filled.field("weights").get_by_label("weights key").nth(1).fill("b")
    filled.field("weights").get_by_label("weights value").nth(1).fill("1.5")
    filled.field("point").get_by_role("textbox").nth(0).fill("4")
    filled.field("point").get_by_role("textbox").nth(1).fill("y")
    filled.field("window").get_by_label("start").fill("2026-03-01")
    filled.field("window").get_by_label("days").fill("30")
    settings = filled.field("settings")
    expect(settings).to_contain_text("size of a step")
    settings.get_by_label("name").select_option("sgd")
    settings.get_by_label("rate", exact=True).fill("0.5")
    settings.get_by_label("seed").first.select_option("int")
    settings.get_by_label("seed").nth(1).fill("3")
    filled.field("windows").get_by_title("add one to windows").click()
    filled.field("windows").get_by_label("days").nth(1).fill("5")
    filled.field("chosen").get_by_title("add one to chosen value").click()
    filled.field("chosen").get_by_label("chosen value item").nth(1).fill("2")
    expect(filled.code).to_contain_text("chosen={'a': [1, 2]}")
    expect(filled.code).to_contain_text("settings=Settings(optimiser=Optimiser(name='sgd', rate=0.5, ")
    expect(filled.code).to_contain_text("windows=[Window(start=dt.date(2026, 1, 1), days=7), Window(start=dt.date(")
    result = "[7, 8, [2, 9], ['b'], {'a': 0.5, 'b': 1.5}, (4, 'y'), 30, 0.5, 2, {'a': [1, 2]}]"
    filled.form.get_by_title("run nested with").click()
    filled.form.get_by_text("bound to nested_result").wait_for()
    assert "".join(filled.form.locator("pre").first.inner_text().split()) == "".join(result.split())
    filled.form.get_by_role("button", name="copy the Python code").click()
    filled.form.get_by_role("button", name="copied").wait_for()
    copied = opened.page.evaluate("() => navigator.clipboard.readText()")
    opened.run_last(f"del nested_result\n{copied}\nprint(*nested_result, sep='|')")
    opened.output("7|8|[2, 9]|['b']|{'a': 0.5, 'b': 1.5}|(4, 'y')|30|0.5|2|{'a': [1, 2]}").wait_for()


def test_files_tables_secrets_and_variables(opened: Opened, form: Callable[[str], Filled]) -> None:
    """Uploads are kept beside the notebook, variables that fit are offered, secrets masked, and the result bound."""
    filled = form("data")
    towns = FilePayload(name="towns.csv", mimeType="text/csv", buffer=b"city,people\nRome,2\nPisa,1\nBari,3\n")
    boxes = filled.form.locator(".celltask-field")
    filled.upload(0, towns)
    expect(filled.form.get_by_label("rows")).to_have_value("pd.read_csv('uploads/towns.csv')")
    assert (opened.folder / "uploads/towns.csv").read_bytes() == towns["buffer"]
    offered = boxes.nth(7).locator("datalist option")
    assert offered.evaluate_all("all => all.map(one => one.value)") == ["other", "frame"]
    filled.form.get_by_label("table").fill("number")
    filled.form.get_by_role("alert").filter(has_text="must be pandas.DataFrame, got 7 (int)").wait_for()
    filled.form.get_by_label("table").fill("other")
    filled.form.get_by_label("model").fill("number + 1")
    filled.upload(2, towns)
    expect(filled.form.get_by_label("folder")).to_have_value("uploads/towns.csv")
    filled.form.get_by_label("source").first.select_option("File")
    filled.upload(3, towns)
    for name in ("token", "password"):
        secret = filled.form.get_by_label(name, exact=True)
        assert secret.get_attribute("type") == "password"
        assert secret.get_attribute("placeholder") == "default: ••••••••"
    filled.form.get_by_label("token", exact=True).fill("sesame")
    expect(filled.code).to_contain_text('token=getpass("token: ")')
    assert "sesame" not in filled.form.inner_text()
    assert "password=" not in filled.code.inner_text()
    filled.form.get_by_title("give extra as").wait_for(state="detached")
    filled.form.get_by_label("extra").fill("[number, 4]")
    filled.form.get_by_label("result in").fill("a b")
    filled.form.get_by_role("alert").filter(has_text="'a b' is no name of a variable").wait_for()
    filled.form.get_by_label("result in").fill("towns")
    filled.form.get_by_title("run data with").click()
    filled.form.get_by_text("bound to towns").wait_for()
    expect(filled.form.locator("table")).to_contain_text("Pisa")
    opened.output("read 3 rows with a token of 6").wait_for()
    opened.run_last("print('shape', towns.shape)")
    opened.output("shape (3, 2)").wait_for()


@pytest.mark.parametrize(
    ("name", "label", "wrong", "told"),
    [
        ("plain", "count", "many", "must be int, got 'many' (str)"),
        ("plain", "weight", "much", "must be float, got 'much' (str)"),
        ("plain", "share", "2", "must be float ≤ 1, got 2.0 (float)"),
        ("plain", "rounds", "0", "must be int ≥ 1, got 0 (int)"),
        ("plain", "moment", "soon", "must be"),
        ("plain", "pause", "long", "must be"),
        ("plain", "at", "25:00", "must be"),
        ("nested", "sizes item", "x", "must be int, got 'x' (str)"),
        ("nested", "weights value", "x", "must be float, got 'x' (str)"),
        ("nested", "days", "x", "must be int, got 'x' (str)"),
        ("nested", "rate", "1.5", "must be"),
        ("data", "model", "1 +", "must be a Python expression, got '1 +' (str)"),
        ("data", "rows", "number", "must be pandas.DataFrame, got 7 (int)"),
    ],
)
def test_an_error_stands_beside_its_field(
    form: Callable[[str], Filled], name: str, label: str, wrong: str, told: str
) -> None:
    """It comes as one types, to the right of the place or just below it, and goes when the value fits again."""
    filled = form(name)
    place = filled.form.get_by_label(label, exact=True).first
    field = filled.form.locator(".celltask-field", has=filled.page.get_by_label(label, exact=True)).first
    before = place.input_value()
    place.fill(wrong)
    alert = field.get_by_role("alert")
    expect(alert).to_contain_text(told)
    frame, words = place.bounding_box(), alert.bounding_box()
    assert frame is not None
    assert words is not None
    assert words["x"] >= frame["x"] + frame["width"] or words["y"] >= frame["y"] + frame["height"] - 1
    assert -8 < words["y"] - frame["y"] < 1.8 * frame["height"]
    place.fill(before)
    expect(filled.form.get_by_role("alert")).to_have_count(0)


def test_axe_finds_nothing_serious(opened: Opened, form: Callable[[str], Filled]) -> None:
    """Names, roles and contrast of all forms, with errors in them."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    form("plain").form.get_by_label("share", exact=True).fill("3")
    form("nested").form.get_by_label("sizes item").first.fill("x")
    filled = form("data")
    filled.form.get_by_title("run data with").click()
    filled.form.get_by_text("Nothing was run").wait_for()
    expect(opened.page.locator(".celltask-form").get_by_role("alert")).to_have_count(4)
    found = axe.Axe().run(opened.page, context=".celltask-form").response
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in grave] == []
    assert len(found["passes"]) > 10


_PLACES = """form => [...form.querySelectorAll("input, textarea, select, button")]
    .filter(one => one.offsetParent && !one.closest(".jupyter-widget-tab"))
    .map(one => [one.labels?.[0]?.innerText || one.title, one.getBoundingClientRect()])
    .map(([name, at]) => `${name} from ${Math.round(at.x)} to ${Math.round(at.right)}`)"""


@pytest.mark.parametrize("wrong", ["x", "a text that is long enough for an error of several lines below its control"])
def test_errors_within_a_field_stand_below_their_control_and_move_nothing_aside(
    form: Callable[[str], Filled], wrong: str
) -> None:
    """Rows, groups and buttons keep their place and width; each error begins where its control does, and wraps."""
    filled = form("nested")
    before = filled.form.evaluate(_PLACES)
    for label in ("sizes item", "weights value", "1", "days", "rate", "chosen value item"):
        for place in filled.form.get_by_label(label, exact=True).all()[:2]:
            place.fill(wrong)
    expect(filled.form.get_by_role("alert")).to_have_count(7)
    assert filled.form.evaluate(_PLACES) == before
    for label in ("sizes item", "weights value", "days", "rate", "chosen value item"):
        place = filled.form.get_by_label(label, exact=True).first
        box = filled.form.locator(".celltask-plain", has=filled.page.get_by_label(label, exact=True)).first
        alert = box.get_by_role("alert").first
        control, words = place.bounding_box(), alert.bounding_box()
        assert control is not None
        assert words is not None
        assert abs(words["x"] - control["x"]) < 6
        assert 0 <= words["y"] - (control["y"] + control["height"]) < 10
        assert words["width"] <= 440


def test_the_control_with_the_focus_has_a_ring(form: Callable[[str], Filled]) -> None:
    """Whoever goes through a form with Tab sees where they are, also within rows."""
    filled = form("nested")
    for label in ("sizes item", "days"):
        place = filled.form.get_by_label(label, exact=True).first
        place.focus()
        assert place.evaluate("one => getComputedStyle(one).outlineWidth") == "2px"
