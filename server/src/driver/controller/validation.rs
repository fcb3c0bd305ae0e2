//! Whether a volume can be used as someone intends to.

use super::volume::{check_content, required};
use crate::{
    csi::v1::{
        ValidateVolumeCapabilitiesRequest, ValidateVolumeCapabilitiesResponse, VolumeCapability,
        validate_volume_capabilities_response::Confirmed,
    },
    driver::{Driver, Refusal, capability::Capability, record::Volume},
};
use std::{collections::HashMap, sync::Arc};

impl Driver {
    pub(super) fn validate_volume_capabilities(
        self: &Arc<Self>,
        request: ValidateVolumeCapabilitiesRequest,
    ) -> Result<ValidateVolumeCapabilitiesResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        if request.volume_capabilities.is_empty() {
            return Err(Refusal::Missing("volume_capabilities"));
        }
        let volume = self.known_volume(&id)?;
        let mut all = request.volume_capabilities.iter();
        if let Err(refusal) = all.try_for_each(|sent| check(&volume, sent)) {
            return Ok(ValidateVolumeCapabilitiesResponse {
                confirmed: None,
                message: refusal.to_string(),
            });
        }
        let made_with: HashMap<_, _> = volume.parameters.clone().into_iter().collect();
        let mutable: HashMap<_, _> = volume.mutable_parameters.clone().into_iter().collect();
        Ok(ValidateVolumeCapabilitiesResponse {
            confirmed: Some(Confirmed {
                volume_context: HashMap::new(),
                volume_capabilities: request.volume_capabilities,
                parameters: only_if(request.parameters, &made_with),
                mutable_parameters: only_if(request.mutable_parameters, &mutable),
            }),
            message: String::new(),
        })
    }
}

fn check(volume: &Volume, sent: &VolumeCapability) -> Result<(), Refusal> {
    check_content(volume, Capability::parse(sent)?.content)
}

/// What was sent, if it is what the volume has; else nothing of it is confirmed.
fn only_if(
    sent: HashMap<String, String>,
    known: &HashMap<String, String>,
) -> HashMap<String, String> {
    if sent == *known { sent } else { HashMap::new() }
}
