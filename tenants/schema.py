"""Every table of `tenants`, brought into the MetaData: their foreign keys lead from one to another.

The program imports this module once; a feature that is not used yet still has its tables.
"""

import tenants.accounts.models
import tenants.api.models
import tenants.api_keys.models
import tenants.applications.models
import tenants.companies.models
import tenants.facts.models
import tenants.invitations.models
import tenants.members.models
import tenants.people.models
import tenants.roles.models
import tenants.webhooks.models  # noqa: F401
