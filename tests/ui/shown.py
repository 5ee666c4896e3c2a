"""Pages, run by Streamlit itself, and what can be read on them."""

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

import hotspan_ui

APP = Path(hotspan_ui.__file__).with_name("app.py")
# The first run imports pandas and altair, on a machine that runs other things too.
PATIENCE_S = 60


def show(page: str = "", **parameters: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=PATIENCE_S)
    if page:
        app.run()
        app.switch_page(f"screens/{page}.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def components(app: AppTest) -> list[dict]:
    found = app.get("bidi_component")
    return [json.loads(each.proto.json or each.proto.mixed.json) for each in found]


def html(app: AppTest) -> str:
    return "".join(each.proto.body for each in app.get("html"))


def cells(app: AppTest, row: int) -> list[str]:
    return [cell["text"] for cell in components(app)[0]["rows"][row]["cells"]]


def cells_below(app: AppTest, row: int) -> list[str]:
    return [cell["sub"] for cell in components(app)[0]["rows"][row]["cells"]]
