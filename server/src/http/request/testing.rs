//! Bodies of what tests ask for.

use super::schema::{self, Named};
use crate::http::edge::json::{self, Object};
use crate::http::edge::{Refusal, spelling};
use crate::testing::Said;
use jiff::SignedDuration;
use std::time::Duration;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// What is to fail.
#[derive(Clone, Debug, Default)]
pub struct FaultsRequest {
    /// In the order in which they are tried.
    pub faults: Vec<Said>,
}

impl FaultsRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let faults = node
                .object_or_null()?
                .list("Faults", |node| said(&node.object()?))?;
            Ok(Self {
                faults: faults.unwrap_or_default(),
            })
        })
    }
}

fn said(object: &Object<'_>) -> Result<Said, Refusal> {
    Ok(Said {
        operation: object.text("Operation")?,
        call: object.text("Call")?,
        node: object.text("Node")?,
        volume: object.text("Volume")?,
        plugin: object.text("Plugin")?,
        count: object.bytes("Count")?,
        delay: forward(object, "Delay")?,
        hang: object.boolean("Hang")?,
        status: object.bytes("Status")?,
        drop: object.boolean("Drop")?,
        code: object.text("Code")?,
        message: object.text("Message")?,
        after_work: object.boolean("AfterWork")?,
    })
}

/// How far to move the clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockRequest {
    /// How much time goes by.
    pub advance: SignedDuration,
}

impl ClockRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let advance = forward(&node.object_or_null()?, "Advance")?;
            Ok(Self {
                advance: SignedDuration::try_from(advance).unwrap_or_default(),
            })
        })
    }
}

/// A duration that is not negative; none if it is absent.
fn forward(object: &Object<'_>, name: &str) -> Result<Duration, Refusal> {
    let Some(text) = object.filled_text(name)? else {
        return Ok(Duration::ZERO);
    };
    let nanoseconds = spelling::duration(&text).and_then(|it| u64::try_from(it).ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| {
        Refusal::malformed(format!(
            "{name}: time goes forward only: expected a duration such as 1h30m"
        ))
    })
}

/// A fault, as it is said; its schema alone.
struct FaultRequest;

impl PartialSchema for FaultRequest {
    fn schema() -> RefOr<Schema> {
        let object = schema::object([
            ("Operation", schema::text()),
            ("Call", schema::text()),
            ("Node", schema::text()),
            ("Volume", schema::text()),
            ("Plugin", schema::text()),
            ("Count", schema::integer()),
            ("Delay", schema::text()),
            ("Hang", schema::boolean()),
            ("Status", schema::integer()),
            ("Drop", schema::boolean()),
            ("Code", schema::text()),
            ("Message", schema::text()),
            ("AfterWork", schema::boolean()),
        ]);
        schema::with_ignored(object, &["Fired"])
    }
}

impl ToSchema for FaultRequest {}

impl PartialSchema for FaultsRequest {
    fn schema() -> RefOr<Schema> {
        let faults = schema::optional_list(schema::reference::<FaultRequest>());
        schema::object([("Faults", Schema::Array(faults).into())]).into()
    }
}

impl ToSchema for FaultsRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<FaultRequest>(named);
    }
}

impl PartialSchema for ClockRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("Advance", schema::text())]).into()
    }
}

impl ToSchema for ClockRequest {}
