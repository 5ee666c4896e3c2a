"""What a labelled case is: an entry, and the rules that must find something in it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from rules.entry_spans import EntrySpans

Build = Callable[[EntrySpans], None]

N_PLUS_ONE = "n_plus_one"
CHAIN = "query_chain"
PRODUCT = "query_product"
DUPLICATE = "duplicate_query"
WRITES = "write_loop"
CACHE = "n_plus_one_cache"
HTTP = "n_plus_one_http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An entry, and the rules that must find something in it, each with its count.

    `hashed` is what is expected where statements carry one hash of all their parameters. Other
    rules than those about repetition must find `also`, and may find `may`, for all spans alike.
    """

    name: str
    build: Build
    enriched: Mapping[str, int] = field(default_factory=dict)
    hashed: Mapping[str, int] = field(default_factory=dict)
    stock: Mapping[str, int] = field(default_factory=dict)
    also: Collection[str] = ()
    may: Collection[str] = ()
    task: str = ""
    command: str = ""
    system: str = "postgresql"


CASES: list[Case] = []


def case(
    *,
    enriched: Mapping[str, int] | None = None,
    hashed: Mapping[str, int] | None = None,
    stock: Mapping[str, int] | None = None,
    also: Collection[str] = (),
    may: Collection[str] = (),
    task: str = "",
    command: str = "",
    system: str = "postgresql",
) -> Callable[[Build], Build]:
    """Add an entry; without `hashed` and `stock` the same is expected of such spans."""
    expected = enriched or {}

    def add(build: Build) -> Build:
        CASES.append(
            Case(
                name=build.__name__,
                build=build,
                enriched=expected,
                hashed=expected if hashed is None else hashed,
                stock=expected if stock is None else stock,
                also=also,
                may=may,
                task=task,
                command=command,
                system=system,
            )
        )
        return build

    return add


def select(table: str, condition: str = "", *, more: str = "") -> str:
    where = f" WHERE {condition}" if condition else ""
    return f'SELECT "{table}"."id", "{table}"."name" FROM "{table}"{where}{more}'


def by_id(table: str) -> str:
    return select(table, f'"{table}"."id" = %s', more=" LIMIT 21")


def in_list(table: str, column: str, keys: int) -> str:
    return select(table, f'"{table}"."{column}" IN ({", ".join(["%s"] * keys)})')


def count(table: str, condition: str) -> str:
    return f'SELECT COUNT(*) AS "__count" FROM "{table}" WHERE {condition}'


ORDERS = select("shop_order", more=' ORDER BY "shop_order"."id" DESC LIMIT 20')
ITEMS_OF = select("shop_item", '"shop_item"."order_id" = %s')
PAID = '"shop_invoice"."status" = %s'
