"""What schemathesis has to be told so that its requests get somewhere, and do not wait for minutes."""

from typing import Any

import schemathesis

CREATES = {"create_volume", "register_volume", "register_volumes", "register_volumes_by_post"}
ANY = {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Every other volume is asked of the plugin that is there, in a way that it has: else nothing would ever be created."""
    if context.operation.definition.raw.get("operationId") in CREATES and isinstance(body, dict):
        for volume in body["Volumes"] if isinstance(body.get("Volumes"), list) else []:
            if isinstance(volume, dict) and len(str(volume.get("Name"))) % 2 == 0:
                volume |= {"PluginID": "local", "RequestedCapabilities": [ANY], "Namespace": "default"}
                for field in ("RequestedTopologies", "Topologies", "SnapshotID", "CloneID", "RequestedCapacityMax"):
                    volume.pop(field, None)
                volume["RequestedCapacityMin"] = 4096
    return body


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A read with an `index` that is not reached waits for five minutes, and what happens is told for ever, unless `wait` says less."""
    query = case.query or {}
    if case.operation.path == "/v1/event/stream" or ("index" in query and not isinstance(query.get("wait"), list)):
        case.query = {**query, "wait": "5ms"}
