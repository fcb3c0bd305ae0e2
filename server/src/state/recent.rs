//! The lists that were made last: whoever asks for the same of the same state is given the same bytes.
//!
//! - A list is what its [`ListOf`] says of one state. With the first list of a newer state all older are
//!   forgotten.
//! - What is small is made as quickly as it is found, and is not kept. Of all else no more than
//!   [`MOST_BYTES`] are.

use super::{Evaluated, State, VolumeQuery};
use crate::store::Index;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The smallest list that is kept, in bytes.
const LEAST_BYTES: usize = 64 << 10;

/// The most that is kept, in bytes: some 16,000 volumes.
const MOST_BYTES: usize = 8 << 20;

/// All that a list of volumes depends on, but for the state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOf {
    /// Which volumes it may show.
    pub query: VolumeQuery,
    /// The filter's text; empty for none.
    pub filter: String,
    /// Where the page begins; empty for the beginning.
    pub first: String,
    /// The most rows of the page.
    pub rows: usize,
    /// Whether it begins with the last row.
    pub is_reverse: bool,
}

/// The lists that were made last.
#[derive(Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    index: Index,
    bytes: usize,
    lists: HashMap<ListOf, Evaluated>,
}

impl Recent {
    /// The list that was made of this state, or else the one that `make` makes.
    pub fn list<E>(
        &self,
        of: ListOf,
        state: &State,
        make: impl FnOnce() -> Result<Evaluated, E>,
    ) -> Result<Evaluated, E> {
        if let Some(kept) = self.lock().find(&of, state.index) {
            return Ok(kept);
        }
        let made = make()?;
        if made.0.len() >= LEAST_BYTES {
            self.lock().keep(of, state.index, &made);
        }
        Ok(made)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&self, of: &ListOf, index: Index) -> Option<Evaluated> {
        let list = self.lists.get(of).filter(|_| self.index == index);
        list.cloned()
    }

    fn keep(&mut self, of: ListOf, index: Index, list: &Evaluated) {
        if index < self.index {
            return;
        }
        if index > self.index {
            *self = Self {
                index,
                ..Self::default()
            };
        }
        let bytes = self.bytes + list.0.len() + of.filter.len();
        if bytes <= MOST_BYTES && self.lists.insert(of, list.clone()).is_none() {
            self.bytes = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::cell::Cell;
    use std::convert::Infallible;

    fn of(filter: &str) -> ListOf {
        ListOf {
            query: VolumeQuery::default(),
            filter: filter.to_owned(),
            first: String::new(),
            rows: usize::MAX,
            is_reverse: false,
        }
    }

    /// How often lists are made, when they are asked for one after the other.
    fn made(asked: &[(u64, &str, usize)]) -> usize {
        let (recent, made) = (Recent::default(), Cell::new(0));
        for (index, filter, bytes) in asked {
            let make = || {
                made.set(made.get() + 1);
                let text = format!("{index} {filter}");
                Ok::<_, Infallible>((Bytes::from(vec![b' '; *bytes]), Some(text)))
            };
            let state = State::emptied_at(Index(*index));
            let Ok((body, next)) = recent.list(of(filter), &state, make);
            assert_eq!(body.len(), *bytes);
            assert_eq!(next, Some(format!("{index} {filter}")));
            assert!(recent.lock().bytes <= MOST_BYTES);
        }
        made.get()
    }

    #[test]
    fn a_list_is_made_once_for_a_state() {
        let large = LEAST_BYTES;
        assert_eq!(
            made(&[(1, "a", large), (1, "b", large), (1, "a", large)]),
            2
        );
        assert_eq!(
            made(&[(1, "a", large), (2, "a", large), (2, "a", large)]),
            2
        );
    }

    #[test]
    fn nothing_is_kept_of_a_state_that_is_not_the_newest() {
        let large = LEAST_BYTES;
        assert_eq!(
            made(&[(2, "a", large), (1, "a", large), (1, "a", large)]),
            3
        );
        assert_eq!(
            made(&[(1, "a", large), (2, "b", large), (1, "a", large)]),
            3
        );
    }

    #[test]
    fn what_is_small_or_too_much_is_not_kept() {
        let small = LEAST_BYTES - 1;
        assert_eq!(made(&[(1, "a", small), (1, "a", small)]), 2);
        let half = MOST_BYTES / 2;
        let asked = [
            (1, "a", half),
            (1, "b", half),
            (1, "c", half),
            (1, "c", half),
        ];
        assert_eq!(made(&asked), 4);
        assert_eq!(made(&[(1, "a", half), (1, "b", half), (1, "a", half)]), 2);
    }
}
