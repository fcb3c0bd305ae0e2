//! The control plane on a driver that none of us wrote: `mock-driver` of csi-test v4.2.0, unmodified.
//!
//! Every test starts a driver of its own, so all are ignored where there is none; `.ci/mock-driver`
//! builds it, runs them and fails if one did not run. `MOCK_DRIVER` is the path of the program.
//!
//! What to know of that driver, which is not always what CSI says:
//!
//! * It keeps everything in memory: killed, it forgets what was created and numbers from 4 again,
//!   so a new volume may get the id of one that it forgot. 1, 2 and 3 are there at every start,
//!   volumes of 100 GiB and snapshots alike.
//! * A content source that it answers names the *place* of the source in its list, not its id.
//! * It makes a volume as large as the limit where there is one, else as large as required.
//! * It takes snapshots of what does not exist, and gives all of them the size 0.
//! * Its node's id is its own name, and it says that every volume is published there.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod claims;
mod failures;
#[path = "../support/recording_proxy/mod.rs"]
mod recording_proxy;
mod restarts;
mod rig;
#[path = "../api/server.rs"]
#[allow(dead_code, reason = "the tests of the API use the rest")]
mod server;
mod snapshots;
mod split;
mod volumes;
