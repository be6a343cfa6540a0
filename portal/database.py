"""The portal's database."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from kernel.database import NAMING, Database


class Base(DeclarativeBase):
    """What every table of the portal is made from."""

    metadata = MetaData(naming_convention=NAMING)


db = Database(Base)
