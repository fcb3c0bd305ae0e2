//! The rules of a policy: what its text says, read once.
//!
//! The text is HCL or JSON. What is wrong with it is told in Nomad's words, Go's way to print a value
//! included; what is no HCL at all, in our own.

use super::capability;
use crate::hcl::{self, Entry, Problem};
use serde_json::{Value, json};

/// A shorthand for what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// To scale jobs.
    Scale,
    /// To list.
    List,
    /// To read.
    Read,
    /// To change.
    Write,
    /// Nothing, whatever else says.
    Deny,
}

impl Level {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "deny" => Level::Deny,
            "list" => Level::List,
            "read" => Level::Read,
            "scale" => Level::Scale,
            "write" => Level::Write,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Level::Deny => "deny",
            Level::List => "list",
            Level::Read => "read",
            Level::Scale => "scale",
            Level::Write => "write",
        }
    }
}

/// A rule about what a name or a glob stands for: namespaces, node pools, host volumes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedRule {
    /// The name or glob.
    pub name: String,
    /// The shorthand, if there is one.
    pub policy: Option<Level>,
    /// What is allowed: what the rule names, then what its shorthand stands for.
    pub capabilities: Vec<String>,
    /// Of a namespace: the paths of its variables, and what is allowed there. Kept and shown; there are
    /// no variables here.
    pub variables: Vec<(String, Vec<String>)>,
}

/// Everything that a policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// About namespaces.
    pub namespaces: Vec<NamedRule>,
    /// About node pools. Kept and shown; there are none here.
    pub node_pools: Vec<NamedRule>,
    /// About host volumes. Kept and shown; there are none here.
    pub host_volumes: Vec<NamedRule>,
    /// About what has no name, in the order of `SINGLE`. Those about operators, quotas and Sentinel are kept and shown;
    /// nothing here asks for them.
    single: [Option<Level>; 6],
}

/// The rules without a name: their block, and Go's type of them.
const SINGLE: [(&str, &str); 6] = [
    ("agent", "AgentPolicy"),
    ("node", "NodePolicy"),
    ("operator", "OperatorPolicy"),
    ("quota", "QuotaPolicy"),
    ("plugin", "PluginPolicy"),
    ("sentinel", "SentinelPolicy"),
];

const KEYS: [&str; 9] = [
    "namespace",
    "node_pool",
    "host_volume",
    "agent",
    "node",
    "operator",
    "quota",
    "plugin",
    "sentinel",
];

impl Rules {
    /// Reads a text. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = read(text).map_err(|problem| {
            let place = problem
                .place
                .map(|place| format!("At {}:{}: ", place.line, place.column));
            format!(
                "Failed to parse ACL Policy: {}{}",
                place.unwrap_or_default(),
                problem.message
            )
        })?;
        for rule in &mut rules.namespaces.kept {
            rule.fit("namespace", "Namespace", capability::is_known)?;
        }
        for rule in &mut rules.node_pools.kept {
            rule.fit("node pool", "NodePool", |word| {
                ["delete", "deny", "read", "write"].contains(&word)
            })?;
        }
        for rule in &mut rules.host_volumes.kept {
            let known = |word: &str| ["deny", "mount-readonly", "mount-readwrite"].contains(&word);
            rule.fit("host volume", "HostVolume", known)?;
        }
        let mut single = [None; 6];
        for (at, word) in rules.single.iter().enumerate() {
            let Some(word) = word else { continue };
            let (block, kind) = SINGLE[at];
            let level = Level::parse(word).filter(|level| *level != Level::Scale);
            single[at] = Some(level.ok_or_else(|| {
                format!("Invalid {block} policy: &acl.{kind}{{Policy:{word:?}}}")
            })?);
        }
        let rules = Rules {
            namespaces: rules.namespaces.expanded(capability::of_namespace),
            node_pools: rules.node_pools.expanded(capability::of_node_pool),
            host_volumes: rules.host_volumes.expanded(capability::of_host_volume),
            single,
        };
        match rules == Rules::default() {
            true => Err(format!("Invalid policy: {text}")),
            false => Ok(rules),
        }
    }

    /// About agents.
    pub fn agent(&self) -> Option<Level> {
        self.single[0]
    }

    /// About nodes.
    pub fn node(&self) -> Option<Level> {
        self.single[1]
    }

    /// About plugins.
    pub fn plugin(&self) -> Option<Level> {
        self.single[4]
    }

    /// As Nomad shows the rules of a policy whose text this is.
    pub fn to_json(&self, text: &str) -> Value {
        let single = |at: usize| self.single[at].map(|level| json!({ "Policy": level.as_str() }));
        json!({
            "Agent": single(0),
            "ExtraKeysHCL": null,
            "HostVolumes": list(&self.host_volumes, false),
            "Namespaces": list(&self.namespaces, true),
            "Node": single(1),
            "NodePools": list(&self.node_pools, false),
            "Operator": single(2),
            "Plugin": single(4),
            "Quota": single(3),
            "Raw": text,
            "Sentinel": single(5),
        })
    }
}

/// Named rules as JSON; Go shows none as null.
fn list(rules: &[NamedRule], with_variables: bool) -> Option<Vec<Value>> {
    let shown = |rule: &NamedRule| {
        let mut shown = json!({
            "Capabilities": (!rule.capabilities.is_empty()).then_some(&rule.capabilities),
            "Name": rule.name,
            "Policy": rule.policy.map_or("", Level::as_str),
        });
        if with_variables {
            let path = |(path, capabilities): &(String, Vec<String>)| json!({ "Capabilities": capabilities, "PathSpec": path });
            let paths: Vec<Value> = rule.variables.iter().map(path).collect();
            shown["Variables"] = match paths.is_empty() {
                true => Value::Null,
                false => json!({ "Paths": paths }),
            };
        }
        shown
    };
    (!rules.is_empty()).then(|| rules.iter().map(shown).collect())
}

/// What a text says, not judged yet.
#[derive(Default)]
struct Written {
    namespaces: Named,
    node_pools: Named,
    host_volumes: Named,
    single: [Option<String>; 6],
}

/// Rules about what has a name, not judged yet.
#[derive(Default)]
struct Named {
    kept: Vec<WrittenRule>,
}

/// A rule, its shorthand as it was written.
#[derive(Default)]
struct WrittenRule {
    rule: NamedRule,
    policy: String,
}

impl Named {
    fn expanded(self, of: impl Fn(Level) -> Vec<&'static str>) -> Vec<NamedRule> {
        let expand = |written: WrittenRule| {
            let mut rule = written.rule;
            let meant = rule.policy.map(&of).unwrap_or_default();
            rule.capabilities
                .extend(meant.into_iter().map(str::to_owned));
            rule
        };
        self.kept.into_iter().map(expand).collect()
    }
}

impl WrittenRule {
    /// Judges name, shorthand and capabilities, in this order.
    fn fit(
        &mut self,
        what: &str,
        kind: &str,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        let is_in_name = |b: u8| b.is_ascii_alphanumeric() || b"-_*".contains(&b);
        let name = &self.rule.name;
        if !(1..=128).contains(&name.len()) || !name.bytes().all(is_in_name) {
            return Err(format!("Invalid {what} name: {}", self.in_go(kind)));
        }
        if !self.policy.is_empty() {
            self.rule.policy = Level::parse(&self.policy);
            if self.rule.policy.is_none() {
                return Err(format!("Invalid {what} policy: {}", self.in_go(kind)));
            }
        }
        match self.rule.capabilities.iter().find(|word| !is_known(word)) {
            Some(word) => Err(format!(
                "Invalid {what} capability '{word}': {}",
                self.in_go(kind)
            )),
            None => Ok(()),
        }
    }

    /// As Go prints it.
    fn in_go(&self, kind: &str) -> String {
        let Self { rule, policy } = self;
        let capabilities = match rule.capabilities.is_empty() {
            true => "[]string(nil)".to_owned(),
            false => {
                let quoted: Vec<String> = rule
                    .capabilities
                    .iter()
                    .map(|it| format!("{it:?}"))
                    .collect();
                format!("[]string{{{}}}", quoted.join(", "))
            }
        };
        let variables = match (kind, rule.variables.is_empty()) {
            ("Namespace", true) => ", Variables:(*acl.VariablesPolicy)(nil)",
            ("Namespace", false) => ", Variables:(*acl.VariablesPolicy)(…)",
            _ => "",
        };
        let name = &rule.name;
        format!(
            "&acl.{kind}Policy{{Name:{name:?}, Policy:{policy:?}, Capabilities:{capabilities}{variables}}}"
        )
    }
}

fn read(text: &str) -> Result<Written, Problem> {
    let mut written = Written::default();
    for entry in hcl::parse_labelled(text)? {
        match entry.key.to_ascii_lowercase().as_str() {
            "namespace" => written.namespaces.read(&entry)?,
            "node_pool" => written.node_pools.read(&entry)?,
            "host_volume" => written.host_volumes.read(&entry)?,
            key => match SINGLE.iter().position(|(block, _)| *block == key) {
                Some(at) => {
                    if written.single[at].replace(level(&entry)?).is_some() {
                        let key = &entry.key;
                        let text = format!("`{key}` is given a second time");
                        return Err(Problem::at(entry.place, text));
                    }
                }
                None => return Err(entry.unknown("a policy", &KEYS)),
            },
        }
    }
    Ok(written)
}

/// The shorthand of a rule without a name.
fn level(entry: &Entry) -> Result<String, Problem> {
    let mut level = String::new();
    for inner in entry.blocks()?.into_iter().flatten() {
        match inner.key.to_ascii_lowercase().as_str() {
            "policy" => level = inner.node.text()?,
            _ => return Err(inner.unknown(&format!("`{}`", entry.key), &["policy"])),
        }
    }
    Ok(level)
}

impl Named {
    /// `key "name" { … }`, or as JSON has it: `key: { name: { … } }`.
    fn read(&mut self, entry: &Entry) -> Result<(), Problem> {
        for labelled in entry.blocks()?.into_iter().flatten() {
            for body in labelled.blocks()? {
                let mut rule = WrittenRule::default();
                rule.rule.name = labelled.key.clone();
                for inner in body {
                    match inner.key.to_ascii_lowercase().as_str() {
                        "policy" => rule.policy = inner.node.text()?,
                        "capabilities" => rule.rule.capabilities = inner.node.texts()?,
                        "variables" if entry.key.eq_ignore_ascii_case("namespace") => {
                            read_variables(inner, &mut rule.rule.variables)?;
                        }
                        _ => {
                            let of = format!("`{} {:?}`", entry.key, labelled.key);
                            return Err(inner.unknown(&of, &["policy", "capabilities"]));
                        }
                    }
                }
                self.kept.push(rule);
            }
        }
        Ok(())
    }
}

/// `variables { path "…" { capabilities = […] } }`.
fn read_variables(entry: &Entry, into: &mut Vec<(String, Vec<String>)>) -> Result<(), Problem> {
    for path in entry.blocks()?.into_iter().flatten() {
        if !path.key.eq_ignore_ascii_case("path") {
            return Err(path.unknown("`variables`", &["path"]));
        }
        for labelled in path.blocks()?.into_iter().flatten() {
            let mut capabilities = Vec::new();
            for inner in labelled.blocks()?.into_iter().flatten() {
                match inner.key.to_ascii_lowercase().as_str() {
                    "capabilities" => capabilities.extend(inner.node.texts()?),
                    _ => return Err(inner.unknown("`path`", &["capabilities"])),
                }
            }
            into.push((labelled.key.clone(), capabilities));
        }
    }
    Ok(())
}
