// The scenario, through the client that oapi-codegen generates.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"example.com/scenario/saddlebag"
	"github.com/google/uuid"
)

const (
	local      = "local"
	pgdata     = "pgdata"
	allocation = "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11"
)

func check(holds bool, what string, values ...any) {
	if !holds {
		fmt.Fprintln(os.Stderr, append([]any{what}, values...)...)
		os.Exit(1)
	}
}

// answered returns what an operation answered with, and fails if it did not answer with it.
func answered[T any](value *T, body []byte) T {
	check(value != nil, "another answer was expected than:", string(body))
	return *value
}

// refused fails unless the typed error is there and of this code.
func refused(refusal *saddlebag.Error, code string, body []byte) saddlebag.Error {
	found := answered(refusal, body)
	check(found.Code == code && found.Message != "", "the error should be", code, "and is", found.Code)
	return found
}

func must[T any](value T, err error) T {
	check(err == nil, "the request failed:", err)
	return value
}

func of[T any](value T) *T { return &value }

func passed(step int) { fmt.Println(step) }

// acceptJSON makes errors come as JSON: without Accept they come as Nomad's text.
func acceptJSON(_ context.Context, request *http.Request) error {
	request.Header.Set("Accept", "application/json")
	return nil
}

// withToken sends the secret of a token.
func withToken(secret string) saddlebag.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.Header.Set("X-Nomad-Token", secret)
		return nil
	}
}

func volume(id, plugin string, bytes int64, mode saddlebag.CapabilityRequestAttachmentMode) saddlebag.VolumeRequest {
	return saddlebag.VolumeRequest{
		ID: &id, Name: &id, PluginID: &plugin, RequestedCapacityMin: &bytes,
		RequestedCapabilities: &[]saddlebag.CapabilityRequest{{
			AccessMode: saddlebag.SingleNodeWriter, AttachmentMode: mode,
		}},
	}
}

func only(volumes ...saddlebag.VolumeRequest) saddlebag.VolumesRequest {
	return saddlebag.VolumesRequest{Volumes: &volumes}
}

func main() {
	ctx := context.Background()
	client := must(saddlebag.NewClientWithResponses(os.Getenv("SADDLEBAG_ADDR"), saddlebag.WithRequestEditorFn(acceptJSON)))

	create := func(request saddlebag.VolumeRequest, wait *string) *saddlebag.CreateVolumeResponse {
		return must(client.CreateVolumeWithResponse(ctx, *request.ID, &saddlebag.CreateVolumeParams{Wait: wait}, only(request)))
	}
	created := func(request saddlebag.VolumeRequest) saddlebag.Volume {
		response := create(request, nil)
		volumes := answered(response.JSON200, response.Body).Volumes
		check(len(volumes) == 1, "volumes:", len(volumes))
		return volumes[0]
	}
	read := func(parameters saddlebag.ReadVolumeParams) (saddlebag.Volume, int64) {
		response := must(client.ReadVolumeWithResponse(ctx, pgdata, &parameters))
		return answered(response.JSON200, response.Body), response.Headers200.XNomadIndex
	}

	plugins := must(client.ListPluginsWithResponse(ctx, &saddlebag.ListPluginsParams{Type: of("csi")}))
	listed := answered(plugins.JSON200, plugins.Body)
	check(len(listed) == 3 && listed[0].ID == "gone" && listed[1].ID == local && listed[2].ID == "mock", "plugins:", listed)
	check(listed[1].ControllersHealthy == 1, "healthy controllers:", listed[1].ControllersHealthy)
	check(answered(plugins.Headers200.XNomadIndex, nil) > 0, "no index")
	passed(1)

	plugin := must(client.ReadPluginWithResponse(ctx, local, nil))
	check(answered(plugin.JSON200, plugin.Body).Provider == "local.saddlebag.dev", "another provider:", string(plugin.Body))
	passed(2)

	plugin = must(client.ReadPluginWithResponse(ctx, "nope", nil))
	refused(plugin.JSON404, "plugin_not_found", plugin.Body)
	passed(3)

	request := volume(pgdata, local, 1048576, saddlebag.FileSystem)
	request.Secrets = &saddlebag.SecretsRequest{"password": "xyzzy"}
	first := created(request)
	check(first.ExternalID != "" && first.Capacity == 1048576 && first.Secrets == nil, "created:", first)
	passed(4)

	created(volume("blocks", local, 1048576, saddlebag.BlockDevice))
	passed(5)

	now, index := read(saddlebag.ReadVolumeParams{})
	check(now.Schedulable && now.RequestedTopologies == nil && now.CreateIndex > 0 && now.ModifyIndex > 0 && index > 0, "read:", now)
	check(len(now.Topologies) > 0 && len(*now.Topologies[0].Segments) > 0, "topologies:", now.Topologies)
	passed(6)

	page := must(client.ListVolumesWithResponse(ctx, &saddlebag.ListVolumesParams{Type: of("csi"), PerPage: of(int32(1))}))
	check(answered(page.JSON200, page.Body)[0].ID == "blocks", "first page:", string(page.Body))
	page = must(client.ListVolumesWithResponse(ctx, &saddlebag.ListVolumesParams{
		Type: of("csi"), PerPage: of(int32(1)), NextToken: of(answered(page.Headers200.XNomadNexttoken, nil)),
	}))
	check(answered(page.JSON200, page.Body)[0].ID == pgdata && page.Headers200.XNomadNexttoken == nil, "last page:", string(page.Body))
	passed(7)

	type seen struct {
		volume saddlebag.Volume
		index  int64
	}
	waiting := make(chan seen)
	go func() {
		volume, index := read(saddlebag.ReadVolumeParams{Index: &index, Wait: of("60s")})
		waiting <- seen{volume, index}
	}()
	created(volume(pgdata, local, 2097152, saddlebag.FileSystem))
	woken := <-waiting
	check(woken.volume.Capacity == 2097152 && woken.index > index, "the waiting read:", woken)
	passed(8)

	_, index = read(saddlebag.ReadVolumeParams{Index: &woken.index, Wait: of("50ms")})
	check(index == woken.index, "index:", index)
	passed(9)

	taken := must(client.CreateSnapshotsWithResponse(ctx, nil, saddlebag.SnapshotsRequest{
		Snapshots: &[]saddlebag.SnapshotRequest{{SourceVolumeID: of(pgdata), Name: of("nightly")}},
	}))
	snapshot := answered(answered(taken.JSON200, taken.Body).Snapshots, taken.Body)[0]
	check(snapshot.ID != "" && snapshot.IsReady && snapshot.ExternalSourceVolumeID == first.ExternalID, "snapshot:", snapshot)
	passed(10)

	request = volume("copy", local, 2097152, saddlebag.FileSystem)
	request.SnapshotID = &snapshot.ID
	replica := created(request)
	check(replica.SnapshotID == snapshot.ID, "snapshot of copy:", replica.SnapshotID)
	passed(11)

	snapshots := must(client.ListSnapshotsWithResponse(ctx, &saddlebag.ListSnapshotsParams{PluginId: local}))
	all := answered(answered(snapshots.JSON200, snapshots.Body).Snapshots, snapshots.Body)
	check(len(all) == 1 && all[0].ID == snapshot.ID && all[0].ExternalSourceVolumeID == first.ExternalID, "snapshots:", all)
	passed(12)

	external := must(client.ListExternalVolumesWithResponse(ctx, &saddlebag.ListExternalVolumesParams{PluginId: local, PerPage: of(int32(2))}))
	part := answered(external.JSON200, external.Body)
	check(len(*part.Volumes) == 2 && part.NextToken != "", "first external page:", part)
	external = must(client.ListExternalVolumesWithResponse(ctx, &saddlebag.ListExternalVolumesParams{
		PluginId: local, PerPage: of(int32(2)), NextToken: &part.NextToken,
	}))
	part = answered(external.JSON200, external.Body)
	check(len(*part.Volumes) == 1 && part.NextToken == "", "last external page:", part)
	passed(13)

	id := uuid.MustParse(allocation)
	claiming := must(client.ClaimVolumeWithResponse(ctx, pgdata, nil, saddlebag.ClaimRequest{
		AllocationID: &id, AccessMode: of("single-node-writer"), AttachmentMode: of("file-system"), JobID: of("postgres"),
	}))
	claim := answered(claiming.JSON200, claiming.Body)
	check(claim.State == "published" && claim.TargetPath != "" && time.Since(claim.CreateTime) < time.Hour, "claim:", claim)
	passed(14)

	deletion := must(client.DeleteVolumeWithResponse(ctx, pgdata, nil))
	refusal := refused(deletion.JSON409, "volume_in_use", deletion.Body)
	check(*refusal.Volume == pgdata && *refusal.Claim == allocation && !refusal.Retryable, "refusal:", string(deletion.Body))
	passed(15)

	claims := must(client.ListClaimsWithResponse(ctx, pgdata, nil))
	check(answered(claims.JSON200, claims.Body)[0].AllocationID == id, "claims:", string(claims.Body))
	one := must(client.ReadClaimWithResponse(ctx, pgdata, allocation, nil))
	check(answered(one.JSON200, one.Body).State == "published", "claim:", string(one.Body))
	now, _ = read(saddlebag.ReadVolumeParams{})
	check(len(now.Allocations) == 1 && now.Allocations[0].JobID == "postgres", "allocations:", now.Allocations)
	passed(16)

	release := must(client.ReleaseClaimWithResponse(ctx, pgdata, allocation, nil))
	check(answered(release.JSON200, release.Body).State == "gone", "released:", string(release.Body))
	passed(17)

	one = must(client.ReadClaimWithResponse(ctx, pgdata, "11111111-2222-3333-4444-555555555555", nil))
	refused(one.JSON404, "claim_not_found", one.Body)
	passed(18)

	request = volume("twisted", local, 2097152, saddlebag.FileSystem)
	request.RequestedCapacityMax = of(int64(1048576))
	twisted := create(request, nil)
	refused(twisted.JSON400, "invalid_request", twisted.Body)
	passed(19)

	foreign := must(client.ListVolumesWithResponse(ctx, nil, func(_ context.Context, request *http.Request) error {
		request.Header.Set("Origin", "https://example.com")
		return nil
	}))
	refused(foreign.JSON403, "foreign_origin", foreign.Body)
	passed(20)

	nothing := must(client.ReadVolumeWithResponse(ctx, "nope", nil))
	check(refused(nothing.JSON404, "volume_not_found", nothing.Body).Message == "volume not found", "message:", string(nothing.Body))
	passed(21)

	request = volume("second", local, 0, saddlebag.FileSystem)
	request.ExternalID = &first.ExternalID
	second := must(client.RegisterVolumeWithResponse(ctx, "second", nil, only(request)))
	refused(second.JSON409, "external_id_taken", second.Body)
	passed(22)

	snapshots = must(client.ListSnapshotsWithResponse(ctx, &saddlebag.ListSnapshotsParams{PluginId: "mock"}))
	refused(snapshots.JSON501, "capability_missing", snapshots.Body)
	passed(23)

	external = must(client.ListExternalVolumesWithResponse(ctx, &saddlebag.ListExternalVolumesParams{PluginId: "mock"}))
	refused(external.JSON502, "driver_failed", external.Body)
	passed(24)

	early := create(volume("early", "gone", 1048576, saddlebag.FileSystem), nil)
	check(refused(early.JSON503, "no_healthy_plugin", early.Body).Retryable, "not retryable")
	passed(25)

	slow := create(volume("slow", "mock", 1048576, saddlebag.FileSystem), of("200ms"))
	refusal = refused(slow.JSON504, "operation_timeout", slow.Body)
	operation := answered(refusal.Operation, slow.Body)
	passed(26)

	reading := must(client.ReadOperationWithResponse(ctx, operation, nil))
	work := answered(reading.JSON200, reading.Body)
	check(work.Kind == "create" && work.VolumeID == "slow" && work.Attempts > 0, "operation:", work)
	passed(27)

	reason := &saddlebag.AbandonOperationParams{Reason: "the scenario ends"}
	abandon := must(client.AbandonOperationWithResponse(ctx, operation, reason))
	work = answered(abandon.JSON200, abandon.Body)
	check(work.State == "abandoned" && *work.Reason == reason.Reason, "given up:", work)
	abandon = must(client.AbandonOperationWithResponse(ctx, operation, reason))
	refused(abandon.JSON409, "operation_ended", abandon.Body)
	passed(28)

	huge := create(volume("huge", local, 1152921504606846976, saddlebag.FileSystem), nil)
	refusal = refused(huge.JSON507, "driver_exhausted", huge.Body)
	check((*refusal.Errors)[0].Code == "driver_exhausted" && len(*refusal.Done) == 0, "errors:", string(huge.Body))
	passed(29)

	nodes := must(client.ListNodesWithResponse(ctx, nil))
	hosts := answered(nodes.JSON200, nodes.Body)
	check(len(hosts) == 1 && hosts[0].ID == claim.NodeID, "nodes:", string(nodes.Body))
	host := must(client.ReadNodeWithResponse(ctx, claim.NodeID, nil))
	node := answered(host.JSON200, host.Body)
	check(node.Status == "ready" && node.CSINodePlugins[local].Healthy, "node:", string(host.Body))
	passed(30)

	doctor := must(client.DoctorWithResponse(ctx, nil))
	silent := false
	for _, finding := range answered(doctor.JSON200, doctor.Body).Findings {
		silent = silent || finding.Kind == "silent-driver" && finding.PluginID == "gone"
	}
	check(silent, "findings:", string(doctor.Body))
	passed(31)

	drafts := must(client.ListCsiPluginsWithResponse(ctx, nil))
	check(len(answered(drafts.JSON200, drafts.Body)) == 3, "drafts:", string(drafts.Body))
	draft := must(client.ReadCsiPluginWithResponse(ctx, local, nil))
	check(len(answered(draft.JSON200, draft.Body)[0].Nodes) == 1, "draft:", string(draft.Body))
	job := must(client.ReadJobWithResponse(ctx, local, nil))
	task := (*(*answered(job.JSON200, job.Body).TaskGroups)[0].Tasks)[0]
	check(task.CSIPluginConfig.ID == local, "job:", string(job.Body))
	passed(32)

	leader := must(client.ReadLeaderWithResponse(ctx, nil))
	check(answered(leader.JSON200, leader.Body) != "", "no leader")
	health := must(client.ReadAgentHealthWithResponse(ctx))
	check(answered(health.JSON200, health.Body).Server.Ok, "health:", string(health.Body))
	passed(33)

	forgotten := must(client.DeregisterVolumeWithResponse(ctx, "copy", nil))
	check(forgotten.StatusCode() == 200, "deregistered:", string(forgotten.Body))
	request = volume("copy", local, 0, saddlebag.FileSystem)
	request.ExternalID = &replica.ExternalID
	again := must(client.RegisterVolumeWithResponse(ctx, "copy", nil, only(request)))
	check(answered(again.JSON200, again.Body).Volumes[0].ExternalID == replica.ExternalID, "registered:", string(again.Body))
	passed(34)

	removal := must(client.DeleteSnapshotWithResponse(ctx, &saddlebag.DeleteSnapshotParams{PluginId: local, SnapshotId: snapshot.ID}))
	check(removal.StatusCode() == 200, "snapshot deleted:", string(removal.Body))
	for _, id := range []string{"copy", "blocks", pgdata} {
		deletion = must(client.DeleteVolumeWithResponse(ctx, id, nil))
		check(deletion.StatusCode() == 200, "deleted:", string(deletion.Body))
	}
	page = must(client.ListVolumesWithResponse(ctx, &saddlebag.ListVolumesParams{Type: of("csi")}))
	check(len(answered(page.JSON200, page.Body)) == 0, "left:", string(page.Body))
	passed(35)

	nothing = must(client.ReadVolumeWithResponse(ctx, pgdata, nil))
	refused(nothing.JSON404, "volume_not_found", nothing.Body)
	passed(36)

	wanted := []saddlebag.FaultRequest{}
	for _, status := range []int64{500, 413, 408} {
		wanted = append(wanted, saddlebag.FaultRequest{Operation: of("create_volume"), Status: &status, Message: of("so asked")})
	}
	faults := must(client.SetFaultsWithResponse(ctx, saddlebag.FaultsRequest{Faults: &wanted}))
	check(len(answered(faults.JSON200, faults.Body).Faults) == 3, "faults:", string(faults.Body))
	faulty := func() *saddlebag.CreateVolumeResponse {
		return create(volume("faulty", local, 0, saddlebag.FileSystem), nil)
	}
	defect := faulty()
	refused(defect.JSON500, "injected_fault", defect.Body)
	excess := faulty()
	refused(excess.JSON413, "injected_fault", excess.Body)
	late := faulty()
	refused(late.JSON408, "injected_fault", late.Body)
	struck := must(client.ClearFaultsWithResponse(ctx))
	for _, fault := range answered(struck.JSON200, struck.Body).Faults {
		check(fault.Fired == 1, "fault:", fault.Status, fault.Fired)
	}
	passed(37)

	patch := must(http.NewRequest(http.MethodPatch, os.Getenv("SADDLEBAG_ADDR")+"/v1/volumes", nil))
	patch.Header.Set("Accept", "application/json")
	answer := must(http.DefaultClient.Do(patch))
	defer answer.Body.Close()
	var other saddlebag.Error
	check(json.NewDecoder(answer.Body).Decode(&other) == nil, "no error in JSON")
	check(answer.StatusCode == 405 && other.Code == "method_not_allowed", "another error:", other.Code)
	passed(38)

	accessControl(ctx)
}

// accessControl takes the steps at the server that has access control on.
func accessControl(ctx context.Context) {
	client := must(saddlebag.NewClientWithResponses(os.Getenv("SADDLEBAG_ACL_ADDR"), saddlebag.WithRequestEditorFn(acceptJSON)))

	anonymous := must(client.ListVolumesWithResponse(ctx, &saddlebag.ListVolumesParams{Type: of("csi")}))
	refused(anonymous.JSON403, "permission_denied", anonymous.Body)
	passed(39)

	bootstrap := must(client.BootstrapAclWithResponse(ctx, nil, saddlebag.BootstrapRequest{}))
	management := answered(bootstrap.JSON200, bootstrap.Body)
	check(management.Type == "management" && management.SecretID != "", "token:", management.Name)
	bootstrap = must(client.BootstrapAclWithResponse(ctx, nil, saddlebag.BootstrapRequest{}))
	refused(bootstrap.JSON400, "invalid_request", bootstrap.Body)
	passed(40)

	policy := saddlebag.PolicyRequest{Name: of("readers"), Rules: of(`namespace "default" { policy = "read" }`)}
	stored := must(client.ApplyPolicyWithResponse(ctx, "readers", nil, policy, withToken(management.SecretID)))
	check(stored.StatusCode() == 200, "policy:", string(stored.Body))
	wanted := saddlebag.TokenRequest{Name: of("ann"), Type: of("client"), Policies: &[]string{"readers"}}
	made := must(client.CreateTokenWithResponse(ctx, nil, wanted, withToken(management.SecretID)))
	ann := withToken(answered(made.JSON200, made.Body).SecretID)
	passed(41)

	self := must(client.ReadOwnTokenWithResponse(ctx, nil, ann))
	own := answered(self.JSON200, self.Body)
	check(own.Name == "ann" && own.Policies != nil && (*own.Policies)[0] == "readers", "own token:", own.Name)
	allowed := must(client.ListVolumesWithResponse(ctx, &saddlebag.ListVolumesParams{Type: of("csi")}, ann))
	check(len(answered(allowed.JSON200, allowed.Body)) == 0, "volumes:", string(allowed.Body))
	passed(42)

	denied := must(client.CreateVolumeWithResponse(ctx, pgdata, nil, only(volume(pgdata, local, 0, saddlebag.FileSystem)), ann))
	refused(denied.JSON403, "permission_denied", denied.Body)
	passed(43)
}
