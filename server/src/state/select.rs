//! Which volumes a list shows, found without looking at those that it does not.

use super::{State, VolumeEntry, VolumeQuery};
use crate::id::{Namespace, VolumeId, VolumeKey};
use std::sync::Arc;

/// A volume as the table has it.
type Row<'s> = (&'s VolumeKey, &'s Arc<VolumeEntry>);

/// In which order of their namespaces and ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first to the last.
    Ascending,
    /// From the last to the first.
    Descending,
}

impl State {
    /// The volumes of a query from `first` on, by namespace and id. Each namespace is entered at one
    /// end of the query's prefix and left at the other; a query for a plugin looks at that plugin's
    /// volumes only.
    pub fn select<'s>(
        &'s self,
        query: &'s VolumeQuery,
        order: Order,
        first: Option<VolumeKey>,
    ) -> impl Iterator<Item = Row<'s>> + 's {
        let mut namespaces: Vec<Namespace> = match &query.namespace {
            Some(namespace) => vec![namespace.clone()],
            None => self.namespaces.keys().cloned().collect(),
        };
        namespaces.retain(|namespace| query.is_among(namespace));
        if order == Order::Descending {
            namespaces.reverse();
        }
        namespaces
            .into_iter()
            .filter_map(move |namespace| {
                Span::of(&namespace, &query.prefix).on_page(order, first.as_ref())
            })
            .flat_map(move |span| self.within(query, order, span))
            .filter(move |(key, _)| query.node.is_none() || query.shows(self, key))
    }

    /// The volumes within a span, of the query's plugin if it names one.
    fn within<'s>(
        &'s self,
        query: &VolumeQuery,
        order: Order,
        span: Span,
    ) -> Box<dyn Iterator<Item = Row<'s>> + 's> {
        let range = span.from..span.before;
        match &query.plugin {
            None => ordered(order, self.volumes.range(range)),
            Some(plugin) => match self.volumes_of.get(plugin) {
                Some(volumes) => {
                    let keys = ordered(order, volumes.range(range));
                    Box::new(keys.filter_map(|key| Some((key, self.volume(key)?))))
                }
                None => Box::new(std::iter::empty()),
            },
        }
    }
}

fn ordered<'s, T>(
    order: Order,
    rows: impl DoubleEndedIterator<Item = T> + 's,
) -> Box<dyn Iterator<Item = T> + 's> {
    match order {
        Order::Ascending => Box::new(rows),
        Order::Descending => Box::new(rows.rev()),
    }
}

/// The keys from one on and before another, which is greater.
struct Span {
    from: VolumeKey,
    before: VolumeKey,
}

impl Span {
    /// Every key of a namespace whose id begins with `prefix`.
    fn of(namespace: &Namespace, prefix: &str) -> Self {
        let key = |namespace: &str, id: &str| VolumeKey {
            namespace: Namespace::known(namespace),
            id: VolumeId::known(id),
        };
        let name = namespace.as_str();
        Self {
            from: key(name, prefix),
            before: match successor(prefix) {
                Some(id) => key(name, &id),
                None => key(&format!("{name}\0"), ""),
            },
        }
    }

    /// What is left of it for a page that begins with the key `first`; `None` if nothing is.
    fn on_page(mut self, order: Order, first: Option<&VolumeKey>) -> Option<Self> {
        match (order, first) {
            (_, None) => {}
            (Order::Ascending, Some(first)) => self.from = self.from.max(first.clone()),
            (Order::Descending, Some(first)) => {
                let behind_first = VolumeKey {
                    namespace: first.namespace.clone(),
                    id: VolumeId::known(format!("{}\0", first.id)),
                };
                self.before = self.before.min(behind_first);
            }
        }
        (self.from < self.before).then_some(self)
    }
}

/// The least string that is greater than every one that begins with `prefix`; `None` if there is
/// none.
fn successor(prefix: &str) -> Option<String> {
    let mut next = prefix.to_owned();
    while let Some(last) = next.pop() {
        let mut above = (last..=char::MAX).skip(1);
        if let Some(higher) = above.next() {
            next.push(higher);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn a_successor_is_above_all_that_begins_so_and_below_all_else() {
        assert_eq!(successor("pg").as_deref(), Some("ph"));
        assert_eq!(successor("p\u{d7ff}").as_deref(), Some("p\u{e000}"));
        assert_eq!(successor("p\u{10ffff}\u{10ffff}").as_deref(), Some("q"));
        assert_eq!(successor("\u{10ffff}"), None);
        assert_eq!(successor(""), None);
        let above = successor("pg").unwrap();
        assert!(above.as_str() > "pg\u{10ffff}\u{10ffff}" && above.as_str() <= "ph");
    }
}
