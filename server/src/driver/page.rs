//! Paging through lists: a token is the id of the next record to show.
//!
//! A token stays good when that record is deleted: the list goes on with the one after it.

use super::{Refusal, inventory::Table, record::Record};
use std::sync::Arc;

/// One page of a list.
pub(super) struct Page<R> {
    pub(super) records: Vec<Arc<R>>,
    /// Empty on the last page.
    pub(super) next_token: String,
}

/// Which page was asked for.
pub(super) struct Paging {
    max_entries: usize,
    start: String,
}

impl Paging {
    /// Checks what was sent against the kind of record that is listed.
    pub(super) fn parse<R: Record>(max_entries: i32, token: String) -> Result<Self, Refusal> {
        let max_entries = match usize::try_from(max_entries) {
            Err(_) => return Err(Refusal::invalid("max_entries", "must not be negative")),
            Ok(0) => usize::MAX,
            Ok(most) => most,
        };
        if !token.is_empty() && !R::is_id(&token) {
            return Err(Refusal::Token(token));
        }
        Ok(Self {
            max_entries,
            start: token,
        })
    }

    /// That page of those records of a table that are wanted.
    pub(super) fn of<R: Record>(&self, table: &Table<R>, wanted: impl Fn(&R) -> bool) -> Page<R> {
        let rest = table.from(&self.start).filter(|record| wanted(record));
        let (records, next_token) = self.cut(rest.cloned(), |record| record.id());
        Page {
            records,
            next_token,
        }
    }

    /// That page of rows that are in the order of their ids, and the token of the next page.
    pub(super) fn cut<T>(
        &self,
        rows: impl IntoIterator<Item = T>,
        id: impl Fn(&T) -> &str,
    ) -> (Vec<T>, String) {
        let mut rest = rows
            .into_iter()
            .filter(|row| id(row) >= self.start.as_str());
        let page = rest.by_ref().take(self.max_entries).collect();
        let next_token = rest
            .next()
            .map_or_else(String::new, |next| id(&next).into());
        (page, next_token)
    }
}
