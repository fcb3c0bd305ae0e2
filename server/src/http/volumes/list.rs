//! Listing and reading volumes.

use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::filter::Filter;
use crate::http::declared::{
    At, Blocking, Crowded, Filtered, InNamespace, List, Missing, NotFound, Page, Pages, Prefix,
    Read, ReadErrors, Type, VolumeFilter, VolumePath,
};
use crate::http::edge::ReadOptions;
use crate::http::filtering;
use crate::http::front::Asking;
use crate::http::reply::{Refused, Reply, encoded, missing};
use crate::http::waiting::{self, Reader};
use crate::http::wire;
use crate::id::{Namespace, PluginId, VolumeId, VolumeKey};
use crate::picture::Fragments;
use crate::state::{Evaluated, Interest, ListOf, Order, State, VolumeQuery};
use bytes::Bytes;
use saddlebag_client::operations::Operation;

/// Any one of these lets the volumes of a namespace be listed.
const LISTING: &[&str] = Operation::ListVolumes.capability().namespace;

/// Every namespace.
const ALL: &str = "*";

#[utoipa::path(
    get, path = "/v1/volumes", tag = "volumes",
    params(Type, InNamespace, Prefix, VolumeFilter, Filtered, Pages, Blocking, Read),
    responses(Page<List<wire::VolumeStub<'static>>>, NotFound, ReadErrors, Crowded),
)]
pub(in crate::http) async fn list_volumes(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    match asking.query.get("type") {
        Some("csi") => {}
        // Nomad's command line asks for host volumes too; there are none here.
        Some("host") => return Ok(encoded("[]").at(cp.state().volumes_index)),
        None => return Ok(encoded("[]")),
        Some(_) => return Err(Fault::NoSuchRoute("resource not found".to_owned()).into()),
    }
    let filter = filtering::filter(asking.query)?;
    let query = VolumeQuery {
        among: asking.caller.namespaces(&cp.state(), LISTING),
        namespace: (options.namespace != ALL).then(|| Namespace::known(options.namespace.as_str())),
        prefix: options.prefix.clone(),
        plugin: asking.query.filled("plugin_id").map(PluginId::known),
        node: asking.query.filled("node_id").map(str::to_lowercase),
    };
    let reader = Reader::of(cp, asking, &options);
    let interest = Interest::Volumes(query.clone());
    let state = waiting::state(cp, asking, &options, interest, |state| state.volumes_index).await?;
    let list = ListOf {
        filter: asking.query.get("filter").unwrap_or_default().to_owned(),
        first: options.next_token.clone(),
        rows: options.page_size(),
        is_reverse: options.reverse,
        query,
    };
    let (body, next) = reader.evaluate(&state, || {
        let make = || page(&state, &list, filter.as_ref());
        cp.evaluations.list(list.clone(), &state, make)
    })?;
    Ok(encoded(body)
        .at(state.volumes_index)
        .next_page(next.as_deref()))
}

/// What is set aside for a row of a short page, in bytes.
const ROW: usize = 768;

/// One page of stubs, and where the next page begins.
fn page(state: &State, list: &ListOf, filter: Option<&Filter>) -> Result<Evaluated, Refused> {
    let first = (!list.first.is_empty()).then(|| parse_token(&list.first));
    let order = match list.is_reverse {
        false => Order::Ascending,
        true => Order::Descending,
    };
    let mut page = Vec::with_capacity(match list.rows {
        few @ 0..100 => few * ROW,
        _ => 0,
    });
    page.push(b'[');
    let mut rows = 0;
    let mut of_plugin = OfPlugin::none(state);
    for (key, entry) in state.select(&list.query, order, first) {
        let fragments = of_plugin.fragments(&entry.plugin);
        if filter.is_some() && !filtering::shows(filter, &entry.fields(fragments))? {
            continue;
        }
        if rows == list.rows {
            page.push(b']');
            return Ok((page.into(), Some(token(key))));
        }
        if rows > 0 {
            page.push(b',');
        }
        entry.write_stub(fragments, &mut page);
        rows += 1;
    }
    page.push(b']');
    page.shrink_to_fit();
    Ok((page.into(), None))
}

/// What volumes show of their plugins, found once for neighbours of one plugin.
struct OfPlugin<'s> {
    state: &'s State,
    last: Option<(&'s PluginId, Option<&'s Fragments>)>,
}

impl<'s> OfPlugin<'s> {
    fn none(state: &'s State) -> Self {
        Self { state, last: None }
    }

    fn fragments(&mut self, plugin: &'s PluginId) -> Option<&'s Fragments> {
        match self.last {
            Some((last, fragments)) if last == plugin => fragments,
            _ => {
                let fragments = self.state.fragments(plugin).map(AsRef::as_ref);
                self.last = Some((plugin, fragments));
                fragments
            }
        }
    }
}

/// `NAMESPACE.ID` of the next page's first volume, as Nomad's; ids that no header can hold are
/// escaped.
fn token(key: &VolumeKey) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const UNSAFE: AsciiSet = CONTROLS.add(b'%').add(b' ');
    let id = utf8_percent_encode(key.id.as_str(), &UNSAFE);
    format!("{}.{id}", key.namespace)
}

/// Where a page begins. A token that was never given names a place all the same.
fn parse_token(token: &str) -> VolumeKey {
    let (namespace, id) = token.split_once('.').unwrap_or((token, ""));
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    VolumeKey {
        namespace: Namespace::known(namespace),
        id: VolumeId::known(&*id),
    }
}

#[utoipa::path(
    get, path = "/v1/volume/csi/{volume_id}", tag = "volumes",
    params(VolumePath, InNamespace, Blocking, Read),
    responses(At<wire::Volume<'static>>, Missing, ReadErrors, Crowded),
)]
pub(in crate::http) async fn read_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let key = VolumeKey {
        namespace: Namespace::known(options.namespace.as_str()),
        id: VolumeId::known(asking.param("volume_id")),
    };
    if key.id.as_str().is_empty() {
        return Err(Fault::NoVolumeId.into());
    }
    let reader = Reader::of(cp, asking, &options);
    let interest = Interest::Volume(key.clone());
    let state = waiting::state(cp, asking, &options, interest, |state| state.volumes_index).await?;
    let (volume, _) = reader.evaluate(&state, || match read(&state, &key) {
        Some(volume) => Ok((volume, None)),
        None => {
            let error = Error::from(Fault::NoVolumeToRead).volume(&key.id);
            Err(missing(error, state.volumes_index))
        }
    })?;
    Ok(encoded(volume).at(state.volumes_index))
}

/// A volume as reading shows it.
pub(super) fn read(state: &State, key: &VolumeKey) -> Option<Bytes> {
    let entry = state.volume(key)?;
    let fragments = state.fragments(&entry.plugin);
    Some(entry.read(fragments.map(AsRef::as_ref)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mangled::{assert_linear, texts};

    #[test]
    fn a_token_leads_back_to_its_volume() {
        for id in ["db", "web[0]", "v-é", "50% off", "a.b"] {
            let key = VolumeKey {
                namespace: Namespace::known("team-2"),
                id: VolumeId::known(id),
            };
            let token = token(&key);
            assert!(axum::http::HeaderValue::from_str(&token).is_ok(), "{token}");
            assert_eq!(parse_token(&token), key);
        }
    }

    #[test]
    fn a_hundred_thousand_mangled_page_tokens_each_name_one_place() {
        let whole = [
            "default.pgdata",
            "team.with%20space%25",
            "a.b.c",
            "d.p\u{e9}[0]",
        ];
        for text in texts(&whole, 60) {
            let place = parse_token(&text);
            let again = token(&place);
            assert_eq!(parse_token(&again), place, "{text:?} {again:?}");
        }
    }

    #[test]
    fn a_long_page_token_costs_no_more_than_its_length() {
        for shape in [
            ("", "a.", ""),
            ("d.", "%ff", ""),
            ("d.", "%", ""),
            ("", "\u{e9}", "."),
        ] {
            assert_linear(1_000, shape, |text| {
                token(&parse_token(text));
            });
        }
    }
}
