//! Where volumes and snapshots can be reached from: the one place that the driver serves.

use super::{Driver, Refusal};
use crate::csi::v1;

impl Driver {
    /// The driver's place.
    pub(super) fn topology(&self) -> v1::Topology {
        v1::Topology {
            segments: self.options.topology.clone().into_iter().collect(),
        }
    }

    /// Whether this place lies in an asked one: every segment asked for is here, keys compared
    /// without case (CSI). A place without segments is everywhere.
    pub(super) fn is_in(&self, asked: &v1::Topology) -> bool {
        asked.segments.iter().all(|(key, value)| {
            let mut here = self.options.topology.iter();
            here.any(|(ours, segment)| ours.eq_ignore_ascii_case(key) && segment == value)
        })
    }

    /// Refuses what could not be reached from any of the places that it must be reached from.
    pub(super) fn check_topology(
        &self,
        requirement: Option<&v1::TopologyRequirement>,
    ) -> Result<(), Refusal> {
        let requisite = requirement.map_or(&[][..], |requirement| &requirement.requisite);
        if requisite.is_empty() || requisite.iter().any(|asked| self.is_in(asked)) {
            return Ok(());
        }
        Err(Refusal::Exhausted(format!(
            "nothing can be made in any of the required topologies; this driver is in {}",
            segments(&self.options.topology)
        )))
    }
}

fn segments(topology: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = topology.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join(", ")
}
