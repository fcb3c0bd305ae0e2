// Drives a live saddlebag with Nomad's own Go client, unmodified: every method that it has for what saddlebag has. Errors are
// compared by the text that programs match on. Where access control is on it drives that, everything else where it is off.
//
// Part of it is a check of completeness: a method that a new release of the client brings has to be named here.
package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

func check(holds bool, what ...any) {
	if !holds {
		fmt.Fprintln(os.Stderr, append([]any{"this should not be:"}, what...)...)
		os.Exit(1)
	}
}

func must(err error) { check(err == nil, err) }

// refused compares an error of the client with the text and status that saddlebag promises.
func refused(err error, status int, text string) {
	check(err != nil, "no error, and this was expected:", text)
	var unexpected api.UnexpectedResponseError
	check(errors.As(err, &unexpected), "another error:", err)
	check(unexpected.StatusCode() == status && unexpected.Body() == text, status, text, "and not", unexpected.StatusCode(), unexpected.Body())
	check(err.Error() == fmt.Sprintf("Unexpected response code: %d (%s)", status, text), err)
}

// wait ends a channel's silence, or the program.
func wait[T any](from <-chan T, what string) T {
	select {
	case got := <-from:
		return got
	case <-time.After(30 * time.Second):
		check(false, "nothing came:", what)
		panic(what)
	}
}

// covered fails if the client has a method that none of these is.
func covered(of any, methods ...string) {
	kind := reflect.TypeOf(of)
	for i := range kind.NumMethod() {
		name := kind.Method(i).Name
		check(slices.Contains(methods, name), kind, "has a method that is not driven:", name)
	}
	check(kind.NumMethod() == len(methods), kind, "lacks a method that is named here")
}

func volume(id, plugin string, bytes int64) *api.CSIVolume {
	return &api.CSIVolume{
		ID: id, Name: id, PluginID: plugin, RequestedCapacityMin: bytes,
		RequestedCapabilities: []*api.CSIVolumeCapability{{
			AccessMode: api.CSIVolumeAccessModeSingleNodeWriter, AttachmentMode: api.CSIVolumeAttachmentModeFilesystem,
		}},
	}
}

func main() {
	config := api.DefaultConfig()
	config.Address = os.Getenv("SADDLEBAG_ADDR")
	client, err := api.NewClient(config)
	must(err)

	self, _, err := client.ACLTokens().Self(nil)
	must(err)
	if self.AccessorID == "anonymous" {
		guarded(client)
		fmt.Println("nomad-go: every method did what it should with access control on")
		return
	}
	check(self.AccessorID == "acls-disabled", self)
	unguarded(client)
	plugins(client)
	volumes(client)
	snapshots(client)
	nodes(client)
	namespaces(client)
	search(client)
	events(client)
	agent(client)
	fmt.Println("nomad-go: every method did what it should with access control off")
}

func plugins(client *api.Client) {
	plugins := client.CSIPlugins()
	covered(plugins, "List", "Info")

	list, meta, err := plugins.List(nil)
	must(err)
	check(len(list) == 3 && list[1].ID == "local" && list[1].ControllersHealthy == 1, list)
	check(meta.LastIndex > 0 && meta.KnownLeader, meta)

	plugin, _, err := plugins.Info("local", nil)
	must(err)
	check(plugin.ID == "local" && plugin.Provider == "local.saddlebag.dev" && len(plugin.Controllers) == 1 && len(plugin.Nodes) == 1, plugin)

	_, _, err = plugins.Info("nope", nil)
	refused(err, 404, "plugin not found")

	before := time.Now()
	_, same, err := plugins.List(&api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: 100 * time.Millisecond})
	must(err)
	check(same.LastIndex == meta.LastIndex && time.Since(before) >= 100*time.Millisecond, same)
}

func volumes(client *api.Client) {
	volumes := client.CSIVolumes()
	covered(volumes, "Create", "CreateOpts", "CreateSnapshot", "Delete", "DeleteOpts", "DeleteSnapshot", "Deregister", "Detach",
		"Info", "List", "ListExternal", "ListSnapshots", "ListSnapshotsOpts", "PluginList", "Register", "RegisterOpts")

	request := volume("pgdata", "local", 1<<20)
	request.Secrets = api.CSISecrets{"password": "xyzzy"}
	made, write, err := volumes.Create(request, nil)
	must(err)
	check(len(made) == 1 && made[0].ExternalID != "" && made[0].Capacity == 1<<20 && len(made[0].Secrets) == 0, made)
	check(write.LastIndex > 0, write)

	answer, _, err := volumes.CreateOpts(&api.CSIVolumeCreateRequest{Volumes: []*api.CSIVolume{volume("blocks", "local", 1<<20)}}, nil)
	must(err)
	check(len(answer.Volumes) == 1 && answer.Warnings == "", answer)

	list, meta, err := volumes.List(nil)
	must(err)
	check(len(list) == 2 && list[0].ID == "blocks" && list[1].ID == "pgdata", "newest first:", list)
	check(meta.LastIndex >= write.LastIndex && meta.NextToken == "", meta)

	page, meta, err := volumes.List(&api.QueryOptions{PerPage: 1})
	must(err)
	check(len(page) == 1 && page[0].ID == "blocks" && meta.NextToken != "", page, meta)
	page, meta, err = volumes.List(&api.QueryOptions{PerPage: 1, NextToken: meta.NextToken})
	must(err)
	check(len(page) == 1 && page[0].ID == "pgdata" && meta.NextToken == "", page, meta)

	page, _, err = volumes.List(&api.QueryOptions{Params: map[string]string{"plugin_id": "mock"}})
	must(err)
	check(len(page) == 0, page)
	page, _, err = volumes.PluginList("pg")
	must(err)
	check(len(page) == 1 && page[0].ID == "pgdata", page)

	found, meta, err := volumes.Info("pgdata", nil)
	must(err)
	check(found.Schedulable && found.Provider == "local.saddlebag.dev" && len(found.Topologies) == 1 && found.Topologies[0] != nil, found)
	check(found.ResourceExhausted.IsZero() && found.RequestedTopologies == nil && found.CreateIndex > 0, found)

	woken := make(chan *api.CSIVolume)
	go func() {
		found, newer, err := volumes.Info("pgdata", &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		must(err)
		check(newer.LastIndex > meta.LastIndex, newer)
		woken <- found
	}()
	_, _, err = volumes.Create(volume("pgdata", "local", 2<<20), nil)
	must(err)
	check(wait(woken, "the waiting read").Capacity == 2<<20, "the waiting read")

	external, _, err := volumes.ListExternal("local", &api.QueryOptions{PerPage: 1})
	must(err)
	check(len(external.Volumes) == 1 && external.NextToken != "", external)
	external, _, err = volumes.ListExternal("local", &api.QueryOptions{PerPage: 1, NextToken: external.NextToken})
	must(err)
	check(len(external.Volumes) == 1 && external.NextToken == "", external)

	must(volumes.Deregister("pgdata", false, nil))
	_, _, err = volumes.Info("pgdata", nil)
	refused(err, 404, "volume not found")
	again := volume("pgdata", "local", 0)
	again.ExternalID = made[0].ExternalID
	_, err = volumes.Register(again, nil)
	must(err)
	registered, _, err := volumes.RegisterOpts(&api.CSIVolumeRegisterRequest{Volumes: []*api.CSIVolume{again}}, nil)
	must(err)
	check(len(registered.Volumes) == 1 && registered.Volumes[0].ExternalID == again.ExternalID, registered)

	// What this client sends back of what it read counts for nothing that only the server sets.
	found, _, err = volumes.Info("pgdata", nil)
	must(err)
	_, err = volumes.Register(found, nil)
	must(err)

	nodes, _, err := client.Nodes().List(nil)
	must(err)
	must(volumes.Detach("pgdata", nodes[0].ID, nil))

	refused(volumes.Detach("nope", nodes[0].ID, nil), 404, "no such volume")
	refused(volumes.Deregister("nope", false, nil), 404, "volume not found: nope")
	second := volume("second", "local", 0)
	second.ExternalID = again.ExternalID
	_, err = volumes.Register(second, nil)
	check(err != nil && strings.HasPrefix(err.Error(), "Unexpected response code: 409 ("), err)
	_, _, err = volumes.Create(volume("early", "gone", 0), nil)
	refused(err, 503, "no healthy controllers for CSI plugin: gone")
	_, _, err = volumes.Create(volume("nowhere", "nope", 0), nil)
	refused(err, 404, "no CSI plugin named: nope could be found")
	_, _, err = volumes.ListExternal("nope", &api.QueryOptions{})
	refused(err, 404, "no such plugin")
}

func snapshots(client *api.Client) {
	volumes := client.CSIVolumes()
	taken, write, err := volumes.CreateSnapshot(&api.CSISnapshot{
		SourceVolumeID: "pgdata", Name: "nightly", PluginID: "local", Secrets: api.CSISecrets{"password": "xyzzy"},
	}, nil)
	must(err)
	check(len(taken.Snapshots) == 1 && taken.Snapshots[0].ID != "" && taken.Snapshots[0].IsReady, taken)
	check(write.RequestTime > 0, write)

	list, _, err := volumes.ListSnapshotsOpts(&api.CSISnapshotListRequest{PluginID: "local"})
	must(err)
	check(len(list.Snapshots) == 1 && list.Snapshots[0].ID == taken.Snapshots[0].ID && list.NextToken == "", list)
	list, _, err = volumes.ListSnapshots("local", "", &api.QueryOptions{PerPage: 1})
	must(err)
	check(len(list.Snapshots) == 1, list)
	_, _, err = volumes.ListSnapshotsOpts(&api.CSISnapshotListRequest{PluginID: "mock"})
	check(err != nil && strings.HasPrefix(err.Error(), "Unexpected response code: 501 ("), err)

	must(volumes.DeleteSnapshot(&api.CSISnapshot{ID: taken.Snapshots[0].ID, PluginID: "local"}, nil))
	list, _, err = volumes.ListSnapshotsOpts(&api.CSISnapshotListRequest{PluginID: "local"})
	must(err)
	check(len(list.Snapshots) == 0, list)

	must(volumes.Delete("blocks", nil))
	must(volumes.DeleteOpts(&api.CSIVolumeDeleteRequest{ExternalVolumeID: "pgdata", Secrets: api.CSISecrets{"password": "xyzzy"}}, nil))
	left, _, err := volumes.List(nil)
	must(err)
	check(len(left) == 0, left)
	refused(volumes.Delete("pgdata", nil), 404, "volume not found: pgdata")
}
