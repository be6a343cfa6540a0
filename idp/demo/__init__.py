"""The demo people: made at the first start on one machine, and refused in production.

`people.PEOPLE` is the list, `service.ensure` makes those that are missing.
"""

from idp.demo.people import PEOPLE, DemoPerson, lines

__all__ = ["PEOPLE", "DemoPerson", "lines"]
