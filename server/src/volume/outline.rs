//! What a start takes of a volume's row: its plugin. A million rows are looked at so before a server
//! answers, so nothing behind it is read: that a row is whole, and of a format that this program reads, is
//! known by its checksum and by what the file states. `saddlebag store check` reads every row to its end.

use crate::id::PluginId;
use serde::Deserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;

const FIELD: &str = "plugin";

/// The plugin that provides the volume in this row. An error if the row is no volume as far as to there.
pub fn plugin_of(row: &[u8]) -> Result<PluginId, serde_json::Error> {
    let mut plugin = None;
    let read = serde_json::Deserializer::from_slice(row).deserialize_map(UpTo(&mut plugin));
    match plugin {
        Some(plugin) => Ok(plugin),
        None => Err(read
            .err()
            .unwrap_or_else(|| serde_json::Error::missing_field(FIELD))),
    }
}

/// Goes over the fields of a row up to the plugin, and leaves the reader there.
struct UpTo<'a>(&'a mut Option<PluginId>);

impl<'de> Visitor<'de> for UpTo<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a volume")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(field) = fields.next_key::<&str>()? {
            if field == FIELD {
                *self.0 = Some(fields.next_value()?);
                return Ok(());
            }
            fields.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::plugin_of;

    #[test]
    fn the_plugin_is_read_wherever_it_stands_and_nothing_behind_it() {
        for row in [
            r#"{"plugin": "ceph"}"#,
            r#"{"key": {"namespace": "default", "id": "plugin"}, "name": "}", "plugin": "ceph", "x": 1}"#,
            r#"{"name": "n", "plugin": "ceph", "#,
        ] {
            assert_eq!(plugin_of(row.as_bytes()).unwrap().as_str(), "ceph", "{row}");
        }
    }

    #[test]
    fn a_row_without_a_plugin_is_no_volume() {
        let refused = |row: &str| plugin_of(row.as_bytes()).unwrap_err().to_string();
        assert_eq!(refused(r#"{"name": "n"}"#), "missing field `plugin`");
        assert!(refused(r#"["plugin"]"#).contains("expected a volume"));
        assert!(refused(r#"{"plugin": 1}"#).contains("expected a string"));
        assert!(refused(r#"{"name": "n"#).contains("EOF while parsing"));
    }
}
