//! What needs somebody's attention: what is stuck, and where what is registered and what drivers have
//! differ.
//!
//! What may be relied on:
//!
//! - nothing is changed by looking, here or at the storage;
//! - drivers are asked side by side, within one deadline, for [`MOST_PAGES`] pages and [`MOST_VOLUMES`]
//!   volumes each; one that fails or does not answer is a finding, and holds up no other;
//! - what came, went or moved while the drivers were asked is not taken for a difference.

mod finding;
mod listing;
mod orphans;
mod stuck;

pub use finding::{Finding, Kind};
pub use listing::{Listed, Listing, MOST_PAGES, MOST_VOLUMES};

use crate::control::ControlPlane;
use crate::operation::verbs::Deadline;
use crate::store::Index;

/// What was found.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// By plugin, kind and id.
    pub findings: Vec<Finding>,
    /// Every plugin, and what it said it has, by id.
    pub listings: Vec<Listing>,
    /// The commit of the state that was compared.
    pub index: Index,
}

/// Looks at everything. Drivers have until the deadline to say what they have.
pub async fn examine(cp: &ControlPlane, deadline: Deadline) -> Diagnosis {
    let before = cp.state();
    let listings = listing::of_all(cp, &before, deadline).await;
    let after = cp.state();
    let mut findings = stuck::find(cp, &after);
    for listing in &listings {
        findings.extend(orphans::find(&before, &after, listing));
    }
    findings.sort_by(|one, other| one.place().cmp(&other.place()));
    Diagnosis {
        findings,
        listings,
        index: after.index,
    }
}
