//! The thread that alone writes the file.
//!
//! It takes every transaction that waits, commits them as one group with one fsync, tells the
//! followers, and answers. While the disk syncs, the next group gathers. Whatever fails or panics
//! below it, every transaction is answered and the thread goes on.
//!
//! redb wants to be opened anew after an I/O error. That is done at once, and the file then says
//! whether the group is durable or not, so most failures have a clear answer. If the file cannot be
//! opened, the answer is unclear, every later commit tries again, and if the group turns out to be
//! durable, its followers are told then.

use super::{
    disk::Disk,
    fault::{Fault, guarded},
    file::{self, Opened},
    format::Head,
    group::{self, Prepared},
    history::Teller,
    lock::Lock,
};
use crate::crash::{self, Point};
use crate::store::{Change, Committed, Formats, StoreError, Transaction, Write};
use redb::{ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{path::Path, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// The most transactions of one group.
const MOST_TRANSACTIONS: usize = 512;
/// The bytes of values after which a group takes no more transactions.
const ENOUGH_BYTES: usize = 2 * 1_024 * 1_024;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked for.
pub(super) enum Request {
    /// To commit this.
    Commit(Transaction, Answer<Committed>),
    /// To show everything that is durable now.
    Read(Answer<ReadTransaction>),
}

pub(super) struct Writer {
    file: Arc<Path>,
    disk: Disk,
    formats: Formats,
    /// The open file; nothing after a failure, until it can be opened again.
    opened: Option<Opened>,
    /// What was written by the commit that failed, while it is not known whether it is durable.
    unclear: Vec<Arc<Change>>,
    teller: Teller,
    lock: Option<Lock>,
}

impl Writer {
    pub(super) fn new(
        file: Arc<Path>,
        disk: Disk,
        formats: Formats,
        opened: Opened,
        teller: Teller,
        lock: Option<Lock>,
    ) -> Self {
        Self {
            file,
            disk,
            formats,
            opened: Some(opened),
            unclear: Vec::new(),
            teller,
            lock,
        }
    }

    /// Answers requests until nobody can make any more, then closes the file.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) -> Result<(), StoreError> {
        while let Some(first) = requests.blocking_recv() {
            let Gathered {
                transactions,
                answers,
                reads,
            } = gather(first, &mut requests);
            let outcomes = self.commit(&transactions);
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                let _ = answer.send(outcome); // whoever asked may have left
            }
            for answer in reads {
                let _ = answer.send(self.read());
            }
        }
        self.close()
    }

    /// Commits the transactions, in order; one outcome each.
    fn commit(&mut self, transactions: &[Transaction]) -> Vec<Result<Committed, StoreError>> {
        if transactions.is_empty() {
            return Vec::new();
        }
        let (
            write,
            Prepared {
                outcomes,
                changes,
                head,
            },
        ) = match self.prepare(transactions) {
            Ok(prepared) => prepared,
            Err(fault) => {
                self.abandon(&fault);
                let failed = |_| Err(fault.failure(&self.file, false));
                return transactions.iter().map(failed).collect();
            }
        };
        let failure = self.make_durable(write, changes, head).err();
        let outcome = |outcome| match (outcome, &failure) {
            (Err(damaged), _) => Err(Fault::refusal(damaged, &self.file)),
            (Ok(outcome), None) => Ok(outcome),
            (Ok(Committed::At(_)), Some((fault, unclear))) => {
                Err(fault.failure(&self.file, *unclear))
            }
            (Ok(Committed::Conflict(_)), Some((fault, _))) => Err(fault.failure(&self.file, false)),
        };
        outcomes.into_iter().map(outcome).collect()
    }

    fn prepare(
        &mut self,
        transactions: &[Transaction],
    ) -> Result<(WriteTransaction, Prepared), Fault> {
        let opened = self.opened()?;
        guarded(|| {
            let write = opened.database.begin_write()?;
            let prepared = group::prepare(&write, opened.head, transactions)?;
            Ok((write, prepared))
        })
    }

    /// Makes what was prepared durable and tells it; or says why not, and whether that is unclear.
    fn make_durable(
        &mut self,
        write: WriteTransaction,
        changes: Vec<Arc<Change>>,
        head: Head,
    ) -> Result<(), (Fault, bool)> {
        crash::pass_each(&changes, Point::BeforeCommit);
        let made = guarded(|| match changes.is_empty() {
            true => Ok(write.abort()?),
            false => Ok(write.commit()?),
        });
        if let Err(fault) = made {
            self.abandon(&fault);
            self.unclear = changes;
            return match self.opened() {
                Ok(opened) if opened.head == head => Ok(()),
                Ok(_) => Err((fault, false)),
                Err(_) => Err((fault, true)),
            };
        }
        if let Some(opened) = &mut self.opened {
            opened.head = head;
        }
        crash::pass_each(&changes, Point::AfterCommit);
        self.tell(changes);
        Ok(())
    }

    fn read(&mut self) -> Result<ReadTransaction, StoreError> {
        let read = self
            .opened()
            .and_then(|opened| guarded(|| Ok(opened.database.begin_read()?)));
        read.map_err(|fault| fault.failure(&self.file, false))
    }

    /// The open file; opened again if need be. What was unclear is clear afterwards.
    fn opened(&mut self) -> Result<&mut Opened, Fault> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => self.open_again()?,
        };
        Ok(self.opened.insert(opened))
    }

    fn open_again(&mut self) -> Result<Opened, Fault> {
        let opened = file::open(&self.disk, self.formats)?;
        let index = opened.head.index;
        tracing::info!(file = %self.file.display(), %index, "the store works again");
        let unclear = std::mem::take(&mut self.unclear);
        if unclear.last().is_some_and(|newest| newest.index <= index) {
            self.tell(unclear);
        }
        Ok(opened)
    }

    fn tell(&self, changes: Vec<Arc<Change>>) {
        if !changes.is_empty() {
            self.teller.tell(changes);
        }
    }

    /// Lets go of a file that failed, to open it again.
    fn abandon(&mut self, fault: &Fault) {
        let Some(opened) = self.opened.take() else {
            return; // it could not even be opened
        };
        tracing::warn!(file = %self.file.display(), %fault, "the store failed; it is opened again");
        let _ = guarded(|| {
            drop(opened);
            Ok(())
        });
    }

    fn close(self) -> Result<(), StoreError> {
        let Self {
            file, opened, lock, ..
        } = self;
        let closed = guarded(|| match opened {
            Some(opened) => Ok(opened.database.close()?),
            None => Ok(()),
        });
        drop(lock);
        closed.map_err(|fault| fault.failure(&file, false))
    }
}

struct Gathered {
    transactions: Vec<Transaction>,
    answers: Vec<Answer<Committed>>,
    reads: Vec<Answer<ReadTransaction>>,
}

/// Takes what waits, as much as one group may have.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Gathered {
    let mut gathered = Gathered {
        transactions: Vec::new(),
        answers: Vec::new(),
        reads: Vec::new(),
    };
    let mut bytes = 0;
    let mut next = Some(first);
    while let Some(request) = next {
        match request {
            Request::Commit(transaction, answer) => {
                bytes += value_bytes(&transaction);
                gathered.transactions.push(transaction);
                gathered.answers.push(answer);
            }
            Request::Read(answer) => gathered.reads.push(answer),
        }
        let full = gathered.transactions.len() >= MOST_TRANSACTIONS || bytes >= ENOUGH_BYTES;
        next = if full { None } else { requests.try_recv().ok() };
    }
    gathered
}

fn value_bytes(transaction: &Transaction) -> usize {
    let value = |write: &Write| match write {
        Write::Put(_, value) => value.len(),
        Write::Delete(_) => 0,
    };
    transaction.writes.iter().map(value).sum()
}
