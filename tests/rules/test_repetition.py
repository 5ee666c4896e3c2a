"""The classifier of repeated operations: one kind a group, the right one, at any speed."""

import pytest
from rules.cases import CASES
from rules.entry_spans import EntrySpans
from rules.findings import KINDS_OF_SPANS, evaluate, judge_cases


@pytest.mark.parametrize("spans", KINDS_OF_SPANS)
@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_finds_what_a_case_has(name, spans):
    """A case is classified alike at every duration of a query, and nothing else is found."""
    judged = [each for each in judge_cases() if each.case.name == name and each.spans == spans]

    assert [each.expected for each in judged] == [each.found for each in judged]


def test_has_as_many_clean_cases():
    """Nearly half of the cases are clean and look guilty."""
    clean = [case for case in CASES if not case.enriched]

    assert len(clean) >= 0.4 * len(CASES)


def test_no_span_is_in_two_findings():
    """The rules exclude each other: an operation is the evidence of one finding."""
    for each in judge_cases():
        ids = [span for finding in each.findings for span in finding.evidence.span_ids]

        assert len(set(ids)) == len(ids), each.case.name


@pytest.mark.parametrize(
    ("query_ms", "queries", "severity"),
    [(0.4, 5, "info"), (0.4, 15, "warning"), (0.4, 50, "critical"), (5, 6, "warning")],
)
def test_duration_and_number_decide_severity(embedded_store, query_ms, queries, severity):
    """A fast database makes a finding less severe, and never makes it go away."""
    [found] = _found(embedded_store, _loop(query_ms=query_ms, queries=queries))

    assert severity == found.severity


def test_wasted_is_all_but_one():
    """What is wasted is the time of the group without its longest operation."""
    [judged] = [
        each
        for each in judge_cases()
        if (each.case.name, each.spans, each.query_ms) == ("foreign_key", "enriched", 12)
    ]

    assert [finding.wasted_ms for finding in judged.findings] == [17 * 12]


def test_keeps_twenty_spans_as_evidence(embedded_store):
    """Evidence stays small, however often something is repeated."""
    [found] = _found(embedded_store, _loop(query_ms=1, queries=300))

    assert (found.count, len(found.evidence.span_ids)) == (300, 20)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("foreign_key", 'select_related("customer")'),
        ("foreign_key_to_three_branches", 'select_related("branch")'),
        ("reverse_relation", 'prefetch_related("items")'),
        ("many_to_many", 'prefetch_related("tags")'),
        ("count_in_a_loop", 'annotate(Count("items"))'),
        ("sum_in_a_loop", "annotate(Sum("),
        ("exists_in_a_loop", "annotate(Exists("),
        ("get_by_key_in_a_loop", "in_bulk()"),
        ("parent_chain", "recursive CTE"),
        ("four_warehouses_by_five_variants", "dict by pair"),
        ("count_then_list", "len() of the evaluated queryset"),
        ("same_lookup", "cached_property"),
        ("inserts_in_a_loop", "bulk_create"),
        ("saves_in_a_loop", "bulk_update"),
        ("deletes_in_a_loop", "filter(id__in=…).delete()"),
        ("cache_keys_one_by_one", "get_many"),
        ("one_call_a_row", "batch endpoint"),
        ("side_by_side", "side by side already"),
    ],
)
def test_suggests_the_very_change(name, advice):
    """With the enrichment a suggestion names the relation and the function to use."""
    found = [
        finding.suggestion
        for each in judge_cases()
        if each.case.name == name and each.spans == "enriched"
        for finding in each.findings
    ]

    assert [True] * len(found) == [advice in suggestion for suggestion in found]
    assert found


@pytest.mark.parametrize("name", [case.name for case in CASES if case.stock])
def test_stock_spans_say_what_is_missing(name):
    """What could not be known lowers the confidence, and is named."""
    for each in judge_cases():
        if each.case.name == name and each.spans == "stock":
            for finding in each.findings:
                assert "code.file.path" in finding.evidence.missing_attributes


def test_stock_spans_name_what_else_it_may_be():
    """A walk along parents looks like an N+1 on stock spans, which say so."""
    [found] = [
        finding
        for each in judge_cases()
        if (each.case.name, each.spans, each.query_ms) == ("parent_chain", "stock", 3)
        for finding in each.findings
    ]

    assert (
        found.confidence,
        found.evidence.details["perhaps"],
    ) == ("medium", "duplicate_query, query_chain")
    assert {"hotspan.db.param_hash", "hotspan.orm.relation"} <= set(
        found.evidence.missing_attributes
    )


def test_few_parameters_lower_the_confidence(embedded_store):
    """Without a relation, the share of different parameters says how sure it is."""
    entry = EntrySpans()
    for number in range(40):
        entry.query("SELECT a FROM t WHERE b = %s", number % 6)

    assert [found.confidence for found in _found(embedded_store, entry)] == ["low"]


def test_one_statement_in_many_tasks_of_a_trace_is_none(embedded_store):
    """A statement of each of twenty tasks of one trace is not repeated in any of them."""
    first = EntrySpans(task="shop.tasks.index")
    tasks = [
        EntrySpans(task="shop.tasks.index", trace_id=first.trace_id, parent="ab" * 8)
        for _ in range(20)
    ]
    for number, task in enumerate(tasks):
        task.query("SELECT a FROM t WHERE b = %s", number)

    assert evaluate(embedded_store, tasks) == {}


def test_two_places_are_two_findings(embedded_store):
    """The same statement in two loops is found at both places, as one violation."""
    entry = EntrySpans()
    for line in (10, 20):
        for number in range(6):
            entry.query("SELECT a FROM t WHERE b = %s", number, line=line)
    found = _found(embedded_store, entry)

    assert [finding.code.line for finding in found if finding.code] == [10, 20]
    assert len({finding.fingerprint for finding in found}) == 1


def _loop(*, query_ms, queries):
    entry = EntrySpans(query_ms=query_ms)
    for number in range(queries):
        entry.query("SELECT a FROM t WHERE b = %s", number)
    return entry


def _found(store, entry):
    return evaluate(store, [entry]).get(entry.trace_id, [])
