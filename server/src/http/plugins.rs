//! The routes of tag `plugins`.

use super::declared::{
    At, Blocking, Crowded, InNamespace, List, Missing, PluginPath, Prefix, Read, ReadErrors, Type,
};
use super::edge::ReadOptions;
use super::front::Asking;
use super::reply::{Refused, Reply, encoded, missing};
use super::waiting::{self, Reader};
use super::wire;
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::id::{Namespace, PluginId};
use crate::picture;
use crate::state::Interest;

/// The one type of plugin that there is.
const CSI: &str = "csi";

#[utoipa::path(
    get, path = "/v1/plugins", tag = "plugins",
    params(Type, Prefix, Blocking, Read),
    responses(At<List<wire::PluginStub<'static>>>, ReadErrors, Crowded),
)]
pub(super) async fn list_plugins(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    if asking.query.get("type") != Some(CSI) {
        return Ok(encoded("[]"));
    }
    let reader = Reader::of(cp, asking, &options);
    let interest = Interest::Plugins(options.prefix.clone());
    let state = waiting::state(cp, asking, &options, interest, |state| state.plugins_index).await?;
    let (list, _) = reader.evaluate(&state, || {
        let shown = state
            .plugins()
            .filter(|plugin| plugin.id.as_str().starts_with(&options.prefix))
            .filter_map(|plugin| state.fragments(&plugin.id))
            .map(|fragments| fragments.plugin_stub.clone());
        Ok::<_, Refused>((picture::array(shown).into(), None))
    })?;
    Ok(encoded(list).at(state.plugins_index))
}

/// What lets the allocations of a namespace be seen.
const ALLOCATIONS: &[&str] = &["read-job"];

#[utoipa::path(
    get, path = "/v1/plugin/csi/{plugin_id}", tag = "plugins",
    params(PluginPath, InNamespace, Blocking, Read),
    responses(At<wire::Plugin<'static>>, Missing, ReadErrors, Crowded),
)]
pub(super) async fn read_plugin(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let id = PluginId::known(asking.param("plugin_id"));
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    if id.as_str().is_empty() {
        return Err(Fault::NoPluginId.into());
    }
    let interest = Interest::Plugin(id.clone());
    let state = waiting::state(cp, asking, &options, interest, |state| state.plugins_index).await?;
    match state.fragments(&id) {
        Some(fragments) => {
            let asked = options.namespace.as_str();
            let shows = |namespace: &Namespace| {
                let name = namespace.as_str();
                let is_asked = asked == "*" || asked == name;
                is_asked && asking.caller.access.in_namespace(name, ALLOCATIONS)
            };
            Ok(encoded(fragments.plugin(shows)).at(state.plugins_index))
        }
        None => {
            let error = Error::from(Fault::NoPluginToRead).plugin(&id);
            Err(missing(error, state.plugins_index))
        }
    }
}
