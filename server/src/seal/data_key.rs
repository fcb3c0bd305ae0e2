//! Data keys: what secrets are sealed with.

use super::cipher::{Cipher, KEY_BYTES};
use super::{SealError, Sealed, WrappingKey};
use crate::csi::{Reference, Secrets};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A data key as it is stored: wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DataKey {
    /// Its name.
    pub id: Uuid,
    /// What it is used for.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    wrapped: Sealed,
}

/// What a data key is used for (Nomad's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It seals, and opens what it sealed. There is one of these.
    Active,
    /// It opens what it sealed, which is being sealed anew with the active one.
    Rekeying,
    /// Nothing in the store is sealed with it, nor will be.
    Inactive,
}

impl KeyState {
    /// Its name in the API.
    pub const fn word(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Rekeying => "rekeying",
            KeyState::Inactive => "inactive",
        }
    }
}

impl DataKey {
    /// How it seals, by its usual name.
    pub const ALGORITHM: &str = "xchacha20-poly1305";

    /// A new one, active. `None`: the cipher refused it, which no cipher does.
    pub fn new(wrapping: &WrappingKey, now: Timestamp) -> Option<Self> {
        let key = Zeroizing::new(rand::random::<[u8; KEY_BYTES]>());
        let id = Uuid::new_v4();
        Some(Self {
            id,
            state: KeyState::Active,
            created_at: now,
            wrapped: wrapping.wrap(&owner(id), &*key)?,
        })
    }

    /// The same key in another state.
    #[must_use]
    pub fn in_state(&self, state: KeyState) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    /// Whether this key unwraps it.
    pub fn opens_with(&self, wrapping: &WrappingKey) -> bool {
        self.cipher(wrapping).is_some()
    }

    /// The same key, wrapped by another. `None`: `from` does not unwrap it.
    pub fn rewrapped(&self, from: &WrappingKey, to: &WrappingKey) -> Option<Self> {
        let key = from.unwrap_key(&owner(self.id), &self.wrapped)?;
        Some(Self {
            wrapped: to.wrap(&owner(self.id), &key)?,
            ..self.clone()
        })
    }

    /// Seals `secrets` for `owner`. Nothing is sealed for no secrets.
    pub fn seal(
        &self,
        wrapping: &WrappingKey,
        owner: &str,
        secrets: &Secrets,
    ) -> Result<Option<Sealed>, SealError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let cipher = self
            .cipher(wrapping)
            .ok_or_else(|| self.not_opened_by(wrapping))?;
        let sealed = encode(secrets)
            .and_then(|plain| Sealed::seal(&cipher, &self.id.to_string(), owner, &plain));
        let sealed = sealed.ok_or_else(|| SealError::Unreadable {
            owner: owner.to_owned(),
            key: self.id.to_string(),
        })?;
        Ok(Some(sealed))
    }

    /// Opens what it sealed for `owner`.
    pub fn open(
        &self,
        wrapping: &WrappingKey,
        owner: &str,
        sealed: &Sealed,
    ) -> Result<Secrets, SealError> {
        let cipher = self
            .cipher(wrapping)
            .ok_or_else(|| self.not_opened_by(wrapping))?;
        let plain = sealed.open(&cipher, owner);
        plain
            .and_then(|plain| decode(&plain))
            .ok_or_else(|| SealError::Unreadable {
                owner: owner.to_owned(),
                key: self.id.to_string(),
            })
    }

    /// That this key file does not open it.
    pub fn not_opened_by(&self, wrapping: &WrappingKey) -> SealError {
        SealError::WrongKeyFile {
            file: wrapping.file().to_owned(),
            key: self.id,
        }
    }

    fn cipher(&self, wrapping: &WrappingKey) -> Option<Cipher> {
        Cipher::new(&wrapping.unwrap_key(&owner(self.id), &self.wrapped)?)
    }
}

/// What a data key is wrapped for.
fn owner(id: Uuid) -> String {
    format!("data key {id}")
}

/// What is encrypted.
#[derive(Serialize)]
struct Plain<'s> {
    values: BTreeMap<&'s str, &'s str>,
    from: &'s BTreeMap<String, Reference>,
}

/// What was.
#[derive(Deserialize)]
struct Opened {
    values: BTreeMap<String, String>,
    from: BTreeMap<String, Reference>,
}

fn encode(secrets: &Secrets) -> Option<Zeroizing<Vec<u8>>> {
    let values = secrets.iter();
    let plain = Plain {
        values: values.map(|(key, secret)| (key, secret.expose())).collect(),
        from: secrets.references(),
    };
    serde_json::to_vec(&plain).ok().map(Zeroizing::new)
}

fn decode(plain: &[u8]) -> Option<Secrets> {
    let Opened { values, from } = serde_json::from_slice(plain).ok()?;
    Some(Secrets::from_plain(values).updated(None, Some(&from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn secrets() -> Secrets {
        Secrets::from_plain([("password".to_owned(), "c4n4ry".to_owned())])
    }

    fn wrapping(folder: &Path, name: &str) -> WrappingKey {
        WrappingKey::read_or_make(&folder.join(name)).unwrap()
    }

    #[test]
    fn sealed_secrets_open_for_their_owner_and_with_their_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let wrapping = wrapping(folder.path(), "key");
        let key = DataKey::new(&wrapping, Timestamp::UNIX_EPOCH).unwrap();
        let sealed = key.seal(&wrapping, "volume a", &secrets()).unwrap();
        let sealed = sealed.unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("c4n4ry"));
        assert_eq!(sealed.data_key(), Some(key.id));
        let opened = key.open(&wrapping, "volume a", &sealed).unwrap();
        assert_eq!(opened.get("password").unwrap().expose(), "c4n4ry");
        assert!(key.open(&wrapping, "volume b", &sealed).is_err());
        let other = DataKey::new(&wrapping, Timestamp::UNIX_EPOCH).unwrap();
        assert!(other.open(&wrapping, "volume a", &sealed).is_err());
        assert_eq!(key.seal(&wrapping, "a", &Secrets::none()).unwrap(), None);
    }

    #[test]
    fn a_data_key_opens_with_the_key_that_wrapped_it_last() {
        let folder = tempfile::tempdir().unwrap();
        let old = wrapping(folder.path(), "old");
        let new = wrapping(folder.path(), "new");
        let key = DataKey::new(&old, Timestamp::UNIX_EPOCH).unwrap();
        let sealed = key.seal(&old, "a", &secrets()).unwrap().unwrap();
        assert!(key.opens_with(&old) && !key.opens_with(&new));
        let key = key.rewrapped(&old, &new).unwrap();
        assert!(key.opens_with(&new) && !key.opens_with(&old));
        assert!(key.open(&new, "a", &sealed).is_ok());
        // The row of another data key does not open what this one sealed, whatever it says it is.
        let id = Uuid::new_v4();
        assert!(!DataKey { id, ..key }.opens_with(&new));
    }

    #[test]
    fn a_key_file_is_kept_and_one_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        assert!(WrappingKey::read(&file).unwrap().is_none());
        WrappingKey::read_or_make(&file).unwrap();
        let made = std::fs::read(&file).unwrap();
        WrappingKey::read_or_make(&file).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), made);
        let set_mode = |mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set_mode(0o640);
        let refused = WrappingKey::read(&file).unwrap_err().to_string();
        assert!(refused.contains("0600"), "{refused}");
        set_mode(0o600);
        for wrong in [&made[1..], &[&made[..], b"\n"].concat()] {
            std::fs::write(&file, wrong).unwrap();
            let refused = WrappingKey::read(&file).unwrap_err().to_string();
            assert!(refused.contains("a key has 32"), "{refused}");
        }
    }
}
