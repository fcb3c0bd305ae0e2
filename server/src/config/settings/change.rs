//! Settings by the names of their keys: to be shown, and to be compared.

use super::Settings;
use std::collections::BTreeMap;
use toml::{Table, Value};

impl Settings {
    /// As a configuration file, without comments.
    pub fn shown(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    /// The keys, in order, whose values differ, tables' keys as `table.key`.
    pub fn differences(&self, other: &Self) -> Result<Vec<String>, String> {
        let (ours, theirs) = (self.by_key()?, other.by_key()?);
        let differs = |key: &&String| ours.get(*key) != theirs.get(*key);
        let mut keys: Vec<String> = ours
            .keys()
            .chain(theirs.keys())
            .filter(differs)
            .cloned()
            .collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Each key with its value, tables' keys as `table.key`.
    pub fn by_key(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut found = BTreeMap::new();
        for (key, value) in Table::try_from(self).map_err(|error| error.to_string())? {
            match value {
                Value::Table(table) => {
                    let inner = table
                        .into_iter()
                        .map(|(inner, value)| (format!("{key}.{inner}"), value));
                    found.extend(inner);
                }
                value => {
                    found.insert(key, value);
                }
            }
        }
        Ok(found)
    }
}
