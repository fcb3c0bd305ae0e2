//! A plugin job as a table of the configuration file.

use super::{BaseDir, Launch, PluginConfig};
use crate::config::Period;
use crate::csi::{Endpoint, Pace, Reference};
use crate::id::{Namespace, PluginId};
use crate::plugin::PluginType;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The keys of a `[[plugin]]`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(deserialize_with = "plugin_id")]
    id: PluginId,
    #[serde(rename = "type", default)]
    kind: PluginType,
    #[serde(
        default,
        deserialize_with = "endpoint",
        serialize_with = "endpoint_text"
    )]
    endpoint: Option<Endpoint>,
    command: Option<Words>,
    secrets: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets_from: BTreeMap<String, Reference>,
    #[serde(
        default = "Namespace::default_namespace",
        deserialize_with = "namespace"
    )]
    namespace: Namespace,
    base_dir: Option<BaseDir>,
    #[serde(default)]
    health: Health,
}

/// How often a driver is asked how it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Health {
    interval: Period,
    refresh: Period,
}

impl Default for Health {
    fn default() -> Self {
        Pace::default().into()
    }
}

impl From<Pace> for Health {
    fn from(pace: Pace) -> Self {
        Self {
            interval: pace.interval.into(),
            refresh: pace.refresh.into(),
        }
    }
}

/// A program and its arguments: an array, or a text that is split at spaces.
#[derive(Serialize)]
#[serde(transparent)]
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a program with its arguments, as an array or as a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
                Ok(text.split_whitespace().map(str::to_owned).collect())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                Ok(words)
            }
        }

        let words = deserializer.deserialize_any(Either)?;
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self(words)),
            _ => Err(de::Error::custom("the command names no program")),
        }
    }
}

impl TryFrom<Table> for PluginConfig {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let id = table.id.as_str();
        let launch = match (table.endpoint, table.command) {
            (Some(endpoint), None) => Launch::Listening(endpoint),
            (None, Some(Words(command))) => Launch::Command(command),
            _ => {
                return Err(format!(
                    "plugin {id:?} needs either endpoint, where its driver listens, or command, which starts it"
                ));
            }
        };
        if let Some(base_dir) = &table.base_dir {
            base_dir
                .check()
                .map_err(|problem| format!("plugin {id:?}: {problem}"))?;
        }
        Ok(Self {
            plugin: table.id,
            kind: table.kind,
            launch,
            secrets: table.secrets,
            secrets_from: table.secrets_from,
            namespace: table.namespace,
            base_dir: table.base_dir,
            health: Pace {
                interval: table.health.interval.into(),
                refresh: table.health.refresh.into(),
            },
        })
    }
}

impl From<PluginConfig> for Table {
    fn from(plugin: PluginConfig) -> Self {
        let (endpoint, command) = match plugin.launch {
            Launch::Listening(endpoint) => (Some(endpoint), None),
            Launch::Command(words) => (None, Some(Words(words))),
        };
        Self {
            id: plugin.plugin,
            kind: plugin.kind,
            endpoint,
            command,
            secrets: plugin.secrets,
            secrets_from: plugin.secrets_from,
            namespace: plugin.namespace,
            base_dir: plugin.base_dir,
            health: plugin.health.into(),
        }
    }
}

impl BaseDir {
    fn check(&self) -> Result<(), String> {
        match self.host.is_absolute() && self.driver.is_absolute() {
            true => Ok(()),
            false => {
                Err("base_dir needs two absolute paths: { host = \"/…\", driver = \"/…\" }".into())
            }
        }
    }
}

fn plugin_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PluginId, D::Error> {
    PluginId::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn namespace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Namespace, D::Error> {
    Namespace::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Endpoint>, D::Error> {
    let endpoint = String::deserialize(deserializer)?.parse();
    endpoint.map(Some).map_err(de::Error::custom)
}

fn endpoint_text<S: Serializer>(endpoint: &Option<Endpoint>, to: S) -> Result<S::Ok, S::Error> {
    endpoint.as_ref().map(Endpoint::to_string).serialize(to)
}
