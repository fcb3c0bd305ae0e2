package dev.saddlebag;

import dev.saddlebag.api.AclApi;
import dev.saddlebag.api.ClaimsApi;
import dev.saddlebag.api.JobsApi;
import dev.saddlebag.api.NodesApi;
import dev.saddlebag.api.OperationsApi;
import dev.saddlebag.api.PluginsApi;
import dev.saddlebag.api.SnapshotsApi;
import dev.saddlebag.api.StatusApi;
import dev.saddlebag.api.TestingApi;
import dev.saddlebag.api.VolumesApi;
import dev.saddlebag.client.ApiClient;
import dev.saddlebag.client.ApiException;
import dev.saddlebag.client.ApiResponse;
import dev.saddlebag.model.BootstrapRequest;
import dev.saddlebag.model.CapabilityRequest;
import dev.saddlebag.model.CapabilityRequest.AccessModeEnum;
import dev.saddlebag.model.CapabilityRequest.AttachmentModeEnum;
import dev.saddlebag.model.ClaimRequest;
import dev.saddlebag.model.Error;
import dev.saddlebag.model.FaultRequest;
import dev.saddlebag.model.FaultsRequest;
import dev.saddlebag.model.PolicyRequest;
import dev.saddlebag.model.SnapshotRequest;
import dev.saddlebag.model.SnapshotsRequest;
import dev.saddlebag.model.Token;
import dev.saddlebag.model.TokenRequest;
import dev.saddlebag.model.Volume;
import dev.saddlebag.model.VolumeRequest;
import dev.saddlebag.model.VolumesAnswer;
import dev.saddlebag.model.VolumesRequest;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** The scenario, through the client that openapi-generator generates. */
public final class Scenario {
  private static final String ALLOCATION = "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11";

  private final ApiClient client = new ApiClient();
  private final PluginsApi plugins;
  private final VolumesApi volumes;
  private final SnapshotsApi snapshots;
  private final ClaimsApi claims;
  private final OperationsApi operations;
  private final NodesApi nodes;
  private final JobsApi jobs;
  private final StatusApi status;
  private final AclApi acl;
  private final TestingApi testing;

  /** Speaks to the server at this address, with the secret of a token, or with none if it is null. */
  private Scenario(String address, String token) {
    client.updateBaseUri(address);
    if (token != null) client.setRequestInterceptor(request -> request.header("X-Nomad-Token", token));
    plugins = new PluginsApi(client);
    volumes = new VolumesApi(client);
    snapshots = new SnapshotsApi(client);
    claims = new ClaimsApi(client);
    operations = new OperationsApi(client);
    nodes = new NodesApi(client);
    jobs = new JobsApi(client);
    status = new StatusApi(client);
    acl = new AclApi(client);
    testing = new TestingApi(client);
  }

  private interface Call<T> {
    T run() throws ApiException;
  }

  private static void check(boolean holds, Object what) {
    if (!holds) throw new IllegalStateException("this should not be: " + what);
  }

  private static void passed(int step) {
    System.out.println(step);
  }

  private Error refused(int status, String code, Call<?> call) throws Exception {
    try {
      throw new IllegalStateException("an error was expected: " + call.run());
    } catch (ApiException refusal) {
      Error error = client.getObjectMapper().readValue(refusal.getResponseBody(), Error.class);
      check(refusal.getCode() == status && error.getCode().equals(code) && !error.getMessage().isEmpty(), refusal.getResponseBody());
      return error;
    }
  }

  private static long index(ApiResponse<?> response) {
    return Long.parseLong(header(response, "X-Nomad-Index"));
  }

  private static String header(ApiResponse<?> response, String name) {
    return response.getHeaders().entrySet().stream()
        .filter(it -> it.getKey().equalsIgnoreCase(name)).map(it -> it.getValue().get(0)).findFirst().orElse(null);
  }

  private static VolumeRequest volume(String id, String plugin, long bytes) {
    return new VolumeRequest().ID(id).name(id).pluginID(plugin).requestedCapacityMin(bytes)
        .requestedCapabilities(List.of(capability(AttachmentModeEnum.FILE_SYSTEM)));
  }

  private static CapabilityRequest capability(AttachmentModeEnum mode) {
    return new CapabilityRequest().accessMode(AccessModeEnum.SINGLE_NODE_WRITER).attachmentMode(mode);
  }

  private static VolumesRequest only(VolumeRequest volume) {
    return new VolumesRequest().volumes(List.of(volume));
  }

  private VolumesAnswer create(VolumeRequest volume, String wait) throws ApiException {
    return volumes.createVolume(
        VolumesApi.APICreateVolumeRequest.newBuilder().volumeId(volume.getID()).volumesRequest(only(volume)).waitFor(wait).build());
  }

  private Volume created(VolumeRequest volume) throws ApiException {
    List<Volume> made = create(volume, null).getVolumes();
    check(made.size() == 1, made);
    return made.get(0);
  }

  private VolumesAnswer register(VolumeRequest volume) throws ApiException {
    return volumes.registerVolume(
        VolumesApi.APIRegisterVolumeRequest.newBuilder().volumeId(volume.getID()).volumesRequest(only(volume)).build());
  }

  private ApiResponse<Volume> read(String id, Long index, String wait) throws ApiException {
    return volumes.readVolumeWithHttpInfo(
        VolumesApi.APIReadVolumeRequest.newBuilder().volumeId(id).index(index).waitFor(wait).build());
  }

  private int delete(String id) throws ApiException {
    return volumes.deleteVolumeWithHttpInfo(VolumesApi.APIDeleteVolumeRequest.newBuilder().volumeId(id).build()).getStatusCode();
  }

  private static VolumesApi.APIListVolumesRequest.Builder page(Integer items) {
    return VolumesApi.APIListVolumesRequest.newBuilder().type("csi").perPage(items);
  }

  private static VolumesApi.APIListExternalVolumesRequest.Builder external(String plugin) {
    return VolumesApi.APIListExternalVolumesRequest.newBuilder().pluginId(plugin);
  }

  private static SnapshotsApi.APIListSnapshotsRequest snapshotsOf(String plugin) {
    return SnapshotsApi.APIListSnapshotsRequest.newBuilder().pluginId(plugin).build();
  }

  private static ClaimsApi.APIReadClaimRequest claim(String allocation) {
    return ClaimsApi.APIReadClaimRequest.newBuilder().volumeId("pgdata").allocId(allocation).build();
  }

  @SuppressWarnings("deprecation") // Step 32 is about routes that are.
  private void run() throws Exception {
    var listed = plugins.listPluginsWithHttpInfo(PluginsApi.APIListPluginsRequest.newBuilder().type("csi").build());
    check(listed.getData().stream().map(it -> it.getID()).toList().equals(List.of("gone", "local", "mock")), listed.getData());
    check(listed.getData().get(1).getControllersHealthy() == 1 && index(listed) > 0, listed.getData());
    passed(1);

    var local = plugins.readPlugin(PluginsApi.APIReadPluginRequest.newBuilder().pluginId("local").build());
    check(local.getProvider().equals("local.saddlebag.dev"), local);
    passed(2);

    refused(404, "plugin_not_found",
        () -> plugins.readPlugin(PluginsApi.APIReadPluginRequest.newBuilder().pluginId("nope").build()));
    passed(3);

    Volume pgdata = created(volume("pgdata", "local", 1048576).secrets(Map.of("password", "xyzzy")));
    check(!pgdata.getExternalID().isEmpty() && pgdata.getCapacity() == 1048576 && pgdata.getSecrets() == null, pgdata);
    passed(4);

    created(volume("blocks", "local", 1048576).requestedCapabilities(List.of(capability(AttachmentModeEnum.BLOCK_DEVICE))));
    passed(5);

    var before = read("pgdata", null, null);
    Volume now = before.getData();
    check(now.getSchedulable() && now.getRequestedTopologies() == null && now.getCreateIndex() > 0 && now.getModifyIndex() > 0, now);
    check(!now.getTopologies().get(0).getSegments().isEmpty() && index(before) > 0, now);
    passed(6);

    var first = volumes.listVolumesWithHttpInfo(page(1).build());
    check(first.getData().size() == 1 && first.getData().get(0).getID().equals("blocks"), first.getData());
    var last = volumes.listVolumesWithHttpInfo(page(1).nextToken(header(first, "X-Nomad-Nexttoken")).build());
    check(last.getData().get(0).getID().equals("pgdata") && header(last, "X-Nomad-Nexttoken") == null, last.getData());
    passed(7);

    var reading = CompletableFuture.supplyAsync(() -> {
      try {
        return read("pgdata", index(before), "60s");
      } catch (ApiException refusal) {
        throw new IllegalStateException(refusal);
      }
    });
    created(volume("pgdata", "local", 2097152));
    var woken = reading.get();
    check(woken.getData().getCapacity() == 2097152 && index(woken) > index(before), woken.getData());
    passed(8);

    check(index(read("pgdata", index(woken), "50ms")) == index(woken), "index");
    passed(9);

    var nightly = new SnapshotsRequest().snapshots(List.of(new SnapshotRequest().sourceVolumeID("pgdata").name("nightly")));
    var snapshot = snapshots.createSnapshots(
        SnapshotsApi.APICreateSnapshotsRequest.newBuilder().snapshotsRequest(nightly).build()).getSnapshots().get(0);
    check(!snapshot.getID().isEmpty() && snapshot.getIsReady(), snapshot);
    check(snapshot.getExternalSourceVolumeID().equals(pgdata.getExternalID()), snapshot);
    passed(10);

    Volume replica = created(volume("copy", "local", 2097152).snapshotID(snapshot.getID()));
    check(replica.getSnapshotID().equals(snapshot.getID()), replica);
    passed(11);

    var kept = snapshots.listSnapshots(snapshotsOf("local")).getSnapshots();
    check(kept.size() == 1 && kept.get(0).getID().equals(snapshot.getID())
        && kept.get(0).getExternalSourceVolumeID().equals(pgdata.getExternalID()), kept);
    passed(12);

    var part = volumes.listExternalVolumes(external("local").perPage(2).build());
    check(part.getVolumes().size() == 2 && !part.getNextToken().isEmpty(), part);
    part = volumes.listExternalVolumes(external("local").perPage(2).nextToken(part.getNextToken()).build());
    check(part.getVolumes().size() == 1 && part.getNextToken().isEmpty(), part);
    passed(13);

    var claim = claims.claimVolume(ClaimsApi.APIClaimVolumeRequest.newBuilder().volumeId("pgdata")
        .claimRequest(new ClaimRequest().allocationID(UUID.fromString(ALLOCATION)).accessMode("single-node-writer")
            .attachmentMode("file-system").jobID("postgres")).build());
    check(claim.getState().equals("published") && !claim.getTargetPath().isEmpty(), claim);
    check(claim.getCreateTime().isAfter(OffsetDateTime.now().minus(Duration.ofHours(1))), claim);
    passed(14);

    Error inUse = refused(409, "volume_in_use", () -> delete("pgdata"));
    check(inUse.getVolume().equals("pgdata") && inUse.getClaim().equals(ALLOCATION) && !inUse.getRetryable(), inUse);
    passed(15);

    var all = claims.listClaims(ClaimsApi.APIListClaimsRequest.newBuilder().volumeId("pgdata").build());
    check(all.get(0).getAllocationID().toString().equals(ALLOCATION), all);
    check(claims.readClaim(claim(ALLOCATION)).getState().equals("published"), "claim");
    var allocations = read("pgdata", null, null).getData().getAllocations();
    check(allocations.size() == 1 && allocations.get(0).getJobID().equals("postgres"), allocations);
    passed(16);

    var released = claims.releaseClaim(
        ClaimsApi.APIReleaseClaimRequest.newBuilder().volumeId("pgdata").allocId(ALLOCATION).build());
    check(released.getState().equals("gone"), released);
    passed(17);

    refused(404, "claim_not_found", () -> claims.readClaim(claim("11111111-2222-3333-4444-555555555555")));
    passed(18);

    refused(400, "invalid_request", () -> create(volume("twisted", "local", 2097152).requestedCapacityMax(1048576L), null));
    passed(19);

    refused(403, "foreign_origin", () -> volumes.listVolumes(page(null).build(), Map.of("Origin", "https://example.com")));
    passed(20);

    check(refused(404, "volume_not_found", () -> read("nope", null, null)).getMessage().equals("volume not found"), "message");
    passed(21);

    refused(409, "external_id_taken", () -> register(volume("second", "local", 0).externalID(pgdata.getExternalID())));
    passed(22);

    refused(501, "capability_missing", () -> snapshots.listSnapshots(snapshotsOf("mock")));
    passed(23);

    refused(502, "driver_failed", () -> volumes.listExternalVolumes(external("mock").build()));
    passed(24);

    check(refused(503, "no_healthy_plugin", () -> create(volume("early", "gone", 1048576), null)).getRetryable(), "not retryable");
    passed(25);

    String id = refused(504, "operation_timeout", () -> create(volume("slow", "mock", 1048576), "200ms")).getOperation();
    check(id != null, "no operation");
    passed(26);

    var work = operations.readOperation(OperationsApi.APIReadOperationRequest.newBuilder().operationId(id).build());
    check(work.getKind().equals("create") && work.getVolumeID().equals("slow") && work.getAttempts() > 0, work);
    passed(27);

    var giveUp = OperationsApi.APIAbandonOperationRequest.newBuilder().operationId(id).reason("the scenario ends").build();
    work = operations.abandonOperation(giveUp);
    check(work.getState().equals("abandoned") && work.getReason().equals("the scenario ends"), work);
    refused(409, "operation_ended", () -> operations.abandonOperation(giveUp));
    passed(28);

    Error huge = refused(507, "driver_exhausted", () -> create(volume("huge", "local", 1152921504606846976L), null));
    check(huge.getErrors().get(0).getCode().equals("driver_exhausted") && huge.getDone().isEmpty(), huge);
    passed(29);

    var hosts = nodes.listNodes(NodesApi.APIListNodesRequest.newBuilder().build());
    check(hosts.size() == 1 && hosts.get(0).getID().equals(claim.getNodeID()), hosts);
    var host = nodes.readNode(NodesApi.APIReadNodeRequest.newBuilder().nodeId(claim.getNodeID()).build());
    check(host.getStatus().equals("ready") && host.getCsINodePlugins().get("local").getHealthy(), host);
    passed(30);

    var findings = operations.doctor(OperationsApi.APIDoctorRequest.newBuilder().build()).getFindings();
    check(findings.stream().anyMatch(it -> it.getKind().equals("silent-driver") && it.getPluginID().equals("gone")), findings);
    passed(31);

    check(jobs.listCsiPlugins(JobsApi.APIListCsiPluginsRequest.newBuilder().build()).size() == 3, "drafts");
    var drafts = jobs.readCsiPlugin(JobsApi.APIReadCsiPluginRequest.newBuilder().pluginId("local").build());
    check(drafts.size() == 1 && drafts.get(0).getNodes().size() == 1, drafts);
    var job = jobs.readJob(JobsApi.APIReadJobRequest.newBuilder().jobId("local").build());
    check(job.getTaskGroups().get(0).getTasks().get(0).getCsIPluginConfig().getID().equals("local"), job);
    passed(32);

    // The leader is not read: its generated call takes no answer but plain text, and a string in JSON is none.
    check(status.readAgentHealth().getServer().getOk(), "health");
    passed(33);

    volumes.deregisterVolume(VolumesApi.APIDeregisterVolumeRequest.newBuilder().volumeId("copy").build());
    var again = register(volume("copy", "local", 0).externalID(replica.getExternalID())).getVolumes();
    check(again.size() == 1 && again.get(0).getExternalID().equals(replica.getExternalID()), again);
    passed(34);

    snapshots.deleteSnapshot(
        SnapshotsApi.APIDeleteSnapshotRequest.newBuilder().pluginId("local").snapshotId(snapshot.getID()).build());
    for (String name : List.of("copy", "blocks", "pgdata")) check(delete(name) == 200, name);
    check(volumes.listVolumes(page(null).build()).isEmpty(), "left");
    passed(35);

    refused(404, "volume_not_found", () -> read("pgdata", null, null));
    passed(36);

    var statuses = List.of(500, 413, 408);
    var faults = statuses.stream()
        .map(it -> new FaultRequest().operation("create_volume").status(it.longValue()).message("so asked")).toList();
    var asked = TestingApi.APISetFaultsRequest.newBuilder().faultsRequest(new FaultsRequest().faults(faults)).build();
    check(testing.setFaults(asked).getFaults().size() == 3, "faults");
    for (int it : statuses) refused(it, "injected_fault", () -> create(volume("faulty", "local", 0), null));
    var struck = testing.clearFaults().getFaults();
    check(struck.stream().allMatch(it -> it.getFired() == 1), struck);
    passed(37);

    var patch = HttpRequest.newBuilder(URI.create(client.getBaseUri() + "/v1/volumes"))
        .method("PATCH", HttpRequest.BodyPublishers.noBody()).header("Accept", "application/json").build();
    var answer = client.getHttpClient().send(patch, BodyHandlers.ofString());
    var other = client.getObjectMapper().readValue(answer.body(), Error.class);
    check(answer.statusCode() == 405 && other.getCode().equals("method_not_allowed"), answer.body());
    passed(38);
  }

  private Token bootstrap() throws ApiException {
    return acl.bootstrapAcl(AclApi.APIBootstrapAclRequest.newBuilder().bootstrapRequest(new BootstrapRequest()).build());
  }

  /** The steps at the server that has access control on. */
  private static void accessControl(String address) throws Exception {
    var anonymous = new Scenario(address, null);
    anonymous.refused(403, "permission_denied", () -> anonymous.volumes.listVolumes(page(null).build()));
    passed(39);

    var first = anonymous.bootstrap();
    check(first.getType().equals("management") && !first.getSecretID().isEmpty(), first.getName());
    anonymous.refused(400, "invalid_request", anonymous::bootstrap);
    passed(40);

    var management = new Scenario(address, first.getSecretID());
    var policy = new PolicyRequest().name("readers").rules("namespace \"default\" { policy = \"read\" }");
    management.acl.applyPolicy(AclApi.APIApplyPolicyRequest.newBuilder().policyName("readers").policyRequest(policy).build());
    var wanted = new TokenRequest().name("ann").type("client").policies(List.of("readers"));
    var made = management.acl.createToken(AclApi.APICreateTokenRequest.newBuilder().tokenRequest(wanted).build());
    passed(41);

    var ann = new Scenario(address, made.getSecretID());
    var own = ann.acl.readOwnToken(AclApi.APIReadOwnTokenRequest.newBuilder().build());
    check(own.getName().equals("ann") && own.getPolicies().equals(List.of("readers")), own.getName());
    check(ann.volumes.listVolumes(page(null).build()).isEmpty(), "volumes");
    passed(42);

    ann.refused(403, "permission_denied", () -> ann.create(volume("pgdata", "local", 0), null));
    passed(43);
  }

  public static void main(String[] arguments) throws Exception {
    new Scenario(System.getenv("SADDLEBAG_ADDR"), null).run();
    accessControl(System.getenv("SADDLEBAG_ACL_ADDR"));
  }
}
