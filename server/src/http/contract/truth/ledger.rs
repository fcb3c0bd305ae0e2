//! Violations of one test, kept until its end.
//!
//! A violation happens in a server task, where a panic fails no test. So it is entered here, before
//! the client has the last byte of the answer, and the test's own thread settles.
use super::{OnViolation, Violation};
use std::sync::{Arc, Mutex, PoisonError};

/// A list of violations that a server writes and a test reads. Clones are the same ledger.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    violations: Arc<Mutex<Vec<Violation>>>,
}

impl Ledger {
    /// What to give to [`layer`](super::layer()) so that violations are entered here.
    #[must_use]
    pub fn recorder(&self) -> OnViolation {
        let ledger = self.clone();
        Arc::new(move |violation| ledger.enter(violation.clone()))
    }

    /// What was entered since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Violation> {
        std::mem::take(
            &mut self
                .violations
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Ends a test; for the `Drop` of what holds the server of a test.
    ///
    /// # Panics
    /// When there are violations, with all of them; not if the thread panics already, so that the
    /// first failure is the one that is seen.
    pub fn settle(&self) {
        let violations = self.take();
        if !violations.is_empty() && !std::thread::panicking() {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            panic!("the wire broke the document:\n{}", lines.join("\n"));
        }
    }

    fn enter(&self, violation: Violation) {
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(violation);
    }
}
