"""The UI in Chromium: what people see and do, in both themes."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ui import sample_api, ui_process

CHROMIUM = "/usr/bin/chromium"
# --no-sandbox: tests run as root in CI; the rest keeps the browser from calling home.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Patience for a machine that runs other things too; nothing here is about speed.
PATIENCE_MS = 60_000
FIRST_PAGE = re.compile(r"/(\?.*)?$")


@pytest.fixture(scope="module")
def url():
    with sample_api.serve() as api, ui_process.running(api.url) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(params=["light", pytest.param("dark", marks=pytest.mark.slow)])
def page(request, browser: Browser):
    """A page that fails the test for any script error, dialog, or request to elsewhere."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme=request.param,
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(PATIENCE_MS)
    trouble: list[str] = []
    page = context.new_page()
    page.theme = request.param
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("request", lambda each: _note_foreign(each.url, trouble))
    yield page
    context.close()

    assert trouble == []


def _note_foreign(address: str, trouble: list[str]) -> None:
    if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", address):
        trouble.append(f"asked another server: {address}")


def visible_spans(page: Page):
    return page.locator(".mirror [role=treeitem]")


def evidence(page: Page):
    return page.locator(".mirror [data-evidence]")


def press(page: Page, *keys: str) -> None:
    page.locator(".waterfall .scroll").focus()
    for key in keys:
        page.keyboard.press(key)


def test_from_a_violation_to_its_evidence(page, url):
    """From the list to a violation, to its trace: the offending spans are highlighted."""
    page.goto(url)
    page.get_by_text("N+1 queries in GET /orders/").click()
    expect(page).to_have_url(re.compile(r"/violation\?id=v1%3A9f2c41d07be35a68"))
    expect(page.get_by_role("heading", name="N+1 queries in GET /orders/")).to_be_visible()
    expect(evidence(page).first).to_be_attached()
    page.get_by_role("link", name="Open the trace").click()

    expect(page).to_have_url(re.compile(rf"/trace\?trace_id={sample_api.N_PLUS_ONE_TRACE}"))
    expect(page.get_by_role("heading", name="GET /orders/")).to_be_visible()
    expect(page.get_by_text("Evidence 1 of 20")).to_be_visible()
    expect(evidence(page).first).to_have_text("SELECT, shop-web, 230 alike, evidence")
    expect(evidence(page).nth(1)).to_have_attribute("aria-selected", "true")
    painted = _colours_of_canvas(page)
    expected = page.locator(".mirror").get_attribute("data-evidence")
    assert _rgb(expected) in painted


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_theme(page, url):
    """The canvas follows the theme that the system asks for."""
    page.goto(f"{url}/trace?trace_id={sample_api.CELERY_TRACE}")
    expect(visible_spans(page).first).to_be_attached()

    background = page.locator(".mirror").get_attribute("data-background")
    assert {"light": "#ffffff", "dark": "#11141a"}[page.theme] == background


def test_stepping_through_evidence(page, url):
    """The next evidence is selected, shown, loaded, and stands in the URL."""
    page.goto(
        f"{url}/trace?trace_id={sample_api.N_PLUS_ONE_TRACE}&violation={sample_api.N_PLUS_ONE}"
    )
    expect(page.get_by_text("Evidence 1 of 20")).to_be_visible()
    page.get_by_role("button", name="Next evidence").click()
    expect(page.get_by_text("Evidence 2 of 20")).to_be_visible()
    expect(page).to_have_url(re.compile(f"span_id={101:016x}"))
    press(page, "p", "p")

    expect(page.get_by_text("Evidence 20 of 20")).to_be_visible()
    expect(page).to_have_url(re.compile(f"span_id={119:016x}"))


def test_folds_open_and_close(page, url):
    """Without a violation, equal siblings are one row; a click or a key opens it."""
    page.goto(f"{url}/trace?trace_id={sample_api.N_PLUS_ONE_TRACE}")
    expect(visible_spans(page)).to_have_count(8)
    press(page, "Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    press(page, "ArrowRight")
    expect(page.locator(".mirror")).to_have_attribute("data-rows", "238")
    press(page, "ArrowLeft")
    expect(page.locator(".mirror")).to_have_attribute("data-rows", "8")
    page.get_by_role("button", name="Collapse").click()

    expect(page.locator(".mirror")).to_have_attribute("data-rows", "4")


def test_find(page, url):
    """Find counts matches, and goes to each by Enter; it looks into closed rows too."""
    page.goto(f"{url}/trace?trace_id={sample_api.HUGE_TRACE}")
    expect(visible_spans(page).first).to_be_attached()
    press(page, "/")
    page.keyboard.type("step 42")
    expect(page.get_by_text("100 found")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    expect(page.get_by_text("2 of 100")).to_be_visible()
    expect(page.locator(".mirror [aria-selected=true]")).to_have_text(re.compile("^step 42"))
    expect(page.get_by_role("heading", name="step 42")).to_be_visible()


def test_zoom(page, url):
    """Zoom can be taken back as soon as there is any."""
    page.goto(f"{url}/trace?trace_id={sample_api.CELERY_TRACE}")
    expect(visible_spans(page).first).to_be_attached()
    reset = page.get_by_role("button", name="Reset zoom")
    expect(reset).to_be_disabled()
    press(page, "+")
    expect(reset).to_be_enabled()
    press(page, "0")

    expect(reset).to_be_disabled()


def test_click_shows_the_span(page, url):
    """A click on a row loads that span, and the URL names it; Back undoes it."""
    page.goto(f"{url}/trace?trace_id={sample_api.CELERY_TRACE}")
    expect(visible_spans(page)).to_have_count(5)
    page.locator(".waterfall canvas.main").click(position={"x": 120, "y": 26 * 3 + 13})

    expect(page).to_have_url(re.compile(f"span_id={4:016x}"))
    expect(page.get_by_text("upstream timed out")).to_be_visible()
    selected = page.locator(".mirror [aria-selected=true]")
    expect(selected).to_have_text(re.compile("^POST, shop-worker"))
    page.go_back()

    expect(page).not_to_have_url(re.compile("span_id"))
    expect(selected.filter(has_text="POST /checkout/")).to_be_attached()
    expect(page.get_by_role("heading", name="POST /checkout/")).to_have_count(2)


def test_dots_open_traces(page, url):
    """A click on a dot of the chart opens its trace."""
    page.goto(f"{url}/traces?service=shop-web")
    page.locator("[data-testid=stVegaLiteChart] .mark-symbol path").first.click()

    expect(page).to_have_url(re.compile(r"/trace\?trace_id="))
    expect(visible_spans(page).first).to_be_attached()


@pytest.mark.slow
def test_back_leads_to_the_filtered_list(page, url):
    """Back from a violation leads to the list as it was filtered."""
    page.goto(f"{url}/?severity=warning")
    page.locator("a.row").click()
    expect(page.get_by_role("heading", name="Slow external call in shop.charge")).to_be_visible()
    page.go_back()

    expect(page.locator("a.row")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/\?severity=warning$"))


@pytest.mark.slow
def test_markup_is_text(page, url):
    """Names that are HTML or Markdown do nothing but stand there."""
    page.goto(f"{url}/trace?trace_id={sample_api.NASTY_TRACE}")
    expect(visible_spans(page).first).to_have_text(re.compile(r"^<script>"))
    page.locator(".waterfall canvas.main").hover(position={"x": 80, "y": 39})
    expect(page.locator(".tip")).to_contain_text("[click](javascript:alert(1))")
    page.goto(url)
    expect(page.get_by_text(sample_api.SCRIPT).first).to_be_visible()

    assert "broken" not in page.title()
    assert page.locator("a[href^='javascript']").count() == 0


@pytest.mark.slow
def test_filters_stand_in_the_url(page, url):
    """A chosen filter stands in the URL, and the way back to everything is a link."""
    page.goto(f"{url}/?severity=warning")
    expect(page.locator("a.row")).to_have_count(1)
    page.get_by_role("combobox", name="Service").click()
    page.get_by_role("option", name="shop-web").click()
    expect(page).to_have_url(re.compile(r"service=shop-web"))
    page.get_by_role("link", name="Show all violations").click()

    expect(page.locator("a.row")).to_have_count(4)
    expect(page).to_have_url(FIRST_PAGE)


@pytest.mark.slow
def test_older_traces(page, url):
    """The link to older traces leads to the second page, and back."""
    page.goto(f"{url}/traces")
    expect(page.locator("a.row")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("a.row")).to_have_count(10)
    page.get_by_role("link", name="Newest").click()

    expect(page.locator("a.row")).to_have_count(50)


def test_no_clutter(page, url):
    """Nothing of Streamlit's developer tools is shown."""
    page.goto(url)
    expect(page.locator("a.row").first).to_be_visible()

    assert page.get_by_text("Deploy").count() == 0


@pytest.mark.slow
def test_narrow(page, url):
    """On a narrow page nothing is wider than the page."""
    page.set_viewport_size({"width": 480, "height": 900})
    for path in ["/", f"/violation?id={sample_api.N_PLUS_ONE}", "/traces"]:
        page.goto(f"{url}{path}")
        expect(page.locator("a.row").first).to_be_attached()
        wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")

        assert wide <= 480


def _colours_of_canvas(page: Page) -> set[tuple[int, int, int]]:
    pixels = page.evaluate(
        """() => {
          const host = [...document.querySelectorAll('*')].find(
            (each) => each.shadowRoot && each.shadowRoot.querySelector('canvas.main'))
          const canvas = host.shadowRoot.querySelector('canvas.main')
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
          const seen = new Set()
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] === 255) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`)
          }
          return [...seen]
        }"""
    )
    return {tuple(int(part) for part in each.split(",")) for each in pixels}


def _rgb(colour: str) -> tuple[int, int, int]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
