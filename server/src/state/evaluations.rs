//! Answers that many share: who wait for one thing, and who ask for one list again.

use super::State;
use super::recent::{ListOf, Recent};
use crate::store::Index;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What a query shows: its body, and where the next page begins.
pub type Evaluated = (Bytes, Option<String>);

/// The queries that somebody waits for, each state looked at once for all of them, and the lists that were
/// made last. An entry of the former lives as long as somebody holds a [`Seat`] for it.
#[derive(Default)]
pub struct Evaluations {
    seats: Mutex<HashMap<String, Weak<Shared>>>,
    made: AtomicU64,
    recent: Recent,
}

#[derive(Default)]
struct Shared {
    last: Mutex<Option<(Index, Evaluated)>>,
}

/// Somebody who waits for a query. Its text may hold a token, so neither can be printed.
pub struct Seat<'e> {
    evaluations: &'e Evaluations,
    query: String,
    shared: Arc<Shared>,
}

impl Evaluations {
    /// A seat beside all who wait for the same query. Two queries are the same if their texts are: the
    /// text says all that the answer depends on, who asks included.
    pub fn seat(&self, query: String) -> Seat<'_> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seats.get(&query).and_then(Weak::upgrade);
        let shared = known.unwrap_or_else(|| {
            let shared = Arc::default();
            seats.insert(query.clone(), Arc::downgrade(&shared));
            shared
        });
        Seat {
            evaluations: self,
            query,
            shared,
        }
    }

    /// A list of a state: as it was made last, or else as `make` makes it.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn list<E>(
        &self,
        of: ListOf,
        state: &State,
        make: impl FnOnce() -> Result<Evaluated, E>,
    ) -> Result<Evaluated, E> {
        self.recent.list(of, state, make)
    }

    /// How many answers were made for those who waited.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// How many queries somebody waits for.
    pub fn queries(&self) -> usize {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.len()
    }
}

impl Seat<'_> {
    /// What the query shows of a state: made by the first who asks, and given to all others.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn evaluate<E>(
        &self,
        state: &State,
        make: impl FnOnce() -> Result<Evaluated, E>,
    ) -> Result<Evaluated, E> {
        let last = &self.shared.last;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((index, evaluated)) if *index == state.index => Ok(evaluated.clone()),
            _ => {
                let evaluated = make()?;
                self.evaluations.made.fetch_add(1, Ordering::Relaxed);
                *last = Some((state.index, evaluated.clone()));
                Ok(evaluated)
            }
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let seats = &self.evaluations.seats;
        let mut seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::strong_count(&self.shared) == 1 {
            seats.remove(&self.query);
        }
    }
}
