//! Attachments: a backing store on a node.
//!
//! CSI ties attaching and staging to a volume on a node, not to a user of it. So there is one
//! attachment for each (plugin, external id, node), shared by all claims of it there, also by those of
//! two volumes with one external id. The first claim brings it, the last one takes it down:
//!
//! ```text
//!            attach             stage
//!  wanted ──────────► attached ───────► staged      in use while a claim needs it
//!    │                 │    ▲             │
//!    │ leaving         │    └── reboot ───┤
//!    │                 └── unstage ──┬────┘ leaving
//!    │                               ▼
//!    │                           unstaged
//!    │              detach           │ detach
//!    └───────────────────────────────┴─────► gone: the row is removed
//!                                    │         ▲
//!                     sever: detach, │         │ unstage, reboot
//!                  on a word alone   └─► detached
//! ```
//!
//! - It is *leaving* from the very commit in which the last claim that needs it lets go, or in which
//!   a driver refused it for good. Then it goes all the way down; a claim that comes meanwhile waits
//!   for the next one.
//! - Detaching undoes an attach that may have been tried, unstaging a stage that may have been.
//! - Nothing is unstaged while a claim may be published there, and nothing detached before it is
//!   unstaged, or before somebody who fenced the node vouches that it is not used there. What was passed
//!   over on such a word is kept ([`Left`]): the word may be false. A node that answers all the same is
//!   asked to take it down, and so is one whose fence is taken away; then first of all.
//! - A driver that does not attach, or does not stage, is not asked to; the stages are the
//!   same.

mod left;
mod row;
mod stage;
mod want;

pub use left::{Left, Target};
pub use row::{Attachment, AttachmentKey, Expansion};
pub use stage::{Event, Impossible, Next, Stage};
