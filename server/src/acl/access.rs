//! What a caller may do.

use super::{Level, Rules, capability, glob};
use saddlebag_client::operations::{AgentPolicy, NodePolicy, PluginPolicy};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What a caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything: access control is off, or the token is a management token.
    Everything,
    /// What rules grant, and nothing else.
    Granted(Granted),
}

/// What the rules of several policies grant together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// By name or glob: all that any policy allows under it.
    namespaces: BTreeMap<String, BTreeSet<String>>,
    agent: Option<Level>,
    node: Option<Level>,
    plugin: Option<Level>,
}

impl Granted {
    /// What these grant together. Of several shorthands about the same the strongest counts, `deny` above
    /// all.
    pub fn of<'r>(policies: impl IntoIterator<Item = &'r Rules>) -> Self {
        let mut granted = Self::default();
        for rules in policies {
            for rule in &rules.namespaces {
                let allowed = granted.namespaces.entry(rule.name.clone()).or_default();
                allowed.extend(rule.capabilities.iter().cloned());
            }
            granted.agent = granted.agent.max(rules.agent());
            granted.node = granted.node.max(rules.node());
            granted.plugin = granted.plugin.max(rules.plugin());
        }
        granted
    }

    /// What is allowed in a namespace: under its exact name, or else under the closest glob, of equally
    /// close ones the last by its bytes.
    fn in_namespace(&self, namespace: &str) -> Option<&BTreeSet<String>> {
        if let Some(allowed) = self.namespaces.get(namespace) {
            return Some(allowed);
        }
        let globs = self
            .namespaces
            .iter()
            .filter(|(name, _)| name.contains('*'));
        globs
            .filter(|(name, _)| glob::matches(name, namespace))
            .max_by_key(|(name, _)| Reverse(glob::distance(name, namespace)))
            .map(|(_, allowed)| allowed)
    }
}

/// Every namespace.
const ALL: &str = "*";

impl Access {
    /// Nothing at all.
    pub fn nothing() -> Self {
        Access::Granted(Granted::default())
    }

    /// Whether any one of these capabilities is there in a namespace; in `*`, whether some rule grants one.
    pub fn in_namespace(&self, namespace: &str, any_of: &[&str]) -> bool {
        let Access::Granted(granted) = self else {
            return true;
        };
        let suffices = |allowed: &BTreeSet<String>| {
            let has = |word: &&str| match *word {
                capability::ANY => !allowed.is_empty(),
                word => allowed.contains(word),
            };
            !allowed.contains(capability::DENY) && any_of.iter().any(has)
        };
        match namespace {
            ALL => granted.namespaces.values().any(suffices),
            name => granted.in_namespace(name).is_some_and(suffices),
        }
    }

    /// Whether plugins may be listed, or read. As in Nomad, `write` allows neither.
    pub fn plugin(&self, needed: PluginPolicy) -> bool {
        self.single(
            |granted| granted.plugin,
            match needed {
                PluginPolicy::List => &[Level::List, Level::Read],
                PluginPolicy::Read => &[Level::Read],
            },
        )
    }

    /// Whether nodes may be read, or changed.
    pub fn node(&self, needed: NodePolicy) -> bool {
        self.single(
            |granted| granted.node,
            match needed {
                NodePolicy::Read => &[Level::Read, Level::Write],
                NodePolicy::Write => &[Level::Write],
            },
        )
    }

    /// Whether agents may be read, or changed.
    pub fn agent(&self, needed: AgentPolicy) -> bool {
        self.single(
            |granted| granted.agent,
            match needed {
                AgentPolicy::Read => &[Level::Read, Level::Write],
                AgentPolicy::Write => &[Level::Write],
            },
        )
    }

    /// Whether everything may be done.
    pub fn is_everything(&self) -> bool {
        *self == Access::Everything
    }

    fn single(&self, of: impl Fn(&Granted) -> Option<Level>, suffices: &[Level]) -> bool {
        match self {
            Access::Everything => true,
            Access::Granted(granted) => of(granted).is_some_and(|level| suffices.contains(&level)),
        }
    }
}
