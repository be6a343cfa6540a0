"""The CRM's database."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from kernel.database import NAMING, Database


class Base(DeclarativeBase):
    """What every table of the CRM is made from."""

    metadata = MetaData(naming_convention=NAMING)


db = Database(Base)
