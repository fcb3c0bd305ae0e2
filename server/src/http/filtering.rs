//! The `filter` of lists, in Nomad's words.

use super::edge::Query;
use crate::error::Fault;
use crate::filter::{Fields, Filter};

/// The filter that a request asks for.
///
/// # Errors
///
/// It is no expression.
pub(super) fn filter(query: &Query<'_>) -> Result<Option<Filter>, Fault> {
    let Some(text) = query.filled("filter") else {
        return Ok(None);
    };
    Filter::compile(text).map(Some).map_err(|why| {
        Fault::Malformed(format!(
            "failed to create result paginator: failed to read filter expression: {why}"
        ))
    })
}

/// Whether a row is shown.
///
/// # Errors
///
/// The filter asks for what such a row does not have.
pub(super) fn shows(filter: Option<&Filter>, row: &(impl Fields + ?Sized)) -> Result<bool, Fault> {
    let Some(filter) = filter else {
        return Ok(true);
    };
    filter
        .shows(row)
        .map_err(|why| Fault::Malformed(format!("failed to read result page: {why}")))
}
