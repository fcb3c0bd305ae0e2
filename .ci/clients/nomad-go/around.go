package main

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/api/contexts"
)

func nodes(client *api.Client) {
	nodes := client.Nodes()
	list, meta, err := nodes.List(nil)
	must(err)
	check(len(list) == 1 && list[0].Status == "ready" && list[0].SchedulingEligibility == "eligible" && !list[0].Drain, list)
	check(meta.LastIndex > 0 && meta.KnownLeader, meta)
	id := list[0].ID
	byPrefix, _, err := nodes.PrefixList(id[:4])
	must(err)
	check(len(byPrefix) == 1 && byPrefix[0].ID == id, byPrefix)
	byPrefix, _, err = nodes.PrefixListOpts("no-such-node", nil)
	must(err)
	check(len(byPrefix) == 0, byPrefix)

	node, _, err := nodes.Info(id, nil)
	must(err)
	local, controller := node.CSINodePlugins["local"], node.CSIControllerPlugins["local"]
	check(node.ID == id && local != nil && local.Healthy, node)
	check(local.NodeInfo != nil && local.NodeInfo.ID != "" && local.NodeInfo.RequiresNodeStageVolume && local.ControllerInfo == nil, local)
	check(controller != nil && controller.ControllerInfo.SupportsListVolumes && controller.ControllerInfo.SupportsClone, controller)
	check(!controller.UpdateTime.IsZero() && controller.NodeInfo == nil, controller)
	gone := node.CSIControllerPlugins["gone"]
	check(gone != nil && !gone.Healthy && gone.HealthDescription != "", gone)
	_, _, err = nodes.Info("11111111-2222-3333-4444-555555555555", nil)
	refused(err, 404, "node not found")

	allocations, meta2, err := nodes.Allocations(id, nil)
	must(err)
	check(meta2.LastIndex > 0 && len(allocations) > 0, allocations, meta2)
	for _, allocation := range allocations {
		check(allocation.NodeID == id && allocation.ID != "" && allocation.JobID != "" && allocation.Namespace == "default", allocation)
	}
	allocations, _, err = nodes.Allocations("11111111-2222-3333-4444-555555555555", nil)
	must(err)
	check(len(allocations) == 0, allocations)

	there, err := nodes.CSIVolumes(id, nil)
	must(err)
	check(len(there) == 0, there)
	before := time.Now()
	_, same, err := nodes.List(&api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: 100 * time.Millisecond})
	must(err)
	check(same.LastIndex == meta.LastIndex && time.Since(before) >= 100*time.Millisecond, same)
}

func namespaces(client *api.Client) {
	namespaces := client.Namespaces()
	covered(namespaces, "Delete", "Info", "List", "PrefixList", "Register")

	write, err := namespaces.Register(&api.Namespace{Name: "team", Description: "of the team", Meta: map[string]string{"owner": "ann"}}, nil)
	must(err)
	check(write.LastIndex > 0, write)
	found, meta, err := namespaces.Info("team", nil)
	must(err)
	check(found.Description == "of the team" && found.Meta["owner"] == "ann" && found.CreateIndex == write.LastIndex, found)
	list, _, err := namespaces.List(nil)
	must(err)
	check(len(list) == 2, list)
	list, _, err = namespaces.PrefixList("te", nil)
	must(err)
	check(len(list) == 1 && list[0].Name == "team", list)
	_, _, err = namespaces.Info("nope", nil)
	refused(err, 404, "Namespace not found")
	_, err = namespaces.Register(&api.Namespace{Name: "a team"}, nil)
	check(err != nil && strings.HasPrefix(err.Error(), "Unexpected response code: 400 (Invalid namespace"), err)

	woken := make(chan uint64)
	go func() {
		_, newer, err := namespaces.Info("team", &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		must(err)
		woken <- newer.LastIndex
	}()
	write, err = namespaces.Register(&api.Namespace{Name: "team", Description: "renewed"}, nil)
	must(err)
	check(wait(woken, "the waiting read of a namespace") == write.LastIndex, write)

	volumes := client.CSIVolumes()
	_, _, err = volumes.Create(volume("theirs", "local", 1<<20), &api.WriteOptions{Namespace: "team"})
	must(err)
	_, _, err = volumes.Create(volume("ours", "local", 1<<20), nil)
	must(err)
	all, everywhere, err := volumes.List(&api.QueryOptions{Namespace: "*", PerPage: 1})
	must(err)
	check(len(all) == 1 && all[0].ID == "ours" && everywhere.NextToken == "team.theirs", all, everywhere)
	all, everywhere, err = volumes.List(&api.QueryOptions{Namespace: "*", PerPage: 1, NextToken: everywhere.NextToken})
	must(err)
	check(len(all) == 1 && all[0].Namespace == "team" && everywhere.NextToken == "", all, everywhere)
	all, _, err = volumes.List(&api.QueryOptions{Namespace: "*", Filter: `Namespace == "team" and PluginID == "local"`})
	must(err)
	check(len(all) == 1 && all[0].ID == "theirs", all)
	_, _, err = volumes.List(&api.QueryOptions{Filter: `Bogus == "x"`})
	refused(err, 400, `failed to read result page: error finding value in datum: /Bogus at part 0: couldn't find key: struct field with name "Bogus"`)
	_, _, err = volumes.List(&api.QueryOptions{Region: "mars"})
	refused(err, 400, "No path to region")

	_, err = namespaces.Delete("team", nil)
	refused(err, 409, "1 error occurred:\n\t* namespace \"team\" has volumes associated with it in regions: [global]")
	must(volumes.Delete("theirs", &api.WriteOptions{Namespace: "team"}))
	_, err = namespaces.Delete("team", nil)
	must(err)
	_, err = namespaces.Delete("team", nil)
	check(err != nil && strings.Contains(err.Error(), "namespace not found"), err)
}

func search(client *api.Client) {
	search := client.Search()
	covered(search, "FuzzySearch", "PrefixSearch")

	found, meta, err := search.PrefixSearch("ou", contexts.Volumes, nil)
	must(err)
	check(len(found.Matches[contexts.Volumes]) == 1 && found.Matches[contexts.Volumes][0] == "ours" && !found.Truncations[contexts.Volumes], found)
	check(meta.KnownLeader, meta)
	found, _, err = search.PrefixSearch("lo", contexts.All, nil)
	must(err)
	check(len(found.Matches[contexts.Plugins]) == 1 && len(found.Matches[contexts.Jobs]) == 1 && len(found.Matches[contexts.Evals]) == 0, found)
	_, _, err = search.PrefixSearch("x", contexts.Context("bogus"), nil)
	check(err != nil && strings.Contains(err.Error(), "context must be one of ["), err)

	parts, _, err := search.FuzzySearch("oca", contexts.Plugins, nil)
	must(err)
	check(len(parts.Matches[contexts.Plugins]) == 1 && parts.Matches[contexts.Plugins][0].ID == "local", parts)
	parts, _, err = search.FuzzySearch("urs", contexts.All, &api.QueryOptions{Namespace: "*"})
	must(err)
	check(len(parts.Matches[contexts.Volumes]) == 1 && parts.Matches[contexts.Volumes][0].Scope[0] == "default", parts)
}

func events(client *api.Client) {
	stream := client.EventStream()
	covered(stream, "Stream")
	_, meta, err := client.CSIVolumes().List(nil)
	must(err)

	follow := func(topics map[api.Topic][]string, index uint64) (<-chan *api.Events, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.Background())
		events, err := stream.Stream(ctx, topics, index, &api.QueryOptions{})
		must(err)
		return events, cancel
	}
	all, cancel := follow(map[api.Topic][]string{"CSIVolume": {"followed", "other"}, api.TopicNode: {"*"}}, meta.LastIndex+1)
	_, write, err := client.CSIVolumes().Create(volume("followed", "local", 1<<20), nil)
	must(err)
	told := wait(all, "the event of a created volume")
	must(told.Err)
	event := told.Events[0]
	check(told.Index == write.LastIndex && event.Index == told.Index && len(told.Events) == 1, told)
	check(event.Topic == "CSIVolume" && event.Type == "CSIVolumeRegistered" && event.Key == "followed", event)
	check(event.FilterKeys[len(event.FilterKeys)-1] == "local", event.FilterKeys)
	shown := event.Payload["Volume"].(map[string]any)
	check(shown["ID"] == "followed" && shown["Secrets"] == nil, shown)
	cancel()

	must(client.CSIVolumes().Delete("followed", nil))
	all, cancel = follow(map[api.Topic][]string{"CSIVolume": {"followed"}}, told.Index+1)
	var last api.Event
	for last.Type != "CSIVolumeDeregistered" {
		later := wait(all, "the event of a deleted volume, asked for when it was over")
		must(later.Err)
		check(later.Index > told.Index, later)
		last = later.Events[len(later.Events)-1]
	}
	cancel()

	_, err = stream.Stream(context.Background(), map[api.Topic][]string{"a": {"b:c"}}, 0, &api.QueryOptions{})
	refused(err, 400, "Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: a:b:c")
}

func agent(client *api.Client) {
	status := client.Status()
	covered(status, "Leader", "Peers", "RegionLeader")
	leader, err := status.Leader()
	must(err)
	peers, err := status.Peers()
	must(err)
	check(leader != "" && len(peers) == 1 && peers[0] == leader, leader, peers)
	leader, err = status.RegionLeader("global")
	must(err)
	check(leader == peers[0], leader)
	regions, err := client.Regions().List()
	must(err)
	check(len(regions) == 1 && regions[0] == "global", regions)

	health, err := client.Agent().Health()
	must(err)
	check(health.Server.Ok && health.Client.Ok, health)
	region, err := client.Agent().Region()
	must(err)
	name, err := client.Agent().NodeName()
	must(err)
	check(region == "global" && name != "", region, name)

	job, _, err := client.Jobs().Info("local", nil)
	must(err)
	check(*job.ID == "local" && job.TaskGroups[0].Tasks[0].CSIPluginConfig.ID == "local", job)
	jobs, _, err := client.Jobs().List(nil)
	must(err)
	check(len(jobs) == 3, jobs)
	jobs, _, err = client.Jobs().PrefixList("lo")
	must(err)
	check(len(jobs) == 1 && jobs[0].ID == "local", jobs)
	allocations, _, err := client.Jobs().Allocations("local", false, nil)
	must(err)
	check(len(allocations) > 0 && allocations[0].JobID == "local" && allocations[0].ClientStatus == "running", allocations)
	_, _, err = client.Jobs().Info("nope", nil)
	refused(err, 404, "job not found")
}
