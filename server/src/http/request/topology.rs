//! Where a volume shall be accessible from.

use crate::http::edge::{
    Refusal,
    json::{Node, Object},
};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One topology: `{"Segments": {"zone": "a"}}`, or flat as the API pages print it, `{"zone": "a"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
pub struct Topology {
    /// Its segments. `None` for `null`, `{}` and `{"Segments": null}`, which name no place at all.
    #[schema(rename = "Segments")]
    pub segments: Option<BTreeMap<String, String>>,
}

impl Topology {
    pub(super) fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object_or_null()?;
        let segments = match object.has("Segments") {
            true => object.map("Segments")?,
            false if object.is_empty() => None,
            false => Some(node.map()?),
        };
        Ok(Self { segments })
    }

    /// A list of topologies in a field.
    pub(super) fn list(object: &Object<'_>, name: &str) -> Result<Option<Vec<Self>>, Refusal> {
        object.list(name, Self::read)
    }
}

/// The topologies that a volume must and should be accessible from (CSI `TopologyRequirement`).
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
pub struct TopologyRequest {
    /// It must be accessible from at least one of these.
    #[schema(rename = "Required")]
    pub required: Option<Vec<Topology>>,
    /// The driver should try these, in this order.
    #[schema(rename = "Preferred")]
    pub preferred: Option<Vec<Topology>>,
}

impl TopologyRequest {
    pub(super) fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            required: Topology::list(&object, "Required")?,
            preferred: Topology::list(&object, "Preferred")?,
        })
    }
}
