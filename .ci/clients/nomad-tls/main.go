// Drives a live saddlebag over TLS with Nomad's own Go client, unmodified, configured by its own variables of the environment
// alone: NOMAD_ADDR, NOMAD_CACERT, NOMAD_CLIENT_CERT, NOMAD_CLIENT_KEY, NOMAD_TLS_SERVER_NAME.
//
// Its argument is what has to come of that: `answered`, or a part of the error.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/nomad/api"
)

func check(holds bool, what ...any) {
	if !holds {
		fmt.Fprintln(os.Stderr, append([]any{"this should not be:"}, what...)...)
		os.Exit(1)
	}
}

func must(err error) { check(err == nil, err) }

func main() {
	expected := os.Args[1]
	client, err := api.NewClient(api.DefaultConfig())
	must(err)
	plugins, _, err := client.CSIPlugins().List(nil)
	if expected != "answered" {
		check(err != nil && strings.Contains(err.Error(), expected), err, "was expected to say", expected)
		return
	}
	must(err)
	check(len(plugins) == 1 && plugins[0].ID == "local", plugins)
	volumes := client.CSIVolumes()
	_, _, err = volumes.Create(&api.CSIVolume{
		ID: "pgdata", Name: "pgdata", PluginID: "local", RequestedCapacityMin: 1 << 20,
		RequestedCapabilities: []*api.CSIVolumeCapability{{
			AccessMode: api.CSIVolumeAccessModeSingleNodeWriter, AttachmentMode: api.CSIVolumeAttachmentModeFilesystem,
		}},
	}, nil)
	must(err)
	_, meta, err := volumes.Info("pgdata", nil)
	must(err)
	woken := make(chan error)
	go func() {
		_, _, err := volumes.List(&api.QueryOptions{WaitIndex: meta.LastIndex})
		woken <- err
	}()
	must(volumes.DeleteOpts(&api.CSIVolumeDeleteRequest{ExternalVolumeID: "pgdata"}, nil))
	must(<-woken)
}
