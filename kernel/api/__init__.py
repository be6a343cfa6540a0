"""REST for programs: an operation says what it takes, gives and demands, and all else follows.

Start at `operations.Api`. From what an operation says come the checks of every request
(`requests`), the refusals as problem+json (`problems`), and the description (`openapi`) with its page
(`reference`). Who asks and what they may is decided by the gate that the program hands in.

    api = Api("api", prefix="/api/v1")

    @api.patch("/things/{thing}", demand=..., needs_version=True)
    def change_thing(call: Call[Caller], thing: ThingId, body: ThingChange) -> Reply[Thing]:
        \"\"\"Change a thing.\"\"\"
"""

from kernel.api.downloads import Download
from kernel.api.fields import Answer, Asked, Change, Moment, OneLine, Query, QueryFlag, QueryNumber
from kernel.api.gate import Demand, Gate, Quota
from kernel.api.idempotency import IdempotentRequestMixin, IdempotentRequests
from kernel.api.operations import Api, Call, Operation, Reply
from kernel.api.pages import Listing, PageQuery
from kernel.api.problems import Forbidden, ScopeMissing, Unauthenticated

__all__ = [
    "Answer",
    "Api",
    "Asked",
    "Call",
    "Change",
    "Demand",
    "Download",
    "Forbidden",
    "Gate",
    "IdempotentRequestMixin",
    "IdempotentRequests",
    "Listing",
    "Moment",
    "OneLine",
    "Operation",
    "PageQuery",
    "Query",
    "QueryFlag",
    "QueryNumber",
    "Quota",
    "Reply",
    "ScopeMissing",
    "Unauthenticated",
]
