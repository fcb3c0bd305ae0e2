// The scenario, for any client that has these calls.
import type { components } from "./openapi-typescript.js";

type Schemas = components["schemas"];
type Failure = Schemas["Error"];

/** What a call came to: `data` if it did what was asked, else `error`. */
export interface Answer<T> {
  data?: T;
  error?: Failure;
  response: Response;
}

type Asked<T> = Promise<Answer<T>>;
type Page = { per_page?: number; next_token?: string };
type Change = { index?: number; wait?: string };

/** What the scenario calls, in types that openapi-typescript generated. */
export interface Calls {
  listPlugins(): Asked<Schemas["PluginStub"][]>;
  readPlugin(id: string): Asked<Schemas["Plugin"]>;
  listVolumes(query: Page, headers?: Record<string, string>): Asked<Schemas["VolumeStub"][]>;
  listExternalVolumes(query: Page & { plugin_id: string }): Asked<Schemas["ExternalVolumes"]>;
  readVolume(id: string, query: Change): Asked<Schemas["Volume"]>;
  createVolume(id: string, body: Schemas["VolumesRequest"], query: { wait?: string }): Asked<Schemas["VolumesAnswer"]>;
  registerVolume(id: string, body: Schemas["VolumesRequest"]): Asked<Schemas["VolumesAnswer"]>;
  deregisterVolume(id: string): Asked<unknown>;
  deleteVolume(id: string): Asked<unknown>;
  createSnapshots(body: Schemas["SnapshotsRequest"]): Asked<Schemas["SnapshotsAnswer"]>;
  listSnapshots(query: { plugin_id: string }): Asked<Schemas["SnapshotsAnswer"]>;
  deleteSnapshot(query: { plugin_id: string; snapshot_id: string }): Asked<unknown>;
  claimVolume(id: string, body: Schemas["ClaimRequest"]): Asked<Schemas["Claim"]>;
  listClaims(id: string): Asked<Schemas["Claim"][]>;
  readClaim(id: string, allocation: string): Asked<Schemas["Claim"]>;
  releaseClaim(id: string, allocation: string): Asked<Schemas["Claim"]>;
  readOperation(id: string): Asked<Schemas["Operation"]>;
  abandonOperation(id: string, query: { reason: string }): Asked<Schemas["Operation"]>;
  listNodes(): Asked<Schemas["NodeStub"][]>;
  readNode(id: string): Asked<Schemas["Node"]>;
  doctor(): Asked<Schemas["Diagnosis"]>;
  listCsiPlugins(): Asked<Schemas["DraftPluginStub"][]>;
  readCsiPlugin(id: string): Asked<Schemas["DraftPlugin"][]>;
  readJob(id: string): Asked<Schemas["Job"]>;
  readLeader(): Asked<string>;
  readAgentHealth(): Asked<Schemas["AgentHealth"]>;
  setFaults(body: Schemas["FaultsRequest"]): Asked<Schemas["FaultList"]>;
  clearFaults(): Asked<Schemas["FaultList"]>;
  bootstrapAcl(): Asked<Schemas["Token"]>;
  applyPolicy(name: string, body: Schemas["PolicyRequest"]): Asked<unknown>;
  createToken(body: Schemas["TokenRequest"]): Asked<Schemas["Token"]>;
  readOwnToken(): Asked<Schemas["Token"]>;
}

/** The calls to the server at an address, with the secret of a token. Those of an earlier connection are not used any more. */
export type Connect = (address: string, token?: string) => Calls;

const allocation = "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11";

function check(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(`this should not be: ${JSON.stringify(what)}`);
}

function answered<T>({ data, error }: Answer<T>): T {
  check(error === undefined && data !== undefined, error ?? "no answer");
  return data;
}

function refused({ error, response }: Answer<unknown>, status: number, code: string): Failure {
  check(error !== undefined && error.code === code && error.message !== "" && response.status === status, [status, error]);
  return error;
}

function done({ error, response }: Answer<unknown>): void {
  check(error === undefined && response.status === 200, error);
}

function index({ response }: Answer<unknown>): number {
  return Number(response.headers.get("X-Nomad-Index"));
}

const passed = (step: number) => console.log(step);

function volume(id: string, plugin: string, bytes: number, more: Schemas["VolumeRequest"] = {}): Schemas["VolumeRequest"] {
  return {
    ID: id,
    Name: id,
    PluginID: plugin,
    RequestedCapacityMin: bytes,
    RequestedCapabilities: [{ AccessMode: "single-node-writer", AttachmentMode: "file-system" }],
    ...more,
  };
}

export async function scenario(connect: Connect): Promise<void> {
  const calls = connect(process.env["SADDLEBAG_ADDR"] ?? "");
  const create = (id: string, plugin: string, bytes: number, more: Schemas["VolumeRequest"] = {}, wait?: string) =>
    calls.createVolume(id, { Volumes: [volume(id, plugin, bytes, more)] }, wait === undefined ? {} : { wait });
  const created = async (id: string, plugin: string, bytes: number, more: Schemas["VolumeRequest"] = {}) => {
    const [made, ...others] = answered(await create(id, plugin, bytes, more)).Volumes;
    check(made !== undefined && others.length === 0, "volumes");
    return made;
  };

  const plugins = await calls.listPlugins();
  const [gone, local, mock] = answered(plugins);
  check(gone?.ID === "gone" && local?.ID === "local" && mock?.ID === "mock", plugins.data);
  check(local.ControllersHealthy === 1 && index(plugins) > 0, local);
  passed(1);

  check(answered(await calls.readPlugin("local")).Provider === "local.saddlebag.dev", "provider");
  passed(2);

  refused(await calls.readPlugin("nope"), 404, "plugin_not_found");
  passed(3);

  const pgdata = await created("pgdata", "local", 1048576, { Secrets: { password: "xyzzy" } });
  check(pgdata.ExternalID !== "" && pgdata.Capacity === 1048576 && pgdata.Secrets === null, pgdata);
  passed(4);

  const block = [{ AccessMode: "single-node-writer", AttachmentMode: "block-device" } as const];
  await created("blocks", "local", 1048576, { RequestedCapabilities: block });
  passed(5);

  const before = await calls.readVolume("pgdata", {});
  const now = answered(before);
  check(now.Schedulable && now.RequestedTopologies === null && now.CreateIndex > 0 && now.ModifyIndex > 0, now);
  check(Object.keys(now.Topologies[0]?.Segments ?? {}).length > 0 && index(before) > 0, now.Topologies);
  passed(6);

  const first = await calls.listVolumes({ per_page: 1 });
  const next_token = first.response.headers.get("X-Nomad-Nexttoken");
  check(answered(first)[0]?.ID === "blocks" && next_token !== null, first.data);
  const last = await calls.listVolumes({ per_page: 1, next_token });
  check(answered(last)[0]?.ID === "pgdata" && !last.response.headers.has("X-Nomad-Nexttoken"), last.data);
  passed(7);

  const reading = calls.readVolume("pgdata", { index: index(before), wait: "60s" });
  await created("pgdata", "local", 2097152);
  const woken = await reading;
  check(answered(woken).Capacity === 2097152 && index(woken) > index(before), woken.data);
  passed(8);

  check(index(await calls.readVolume("pgdata", { index: index(woken), wait: "50ms" })) === index(woken), "index");
  passed(9);

  const taken = await calls.createSnapshots({ Snapshots: [{ SourceVolumeID: "pgdata", Name: "nightly" }] });
  const snapshot = answered(taken).Snapshots?.[0];
  check(snapshot !== undefined && snapshot.ID !== "" && snapshot.IsReady, snapshot);
  check(snapshot.ExternalSourceVolumeID === pgdata.ExternalID, snapshot);
  passed(10);

  const replica = await created("copy", "local", 2097152, { SnapshotID: snapshot.ID });
  check(replica.SnapshotID === snapshot.ID, replica);
  passed(11);

  const [listed, ...more] = answered(await calls.listSnapshots({ plugin_id: "local" })).Snapshots ?? [];
  check(listed?.ID === snapshot.ID && listed.ExternalSourceVolumeID === pgdata.ExternalID && more.length === 0, listed);
  passed(12);

  let page = answered(await calls.listExternalVolumes({ plugin_id: "local", per_page: 2 }));
  check(page.Volumes?.length === 2 && page.NextToken !== "", page);
  page = answered(await calls.listExternalVolumes({ plugin_id: "local", per_page: 2, next_token: page.NextToken }));
  check(page.Volumes?.length === 1 && page.NextToken === "", page);
  passed(13);

  const claim = answered(
    await calls.claimVolume("pgdata", {
      AllocationID: allocation,
      AccessMode: "single-node-writer",
      AttachmentMode: "file-system",
      JobID: "postgres",
    }),
  );
  check(claim.State === "published" && claim.TargetPath !== "", claim);
  check(Date.now() - Date.parse(claim.CreateTime) < 3_600_000, claim);
  passed(14);

  const inUse = refused(await calls.deleteVolume("pgdata"), 409, "volume_in_use");
  check(inUse.volume === "pgdata" && inUse.claim === allocation && !inUse.retryable, inUse);
  passed(15);

  check(answered(await calls.listClaims("pgdata"))[0]?.AllocationID === allocation, "claims");
  check(answered(await calls.readClaim("pgdata", allocation)).State === "published", "claim");
  const { Allocations } = answered(await calls.readVolume("pgdata", {}));
  check(Allocations.length === 1 && Allocations[0]?.JobID === "postgres", Allocations);
  passed(16);

  check(answered(await calls.releaseClaim("pgdata", allocation)).State === "gone", "released");
  passed(17);

  refused(await calls.readClaim("pgdata", "11111111-2222-3333-4444-555555555555"), 404, "claim_not_found");
  passed(18);

  refused(await create("twisted", "local", 2097152, { RequestedCapacityMax: 1048576 }), 400, "invalid_request");
  passed(19);

  refused(await calls.listVolumes({}, { Origin: "https://example.com" }), 403, "foreign_origin");
  passed(20);

  check(refused(await calls.readVolume("nope", {}), 404, "volume_not_found").message === "volume not found", "message");
  passed(21);

  const second = volume("second", "local", 0, { ExternalID: pgdata.ExternalID });
  refused(await calls.registerVolume("second", { Volumes: [second] }), 409, "external_id_taken");
  passed(22);

  refused(await calls.listSnapshots({ plugin_id: "mock" }), 501, "capability_missing");
  passed(23);

  refused(await calls.listExternalVolumes({ plugin_id: "mock" }), 502, "driver_failed");
  passed(24);

  check(refused(await create("early", "gone", 1048576), 503, "no_healthy_plugin").retryable, "not retryable");
  passed(25);

  const { operation } = refused(await create("slow", "mock", 1048576, {}, "200ms"), 504, "operation_timeout");
  check(operation !== null, "no operation");
  passed(26);

  const work = answered(await calls.readOperation(operation));
  check(work.Kind === "create" && work.VolumeID === "slow" && work.Attempts > 0, work);
  passed(27);

  const reason = "the scenario ends";
  const ended = answered(await calls.abandonOperation(operation, { reason }));
  check(ended.State === "abandoned" && ended.Reason === reason, ended);
  refused(await calls.abandonOperation(operation, { reason }), 409, "operation_ended");
  passed(28);

  const huge = refused(await create("huge", "local", 2 ** 60), 507, "driver_exhausted");
  check(huge.errors?.[0]?.code === "driver_exhausted" && huge.done?.length === 0, huge);
  passed(29);

  const nodes = answered(await calls.listNodes());
  check(nodes.length === 1 && nodes[0]?.ID === claim.NodeID, nodes);
  const node = answered(await calls.readNode(claim.NodeID));
  check(node.Status === "ready" && node.CSINodePlugins["local"]?.Healthy === true, node);
  passed(30);

  const { Findings } = answered(await calls.doctor());
  check(Findings.some((it) => it.Kind === "silent-driver" && it.PluginID === "gone"), Findings);
  passed(31);

  check(answered(await calls.listCsiPlugins()).length === 3, "drafts");
  const [draft] = answered(await calls.readCsiPlugin("local"));
  check(Object.keys(draft?.Nodes ?? {}).length === 1, draft);
  const job = answered(await calls.readJob("local"));
  check(job.TaskGroups?.[0]?.Tasks?.[0]?.CSIPluginConfig?.ID === "local", job);
  passed(32);

  check(answered(await calls.readLeader()) !== "", "no leader");
  check(answered(await calls.readAgentHealth()).server?.ok === true, "health");
  passed(33);

  done(await calls.deregisterVolume("copy"));
  const again = volume("copy", "local", 0, { ExternalID: replica.ExternalID });
  const registered = answered(await calls.registerVolume("copy", { Volumes: [again] })).Volumes;
  check(registered.length === 1 && registered[0]?.ExternalID === replica.ExternalID, registered);
  passed(34);

  done(await calls.deleteSnapshot({ plugin_id: "local", snapshot_id: snapshot.ID }));
  for (const id of ["copy", "blocks", "pgdata"]) done(await calls.deleteVolume(id));
  check(answered(await calls.listVolumes({})).length === 0, "left");
  passed(35);

  refused(await calls.readVolume("pgdata", {}), 404, "volume_not_found");
  passed(36);

  const statuses = [500, 413, 408];
  const faults = statuses.map((Status) => ({ Operation: "create_volume", Status, Message: "so asked" }));
  check(answered(await calls.setFaults({ Faults: faults })).Faults.length === 3, "faults");
  for (const status of statuses) refused(await create("faulty", "local", 0), status, "injected_fault");
  const struck = answered(await calls.clearFaults()).Faults;
  check(struck.every((it) => it.Fired === 1), struck);
  passed(37);

  const headers = { Accept: "application/json" };
  const response = await fetch(`${process.env["SADDLEBAG_ADDR"] ?? ""}/v1/volumes`, { method: "PATCH", headers });
  const error = (await response.json()) as Failure;
  refused({ error, response }, 405, "method_not_allowed");
  passed(38);

  await accessControl((token) => connect(process.env["SADDLEBAG_ACL_ADDR"] ?? "", token));
}

/** The steps at the server that has access control on. */
async function accessControl(as: (token?: string) => Calls): Promise<void> {
  const anonymous = as();
  refused(await anonymous.listVolumes({}), 403, "permission_denied");
  passed(39);

  const first = answered(await anonymous.bootstrapAcl());
  check(first.Type === "management" && first.SecretID !== "", first.Name);
  refused(await anonymous.bootstrapAcl(), 400, "invalid_request");
  passed(40);

  const management = as(first.SecretID);
  done(await management.applyPolicy("readers", { Name: "readers", Rules: 'namespace "default" { policy = "read" }' }));
  const made = answered(await management.createToken({ Name: "ann", Type: "client", Policies: ["readers"] }));
  passed(41);

  const ann = as(made.SecretID);
  const own = answered(await ann.readOwnToken());
  check(own.Name === "ann" && own.Policies?.[0] === "readers", own.Name);
  check(answered(await ann.listVolumes({})).length === 0, "volumes");
  passed(42);

  refused(await ann.createVolume("pgdata", { Volumes: [volume("pgdata", "local", 0)] }, {}), 403, "permission_denied");
  passed(43);
}
