//! A plugin job as an operator gives it.

mod table;

use crate::csi::{Endpoint, Pace, Reference};
use crate::id::{JobId, Namespace, PluginId};
use crate::plugin::PluginType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use table::Table;

/// A plugin job as an operator gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct PluginConfig {
    /// The plugin that it brings.
    pub plugin: PluginId,
    /// The services that it brings.
    pub kind: PluginType,
    /// How its driver is reached.
    pub launch: Launch,
    /// A file with the secrets that each call about its volumes and snapshots carries, below those of
    /// the volume or request: a JSON object of strings, readable by its owner only.
    pub secrets: Option<PathBuf>,
    /// Secrets beside those, by reference: read at each call.
    pub secrets_from: BTreeMap<String, Reference>,
    /// The namespace of the job; it is made if it is not there. Default: `default`.
    pub namespace: Namespace,
    /// How paths of this host look to the driver, if it sees them elsewhere: in a container. Paths of
    /// its volumes lie below.
    pub base_dir: Option<BaseDir>,
    /// How often the driver is asked how it is.
    pub health: Pace,
}

/// One folder, by the two names that it has on the host and inside the driver's container. Mounts below
/// have to be shared with the container (`rshared`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseDir {
    /// Its absolute path on the host.
    pub host: PathBuf,
    /// Its absolute path as the driver sees it.
    pub driver: PathBuf,
}

/// `HOST:DRIVER`, both absolute.
impl FromStr for BaseDir {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("base_dir {text:?} is not HOST:DRIVER, two absolute folders");
        let (host, driver) = text.split_once(':').ok_or_else(wrong)?;
        let (host, driver) = (PathBuf::from(host), PathBuf::from(driver));
        match host.is_absolute() && driver.is_absolute() {
            true => Ok(Self { host, driver }),
            false => Err(wrong()),
        }
    }
}

/// How a driver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    /// It listens already.
    Listening(Endpoint),
    /// We start this program with these arguments, tell it its socket as `CSI_ENDPOINT`, and start
    /// it again when it ends.
    Command(Vec<String>),
}

impl PluginConfig {
    /// A monolith in the default namespace, without secrets.
    pub fn new(plugin: PluginId, launch: Launch) -> Self {
        Self {
            plugin,
            kind: PluginType::default(),
            launch,
            secrets: None,
            secrets_from: BTreeMap::new(),
            namespace: Namespace::default_namespace(),
            base_dir: None,
            health: Pace::default(),
        }
    }

    /// The id of the job: the plugin's, and the service where it brings only one. Of several that
    /// would be equal, the second and later ones get a number.
    pub fn job_ids(all: &[PluginConfig]) -> Vec<JobId> {
        let base = |config: &PluginConfig| match config.kind {
            PluginType::Monolith => config.plugin.to_string(),
            PluginType::Controller | PluginType::Node => {
                format!("{}-{}", config.plugin, config.kind.as_str())
            }
        };
        let bases: Vec<String> = all.iter().map(base).collect();
        bases
            .iter()
            .enumerate()
            .map(|(at, base)| {
                let before = bases[..at].iter().filter(|other| *other == base).count();
                JobId::known(match before {
                    0 => base.clone(),
                    more => format!("{base}-{}", more + 1),
                })
            })
            .collect()
    }
}

/// `id=NAME,endpoint=unix:///PATH[,type=controller|node|monolith][,secrets=FILE]
/// [,base_dir=HOST:DRIVER]`, or `command=PROGRAM ARGUMENT …`
/// in place of `endpoint=`. A command is the last part and may hold commas; it is split at spaces.
impl FromStr for PluginConfig {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut id, mut endpoint, mut command) = (None, None, None);
        let (mut kind, mut secrets, mut base_dir) = (None, None, None);
        let mut rest = text;
        while !rest.is_empty() {
            let (key, after) = rest
                .split_once('=')
                .ok_or_else(|| format!("{rest:?} is not KEY=VALUE"))?;
            let (value, next) = match key {
                "command" => (after, ""),
                _ => after.split_once(',').unwrap_or((after, "")),
            };
            let place = match key {
                "id" => &mut id,
                "endpoint" => &mut endpoint,
                "command" => &mut command,
                "type" => &mut kind,
                "secrets" => &mut secrets,
                "base_dir" => &mut base_dir,
                other => {
                    return Err(format!(
                        "unknown key {other:?}: use id, endpoint, command, type, secrets, base_dir"
                    ));
                }
            };
            if place.replace(value).is_some() {
                return Err(format!("{key} is given twice"));
            }
            rest = next;
        }
        let plugin = PluginId::parse(id.ok_or("id= is missing")?)?;
        let kind = match kind {
            None => PluginType::default(),
            Some(word) => <PluginType as clap::ValueEnum>::from_str(word, false)
                .map_err(|_| format!("type {word:?} is not controller, node or monolith"))?,
        };
        let launch = match (endpoint, command) {
            (Some(endpoint), None) => {
                Launch::Listening(endpoint.parse().map_err(|e| format!("endpoint: {e}"))?)
            }
            (None, Some(command)) => {
                let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
                if words.is_empty() {
                    return Err("command= names no program".to_owned());
                }
                Launch::Command(words)
            }
            _ => return Err("give either endpoint= or command=".to_owned()),
        };
        Ok(Self {
            kind,
            secrets: secrets.map(PathBuf::from),
            base_dir: base_dir.map(str::parse).transpose()?,
            ..Self::new(plugin, launch)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_given_in_one_flag() {
        let given: PluginConfig = "id=ceph,endpoint=unix:///run/ceph.sock,type=node"
            .parse()
            .unwrap();
        assert_eq!(given.plugin.as_str(), "ceph");
        assert_eq!(given.kind, PluginType::Node);
        let started: PluginConfig = "id=nfs,command=/bin/nfs --opt a,b".parse().unwrap();
        let words = ["/bin/nfs", "--opt", "a,b"].map(str::to_owned).to_vec();
        assert_eq!(started.launch, Launch::Command(words));
        assert_eq!(started.kind, PluginType::Monolith);
    }

    #[test]
    fn what_is_wrong_in_a_flag_is_named() {
        for (flag, problem) in [
            ("endpoint=unix:///a", "id= is missing"),
            ("id=a", "either endpoint= or command="),
            (
                "id=a,endpoint=unix:///a,command=b",
                "either endpoint= or command=",
            ),
            ("id=a,colour=red", "unknown key \"colour\""),
            ("id=a,id=b", "id is given twice"),
            ("id=a,endpoint=unix:///a,type=x", "type \"x\""),
            ("id=a,endpoint=http://a", "endpoint: "),
            ("id=a/b,endpoint=unix:///a", "must not contain '/'"),
            ("a", "not KEY=VALUE"),
        ] {
            let error = flag.parse::<PluginConfig>().unwrap_err();
            assert!(error.contains(problem), "{flag}: {error}");
        }
    }

    #[test]
    fn each_job_has_an_id_of_its_own() {
        let one = |flag: &str| flag.parse::<PluginConfig>().unwrap();
        let all = [
            one("id=a,endpoint=unix:///1"),
            one("id=a,endpoint=unix:///2"),
            one("id=a,endpoint=unix:///3,type=node"),
        ];
        let ids: Vec<_> = PluginConfig::job_ids(&all)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(ids, ["a", "a-2", "a-node"]);
    }
}
