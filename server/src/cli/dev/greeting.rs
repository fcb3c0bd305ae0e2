//! What `dev` says when it is ready.

use crate::plugin::Plugin;
use crate::state::State;
use std::fmt::Write;
use std::path::PathBuf;

/// What `dev` says when it is ready.
pub(super) struct Greeting {
    pub url: String,
    pub data_dir: PathBuf,
    pub is_temporary: bool,
}

impl Greeting {
    /// Where everything is, which plugins are healthy, and three commands to try.
    pub fn text(&self, state: &State) -> String {
        let url = &self.url;
        let kept = match self.is_temporary {
            true => "temporary, removed at exit",
            false => "kept",
        };
        let mut text = format!(
            "saddlebag is ready.\n\n  API         {url}\n  Swagger UI  {url}/docs/\n  Data        {} ({kept})\n",
            self.data_dir.display()
        );
        for (at, plugin) in state.plugins().enumerate() {
            let heading = if at == 0 { "Plugins" } else { "" };
            // Writing to a String does not fail.
            let _ = writeln!(text, "  {heading:<11} {}", describe(plugin));
        }
        if state.plugins().next().is_none() {
            text.push_str("  Plugins     none: give one with --plugin\n");
        }
        let plugin = to_create_at(state);
        text.push_str(&format!(
            r#"
Try next:

  curl '{url}/v1/plugins?type=csi&pretty'

  curl -X PUT '{url}/v1/volume/csi/db/create?pretty' -d '{{"Volumes": [{{
    "ID": "db", "Name": "db", "PluginID": "{plugin}", "RequestedCapacityMin": 1048576,
    "RequestedCapabilities": [{{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}}]
  }}]}}'

  curl '{url}/v1/volume/csi/db?pretty'

Ctrl-C stops it.
"#
        ));
        text
    }
}

/// The plugin that volumes are created at in the examples: one that can, if there is any.
fn to_create_at(state: &State) -> &str {
    state
        .plugins()
        .find(|plugin| plugin.health().controllers_healthy > 0)
        .or_else(|| state.plugins().next())
        .map_or("local", |plugin| plugin.id.as_str())
}

fn describe(plugin: &Plugin) -> String {
    let health = plugin.health();
    if health.all_healthy() {
        let driver = format!("{} {}", health.provider, health.version);
        return format!("{} is healthy ({})", plugin.id, driver.trim());
    }
    let why = plugin
        .instances
        .iter()
        .map(|stored| &stored.row)
        .find(|instance| !instance.healthy)
        .map_or("nothing was heard of it", |instance| &instance.description);
    format!("{} is not healthy: {why}", plugin.id)
}
