//! The secrets of a plugin, in a file of their own.

use crate::csi::Secrets;
use crate::server::StartError;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The secrets in a file that nobody but its owner may read. What is wrong with it is told without what
/// is in it.
pub fn secrets_of(file: &Path) -> Result<Secrets, StartError> {
    let refused = |why: &str| StartError::Setup(format!("{}: {why}", file.display()));
    let failed = |error| StartError::Path {
        path: file.to_owned(),
        error,
    };
    let mode = std::fs::metadata(file)
        .map_err(failed)?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(refused(
            "others may read these secrets: set its mode to 0600",
        ));
    }
    let text = Zeroizing::new(std::fs::read(file).map_err(failed)?);
    let secrets: BTreeMap<String, String> = serde_json::from_slice(&text)
        .map_err(|_| refused("secrets are a JSON object of strings, this is something else"))?;
    Ok(Secrets::from_plain(secrets))
}
