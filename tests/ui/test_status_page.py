"""The status page, run by Streamlit itself against an API over HTTP."""

from ui.shown import cells_below, components, html, show

from ui import sample_api


def test_status_page(api):
    """The status page tells lag, volume, and each rule with its settings."""
    app = show("status")

    assert "1,284,302" in html(app)
    assert [each.label for each in app.expander] == [
        "**Failed task** task\\_failure :red-badge[failing]",
        "**N\\+1 queries** n\\_plus\\_one :blue-badge[1 set]",
    ]


def test_status_accounts_for_every_span(api):
    """By service, those that lost most first, with the reasons; and what waits on disk."""
    app = show("status")

    lost, stored = ([cell["text"] for cell in row["cells"]] for row in components(app)[0]["rows"])
    assert lost == [sample_api.SCRIPT, "84,500", "84,302", "50", "128", "20"]
    assert stored == [
        "shop-web",
        "1,200,000",
        "1,200,000",
        "\N{EN DASH}",
        "\N{EN DASH}",
        "\N{EN DASH}",
    ]
    assert cells_below(app, 0)[4:] == ["too old 120, invalid ids 8", "expired 20"]
    assert "12 batches, 3\\.3 of 1,024 MiB" in app.warning[0].value


def test_status_without_a_ledger(api):
    """Where another process takes the spans, the page shows the rest."""
    api.takes_spans = False
    app = show("status")

    assert components(app) == []
    assert app.subheader[0].value == "Rules"


def test_status_shows_how_rules_do(api):
    """One that fails stands first, with its error; the canary, and files that are no rules."""
    app = show("status")
    shown = html(app)

    assert "failing" in app.expander[0].label
    assert "There is no column named x." in [each.value for each in app.code]
    assert "Last run" in shown
    assert "over 311 entries, 12.5 ms" in shown
    assert "an entry made up for the rules" in shown
    assert "min_repetitions = 100 (set by ada: nightly)" in shown
    assert "why is missing" in app.error[0].value


def test_a_value_is_set_and_taken_back(api):
    """For a place, in a name; the rule stays chosen in the URL."""
    app = show("status", rule="n_plus_one")
    [take_back] = [each for each in app.button if each.key == "take-back-a1b2"]
    take_back.click().run()
    fields = {each.label: each for each in app.text_input}
    fields["Value"].input("7")
    fields["Service"].input("shop")
    fields["Your name"].input("ada")
    [button] = [each for each in app.button if each.form_id == "set-n_plus_one"]
    button.click().run()

    assert api.said == [
        ("/api/v1/rules/n_plus_one/overrides/a1b2", {}),
        (
            "/api/v1/rules/n_plus_one/overrides",
            {
                "values": {"min_repetitions": 7},
                "service": "shop",
                "reason": "",
                "by": "ada",
            },
        ),
    ]
    assert app.query_params["rule"] == "n_plus_one"
