//! Which volumes a list shows, found without looking at those that it does not.

use super::{State, VolumeQuery};
use crate::id::{Namespace, VolumeId, VolumeKey};
use std::ops::Bound;

impl State {
    /// The volumes of a query from `first` on, by namespace and id. Each namespace is entered at the
    /// query's prefix and left behind it; a query for a plugin looks at that plugin's volumes only.
    pub fn select<'s>(
        &'s self,
        query: &'s VolumeQuery,
        first: Option<VolumeKey>,
    ) -> impl Iterator<Item = VolumeKey> + 's {
        let namespaces: Vec<Namespace> = match &query.namespace {
            Some(namespace) => vec![namespace.clone()],
            None => self.namespaces.keys().cloned().collect(),
        };
        namespaces
            .into_iter()
            .filter_map(move |namespace| start(namespace, &query.prefix, first.as_ref()))
            .flat_map(move |start| self.in_namespace(query, start))
            .filter(move |key| query.node.is_none() || query.shows(self, key))
    }

    /// The keys of one namespace from `start` on that have the query's prefix and plugin.
    fn in_namespace<'s>(
        &'s self,
        query: &'s VolumeQuery,
        start: VolumeKey,
    ) -> Box<dyn Iterator<Item = VolumeKey> + 's> {
        let namespace = start.namespace.clone();
        let from = (Bound::Included(start), Bound::Unbounded);
        let inside = move |key: &VolumeKey| {
            key.namespace == namespace && key.id.as_str().starts_with(&query.prefix)
        };
        match &query.plugin {
            None => Box::new(
                self.volumes
                    .range(from)
                    .map(|(key, _)| key.clone())
                    .take_while(inside),
            ),
            Some(plugin) => match self.volumes_of.get(plugin) {
                Some(volumes) => Box::new(volumes.range(from).cloned().take_while(inside)),
                None => Box::new(std::iter::empty()),
            },
        }
    }
}

/// Where to enter a namespace; nowhere if the page begins behind it.
fn start(namespace: Namespace, prefix: &str, first: Option<&VolumeKey>) -> Option<VolumeKey> {
    let entry = |id: &str| VolumeKey {
        namespace: namespace.clone(),
        id: VolumeId::known(id),
    };
    match first {
        Some(first) if first.namespace > namespace => None,
        Some(first) if first.namespace == namespace => Some(entry(first.id.as_str().max(prefix))),
        _ => Some(entry(prefix)),
    }
}
