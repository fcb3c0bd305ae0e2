//! Plugins: drivers as the control plane knows them.
//!
//! A *plugin job* names a driver and how to reach it; a *plugin instance* is what one socket of it said
//! last. A *plugin* is what the jobs and instances of one id add up to: it is not stored, and is gone
//! when both are.

mod row;
mod sum;

pub use crate::csi::Role;
pub use row::{Instance, PluginJob, PluginType};
pub use sum::{Plugin, PluginHealth};
