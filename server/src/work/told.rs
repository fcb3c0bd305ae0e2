//! Log lines about an operation: each names the operation, its volume or snapshot, its plugin and the
//! node that works on it.

/// Logs a line about an [`Operation`](crate::operation::Operation), at a level of `tracing`.
macro_rules! tell {
    ($level:ident, $cp:expr, $row:expr, $($text:tt)+) => {{
        let row: &crate::operation::Operation = $row;
        let (volume, snapshot) = (row.volume(), row.snapshot());
        tracing::$level!(
            operation.id = %row.id,
            volume.id = volume.map(|key| key.id.as_str()),
            volume.namespace = volume.map(|key| key.namespace.as_str()),
            snapshot.id = snapshot.map(crate::id::SnapshotId::as_str),
            plugin.id = row.plugin.as_str(),
            node.id = $cp.node.as_str(),
            $($text)+
        )
    }};
}

pub(super) use tell;
