//! Secrets at rest: encrypted with a key from a key file, and bound to what they belong to.
//!
//! A sealed value opens only with the key that sealed it and for the owner that it was sealed for,
//! so that rows cannot be swapped. The key file holds 32 random bytes, readable by its owner only.

use crate::csi::Secrets;
use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Encrypted secrets, as they stand in a row: base64 of nonce and ciphertext.
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
    /// The key file cannot be used.
    #[error("{file}: {detail}")]
    KeyFile {
        /// The key file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A sealed value does not open: another key sealed it, or for another owner.
    #[error("the secrets of {owner} cannot be read with this key")]
    Unreadable {
        /// What they belong to.
        owner: String,
    },
}

/// Seals and opens secrets with one key.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    /// Uses the key of this file; makes the file, with a new key, if it is not there.
    pub fn open(file: &Path) -> Result<Self, SealError> {
        let broken = |detail: String| SealError::KeyFile {
            file: file.to_owned(),
            detail,
        };
        let key = match fs::metadata(file) {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
                return Err(broken(
                    "others may read it: set its mode to 0600".to_owned(),
                ));
            }
            Ok(_) => Zeroizing::new(fs::read(file).map_err(|e| broken(e.to_string()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                new_key_file(file).map_err(|e| broken(e.to_string()))?
            }
            Err(error) => return Err(broken(error.to_string())),
        };
        if key.len() != KEY_BYTES {
            return Err(broken(format!(
                "it holds {} bytes, a key has {KEY_BYTES}",
                key.len()
            )));
        }
        let key = Key::try_from(key.as_slice()).map_err(|e| broken(e.to_string()))?;
        Ok(Self {
            cipher: XChaCha20Poly1305::new(&key),
        })
    }

    /// Seals `secrets` for `owner`. Nothing is sealed for no secrets.
    pub fn seal(&self, owner: &str, secrets: &Secrets) -> Result<Option<Sealed>, SealError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let unusable = || SealError::Unreadable {
            owner: owner.to_owned(),
        };
        let plain = encode(secrets).ok_or_else(unusable)?;
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plain,
                    aad: owner.as_bytes(),
                },
            )
            .map_err(|_| unusable())?;
        Ok(Some(Sealed(
            STANDARD.encode([&nonce[..], &sealed].concat()),
        )))
    }

    /// Opens what was sealed for `owner`.
    pub fn open_sealed(&self, owner: &str, sealed: Option<&Sealed>) -> Result<Secrets, SealError> {
        let Some(Sealed(text)) = sealed else {
            return Ok(Secrets::default());
        };
        let unreadable = || SealError::Unreadable {
            owner: owner.to_owned(),
        };
        let bytes = STANDARD.decode(text).map_err(|_| unreadable())?;
        let (nonce, ciphertext) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(unreadable)?;
        let plain = self
            .cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: owner.as_bytes(),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| unreadable())?;
        let plain: BTreeMap<String, String> =
            serde_json::from_slice(&plain).map_err(|_| unreadable())?;
        Ok(Secrets::from_plain(plain))
    }
}

fn encode(secrets: &Secrets) -> Option<Zeroizing<Vec<u8>>> {
    let plain: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(key, secret)| (key, secret.expose()))
        .collect();
    serde_json::to_vec(&plain).ok().map(Zeroizing::new)
}

fn new_key_file(file: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let key = Zeroizing::new(rand::random::<[u8; KEY_BYTES]>().to_vec());
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    out.write_all(&key)?;
    out.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::from_plain([("password".to_owned(), "c4n4ry".to_owned())])
    }

    #[test]
    fn sealed_secrets_open_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::open(&folder.path().join("key")).unwrap();
        let sealed = sealer.seal("volume a", &secrets()).unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("c4n4ry"));
        let opened = sealer.open_sealed("volume a", sealed.as_ref()).unwrap();
        assert_eq!(opened.get("password").unwrap().expose(), "c4n4ry");
        assert!(sealer.open_sealed("volume b", sealed.as_ref()).is_err());
    }

    #[test]
    fn the_key_is_kept_and_another_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let sealed = Sealer::open(&file).unwrap().seal("a", &secrets()).unwrap();
        let again = Sealer::open(&file).unwrap();
        assert!(again.open_sealed("a", sealed.as_ref()).is_ok());
        let other = Sealer::open(&folder.path().join("other")).unwrap();
        assert!(other.open_sealed("a", sealed.as_ref()).is_err());
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        Sealer::open(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let message = Sealer::open(&file).err().unwrap().to_string();
        assert!(message.contains("0600"), "{message}");
    }
}
