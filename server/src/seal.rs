//! Secrets at rest: encrypted with a data key, and bound to what they belong to.
//!
//! ```text
//! key file ──wraps──► data key (a row) ──seals──► secrets of a volume, an operation, an attachment
//! ```
//!
//! - A sealed value names its data key, and opens only with it and for the owner that it was sealed for:
//!   rows, and fields of a row, cannot be swapped.
//! - A data key is in the store only as the key file's key wrapped it. Plain ones are in memory for as
//!   long as one value is sealed or opened, and are overwritten then.
//! - The key file holds 32 random bytes, readable by its owner only. Nothing here ever writes into one
//!   that is there.
//!
//! What becomes of data keys (rotation, removal, another key file) is in [`keyring`](crate::keyring).

mod cipher;
mod data_key;
mod key_file;

pub use data_key::{DataKey, KeyState};
pub use key_file::WrappingKey;

use cipher::Cipher;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Something encrypted, as it stands in a row: the name of its key, a colon, and base64 of nonce and
/// ciphertext (XChaCha20-Poly1305).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Sealed(String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[SEALED]")
    }
}

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A key file cannot be used.
    #[error("{file}: {detail}")]
    KeyFile {
        /// The key file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no key file, and there is something that only it opens.
    #[error(
        "{file} is not there, and only the key in it opens the {count} data keys of the store, with which all \
         secrets in it are encrypted. Nothing was changed. Put the file back from where you keep a copy of it. \
         To use a new one, make it first (umask 077; head -c 32 /dev/urandom > FILE) and name the old one as \
         previous_key_file"
    )]
    NoKeyFile {
        /// The key file.
        file: PathBuf,
        /// How many data keys there are.
        count: usize,
    },
    /// A key file holds another key than the one that wrapped a data key.
    #[error(
        "{file} does not open data key {key} of the store, so the secrets that are encrypted with it cannot be \
         read. Nothing was changed. Put the key file back that this store was last used with, or name that one as \
         previous_key_file"
    )]
    WrongKeyFile {
        /// The key file.
        file: PathBuf,
        /// The data key.
        key: Uuid,
    },
    /// A sealed value does not open: another key sealed it, or for another owner.
    #[error("the secrets of {owner} cannot be read with the data key that they name ({key})")]
    Unreadable {
        /// What they belong to.
        owner: String,
        /// The name of their key.
        key: String,
    },
}

impl Sealed {
    fn seal(cipher: &Cipher, key: &str, owner: &str, plain: &[u8]) -> Option<Self> {
        let text = cipher.encrypt(plain, &bound_to(key, owner))?;
        Some(Self(format!("{key}:{text}")))
    }

    fn open(&self, cipher: &Cipher, owner: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (key, text) = self.0.split_once(':')?;
        cipher.decrypt(text, &bound_to(key, owner))
    }

    /// The name of the key that opens it.
    pub fn key_name(&self) -> &str {
        self.0.split_once(':').map_or("", |(key, _)| key)
    }

    /// The data key that opens it. `None`: none does.
    pub fn data_key(&self) -> Option<Uuid> {
        Uuid::try_parse(self.key_name()).ok()
    }
}

fn bound_to(key: &str, owner: &str) -> Vec<u8> {
    [key, "\0", owner].concat().into_bytes()
}
