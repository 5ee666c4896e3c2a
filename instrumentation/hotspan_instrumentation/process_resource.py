"""What is known of the process, also after it has forked."""

import os
import socket
from importlib.metadata import version

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider

from hotspan_instrumentation.guard import guarded


def resource_attributes() -> dict[str, str | int]:
    """Attributes for the resource; those that the user has set are left out."""
    attributes: dict[str, str | int] = {
        "telemetry.distro.name": "hotspan",
        "telemetry.distro.version": version("hotspan"),
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }
    set_by_user = OTELResourceDetector().detect().attributes
    return {name: value for name, value in attributes.items() if name not in set_by_user}


def follow_forks(provider: TracerProvider) -> None:
    """Keep `process.pid` true in children. The SDK itself renews `service.instance.id` there.

    The SDK's process detector would do so too, and cost every fork a search of all entry points.
    """

    @guarded
    def renew() -> None:
        if "process.pid" not in provider.resource.attributes:  # another distro's decision
            return
        provider._update_resource(Resource({"process.pid": os.getpid()}))  # noqa: SLF001 - no public way

    os.register_at_fork(after_in_child=renew)
