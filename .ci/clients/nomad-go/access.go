package main

import (
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

const secret = "11111111-2222-4333-8444-555555555555"

// unguarded: each but `token/self` says that access control is off.
func unguarded(client *api.Client) {
	_, _, err := client.ACLTokens().List(nil)
	refused(err, 400, "ACL support disabled")
	_, _, err = client.ACLPolicies().List(nil)
	refused(err, 400, "ACL support disabled")
	_, _, err = client.ACLRoles().List(nil)
	refused(err, 400, "ACL support disabled")
	_, _, err = client.ACLTokens().Bootstrap(nil)
	refused(err, 400, "ACL support disabled")
}

func guarded(client *api.Client) {
	_, _, err := client.CSIVolumes().List(nil)
	refused(err, 403, "Permission denied")
	first, write, err := client.ACLTokens().BootstrapOpts(secret, nil)
	must(err)
	check(first.SecretID == secret && first.Type == "management" && first.Global && first.CreateIndex == write.LastIndex, first)
	_, _, err = client.ACLTokens().Bootstrap(nil)
	check(err != nil && strings.Contains(err.Error(), "ACL bootstrap already done (reset index: "), err)
	client.SetSecretID(secret)

	policies(client)
	roles(client)
	tokens(client)
	asClient(client)
}

func policies(client *api.Client) {
	policies := client.ACLPolicies()
	covered(policies, "Delete", "Info", "List", "Self", "Upsert")

	rules := "namespace \"default\" { policy = \"read\" }\nplugin { policy = \"list\" }"
	write, err := policies.Upsert(&api.ACLPolicy{Name: "readers", Description: "may look", Rules: rules}, nil)
	must(err)
	_, err = policies.Upsert(&api.ACLPolicy{Name: "writers", Rules: `namespace "*" { policy = "write" }`}, nil)
	must(err)
	found, _, err := policies.Info("readers", nil)
	must(err)
	check(found.Description == "may look" && found.Rules == rules && found.CreateIndex == write.LastIndex, found)
	list, meta, err := policies.List(nil)
	must(err)
	check(len(list) == 2 && list[0].Name == "readers" && meta.LastIndex > write.LastIndex, list)
	list, _, err = policies.List(&api.QueryOptions{Prefix: "wri"})
	must(err)
	check(len(list) == 1 && list[0].Name == "writers", list)
	list, _, err = policies.Self(nil)
	must(err)
	check(len(list) == 0, "a management token has none:", list)

	woken := make(chan uint64)
	go func() {
		_, newer, err := policies.List(&api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		must(err)
		woken <- newer.LastIndex
	}()
	write, err = policies.Delete("writers", nil)
	must(err)
	check(wait(woken, "the waiting list of policies") == write.LastIndex, write)
	_, _, err = policies.Info("writers", nil)
	refused(err, 404, "ACL policy not found")
	_, err = policies.Upsert(&api.ACLPolicy{Name: "bad", Rules: `plugin { policy = "sing" }`}, nil)
	refused(err, 400, "policy 0 invalid: 1 error occurred:\n\t* failed to parse rules: Invalid plugin policy: &acl.PluginPolicy{Policy:\"sing\"}")
}

func roles(client *api.Client) {
	roles := client.ACLRoles()
	covered(roles, "Create", "Delete", "Get", "GetByName", "List", "Update")

	made, write, err := roles.Create(&api.ACLRole{Name: "team", Policies: []*api.ACLRolePolicyLink{{Name: "readers"}}}, nil)
	must(err)
	check(made.ID != "" && made.CreateIndex == write.LastIndex && made.Policies[0].Name == "readers", made)
	made.Description = "all of us"
	changed, _, err := roles.Update(made, nil)
	must(err)
	check(changed.ID == made.ID && changed.Description == "all of us" && changed.ModifyIndex > made.ModifyIndex, changed)
	found, _, err := roles.Get(made.ID, nil)
	must(err)
	named, _, err := roles.GetByName("team", nil)
	must(err)
	check(found.Description == "all of us" && named.ID == made.ID, found, named)
	list, _, err := roles.List(nil)
	must(err)
	check(len(list) == 1 && list[0].Name == "team", list)
	_, _, err = roles.Create(&api.ACLRole{Name: "team", Policies: made.Policies}, nil)
	refused(err, 400, "role with name team already exists")
	_, _, err = roles.Create(&api.ACLRole{Name: "other", Policies: []*api.ACLRolePolicyLink{{Name: "nope"}}}, nil)
	refused(err, 400, "cannot find policy nope")

	gone, _, err := roles.Create(&api.ACLRole{Name: "short", Policies: made.Policies}, nil)
	must(err)
	_, err = roles.Delete(gone.ID, nil)
	must(err)
	_, _, err = roles.Get(gone.ID, nil)
	refused(err, 404, "ACL role not found")
}

func tokens(client *api.Client) {
	tokens := client.ACLTokens()
	// of these saddlebag has no one-time tokens
	covered(tokens, "Bootstrap", "BootstrapOpts", "Create", "Delete", "ExchangeOneTimeToken", "Info", "List", "Self", "Update",
		"Upload", "UpsertOneTimeToken")

	self, _, err := tokens.Self(nil)
	must(err)
	check(self.SecretID == secret && self.Name == "Bootstrap Token", self)
	made, write, err := tokens.Create(&api.ACLToken{Name: "ann", Type: "client", Policies: []string{"readers"}}, nil)
	must(err)
	check(made.SecretID != "" && made.CreateIndex == write.LastIndex && !made.Global, made)
	short, _, err := tokens.Create(&api.ACLToken{Name: "ci", Type: "management", ExpirationTTL: time.Hour}, nil)
	must(err)
	check(short.ExpirationTTL == time.Hour && short.ExpirationTime.Sub(short.CreateTime) == time.Hour, short)
	found, _, err := tokens.Info(made.AccessorID, nil)
	must(err)
	check(found.Name == "ann" && found.Policies[0] == "readers" && found.SecretID == "", found)

	// What was read is sent back with a change, the secret that it does not hold included.
	found.Name = "anna"
	found.Roles = []*api.ACLTokenRoleLink{{Name: "team"}}
	changed, _, err := tokens.Update(found, nil)
	must(err)
	check(changed.Name == "anna" && len(changed.Roles) == 1 && changed.Roles[0].ID != "" && changed.AccessorID == made.AccessorID, changed)

	list, meta, err := tokens.List(nil)
	must(err)
	check(len(list) == 3 && list[0].Name == "Bootstrap Token" && list[1].Name == "anna" && list[2].ExpirationTime != nil, list)
	page, next, err := tokens.List(&api.QueryOptions{PerPage: 2})
	must(err)
	check(len(page) == 2 && next.NextToken != "", page, next)
	page, next, err = tokens.List(&api.QueryOptions{PerPage: 2, NextToken: next.NextToken})
	must(err)
	check(len(page) == 1 && page[0].Name == "ci" && next.NextToken == "", page, next)
	page, _, err = tokens.List(&api.QueryOptions{Reverse: true, Filter: `Type == "management"`})
	must(err)
	check(len(page) == 2 && page[0].Name == "ci", page)
	page, _, err = tokens.List(&api.QueryOptions{Params: map[string]string{"global": "true"}})
	must(err)
	check(len(page) == 1 && page[0].Global, page)
	page, _, err = tokens.List(&api.QueryOptions{Prefix: made.AccessorID[:8]})
	must(err)
	check(len(page) == 1 && page[0].AccessorID == made.AccessorID, page)

	woken := make(chan uint64)
	go func() {
		_, newer, err := tokens.List(&api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		must(err)
		woken <- newer.LastIndex
	}()
	write, err = tokens.Delete(short.AccessorID, nil)
	must(err)
	check(wait(woken, "the waiting list of tokens") == write.LastIndex, write)

	_, _, err = tokens.Info("11111111-2222-3333-4444-555555555555", nil)
	refused(err, 404, "ACL token not found")
	_, err = tokens.Delete(short.AccessorID, nil)
	refused(err, 400, "Cannot delete nonexistent tokens: "+short.AccessorID)
	_, _, err = tokens.Create(&api.ACLToken{Type: "client"}, nil)
	refused(err, 400, "token 0 invalid: 1 error occurred:\n\t* client token missing policies or roles")
	missing := &api.ACLToken{AccessorID: short.AccessorID, SecretID: secret, Type: "client", Policies: []string{"readers"}}
	_, _, err = tokens.Upload(missing, nil)
	refused(err, 400, "cannot find token "+short.AccessorID)
}

// asClient: what a token with policies and a role may do, and who asks without one.
func asClient(client *api.Client) {
	made, _, err := client.ACLTokens().Create(&api.ACLToken{Name: "bob", Type: "client", Roles: []*api.ACLTokenRoleLink{{Name: "team"}}}, nil)
	must(err)
	client.SetSecretID(made.SecretID)
	volumes, plugins := client.CSIVolumes(), client.CSIPlugins()
	list, _, err := volumes.List(nil)
	must(err)
	check(len(list) == 0, list)
	seen, _, err := plugins.List(nil)
	must(err)
	check(len(seen) == 1, seen)
	_, _, err = plugins.Info("local", nil)
	refused(err, 403, "Permission denied")
	_, _, err = volumes.Create(volume("db", "local", 1<<20), nil)
	refused(err, 403, "Permission denied")
	_, _, err = client.ACLTokens().List(nil)
	refused(err, 403, "Permission denied")
	_, _, err = client.Nodes().List(nil)
	refused(err, 403, "Permission denied")
	own, _, err := client.ACLPolicies().List(nil)
	must(err)
	check(len(own) == 1 && own[0].Name == "readers", own)
	mine, _, err := client.ACLPolicies().Self(nil)
	must(err)
	check(len(mine) == 1 && mine[0].Name == "readers", mine)
	belong, _, err := client.ACLRoles().List(nil)
	must(err)
	check(len(belong) == 1 && belong[0].Name == "team", belong)
	self, _, err := client.ACLTokens().Self(nil)
	must(err)
	check(self.SecretID == made.SecretID && self.Roles[0].Name == "team", self)

	client.SetSecretID("11111111-2222-3333-4444-555555555555")
	_, _, err = volumes.List(nil)
	refused(err, 403, "Permission denied")
	client.SetSecretID("")
	_, _, err = volumes.List(nil)
	refused(err, 403, "Permission denied")
	client.SetSecretID(secret)
	_, err = client.ACLPolicies().Upsert(&api.ACLPolicy{Name: "anonymous", Rules: `namespace "default" { policy = "read" }`}, nil)
	must(err)
	client.SetSecretID("")
	_, _, err = volumes.List(nil)
	must(err)
}
