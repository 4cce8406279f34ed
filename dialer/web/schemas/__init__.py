"""Requests and answers of the API; the pages use the same ones, and OpenAPI is made of them.

Times are ISO 8601 with a zone; answers are UTC. Durations carry their unit in the name.
"""

from dialer.web.schemas.admin import *  # noqa: F403 - one name for all schemas
from dialer.web.schemas.ahead import *  # noqa: F403 - same
from dialer.web.schemas.bases import *  # noqa: F403 - same
from dialer.web.schemas.basket import *  # noqa: F403 - same
from dialer.web.schemas.board import *  # noqa: F403 - same
from dialer.web.schemas.common import *  # noqa: F403 - same
from dialer.web.schemas.disposition_kind import *  # noqa: F403 - same
from dialer.web.schemas.doctor import *  # noqa: F403 - same
from dialer.web.schemas.facts import *  # noqa: F403 - same
from dialer.web.schemas.floor import *  # noqa: F403 - same
from dialer.web.schemas.lead import *  # noqa: F403 - same
from dialer.web.schemas.letter import *  # noqa: F403 - same
from dialer.web.schemas.listening import *  # noqa: F403 - same
from dialer.web.schemas.manual import *  # noqa: F403 - same
from dialer.web.schemas.money import *  # noqa: F403 - same
from dialer.web.schemas.offer import *  # noqa: F403 - same
from dialer.web.schemas.office import *  # noqa: F403 - same
from dialer.web.schemas.pacing import *  # noqa: F403 - same
from dialer.web.schemas.recording import *  # noqa: F403 - same
from dialer.web.schemas.rules import *  # noqa: F403 - same
from dialer.web.schemas.script import *  # noqa: F403 - same
from dialer.web.schemas.second_factor import *  # noqa: F403 - same
from dialer.web.schemas.segment import *  # noqa: F403 - same
from dialer.web.schemas.subscription import *  # noqa: F403 - same
from dialer.web.schemas.trial import *  # noqa: F403 - same
from dialer.web.schemas.webhook import *  # noqa: F403 - same
