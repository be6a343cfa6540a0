"""Lists as answers: a page of them, and where the next one begins."""

from collections.abc import Callable
from typing import Generic, TypeVar

from pydantic import Field

from kernel.api.fields import Answer, Query, QueryNumber
from kernel.pages import MOST, USUAL, Page, PageRequest

Item = TypeVar("Item", bound=Answer)
Found = TypeVar("Found")


class PageQuery(Query):
    """Which part of a list is wanted."""

    limit: QueryNumber = Field(USUAL, ge=1, le=MOST, description="How many, at most")
    cursor: str | None = Field(
        None,
        max_length=2_000,
        description="Where to go on: `next` of the page before, with the same other parameters",
    )

    @property
    def page(self) -> PageRequest:
        return PageRequest(limit=self.limit, cursor=self.cursor)


class Listing(Answer, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null at the end")
    total: int | None = Field(
        description="How many the whole list has; null where that is not counted"
    )


def listing(page: Page[Found], make: Callable[[Found], Item]) -> Listing[Item]:
    """A page of what a use case found, as an answer."""
    return Listing(items=[make(found) for found in page.items], next=page.next, total=page.total)
