"""What schemathesis has to be told so that its requests get somewhere, and what it cannot check by itself."""

import atexit
import copy
import json
import os
import re
from collections import Counter
from itertools import count
from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase

CREATES = {"create_volume", "register_volume", "register_volumes", "register_volumes_by_post"}
LISTS_OF_A_TYPE = {"list_plugins", "list_volumes"}
ANY = {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
# What names a thing in the path, and has to be the same in the body.
NAMED_TWICE = {"accessor_id": "AccessorID", "role_id": "ID", "policy_name": "Name", "namespace_name": "Name"}
NEW_NAMES = {"create_namespace", "create_namespace_by_post", "apply_namespace", "apply_namespace_by_post"}
# The token that all requests are sent with: without it every answer after the first would be 403.
OWN_TOKEN = os.environ.get("SADDLEBAG_OWN_TOKEN")
NOBODY = "00000000-1111-2222-3333-444444444444"

numbers = count(1)
reached: Counter[str] = Counter()


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Every other volume is asked of the plugin that is there, in a way that it has: else nothing would ever be created."""
    if operation_id(context.operation) in CREATES and isinstance(body, dict):
        for volume in body["Volumes"] if isinstance(body.get("Volumes"), list) else []:
            if isinstance(volume, dict) and len(str(volume.get("Name"))) % 2 == 0:
                make_possible(volume)
    return body


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """What no schema says is set right, whether the rest of the request is right or wrong."""
    query = dict(case.query or {})
    # A read with an `index` that is not reached waits for five minutes, and what happens is told for ever, unless `wait` says less.
    # A list is wrong on purpose, and an empty one is sent as none.
    is_wrong = isinstance(query.get("wait"), list) and query["wait"]
    if case.operation.path == "/v1/event/stream" or ("index" in query and not is_wrong):
        query["wait"] = "5ms"
    # Only the server knows the name of its region.
    if isinstance(query.get("region"), str):
        query["region"] = "global"
    # Digits without end are no duration any more, and a change may take longer than this run.
    if isinstance(query.get("wait"), str) and re.search(r"\d{6}", query["wait"]):
        query["wait"] = "1s"
    if query:
        case.query = query
    if isinstance(case.body, (dict, list)):
        case.body = without_twins(case.body)
    keep_the_own_token(case)
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if operation_id(case.operation) in LISTS_OF_A_TYPE and case.meta.phase.name == TestPhase.STATEFUL:
        case.query = {"type": "csi"}
    if not isinstance(case.body, dict):
        return
    body = copy.deepcopy(case.body)
    if isinstance(body.get("Region"), str):
        body["Region"] = "global"
    path = case.path_parameters or {}
    for parameter, key in NAMED_TWICE.items():
        if parameter in path:
            body[key] = path[parameter]
    if case.meta.phase.name == TestPhase.STATEFUL:
        follow(case, body)
    case.body = body


def follow(case: Any, body: dict[str, Any]) -> None:
    """What begins a chain of links, or goes on with it, is possible: else there would be nothing to follow."""
    operation, path = operation_id(case.operation), case.path_parameters or {}
    own = f"linked-{next(numbers)}"
    if operation == "create_volume":
        case.path_parameters = {**path, "volume_id": own}
        case.query = {}
        volumes = [it for it in body.get("Volumes") or [] if isinstance(it, dict)]
        body["Volumes"] = [make_possible({**(volumes[0] if volumes else {}), "ID": own, "Name": own})]
        body["Volumes"][0].pop("SecretsFrom", None)
    elif operation == "claim_volume":
        case.query = {key: value for key, value in (case.query or {}).items() if key == "namespace"}
        for key in ("NodeID", "AccessMode", "AttachmentMode", "MountOptions", "TargetPath", "ReadOnly", "OnReboot"):
            body.pop(key, None)
    elif operation in ("snapshot_volume", "create_snapshot_of"):
        body["Snapshots"] = [{"Name": own}]
    elif operation in ("create_token", "create_token_by_post", "update_token", "update_token_by_post"):
        for key in ("ExpirationTime", "ExpirationTTL", "AccessorID", "Roles"):
            body.pop(key, None)
        if "accessor_id" in path:
            body["AccessorID"] = path["accessor_id"]
        body |= {"Name": own, "Type": "client", "Policies": ["readers"]}
    elif operation in ("create_role", "create_role_by_post", "update_role", "update_role_by_post"):
        body |= {"Name": own, "Description": own, "Policies": [{"Name": "readers"}]}
        if "role_id" not in path:
            body.pop("ID", None)
    elif operation in ("apply_policy", "apply_policy_by_post"):
        case.path_parameters = {"policy_name": own}
        body |= {"Name": own, "Description": own, "Rules": 'namespace "default" { policy = "read" }'}
    elif operation in NEW_NAMES:
        if path:
            case.path_parameters = {"namespace_name": own}
        body |= {"Name": own, "Description": own}


def make_possible(volume: dict[str, Any]) -> dict[str, Any]:
    """The volume, so that the built-in driver can make it."""
    volume |= {"PluginID": "local", "RequestedCapabilities": [ANY], "Namespace": "default", "RequestedCapacityMin": 4096}
    for field in ("RequestedTopologies", "Topologies", "SnapshotID", "CloneID", "RequestedCapacityMax"):
        volume.pop(field, None)
    return volume


def without_twins(value: Any) -> Any:
    """The same without keys that differ from a later one by case alone: to the server they are one, and the last counts."""
    if isinstance(value, dict):
        last = {str(key).lower(): key for key in value}
        return {key: without_twins(it) for key, it in value.items() if last[str(key).lower()] == key}
    return [without_twins(it) for it in value] if isinstance(value, list) else value


def keep_the_own_token(case: Any) -> None:
    """Nothing changes or deletes the token that all requests are sent with."""
    path = case.path_parameters or {}
    if OWN_TOKEN and case.method != "GET" and str(path.get("accessor_id", "")).lower() == OWN_TOKEN.lower():
        case.path_parameters = {**path, "accessor_id": NOBODY}


@schemathesis.deserializer("text/yaml")
def as_text(context: Any, response: Any) -> str:
    """The document is described as text, and is not read as what the text says. The type stands for all of YAML's."""
    text: str = response.text
    return text


@schemathesis.check
def every_line_is_an_event(context: Any, response: Any, case: Any) -> bool | None:
    """Stands in for `response_schema_conformance`, which takes an answer for one JSON text: each line is one, or a beat."""
    if operation_id(case.operation) != "stream_events" or response.status_code != 200:
        return True
    for line in response.content.splitlines():
        if line.strip() not in (b"", b"{}"):
            alone = schemathesis.Response(
                status_code=response.status_code,
                headers=response.headers,
                content=line,
                request=response.request,
                elapsed=response.elapsed,
                verify=response.verify,
            )
            case.operation.validate_response(alone, case=case)
    return None


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Counts what the links led to: what was done, or was there and said no."""
    if case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL and response.status_code in (200, 409):
        reached[operation_id(case.operation)] += 1


@atexit.register
def tell_what_was_reached() -> None:
    """How often the links led to each operation, for `run`."""
    if file := os.environ.get("SADDLEBAG_REACHED"):
        with open(file, "w") as out:
            json.dump(reached, out, indent=1, sort_keys=True)


def operation_id(operation: Any) -> str:
    """The operation's name in the document."""
    name: str = operation.definition.raw["operationId"]
    return name
