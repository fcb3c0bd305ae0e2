//! Secrets by reference: where a value is read from, at each call that carries it.
//!
//! - Nothing may be referred to that the operator has not allowed ([`Sources`]): what is read goes to a
//!   driver, so a reference must not be a way to the server's own keys.
//! - A file lies below one of some folders. Links are followed, and must not lead out of it.
//! - What cannot be read is told by its reference, never by what is there.

use super::{Secret, Secrets};
use rustix::fs::{CWD, Mode, OFlags, openat};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

/// The largest value that is read, in bytes.
pub const MOST_BYTES: usize = 64 * 1024;

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reference {
    /// The content of a file of the server's host, without a line end at its end.
    #[serde(alias = "file")]
    File(PathBuf),
    /// A variable of the server's environment.
    #[serde(alias = "env")]
    Env(String),
    /// A systemd credential of the server's unit: a file in `$CREDENTIALS_DIRECTORY`.
    #[serde(alias = "credential")]
    Credential(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {path:?}"),
            Self::Env(name) => write!(f, "environment variable {name:?}"),
            Self::Credential(name) => write!(f, "credential {name:?}"),
        }
    }
}

/// What references may name. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Folders, below which files may be named.
    pub folders: Vec<PathBuf>,
    /// Variables of the environment; one that ends in `*` stands for all that begin so.
    pub variables: Vec<String>,
    /// Credentials, likewise.
    pub credentials: Vec<String>,
}

/// A secret that cannot be read, by its key and reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret {key:?} cannot be read from {reference}: {why}")]
pub struct UnreadableSecret {
    /// Its key.
    pub key: String,
    /// Where it is to be.
    pub reference: Reference,
    /// What is wrong there.
    pub why: String,
}

impl Sources {
    /// These secrets with a value in place of each reference. Blocks while files are read.
    pub fn read(&self, secrets: &Secrets) -> Result<Secrets, UnreadableSecret> {
        let read = secrets.references().iter().map(|(key, reference)| {
            let value = self.value(reference);
            let value = value.map_err(|why| UnreadableSecret {
                key: key.clone(),
                reference: reference.clone(),
                why,
            })?;
            Ok((key.clone(), value))
        });
        let read: Secrets = read.collect::<Result<_, _>>()?;
        Ok(secrets.merged_with(&read))
    }

    /// Whether a variable of the environment may be named.
    pub fn has_variable(&self, name: &str) -> bool {
        allows(&self.variables, name)
    }

    fn value(&self, reference: &Reference) -> Result<Secret, String> {
        match reference {
            Reference::File(path) => self.file(path),
            Reference::Env(name) if !self.has_variable(name) => {
                Err("it is none of secrets.from_variables".to_owned())
            }
            Reference::Env(name) => match std::env::var(name) {
                Ok(value) => Ok(Secret::new(value)),
                Err(std::env::VarError::NotPresent) => Err("it is not set".to_owned()),
                Err(std::env::VarError::NotUnicode(_)) => Err("it is no UTF-8".to_owned()),
            },
            Reference::Credential(name) if !allows(&self.credentials, name) => {
                Err("it is none of secrets.from_credentials".to_owned())
            }
            Reference::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or("this server has no $CREDENTIALS_DIRECTORY")?;
                below(Path::new(&folder), Path::new(name))
            }
        }
    }

    fn file(&self, path: &Path) -> Result<Secret, String> {
        let real = path.canonicalize().map_err(|error| error.to_string());
        let is_named_below = |folder: &&PathBuf| path.starts_with(folder);
        // Of what is below no folder it is not told whether it is there.
        let Some(folder) = self.folders.iter().find(is_named_below) else {
            return Err("it is below none of secrets.from_folders".to_owned());
        };
        let folder = folder.canonicalize().map_err(|error| error.to_string())?;
        match real?.strip_prefix(&folder) {
            Ok(inside) => below(&folder, inside),
            Err(_) => Err("a link leads out of the folder that it is below".to_owned()),
        }
    }
}

fn allows(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        })
}

/// The content of a file below a folder. No link on the way is followed: there is none unless it was put
/// there a moment ago.
fn below(folder: &Path, inside: &Path) -> Result<Secret, String> {
    let names: Option<Vec<_>> = inside
        .components()
        .map(|component| match component {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let names = names.filter(|names| !names.is_empty());
    let names = names.ok_or("it is not below its folder")?;
    let text = open(folder, &names)
        .and_then(content)
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8(text.to_vec()).map_err(|_| "it is no UTF-8")?;
    let text = Zeroizing::new(text);
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line)))
}

fn open(folder: &Path, names: &[&std::ffi::OsStr]) -> io::Result<OwnedFd> {
    let flags = OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NONBLOCK;
    let mut at = openat(CWD, folder, flags | OFlags::DIRECTORY, Mode::empty())?;
    for name in names {
        at = openat(&at, *name, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(at)
}

fn content(file: OwnedFd) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::from(file);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    match bytes.len() {
        0..=MOST_BYTES => Ok(bytes),
        _ => Err(io::Error::other(format!(
            "it has more than {MOST_BYTES} bytes"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sources: &Sources, reference: Reference) -> Result<String, String> {
        let from = [("k".to_owned(), reference)].into();
        let secrets = Secrets::none().updated(None, Some(&from));
        let read = sources.read(&secrets).map_err(|error| error.to_string())?;
        Ok(read.get("k").unwrap().expose().to_owned())
    }

    #[test]
    fn a_file_is_read_below_its_folder_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("allowed/deep")).unwrap();
        std::fs::write(at("allowed/deep/password"), "hush\n").unwrap();
        std::fs::write(at("outside"), "c4n4ry").unwrap();
        std::os::unix::fs::symlink("deep/password", at("allowed/link")).unwrap();
        std::os::unix::fs::symlink("../outside", at("allowed/out")).unwrap();
        std::os::unix::fs::symlink("..", at("allowed/up")).unwrap();
        std::fs::write(at("allowed/large"), vec![b'a'; MOST_BYTES + 1]).unwrap();
        let sources = Sources {
            folders: vec![at("allowed")],
            ..Sources::default()
        };
        let file = |name: &str| read(&sources, Reference::File(at(name)));
        assert_eq!(file("allowed/deep/password").unwrap(), "hush");
        assert_eq!(file("allowed/link").unwrap(), "hush");
        for (name, problem) in [
            ("outside", "below none of secrets.from_folders"),
            ("allowed/out", "leads out"),
            ("allowed/up/outside", "leads out"),
            ("allowed/../outside", "leads out"),
            ("allowed/deep", "no file"),
            ("allowed/none", "No such file"),
            ("allowed/large", "more than 65536 bytes"),
            ("nowhere", "below none of secrets.from_folders"),
        ] {
            let told = file(name).unwrap_err();
            assert!(
                told.contains(problem) && told.contains(name),
                "{name}: {told}"
            );
            assert!(!told.contains("c4n4ry"), "{told}");
        }
    }

    #[test]
    fn variables_and_credentials_have_to_be_allowed() {
        let sources = Sources {
            variables: vec!["CARGO_PKG_*".to_owned(), "NEVER_SET".to_owned()],
            credentials: vec!["disk".to_owned()],
            ..Sources::default()
        };
        let env = |name: &str| read(&sources, Reference::Env(name.to_owned()));
        assert_eq!(env("CARGO_PKG_NAME").unwrap(), "saddlebag");
        assert!(env("NEVER_SET").unwrap_err().contains("not set"));
        let refused = env("PATH").unwrap_err();
        assert!(refused.contains("secrets.from_variables"), "{refused}");
        let credential = |name: &str| read(&sources, Reference::Credential(name.to_owned()));
        let refused = credential("../disk").unwrap_err();
        assert!(refused.contains("secrets.from_credentials"), "{refused}");
    }
}
