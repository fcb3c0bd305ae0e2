//! Claims: who uses a volume, and where.
//!
//! - [`take`] asks for a volume on a node, [`release`] gives it back, [`retry`] makes what is stuck due
//!   now. None of them calls a driver: workers do, by the rows.
//! - While the row of a claim is there, the volume is in use: it cannot be deleted, and what its access
//!   mode does not allow beside the claim is refused.
//! - A claim that ended, because it was released or because it failed, can be read for an hour.
//!
//! The stages of a claim; every arrow is a driver's OK, or stands for one (see `work::settle`):
//!
//! ```text
//!                     ┌───────────── reboot ────────────┐
//!                     ▼           publish               │
//! claim             taken ─────────────────────────► published
//!                     │ leaving: unpublish              │ leaving: unpublish
//!                     └─────────► unpublished ◄─────────┘
//!                                      │ when its attachment has other users, or is gone
//!                                      ▼
//!                        ended: released, or failed
//! ```
//!
//! A claim is *leaving* once its release was asked or a driver refused it for good. What a driver
//! refused is unwound the same way as what was released.

mod admission;
pub(crate) mod moves;
pub(crate) mod place;
mod release;
mod row;
pub(crate) mod settle;
mod stage;
mod standing;
mod take;

pub(crate) use release::await_end;
pub use release::{release, retry};
pub use row::{Claim, ClaimKey, ClaimRequest, Ended, OnReboot, Release};
pub use stage::{Event, Impossible, Stage};
pub use standing::{Standing, Step};
pub use take::take;
