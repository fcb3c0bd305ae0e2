//! Volume specifications: the files that say what volumes are to be.
//!
//! - They are read as HCL, in the spellings of HCL 1 and 2 that specifications are written in, as JSON (Nomad's API's, or
//!   HCL's), or as YAML. One tree of values with their places comes of each, and one reading of that tree.
//! - Keys are known by their names in specifications (`plugin_id`) and in the API (`PluginID`), whatever their case.
//!   A key that is not known is refused: a typing error would lose a size or a mode silently.
//! - What is wrong is told with file, line and column, and with what would be right.

mod capability;
mod secrets;
mod size;
mod topology;
mod volume;
mod yaml;

#[cfg(test)]
mod mangled;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod tests;

pub(crate) use crate::hcl::Wrong;

use crate::hcl::{self, Entry, Problem, Value, normal};
use saddlebag_client::types::{VolumeRequest, VolumesRequest};
use std::io::Read;
use std::path::Path;

/// Reads the volumes that a file describes, or standard input if it is `-`.
///
/// # Errors
/// The file cannot be read, or what it says is no specification.
pub fn read(file: &Path) -> Result<VolumesRequest, Wrong> {
    let is_stdin = file == Path::new("-");
    let name = match is_stdin {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let mut bytes = Vec::new();
    let read = match is_stdin {
        true => std::io::stdin().lock().read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map_err(|error| Wrong::whole(&name, format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Wrong::whole(&name, "is not UTF-8 text".to_owned()))?;
    parse(&text, file.extension().and_then(|it| it.to_str())).map_err(|problem| problem.of(&name))
}

/// The volumes that a text describes; the extension of its file says what it is written in, if it is a known one.
fn parse(text: &str, extension: Option<&str>) -> Result<VolumesRequest, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_yaml = match extension {
        Some("yaml" | "yml") => true,
        Some("hcl" | "json" | "nomad") => false,
        _ => looks_like_yaml(text),
    };
    let entries = match is_yaml {
        true => yaml::parse(text)?,
        false => hcl::parse(text)?,
    };
    request(&entries)
}

/// Whether the first line that says something is `key:` or `---`, as no HCL begins.
fn looks_like_yaml(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let first = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .find(|line| !line.starts_with("//"));
    let Some(line) = first else { return false };
    let is_key = |it: &str| {
        let it = it.trim().trim_matches(['"', '\'']);
        !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))
    };
    line == "---" || line.split_once(':').is_some_and(|(key, _)| is_key(key))
}

/// The request of a specification: of one volume, or of several below `Volumes` as the API takes them.
fn request(entries: &[Entry]) -> Result<VolumesRequest, Problem> {
    let list = entries.iter().find(|entry| normal(&entry.key) == "volumes");
    let Some(list) = list else {
        return Ok(several(vec![volume::read(entries)?]));
    };
    let mut request = VolumesRequest::default();
    for entry in entries {
        match normal(&entry.key).as_str() {
            "volumes" => {}
            "namespace" => request.namespace = entry.node.optional_text()?,
            "region" => request.region = entry.node.optional_text()?,
            // A body of the API may be kept with what its client sent along.
            "authtoken" | "secretid" | "idempotencytoken" | "policyoverride" | "timestamp" => {}
            _ => return Err(entry.unknown("a request", &["Volumes", "Namespace", "Region"])),
        }
    }
    let Value::List(items) = &list.node.value else {
        return Err(list.node.problem("`Volumes` is a list of volumes: [{…}]"));
    };
    let volumes = items
        .iter()
        .map(|item| volume::read(item.object("a volume")?))
        .collect::<Result<Vec<VolumeRequest>, Problem>>()?;
    Ok(VolumesRequest { volumes, ..request })
}

fn several(volumes: Vec<VolumeRequest>) -> VolumesRequest {
    VolumesRequest {
        volumes,
        ..VolumesRequest::default()
    }
}
