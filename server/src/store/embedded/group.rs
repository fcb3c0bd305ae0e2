//! Transactions that wait at the same time, put into one redb transaction: one fsync for all.
//!
//! They are taken one after the other. Each is judged against what those before it left, gets an
//! index of its own, and changes nothing if its guards do not hold. Rows are looked up in redb's
//! tree, in the transaction that is being written: what a commit costs grows with its depth only.

use super::{
    fault::Fault,
    format::{Head, ROWS, Rows},
    row::Stored,
};
use crate::store::{Change, Committed, Guard, Index, Key, Row, Transaction, Write};
use redb::{ReadableTable, WriteTransaction};
use std::sync::Arc;

/// A group that is written but not durable yet.
pub(super) struct Prepared {
    /// What becomes of each transaction, in order, once the group is durable.
    pub(super) outcomes: Vec<Result<Committed, Fault>>,
    /// What the group changes.
    pub(super) changes: Vec<Arc<Change>>,
    /// What is true afterwards.
    pub(super) head: Head,
}

/// Writes what the transactions change, on top of `head`. A fault is one of the storage; a damaged
/// row concerns only the transaction that meets it.
pub(super) fn prepare(
    write: &WriteTransaction,
    head: Head,
    transactions: &[Transaction],
) -> Result<Prepared, Fault> {
    let mut prepared = Prepared {
        outcomes: Vec::new(),
        changes: Vec::new(),
        head,
    };
    let mut rows = write.open_table(ROWS)?;
    for transaction in transactions {
        let outcome = match plan(&rows, prepared.head, transaction) {
            Ok(Plan::Conflict(key)) => Ok(Committed::Conflict(key)),
            Ok(Plan::Nothing) => Ok(Committed::At(prepared.head.index)),
            Ok(Plan::Change(change, head)) => {
                make(&mut rows, &change)?;
                prepared.head = head;
                prepared.changes.push(Arc::new(change));
                Ok(Committed::At(head.index))
            }
            Err(damaged @ Fault::Damaged { .. }) => Err(damaged),
            Err(fault) => return Err(fault),
        };
        prepared.outcomes.push(outcome);
    }
    drop(rows);
    if prepared.head != head {
        prepared.head.write(write)?;
    }
    Ok(prepared)
}

enum Plan {
    /// The guard on this key does not hold.
    Conflict(Key),
    /// There is nothing to change.
    Nothing,
    /// This is changed, and then this is true.
    Change(Change, Head),
}

fn plan(rows: &Rows<'_>, mut head: Head, transaction: &Transaction) -> Result<Plan, Fault> {
    for guard in &transaction.guards {
        if !holds(rows, guard)? {
            return Ok(Plan::Conflict(guard.key().clone()));
        }
    }
    let index = Index(head.index.0 + 1);
    let mut changed = Vec::with_capacity(transaction.writes.len());
    for write in &transaction.writes {
        let key = write.key();
        let old = rows.get(key.as_str().as_bytes())?;
        let old = old
            .as_ref()
            .map(|old| Stored::read(key.as_str(), old.value()))
            .transpose()?;
        if let Some(old) = &old {
            head.without(old);
        }
        match write {
            Write::Put(_, value) => {
                let created = old.map_or(index, |old| old.created);
                let row = Row {
                    value: value.clone(),
                    created,
                    modified: index,
                };
                head.with(&Stored::new(key.as_str(), &row));
                changed.push((key.clone(), Some(row)));
            }
            Write::Delete(_) if old.is_some() => changed.push((key.clone(), None)),
            Write::Delete(_) => {}
        }
    }
    if changed.is_empty() {
        return Ok(Plan::Nothing);
    }
    head.index = index;
    Ok(Plan::Change(
        Change {
            index,
            rows: changed,
        },
        head,
    ))
}

fn holds(rows: &Rows<'_>, guard: &Guard) -> Result<bool, Fault> {
    let bytes = guard.key().as_str().as_bytes();
    Ok(match guard {
        Guard::At(key, index) => match rows.get(bytes)? {
            Some(row) => Stored::read(key.as_str(), row.value())?.modified == *index,
            None => false,
        },
        Guard::Absent(_) => rows.get(bytes)?.is_none(),
        Guard::Empty(_) => match rows.range(bytes..)?.next().transpose()? {
            Some((first, _)) => !first.value().starts_with(bytes),
            None => true,
        },
    })
}

fn make(rows: &mut Rows<'_>, change: &Change) -> Result<(), Fault> {
    for (key, row) in &change.rows {
        let key = key.as_str();
        match row {
            Some(row) => {
                rows.insert(key.as_bytes(), Stored::new(key, row).bytes().as_slice())?;
            }
            None => {
                rows.remove(key.as_bytes())?;
            }
        }
    }
    Ok(())
}
