//! What a controller of CSI 1.13 knows about the health of volumes.

use super::checked_page;
use crate::csi::{
    Call, CallError, Condition, Connection, Page, Refused, Secrets, answer::promised,
    refused::required, v1,
};

impl Connection {
    /// CSI `ControllerGetVolumeHealth` (1.13), of the volume with this id of the driver.
    pub async fn controller_get_volume_health(
        &self,
        external_id: &str,
        secrets: &Secrets,
    ) -> Result<Condition, CallError> {
        let call = Call::ControllerGetVolumeHealth;
        required(external_id, Refused::MissingExternalVolumeId)
            .map_err(|refused| refused.of(call))?;
        let question = v1::ControllerGetVolumeHealthRequest {
            volume_id: external_id.to_owned(),
            secrets: secrets.to_message(),
        };
        let answer = self.call(call, secrets, question).await?;
        let health = promised(call, answer.volume_health, "a volume health")?;
        Ok(Condition::from_health(health))
    }

    /// CSI `ControllerListVolumeHealth` (1.13): the driver's id of each volume and how it is.
    pub async fn controller_list_volume_health(
        &self,
        max_entries: i32,
        starting_token: &str,
        secrets: &Secrets,
    ) -> Result<Page<(String, Condition)>, CallError> {
        let call = Call::ControllerListVolumeHealth;
        checked_page(max_entries).map_err(|refused| refused.of(call))?;
        let question = v1::ControllerListVolumeHealthRequest {
            max_entries,
            starting_token: starting_token.to_owned(),
            secrets: secrets.to_message(),
        };
        let answer = self.call(call, secrets, question).await?;
        let entries = answer.entries.into_iter().map(|health| {
            let external_id = health.volume_id.clone();
            (external_id, Condition::from_health(health))
        });
        Ok(Page {
            entries: entries.collect(),
            next_token: answer.next_token,
        })
    }
}
