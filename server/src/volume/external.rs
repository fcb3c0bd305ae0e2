//! Volumes that drivers have, registered here or not.

use crate::control::ControlPlane;
use crate::csi::{self, About};
use crate::error::{Error, Result};
use crate::plugin::Plugin;

/// One page of the volumes that a driver has, as it gives it.
pub async fn list_external(
    cp: &ControlPlane,
    plugin: &str,
    page: &csi::ListVolumes,
) -> Result<csi::Page<csi::ListedVolume>> {
    let can = |plugin: &Plugin| {
        plugin
            .controller_info()
            .is_some_and(|c| c.supports_list_volumes)
    };
    let lacking = "unimplemented for this plugin";
    let connection = cp.drivers.to_ask(&cp.state(), plugin, can, lacking)?;
    connection.list_volumes(page).await.map_err(|error| {
        let about = About {
            token: &page.starting_token,
            ..About::default()
        };
        Error::from(crate::work::fault_of(&error, &about)).plugin(plugin)
    })
}
