//! From the body of a claim to what is asked for.

use crate::claim::{ClaimRequest, OnReboot};
use crate::csi::{MountOptions, UnknownMode};
use crate::error::{Error, Fault, Result};
use crate::http::request;
use crate::id::{AllocationId, NodeId};
use std::fmt::Display;
use std::str::FromStr;
use uuid::Uuid;

/// What is asked for. The error says everything that makes no sense.
pub(super) fn spec(described: request::ClaimRequest) -> Result<ClaimRequest> {
    let mut problems = Problems::default();
    let named = described.allocation_id.clone();
    let spec = ClaimRequest {
        allocation: problems.noted(described.allocation_id.map(allocation)),
        node: described.node_id.map(|id| NodeId::known(id.to_lowercase())),
        read_only: described.read_only,
        access_mode: problems.noted(described.access_mode.map(mode)),
        attachment_mode: problems.noted(described.attachment_mode.map(mode)),
        mount_options: described.mount_options.map(|options| MountOptions {
            fs_type: options.fs_type,
            mount_flags: options.mount_flags.unwrap_or_default(),
        }),
        target_path: described.target_path.map(Into::into),
        on_reboot: problems
            .noted(described.on_reboot.map(on_reboot))
            .unwrap_or_default(),
        name: described.name,
        job_id: described.job_id,
    };
    if problems.0.is_empty() {
        return Ok(spec);
    }
    let error = Error::from(Fault::Validation(problems.0));
    Err(match named {
        Some(allocation) => error.claim(allocation),
        None => error,
    })
}

/// What is wrong, in the order in which it was found.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    /// What is there, if it makes sense; otherwise notes why not.
    fn noted<T, E: Display>(&mut self, found: Option<Result<T, E>>) -> Option<T> {
        match found? {
            Ok(found) => Some(found),
            Err(problem) => {
                self.0.push(problem.to_string());
                None
            }
        }
    }
}

fn allocation(id: String) -> Result<AllocationId, String> {
    /// The one spelling that the document knows; `uuid` reads others too.
    const HYPHENATED: usize = 36;
    match Uuid::try_parse(&id) {
        Ok(uuid) if id.len() == HYPHENATED => {
            Ok(AllocationId::known(uuid.hyphenated().to_string()))
        }
        _ => Err(format!("AllocationID {id:?} is no UUID")),
    }
}

fn mode<Mode: FromStr<Err = UnknownMode>>(word: String) -> Result<Mode, UnknownMode> {
    word.parse()
}

fn on_reboot(word: String) -> Result<OnReboot, String> {
    let all = [OnReboot::Republish, OnReboot::Release];
    all.into_iter()
        .find(|choice| choice.as_str() == word)
        .ok_or_else(|| format!("OnReboot {word:?} has to be `republish` or `release`"))
}
