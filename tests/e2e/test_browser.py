"""From a process's spans to the evidence in a browser: nothing stands in for anything."""

import re

import pytest
from playwright.sync_api import expect, sync_playwright
from ui.test_browser import CHROMIUM, PATIENCE_MS, SWITCHES

from support import corpus
from support.collector import Collector
from ui import ui_process

# What a real gunicorn worker exported for a page with an N+1 over customers and items.
ORDERS = "gunicorn-prefork-pg-default__orders"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The UI on a collector that has evaluated the page."""
    collector = Collector(tmp_path_factory.mktemp("collector"))
    collector.start()
    try:
        for request in corpus.scenario(ORDERS):
            collector.send(request.SerializeToString())
        collector.wait_for(lambda: collector.api("violations")["violations"])
        with ui_process.running(f"http://127.0.0.1:{collector.api_port}") as running:
            yield running
    finally:
        collector.stop()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_from_a_violation_to_the_spans_that_prove_it(url, theme):
    """A click on the violation, one on its trace: twenty spans are marked as evidence."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_context(color_scheme=theme).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        page.get_by_text("N+1 queries in GET orders/").first.click()
        expect(page).to_have_url(re.compile(r"/violation\?id=v1"))
        page.get_by_role("link", name="Open the trace").click()
        expect(page).to_have_url(re.compile(r"/trace\?trace_id="))
        expect(page.get_by_text("Evidence 1 of 20")).to_be_visible()
        evidence = page.locator(".mirror [data-evidence]")
        expect(evidence.first).to_contain_text("20 alike, evidence")
        browser.close()
