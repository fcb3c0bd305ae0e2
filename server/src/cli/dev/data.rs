//! Where `dev` keeps its data.

use crate::driver;
use crate::server::{BUILTIN, STORE};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that was given, or a temporary one that is removed with this.
pub(super) struct Data {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Data {
    /// The folder that was given, seen from here, or a new temporary one.
    pub fn at(given: Option<&Path>) -> Result<Self, String> {
        if let Some(given) = given {
            let path = std::path::absolute(given)
                .map_err(|error| format!("--data-dir {}: {error}", given.display()))?;
            return Ok(Self {
                path,
                temporary: None,
            });
        }
        let temporary = tempfile::Builder::new()
            .prefix("saddlebag-dev-")
            .tempdir()
            .map_err(|error| format!("no temporary folder can be made: {error}"))?;
        Ok(Self {
            path: temporary.path().to_owned(),
            temporary: Some(temporary),
        })
    }

    /// The folder, from the root on.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a folder that a server has used.
    pub fn has_to_be_new(&self) -> Result<(), String> {
        let store = self.path.join(STORE);
        match store.exists() {
            true => Err(format!(
                "--seed begins without data, and {} is there: give another --data-dir, or none",
                store.display()
            )),
            false => Ok(()),
        }
    }

    /// Whether it is removed at the end.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Removes a temporary folder, and says if that fails.
    pub fn remove(self) -> Result<(), String> {
        match self.temporary {
            None => Ok(()),
            Some(folder) => {
                withdraw_volumes(&self.path);
                folder
                    .close()
                    .map_err(|error| format!("{} cannot be removed: {error}", self.path.display()))
            }
        }
    }
}

/// Takes the built-in driver's volumes away from where they are mounted: a folder that is mounted on is not
/// removed, and what is mounted there would be.
fn withdraw_volumes(data: &Path) {
    if let Err(error) = driver::erase(&data.join(BUILTIN)) {
        tracing::warn!("volumes of the built-in driver may be mounted still: {error}");
    }
}
