//! What Nomad shows as `Hash` of policies, tokens, roles and namespaces: whoever replicates them sees by it whether two
//! are alike.

use base64::{Engine, engine::general_purpose::STANDARD};
use blake2::{Blake2b256, Digest};

/// The BLAKE2b-256 hash of these parts, one behind the other, in base64.
pub fn fingerprint<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut hash = Blake2b256::new();
    for part in parts {
        hash.update(part.as_bytes());
    }
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    /// Recorded from a real Nomad.
    #[test]
    fn fingerprints_are_nomads() {
        assert_eq!(
            fingerprint(["default", "Default shared namespace"]),
            "C7UbjDwBK0dK8wQq7Izg7SJIzaV+lIo2X7wRtzY3pSw="
        );
        assert_eq!(
            fingerprint(["Bootstrap Token", "management", "global"]),
            "BUJ3BerTfrqFVm1P+vZr1gz9ubOkd+JAvYjNAJyaU9Y="
        );
    }
}
