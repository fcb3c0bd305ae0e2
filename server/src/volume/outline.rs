//! What a start takes of a volume's row: by what it is found, and that all of it can be read. A million
//! rows are looked at so before a server answers, so nothing else is kept of them.

use super::row::{Capability, GivenUp, TopologyRequest};
use crate::id::{PluginId, VolumeKey};
use jiff::Timestamp;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::fmt;
use std::marker::PhantomData;

/// A [`super::Volume`], of which most is only known to be right: whatever can be read as the one can be
/// read as the other.
#[derive(Deserialize)]
#[expect(dead_code, reason = "that the rest is there and right is what counts")]
pub struct Outline {
    /// Its namespace and id.
    pub key: VolumeKey,
    name: Text,
    /// The plugin that provides it.
    pub plugin: PluginId,
    external_id: Text,
    provider: Text,
    provider_version: Text,
    controller_required: bool,
    capacity: i64,
    capacity_min: i64,
    capacity_max: i64,
    capabilities: Each<Capability>,
    mount_options: MountOptions,
    parameters: Texts,
    context: Texts,
    clone_id: Text,
    snapshot_id: Text,
    topologies: Each<Topology>,
    requested_topologies: Option<TopologyRequest>,
    secrets: Option<Text>,
    #[serde(default)]
    node_expansion_pending: bool,
    #[serde(default)]
    delete_given_up: Option<GivenUp>,
    created_at: Timestamp,
    modified_at: Timestamp,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "that it is there and right is what counts")]
struct MountOptions {
    fs_type: Text,
    mount_flags: Each<Text>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "that it is there and right is what counts")]
struct Topology {
    segments: Texts,
}

/// A string.
struct Text;

/// A map of strings.
struct Texts;

/// A list.
struct Each<T>(PhantomData<T>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Seen::<Text>(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Seen::<Texts>(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Each<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Seen::<Self>(PhantomData))
    }
}

/// Goes over a value and keeps nothing.
struct Seen<T>(PhantomData<T>);

impl Visitor<'_> for Seen<Text> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Text, E> {
        Ok(Text)
    }
}

impl<'de> Visitor<'de> for Seen<Texts> {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        while map.next_entry::<Text, Text>()?.is_some() {}
        Ok(Texts)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Seen<Each<T>> {
    type Value = Each<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Each<T>, A::Error> {
        while list.next_element::<T>()?.is_some() {}
        Ok(Each(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::Outline;
    use crate::volume::Volume;
    use serde_json::{Value, json};

    /// A volume with everything that one can have.
    fn full() -> Value {
        json!({
            "key": {"namespace": "default", "id": "db"},
            "name": "database",
            "plugin": "ceph",
            "external_id": "vol-1",
            "provider": "rbd.csi.ceph.com",
            "provider_version": "v3",
            "controller_required": true,
            "capacity": 3, "capacity_min": 2, "capacity_max": 4,
            "capabilities": [
                {"access_mode": "single-node-writer", "attachment_mode": "file-system"}
            ],
            "mount_options": {"fs_type": "ext4", "mount_flags": ["noatime"]},
            "parameters": {"pool": "volumes"},
            "context": {"image": "i"},
            "clone_id": "c",
            "snapshot_id": "s",
            "topologies": [{"segments": {"zone": "a"}}],
            "requested_topologies": {
                "required": [{"segments": {"zone": "a"}}],
                "preferred": [{"segments": {"zone": "b"}}]
            },
            "secrets": "c2VhbGVk",
            "node_expansion_pending": true,
            "delete_given_up": {
                "operation": "6f1c1f0e-6f0e-4b53-9a6e-1f2c3d4e5f60",
                "reason": "gone", "by": "me", "at": "2026-11-21T17:00:00Z"
            },
            "created_at": "2026-11-21T17:00:00Z",
            "modified_at": "2026-11-21T17:00:00Z"
        })
    }

    /// The value with each of its parts, one at a time, taken away or put in another's shape.
    fn spoiled(value: &Value) -> Vec<Value> {
        let odd = [
            json!(null),
            json!(1.5),
            json!(-1),
            json!("x"),
            json!([1]),
            json!({"a": 1}),
        ];
        let mut all: Vec<Value> = odd.to_vec();
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let mut without = fields.clone();
                    without.remove(name);
                    all.push(without.into());
                    for part in spoiled(field) {
                        let mut with = fields.clone();
                        with.insert(name.clone(), part);
                        all.push(with.into());
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    all.extend(spoiled(item).into_iter().map(|item| json!([item])));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        all
    }

    #[test]
    fn what_is_refused_as_a_volume_is_refused_as_its_outline() {
        let volume: Volume = serde_json::from_value(full()).unwrap();
        let every_field = serde_json::to_value(&volume).unwrap();
        assert_eq!(every_field, full(), "a field of volumes is missing here");
        let outline: Outline = serde_json::from_value(full()).unwrap();
        assert_eq!((outline.key, outline.plugin), (volume.key, volume.plugin));
        let (mut read, mut refused) = (0, 0);
        for row in spoiled(&full()) {
            let row = row.to_string();
            let volume = serde_json::from_str::<Volume>(&row);
            let outline = serde_json::from_str::<Outline>(&row);
            assert_eq!(volume.is_ok(), outline.is_ok(), "{row}");
            match volume {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(read > 20 && refused > 200, "{read} read, {refused} refused");
    }
}
