"""Lists in pages: complete, in order, and with cursors that open nothing else."""

import base64
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select

from kernel import pages
from kernel.pages import CursorUnusable, Order, Page, PageRequest
from tests.kernel.tables import Folder, db

BY_NAME = Order("name", (Folder.name, Folder.id))
BY_NAME_FALLING = Order("name", (Folder.name, Folder.id), descending=True)
BY_ID = Order("id", (Folder.id,))


@dataclass(frozen=True)
class Listed:
    id: UUID
    name: str


@pytest.fixture(autouse=True)
def folders(kernel_app):
    with db.transaction(tenant="ours") as session:
        session.add_all(
            Folder(tenant_id="ours", name=name)
            for name in ["beta", "alfa", "beta", "gamma", "Żubr", "delta", "beta"]
        )


def read(
    asked: PageRequest,
    *,
    order: Order = BY_NAME,
    tenant: str = "ours",
    bound_to: tuple[str, ...] = ("ours", "folders"),
    with_total: bool = False,
) -> Page[Listed]:
    with db.reading(tenant=tenant) as session:
        return pages.read(
            session,
            select(Folder.id, Folder.name).where(Folder.tenant_id == tenant),
            Listed,
            order=order,
            asked=asked,
            bound_to=bound_to,
            with_total=with_total,
        )


def names_of_all_pages(order: Order) -> list[str]:
    names: list[str] = []
    asked = PageRequest(limit=2)
    while True:
        page = read(asked, order=order)
        names += [item.name for item in page.items]
        if page.next is None:
            return names
        asked = PageRequest(limit=2, cursor=page.next)


def test_the_pages_together_are_the_whole_list_in_order():
    everything = read(PageRequest(limit=200))

    assert names_of_all_pages(BY_NAME) == [item.name for item in everything.items]
    assert names_of_all_pages(BY_NAME_FALLING) == [item.name for item in everything.items][::-1]
    assert sorted(names_of_all_pages(BY_ID)) == sorted(item.name for item in everything.items)


def test_every_item_of_a_list_is_read_a_page_at_a_time(monkeypatch):
    monkeypatch.setattr(pages, "MOST", 3)

    found = [item.name for item in pages.every(read)]

    assert found == names_of_all_pages(BY_NAME)


def test_the_last_page_has_no_next_one_even_when_it_is_full():
    assert read(PageRequest(limit=7)).next is None


def test_what_was_added_before_the_cursor_moves_nothing():
    first = read(PageRequest(limit=3))
    with db.transaction(tenant="ours") as session:
        session.add(Folder(tenant_id="ours", name="aaa"))

    second = read(PageRequest(limit=3, cursor=first.next))

    assert not {item.id for item in first.items} & {item.id for item in second.items}
    assert "aaa" not in {item.name for item in second.items}


def test_the_total_counts_the_whole_list_on_every_page():
    first = read(PageRequest(limit=3), with_total=True)

    assert first.total == 7
    assert read(PageRequest(limit=3, cursor=first.next), with_total=True).total == 7
    assert read(PageRequest(limit=3)).total is None


@pytest.mark.security("13.6")
@pytest.mark.parametrize(
    "elsewhere",
    [
        {"bound_to": ("theirs", "folders"), "tenant": "theirs"},
        {"bound_to": ("ours", "papers")},
        {"bound_to": ("ours", "folders", "archived")},
        {"order": BY_NAME_FALLING},
        {"order": BY_ID},
    ],
)
def test_a_cursor_is_good_for_nothing_but_its_own_list(elsewhere):
    cursor = read(PageRequest(limit=2)).next

    with pytest.raises(CursorUnusable):
        read(PageRequest(limit=2, cursor=cursor), **elsewhere)


@pytest.mark.security("13.6")
@pytest.mark.parametrize("made_up", ["", "a", "żółw", "AAAA", "=" * 8, "A" * 5000])
def test_a_cursor_that_somebody_made_up_is_refused(made_up):
    with pytest.raises(CursorUnusable):
        read(PageRequest(limit=2, cursor=made_up))


@pytest.mark.security("13.6")
def test_a_cursor_that_was_altered_is_refused():
    cursor = read(PageRequest(limit=2)).next or ""
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    altered = base64.urlsafe_b64encode(raw.replace(b"beta", b"alfa")).decode().rstrip("=")

    with pytest.raises(CursorUnusable):
        read(PageRequest(limit=2, cursor=altered))


def test_a_cursor_outlives_a_rotation_of_the_secret(kernel_app):
    cursor = read(PageRequest(limit=2)).next
    settings = kernel_app.extensions["klucznik.settings"]
    old = settings.secret_keys.get_secret_value()
    kernel_app.extensions["klucznik.settings"] = settings.model_copy(
        update={"secret_keys": type(settings.secret_keys)(f"a newer secret, long enough too,{old}")}
    )

    assert len(read(PageRequest(limit=2, cursor=cursor)).items) == 2


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_is_neither_empty_nor_endless(limit):
    with pytest.raises(ValueError, match="between 1 and 200"):
        PageRequest(limit=limit)
