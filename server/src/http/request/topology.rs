//! Where a volume shall be accessible from.

use super::schema;
use crate::http::edge::{Refusal, json::Node};
use std::collections::BTreeMap;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, RefOr,
        schema::{Schema, Type},
    },
};

/// One place, by the topology keys of its driver: `{"Segments": {"zone": "a"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopologySegmentsRequest {
    /// The keys and values. `None` where there are no segments at all: `null`, `{}` and
    /// `{"Segments": null}`.
    pub segments: Option<BTreeMap<String, String>>,
}

impl TopologySegmentsRequest {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let segments = node.object_or_null()?.map("Segments")?;
        Ok(Self { segments })
    }

    /// Reads the flat form of the older API pages too: `{"zone": "a"}`.
    pub(super) fn read_either(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object_or_null()?;
        if object.is_empty() || object.has("Segments") {
            return Self::read(node);
        }
        let segments = Some(node.map()?);
        Ok(Self { segments })
    }
}

impl PartialSchema for TopologySegmentsRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("Segments", schema::map())])
            .additional_properties(Some(RefOr::<Schema>::from(Object::with_type(Type::String))))
            .into()
    }
}

impl ToSchema for TopologySegmentsRequest {}

/// The places that a volume must and should be accessible from (CSI `TopologyRequirement`).
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct TopologyRequest {
    /// From at least one of these.
    pub required: Option<Vec<TopologySegmentsRequest>>,
    /// Rather from these, the first most.
    pub preferred: Option<Vec<TopologySegmentsRequest>>,
}

impl TopologyRequest {
    pub(super) fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            required: object.list("Required", TopologySegmentsRequest::read)?,
            preferred: object.list("Preferred", TopologySegmentsRequest::read)?,
        })
    }
}
