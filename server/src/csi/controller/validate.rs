//! Asking whether a volume can be used as somebody wants to.

use crate::csi::{
    AttachmentMode, Call, CallError, Capability, Connection, Refused, Secrets, refused::required,
    v1, volume::hashed,
};
use std::{collections::BTreeMap, fmt::Write as _};
use v1::volume_capability::{AccessType, MountVolume, access_mode::Mode};

/// A volume, and every way in which somebody wants to use it.
#[derive(Clone, Debug, Default)]
pub struct ValidateVolumeCapabilities {
    /// The driver's id.
    pub external_id: String,
    /// What the driver said of the volume at its creation.
    pub volume_context: BTreeMap<String, String>,
    /// The ways.
    pub capabilities: Vec<Capability>,
    /// What it was created with.
    pub parameters: BTreeMap<String, String>,
    /// For the driver only.
    pub secrets: Secrets,
}

impl ValidateVolumeCapabilities {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)
    }
}

/// What the driver confirmed of what was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    confirmed: Vec<v1::VolumeCapability>,
    /// The driver's remark; Nomad only logs it.
    pub message: String,
}

/// The driver confirmed something else than was asked. The text is Nomad's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("volume capability validation failed: {0}")]
pub struct NotConfirmed(String);

impl Validation {
    /// Whether every requested capability is among the confirmed ones, in whatever order. A driver
    /// that confirmed nothing has refused nothing (CSI): that is well. So is what a confirmed one leaves
    /// open: an unknown access mode, no access type, an empty file system type. An empty requested
    /// file system type takes any.
    pub fn check(&self, requested: &[Capability]) -> Result<(), NotConfirmed> {
        if self.confirmed.is_empty() {
            return Ok(());
        }
        for wanted in requested {
            let mut differences = Vec::new();
            for confirmed in &self.confirmed {
                differences.extend(difference(wanted, confirmed));
            }
            if differences.len() == self.confirmed.len() {
                return Err(NotConfirmed(multierror(&differences)));
            }
        }
        Ok(())
    }
}

/// Why `confirmed` is not what was `wanted`, if it is not.
fn difference(wanted: &Capability, confirmed: &v1::VolumeCapability) -> Option<String> {
    let wanted_mode = wanted.access_mode.to_message();
    let confirmed_mode = confirmed.access_mode.unwrap_or_default().mode;
    if confirmed_mode != Mode::Unknown as i32 && confirmed_mode != wanted_mode as i32 {
        let shown = Mode::try_from(confirmed_mode).map_or_else(
            |_| confirmed_mode.to_string(),
            |mode| mode.as_str_name().into(),
        );
        return Some(format!(
            "requested access mode {}, got {shown}",
            wanted_mode.as_str_name()
        ));
    }
    match (wanted.attachment_mode, confirmed.access_type.as_ref()?) {
        (AttachmentMode::BlockDevice, AccessType::Block(_)) => None,
        (AttachmentMode::FileSystem, AccessType::Mount(mount)) => mount_difference(wanted, mount),
        (AttachmentMode::FileSystem, AccessType::Block(_)) => Some(
            "'block-device' access type was not requested but was validated by the controller"
                .to_owned(),
        ),
        (AttachmentMode::BlockDevice, AccessType::Mount(_)) => Some(
            "'file-system' access type was not requested but was validated by the controller"
                .to_owned(),
        ),
    }
}

fn mount_difference(wanted: &Capability, confirmed: &MountVolume) -> Option<String> {
    let wanted = &wanted.mount_options;
    let unsaid = wanted.fs_type.is_empty() || confirmed.fs_type.is_empty();
    if !unsaid && wanted.fs_type != confirmed.fs_type {
        return Some(format!(
            "requested filesystem type {}, got {}",
            wanted.fs_type, confirmed.fs_type
        ));
    }
    let all_flags = wanted
        .mount_flags
        .iter()
        .all(|flag| confirmed.mount_flags.contains(flag));
    (!all_flags).then(|| "requested mount flags did not match available capabilities".to_owned())
}

/// As Go's multierror lists them.
fn multierror(errors: &[String]) -> String {
    let mut text = match errors.len() {
        1 => "1 error occurred:\n".to_owned(),
        many => format!("{many} errors occurred:\n"),
    };
    for error in errors {
        let _ = writeln!(text, "\t* {error}");
    }
    text.push('\n');
    text
}

impl Connection {
    /// CSI `ValidateVolumeCapabilities`. Whether the answer is good is for [`Validation::check`].
    pub async fn validate_volume_capabilities(
        &self,
        validate: &ValidateVolumeCapabilities,
    ) -> Result<Validation, CallError> {
        let call = Call::ValidateVolumeCapabilities;
        validate.check().map_err(|refused| refused.of(call))?;
        let question = v1::ValidateVolumeCapabilitiesRequest {
            volume_id: validate.external_id.clone(),
            volume_context: hashed(&validate.volume_context),
            volume_capabilities: validate
                .capabilities
                .iter()
                .map(Capability::to_message)
                .collect(),
            parameters: hashed(&validate.parameters),
            secrets: validate.secrets.to_message(),
            mutable_parameters: Default::default(),
        };
        let confidential = validate
            .secrets
            .and(&Secrets::none(), &validate.capabilities);
        let answer = self.call(call, &confidential, question).await?;
        Ok(Validation {
            confirmed: answer
                .confirmed
                .map(|confirmed| confirmed.volume_capabilities)
                .unwrap_or_default(),
            message: confidential.redact(&answer.message),
        })
    }
}
