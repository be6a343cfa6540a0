"""The identity program's database; `tenants`, `consent` and `idp` share its one MetaData."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from kernel.database import NAMING, Database


class Base(DeclarativeBase):
    """What every table of the identity program is made from."""

    metadata = MetaData(naming_convention=NAMING)


db = Database(Base)
