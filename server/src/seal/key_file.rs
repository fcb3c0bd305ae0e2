//! The key file: what wraps the data keys.

use super::cipher::{Cipher, KEY_BYTES};
use super::{SealError, Sealed};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a wrapped data key names as its key.
const NAME: &str = "key-file";

/// The key in a key file.
pub struct WrappingKey {
    file: PathBuf,
    cipher: Cipher,
}

impl std::fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the key in {}", self.file.display())
    }
}

impl WrappingKey {
    /// The key in this file. `None`: there is no such file.
    pub fn read(file: &Path) -> Result<Option<Self>, SealError> {
        let broken = |detail: String| SealError::KeyFile {
            file: file.to_owned(),
            detail,
        };
        let opened = match File::open(file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken(error.to_string())),
        };
        let about = opened.metadata().map_err(|e| broken(e.to_string()))?;
        if !about.is_file() {
            return Err(broken("it is no file".to_owned()));
        }
        if about.permissions().mode() & 0o077 != 0 {
            return Err(broken(
                "others may read it: set its mode to 0600".to_owned(),
            ));
        }
        let mut key = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        opened
            .take(KEY_BYTES as u64 + 1)
            .read_to_end(&mut key)
            .map_err(|e| broken(e.to_string()))?;
        let cipher = Cipher::new(&key).ok_or_else(|| {
            let bytes = about.len();
            broken(format!("it holds {bytes} bytes, a key has {KEY_BYTES}"))
        })?;
        Ok(Some(Self {
            file: file.to_owned(),
            cipher,
        }))
    }

    /// The key in this file, which is made, with a new key, if it is not there. A crash leaves the whole
    /// file or none.
    pub fn read_or_make(file: &Path) -> Result<Self, SealError> {
        if let Some(there) = Self::read(file)? {
            return Ok(there);
        }
        let broken = |detail: String| SealError::KeyFile {
            file: file.to_owned(),
            detail,
        };
        make(file).map_err(|error| broken(error.to_string()))?;
        Self::read(file)?.ok_or_else(|| broken("it was removed as soon as it was made".to_owned()))
    }

    /// Where it is kept.
    pub fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn wrap(&self, owner: &str, key: &[u8]) -> Option<Sealed> {
        Sealed::seal(&self.cipher, NAME, owner, key)
    }

    pub(super) fn unwrap_key(&self, owner: &str, wrapped: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        wrapped.open(&self.cipher, owner)
    }
}

fn make(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let key = Zeroizing::new(rand::random::<[u8; KEY_BYTES]>());
    let mut new = tempfile::NamedTempFile::new_in(folder)?; // with mode 0600
    new.write_all(&*key)?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => return Err(error.error),
        _ => {} // made, by us or by another
    }
    File::open(folder)?.sync_all()
}
