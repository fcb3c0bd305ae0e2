//! Parameters of volumes, and names: what may be sent, and what a parameter does.
//!
//! `parameters` may hold anything; only `mode` has an effect. `mutable_parameters` may hold only
//! what has one.

use super::{Refusal, capability::Content, refusal::Doing};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
};

const MODE: &str = "mode";

/// CSI's limit on the size of a map of strings.
const MAP_BYTES: usize = 4096;

/// A map as it was sent, within CSI's limit, in order.
pub(super) fn parse(
    field: &'static str,
    sent: HashMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let size: usize = sent
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if size > MAP_BYTES {
        return Err(Refusal::invalid(
            field,
            format!("must not exceed {MAP_BYTES} bytes"),
        ));
    }
    Ok(sent.into_iter().collect())
}

/// A map that may hold only parameters that this driver can change.
pub(super) fn parse_mutable(
    sent: HashMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    const FIELD: &str = "mutable_parameters";
    let parameters = parse(FIELD, sent)?;
    match parameters.keys().find(|key| *key != MODE) {
        Some(unknown) => Err(Refusal::invalid(
            FIELD,
            format!("has {unknown:?}, which this driver cannot change; it knows \"mode\""),
        )),
        None => Ok(parameters),
    }
}

/// The permissions that a map asks for.
pub(super) fn mode(parameters: &BTreeMap<String, String>) -> Result<Option<u32>, Refusal> {
    let Some(text) = parameters.get(MODE) else {
        return Ok(None);
    };
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
        _ => Err(Refusal::invalid(
            MODE,
            format!("must be permissions in octal, as \"0770\"; it is {text:?}"),
        )),
    }
}

/// Gives permissions to what a volume consists of.
pub(super) fn set_mode(content: Content, path: &Path, mode: u32) -> Result<(), Refusal> {
    let mode = match content {
        Content::Directory => mode,
        Content::File => mode & 0o666,
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).doing("set the mode of", path)
}

/// A name as CSI permits it: 1 to 128 bytes, no control characters but common white space.
pub(super) fn name(sent: String) -> Result<String, Refusal> {
    if sent.is_empty() {
        return Err(Refusal::Missing("name"));
    }
    if sent.len() > 128 {
        return Err(Refusal::invalid("name", "must not exceed 128 bytes"));
    }
    let banned = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if sent.contains(banned) {
        return Err(Refusal::invalid("name", "must not have control characters"));
    }
    Ok(sent)
}
