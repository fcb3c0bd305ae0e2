//! Volumes: what is stored of them, and what may be done to them.
//!
//! - [`register`] tells the control plane of a volume that a driver has, or updates one;
//! - [`create`] has a driver make it first;
//! - [`deregister`] forgets it; [`delete`] has the driver destroy it first.
//!
//! A volume's row is changed under the guard that it is as it was seen and that no operation on it is
//! under way, so of two clients one comes after the other and neither is lost.

mod capacity;
mod create;
mod detach;
mod external;
mod intake;
mod merge;
mod mounting;
mod outline;
mod register;
mod release;
mod row;
mod spec;

pub use create::create;
pub use detach::detach;
pub use external::list_external;
pub(crate) use intake::{hold_new_backing, release_backing};
pub use mounting::SealedMountOptions;
pub(crate) use outline::plugin_of;
pub use register::register;
pub use release::{delete, deregister};
pub use row::{Backing, Capability, GivenUp, TopologyRequest, Volume};
pub use spec::{MOST_ITEMS, Spec};
