//! What a case needs of the driver, other than that it does what it is asked.
use crate::csi::Code;
use serde::Deserialize;

/// The driver of plugin `local`, where it is not the built-in one. Like that it is healthy, has a
/// controller and a node, and does what it is asked, except for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Driver {
    /// From this case on, it refuses every call about a volume or a snapshot.
    Refuses {
        /// The gRPC code, by its name in messages.
        code: Code,
        /// The driver's words.
        message: String,
    },
    /// Its controller announces these capabilities and no others, by CSI's names, from the beginning.
    Announces(Vec<String>),
    /// From this case on, it answers no call about a volume or a snapshot.
    Hangs,
    /// From this case on, nothing listens at its socket.
    Gone,
}
