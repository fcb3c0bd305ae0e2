# A volume, for `saddlebag volume create`. Only id, name, plugin_id and a capability are needed.
id   = "pgdata"
name = "pgdata"
type = "csi"

# The plugin that holds it: see `saddlebag plugin list`.
plugin_id = "local"

# How large it is to be, at least and at most. "10GiB" is 10 * 1024^3 bytes, "10GB" is 10 * 1000^3.
capacity_min = "1MiB"
capacity_max = "1GiB"

# Each way in which it may be used:
#   access_mode      single-node-writer, single-node-reader-only, multi-node-reader-only,
#                    multi-node-single-writer or multi-node-multi-writer
#   attachment_mode  file-system or block-device
capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}

# How its file system is mounted.
mount_options {
  fs_type     = "ext4"
  mount_flags = ["noatime"]
}

# Where it comes from, if it is not to be empty: a snapshot (`saddlebag volume snapshot list`), or another volume by
# its external id.
# snapshot_id = "snap-031f5f7e"
# clone_id    = "vol-5d7b0c9e"

# From where it has to be reachable, by the topology keys of the driver (`saddlebag plugin status --verbose ID`).
# topology_request {
#   required {
#     topology { segments { "topology.example.com/zone" = "a" } }
#     topology { segments { "topology.example.com/zone" = "b" } }
#   }
#   preferred {
#     topology { segments { "topology.example.com/zone" = "a" } }
#   }
# }

# What the driver is told, in its own words. Everyone may read parameters; secrets are kept encrypted and never shown.
# parameters {
#   tier = "gold"
# }
# secrets {
#   password = "xyzzy"
# }
# Or, so that the secret is in no file of yours and never stored: where the server reads it from at each call, as far as
# its configuration lets it (secrets.from_folders, from_variables, from_credentials).
# secrets_from {
#   password { file = "/run/secrets/pgdata" }
#   token    { env  = "PGDATA_TOKEN" }
#   key      { credential = "pgdata" }
# }

# For `saddlebag volume register`: the storage's own name of a volume that exists, and what its driver needs to know.
# external_id = "vol-5d7b0c9e"
# context {
#   pool = "slow"
# }
