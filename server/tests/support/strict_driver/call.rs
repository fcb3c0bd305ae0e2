//! One call that changes something: its fault, its turn, and what became of it.

use super::process::Order;
use super::services::Beside;
use super::storage::{Answer, Refusal, Storage};
use super::{Fault, Shared};
use prost::Message;
use saddlebag::csi::Call;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tonic::{Code, Response, Status};

/// What one call at a time may be about: something at the controller (no node), or on a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    pub node: Option<String>,
    pub name: String,
}

/// How long a caller that gave up may take to be noticed.
const NOTICED: Duration = Duration::from_secs(1);

/// Held while a call is under way, whoever waits for it.
struct Turn(Shared, Subject);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.storage().open.remove(&self.1);
        self.0.0.under_way.lock().unwrap().remove(&self.1);
    }
}

impl Beside {
    /// Does what `act` says, in its turn, with the fault that is its lot.
    pub(super) async fn change<Question, A>(
        &self,
        call: Call,
        subject: Subject,
        question: Question,
        act: impl FnOnce(&mut Storage, &Question) -> Answer<A> + Send + 'static,
    ) -> Result<Response<A>, Status>
    where
        Question: Message + std::fmt::Debug + 'static,
        A: Message + 'static,
    {
        let asked = format!("{call} {question:?}");
        let number = self.shared.storage().arrives(call, &subject, asked);
        if self.shared.0.deaf.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let waits = Arc::new(());
        let Some(turn) = self.turn(&subject, &waits).await else {
            let status = Status::aborted("another call about it is under way");
            self.shared
                .storage()
                .ends(number, &subject, &Err(status.clone()));
            return Err(status);
        };
        let fault = self.shared.0.faults.lock().unwrap().pop_front();
        let fault = fault.flatten();
        let boot = self.begins(&subject);
        let beside = self.clone();
        let acting = tokio::spawn(async move {
            let answer = beside.act(call, &subject, boot, fault, question, act).await;
            let told = answer.as_ref().map(|_| ()).map_err(Status::clone);
            beside.shared.storage().ends(number, &subject, &told);
            drop(turn);
            answer
        });
        let answer = acting.await.unwrap_or_else(|_| {
            let status = Status::internal("the driver panicked");
            Err(status)
        });
        drop(waits);
        answer.map(Response::new)
    }

    /// Notes that a call is under way; answers in which boot of its host.
    fn begins(&self, subject: &Subject) -> u64 {
        let mut storage = self.shared.storage();
        storage.open.insert(subject.clone());
        subject.node.as_ref().map_or(0, |node| storage.boot(node))
    }

    /// The turn of a call; `None` while an earlier one is done whose caller gave up.
    async fn turn(&self, subject: &Subject, waits: &Arc<()>) -> Option<Turn> {
        let looks_again = Duration::from_millis(5);
        for _ in 0..NOTICED.as_millis() / looks_again.as_millis() {
            let earlier: Weak<()> = {
                let mut under_way = self.shared.0.under_way.lock().unwrap();
                match under_way.get(subject) {
                    Some(earlier) => Arc::downgrade(earlier),
                    None => {
                        under_way.insert(subject.clone(), Arc::clone(waits));
                        return Some(Turn(self.shared.clone(), subject.clone()));
                    }
                }
            };
            // One reference is the table's, the other that of a caller who waits.
            if earlier.strong_count() < 2 {
                return None;
            }
            tokio::time::sleep(looks_again).await;
        }
        let what = format!("two calls at once about {subject:?}");
        self.shared.storage().breach(subject, what);
        None
    }

    async fn act<Question, A>(
        &self,
        call: Call,
        subject: &Subject,
        boot: u64,
        fault: Option<Fault>,
        question: Question,
        act: impl FnOnce(&mut Storage, &Question) -> Answer<A>,
    ) -> Result<A, Status> {
        if let Some(node) = &subject.node
            && self.shared.storage().is_off(node)
        {
            return Err(Status::unavailable("the host is off"));
        }
        let pace = *self.shared.0.pace.lock().unwrap();
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        match fault {
            Some(Fault::Before(code)) => {
                let code = match code {
                    Code::NotFound if undoes(call) => Code::Internal,
                    code => code,
                };
                self.shared.storage().refused(subject, call, code, false);
                return Err(Status::new(code, "refused by the test before it was done"));
            }
            Some(Fault::Hang) => {
                let mut let_go = self.shared.0.let_go.subscribe();
                self.shared.0.hung.send_modify(|calls| *calls += 1);
                tokio::select! {
                    _ = let_go.changed() => {}
                    () = self.goes_off(subject, boot) => {}
                }
            }
            Some(Fault::DieBefore) => self.die().await,
            Some(Fault::After(_) | Fault::DieAfter) | None => {}
        }
        let answer = {
            let mut storage = self.shared.storage();
            let node = subject.node.as_ref();
            if node.is_some_and(|node| storage.boot(node) != boot || storage.is_off(node)) {
                return Err(Status::unavailable("the host was switched off"));
            }
            match act(&mut storage, &question) {
                Ok(answer) => Ok(answer),
                Err(Refusal::Status(status)) => Err(status),
                Err(Refusal::Breach(what)) => {
                    let status = Status::internal(format!("breach: {what}"));
                    storage.breach(subject, what);
                    Err(status)
                }
            }
        };
        match fault {
            Some(Fault::After(code)) if answer.is_ok() => {
                self.shared.storage().refused(subject, call, code, true);
                Err(Status::new(code, "refused by the test after it was done"))
            }
            Some(Fault::DieAfter) => self.die().await,
            _ => answer,
        }
    }

    /// Waits until the host of a call is switched off.
    async fn goes_off(&self, subject: &Subject, boot: u64) {
        let Some(node) = &subject.node else {
            return std::future::pending().await;
        };
        while self.shared.storage().boot(node) == boot {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn die<T>(&self) -> T {
        let _ = self.process.send(Order::Restart);
        std::future::pending().await
    }
}

/// Whether a call undoes something. `NotFound` says of these that it is done, so a driver that says it
/// without having done it lies.
fn undoes(call: Call) -> bool {
    matches!(
        call,
        Call::DeleteVolume
            | Call::DeleteSnapshot
            | Call::ControllerUnpublishVolume
            | Call::NodeUnstageVolume
            | Call::NodeUnpublishVolume
    )
}

/// Whether a caller takes an error with this code as the driver's last word.
pub fn is_final(code: Code) -> bool {
    !matches!(
        code,
        Code::Ok | Code::Unavailable | Code::Aborted | Code::DeadlineExceeded
    )
}
