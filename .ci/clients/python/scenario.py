"""The scenario, through the client that openapi-python-client generates."""

import datetime
import os
import threading
from typing import Any, TypeVar
from uuid import UUID

from saddlebag import Client
from saddlebag.api.acl import apply_policy, bootstrap_acl, create_token, read_own_token
from saddlebag.api.claims import claim_volume, list_claims, read_claim, release_claim
from saddlebag.api.jobs import list_csi_plugins, read_csi_plugin, read_job
from saddlebag.api.nodes import list_nodes, read_node
from saddlebag.api.operations import abandon_operation, doctor, read_operation
from saddlebag.api.plugins import list_plugins, read_plugin
from saddlebag.api.snapshots import create_snapshots, delete_snapshot, list_snapshots
from saddlebag.api.status import read_agent_health, read_leader
from saddlebag.api.testing import clear_faults, set_faults
from saddlebag.api.volumes import (
    create_volume,
    delete_volume,
    deregister_volume,
    list_external_volumes,
    list_volumes,
    read_volume,
    register_volume,
)
from saddlebag.models import (
    AgentHealth,
    BootstrapRequest,
    CapabilityRequest,
    CapabilityRequestAccessMode,
    CapabilityRequestAttachmentMode,
    Claim,
    ClaimRequest,
    Diagnosis,
    Error,
    ExternalVolumes,
    FaultList,
    FaultRequest,
    FaultsRequest,
    Job,
    Node,
    Operation,
    Plugin,
    PolicyRequest,
    SecretsRequest,
    SnapshotRequest,
    SnapshotsAnswer,
    SnapshotsRequest,
    Token,
    TokenRequest,
    Volume,
    VolumeRequest,
    VolumesAnswer,
    VolumesRequest,
)
from saddlebag.types import UNSET, Response, Unset

ALLOCATION = "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11"
FILE_SYSTEM = CapabilityRequestAttachmentMode.FILE_SYSTEM
BLOCK_DEVICE = CapabilityRequestAttachmentMode.BLOCK_DEVICE
T = TypeVar("T")

address = os.environ["SADDLEBAG_ADDR"]
client = Client(base_url=address, timeout=None)


def check(holds: bool, what: object) -> None:
    if not holds:
        raise SystemExit(f"this should not be: {what}")


def answered(response: Response[Any], expected: type[T]) -> T:
    """What an operation answered with; fails if that is of another type."""
    if isinstance(response.parsed, expected):
        return response.parsed
    raise SystemExit(f"another answer was expected than {response.content!r}")


def refused(response: Response[Any], status: int, code: str) -> Error:
    error = answered(response, Error)
    check(response.status_code == status and error.code == code and error.message != "", response.content)
    return error


def passed(step: int) -> None:
    print(step, flush=True)


def index(response: Response[Any]) -> int:
    return int(response.headers["X-Nomad-Index"])


def volume(id: str, plugin: str, size: int, mode: CapabilityRequestAttachmentMode = FILE_SYSTEM) -> VolumeRequest:
    capability = CapabilityRequest(access_mode=CapabilityRequestAccessMode.SINGLE_NODE_WRITER, attachment_mode=mode)
    return VolumeRequest(
        id=id, name=id, plugin_id=plugin, requested_capacity_min=size, requested_capabilities=[capability]
    )


def create(request: VolumeRequest, wait: str | Unset = UNSET) -> Response[Error | VolumesAnswer]:
    return create_volume.sync_detailed(
        str(request.id), client=client, body=VolumesRequest(volumes=[request]), wait=wait
    )


def created(request: VolumeRequest) -> Volume:
    volumes = answered(create(request), VolumesAnswer).volumes
    check(len(volumes) == 1, volumes)
    return volumes[0]


plugins = list_plugins.sync_detailed(client=client, type_="csi")
listed = answered(plugins, list)
check([plugin.id for plugin in listed] == ["gone", "local", "mock"], listed)
check(listed[1].controllers_healthy == 1, listed[1])
check(index(plugins) > 0, plugins.headers)
passed(1)

check(answered(read_plugin.sync_detailed("local", client=client), Plugin).provider == "local.saddlebag.dev", "provider")
passed(2)

refused(read_plugin.sync_detailed("nope", client=client), 404, "plugin_not_found")
passed(3)

request = volume("pgdata", "local", 1048576)
request.secrets = SecretsRequest.from_dict({"password": "xyzzy"})
pgdata = created(request)
check(pgdata.external_id != "" and pgdata.capacity == 1048576 and pgdata.secrets is None, pgdata)
passed(4)

created(volume("blocks", "local", 1048576, BLOCK_DEVICE))
passed(5)

before = read_volume.sync_detailed("pgdata", client=client)
now = answered(before, Volume)
check(now.schedulable and now.requested_topologies is None and now.create_index > 0 and now.modify_index > 0, now)
check(index(before) > 0, before.headers)
place = now.topologies and now.topologies[0] and now.topologies[0].segments
check(bool(place and place.to_dict()), now.topologies)
passed(6)

page = list_volumes.sync_detailed(client=client, type_="csi", per_page=1)
check([volume.id for volume in answered(page, list)] == ["blocks"], page.content)
page = list_volumes.sync_detailed(
    client=client, type_="csi", per_page=1, next_token=page.headers["X-Nomad-Nexttoken"]
)
check([volume.id for volume in answered(page, list)] == ["pgdata"], page.content)
check("X-Nomad-Nexttoken" not in page.headers, page.headers)
passed(7)

woken: list[Response[Error | Volume]] = []
reader = threading.Thread(
    target=lambda: woken.append(read_volume.sync_detailed("pgdata", client=client, index=index(before), wait="60s"))
)
reader.start()
created(volume("pgdata", "local", 2097152))
reader.join()
check(answered(woken[0], Volume).capacity == 2097152 and index(woken[0]) > index(before), woken)
passed(8)

same = read_volume.sync_detailed("pgdata", client=client, index=index(woken[0]), wait="50ms")
check(index(same) == index(woken[0]), same.headers)
passed(9)

nightly = SnapshotsRequest(snapshots=[SnapshotRequest(source_volume_id="pgdata", name="nightly")])
taken = answered(create_snapshots.sync_detailed(client=client, body=nightly), SnapshotsAnswer).snapshots
assert taken is not None
snapshot = taken[0]
check(snapshot.id != "" and snapshot.is_ready and snapshot.external_source_volume_id == pgdata.external_id, snapshot)
passed(10)

request = volume("copy", "local", 2097152)
request.snapshot_id = snapshot.id
replica = created(request)
check(replica.snapshot_id == snapshot.id, replica)
passed(11)

found = answered(list_snapshots.sync_detailed(client=client, plugin_id="local"), SnapshotsAnswer).snapshots
assert found is not None
check(
    [(it.id, it.external_source_volume_id) for it in found] == [(snapshot.id, pgdata.external_id)],
    found,
)
passed(12)

part = answered(list_external_volumes.sync_detailed(client=client, plugin_id="local", per_page=2), ExternalVolumes)
check(len(part.volumes or []) == 2 and part.next_token != "", part)
part = answered(
    list_external_volumes.sync_detailed(client=client, plugin_id="local", per_page=2, next_token=part.next_token),
    ExternalVolumes,
)
check(len(part.volumes or []) == 1 and part.next_token == "", part)
passed(13)

claim = answered(
    claim_volume.sync_detailed(
        "pgdata",
        client=client,
        body=ClaimRequest(
            allocation_id=UUID(ALLOCATION),
            access_mode="single-node-writer",
            attachment_mode="file-system",
            job_id="postgres",
        ),
    ),
    Claim,
)
check(claim.state == "published" and claim.target_path != "", claim)
check(datetime.datetime.now(datetime.UTC) - claim.create_time < datetime.timedelta(hours=1), claim)
passed(14)

error = refused(delete_volume.sync_detailed("pgdata", client=client), 409, "volume_in_use")
check(error.volume == "pgdata" and error.claim == ALLOCATION and not error.retryable, error)
passed(15)

check([it.allocation_id for it in answered(list_claims.sync_detailed("pgdata", client=client), list)] == [claim.allocation_id], "claims")
check(answered(read_claim.sync_detailed("pgdata", ALLOCATION, client=client), Claim).state == "published", "claim")
allocations = answered(read_volume.sync_detailed("pgdata", client=client), Volume).allocations
check([it.job_id for it in allocations] == ["postgres"], allocations)
passed(16)

check(answered(release_claim.sync_detailed("pgdata", ALLOCATION, client=client), Claim).state == "gone", "released")
passed(17)

nobody = "11111111-2222-3333-4444-555555555555"
refused(read_claim.sync_detailed("pgdata", nobody, client=client), 404, "claim_not_found")
passed(18)

request = volume("twisted", "local", 2097152)
request.requested_capacity_max = 1048576
refused(create(request), 400, "invalid_request")
passed(19)

foreign = Client(base_url=address, headers={"Origin": "https://example.com"})
refused(list_volumes.sync_detailed(client=foreign), 403, "foreign_origin")
passed(20)

error = refused(read_volume.sync_detailed("nope", client=client), 404, "volume_not_found")
check(error.message == "volume not found", error)
passed(21)

request = volume("second", "local", 0)
request.external_id = pgdata.external_id
second = register_volume.sync_detailed("second", client=client, body=VolumesRequest(volumes=[request]))
refused(second, 409, "external_id_taken")
passed(22)

refused(list_snapshots.sync_detailed(client=client, plugin_id="mock"), 501, "capability_missing")
passed(23)

refused(list_external_volumes.sync_detailed(client=client, plugin_id="mock"), 502, "driver_failed")
passed(24)

check(refused(create(volume("early", "gone", 1048576)), 503, "no_healthy_plugin").retryable, "not retryable")
passed(25)

error = refused(create(volume("slow", "mock", 1048576), wait="200ms"), 504, "operation_timeout")
id = error.operation
assert id is not None
passed(26)

operation = answered(read_operation.sync_detailed(id, client=client), Operation)
check(operation.kind == "create" and operation.volume_id == "slow" and operation.attempts > 0, operation)
passed(27)

reason = "the scenario ends"
operation = answered(abandon_operation.sync_detailed(id, client=client, reason=reason), Operation)
check(operation.state == "abandoned" and operation.reason == reason, operation)
refused(abandon_operation.sync_detailed(id, client=client, reason=reason), 409, "operation_ended")
passed(28)

error = refused(create(volume("huge", "local", 1152921504606846976)), 507, "driver_exhausted")
assert not isinstance(error.errors, Unset)
check([it.code for it in error.errors] == ["driver_exhausted"] and error.done == [], error)
passed(29)

nodes = answered(list_nodes.sync_detailed(client=client), list)
check([it.id for it in nodes] == [claim.node_id], nodes)
node = answered(read_node.sync_detailed(claim.node_id, client=client), Node)
check(node.status == "ready" and node.csi_node_plugins["local"] is not None, node)
passed(30)

findings = answered(doctor.sync_detailed(client=client), Diagnosis).findings
check(("silent-driver", "gone") in [(it.kind, it.plugin_id) for it in findings], findings)
passed(31)

check(len(answered(list_csi_plugins.sync_detailed(client=client), list)) == 3, "drafts")
drafts = answered(read_csi_plugin.sync_detailed("local", client=client), list)
check(len(drafts) == 1 and len(drafts[0].nodes.additional_properties) == 1, drafts)
groups = answered(read_job.sync_detailed("local", client=client), Job).task_groups
tasks = groups and groups[0].tasks
config = tasks and tasks[0].csi_plugin_config
check(bool(config and config.id == "local"), groups)
passed(32)

check(answered(read_leader.sync_detailed(client=client), str) != "", "no leader")
health = answered(read_agent_health.sync_detailed(client=client), AgentHealth)
check(not isinstance(health.server, Unset) and health.server.ok, health)
passed(33)

check(deregister_volume.sync_detailed("copy", client=client).status_code == 200, "deregistered")
request = volume("copy", "local", 0)
request.external_id = replica.external_id
again = register_volume.sync_detailed("copy", client=client, body=VolumesRequest(volumes=[request]))
check([it.external_id for it in answered(again, VolumesAnswer).volumes] == [replica.external_id], again.content)
passed(34)

removal = delete_snapshot.sync_detailed(client=client, plugin_id="local", snapshot_id=snapshot.id)
check(removal.status_code == 200, removal.content)
for name in ["copy", "blocks", "pgdata"]:
    deletion = delete_volume.sync_detailed(name, client=client)
    check(deletion.status_code == 200, deletion.content)
check(answered(list_volumes.sync_detailed(client=client, type_="csi"), list) == [], "left")
passed(35)

refused(read_volume.sync_detailed("pgdata", client=client), 404, "volume_not_found")
passed(36)

statuses = [500, 413, 408]
faults = [FaultRequest(operation="create_volume", status=status, message="so asked") for status in statuses]
listed = answered(set_faults.sync_detailed(client=client, body=FaultsRequest(faults=faults)), FaultList).faults
check(len(listed) == 3, listed)
for status in statuses:
    refused(create(volume("faulty", "local", 0)), status, "injected_fault")
struck = answered(clear_faults.sync_detailed(client=client), FaultList).faults
check([it.fired for it in struck] == [1, 1, 1], struck)
passed(37)

answer = client.get_httpx_client().request("PATCH", "/v1/volumes", headers={"Accept": "application/json"})
check(answer.status_code == 405 and Error.from_dict(answer.json()).code == "method_not_allowed", answer.text)
passed(38)

address = os.environ["SADDLEBAG_ACL_ADDR"]
client = Client(base_url=address)
refused(list_volumes.sync_detailed(client=client, type_="csi"), 403, "permission_denied")
passed(39)

management = answered(bootstrap_acl.sync_detailed(client=client, body=BootstrapRequest()), Token)
check(management.type_ == "management" and management.secret_id != "", management)
refused(bootstrap_acl.sync_detailed(client=client, body=BootstrapRequest()), 400, "invalid_request")
passed(40)

client = Client(base_url=address, headers={"X-Nomad-Token": management.secret_id})
policy = PolicyRequest(name="readers", rules='namespace "default" { policy = "read" }')
check(apply_policy.sync_detailed("readers", client=client, body=policy).status_code == 200, "policy")
made = create_token.sync_detailed(client=client, body=TokenRequest(name="ann", type_="client", policies=["readers"]))
ann = answered(made, Token)
passed(41)

client = Client(base_url=address, headers={"X-Nomad-Token": ann.secret_id})
own = answered(read_own_token.sync_detailed(client=client), Token)
check(own.name == "ann" and own.policies == ["readers"], own)
check(answered(list_volumes.sync_detailed(client=client, type_="csi"), list) == [], "volumes")
passed(42)

refused(create(volume("pgdata", "local", 0)), 403, "permission_denied")
passed(43)
