//! What the process says while it is abused: errors in its log, and panics.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Level;

/// Errors that were logged, and panics. Clones are the same list.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// Listens to the whole process from now on; for a binary with one test.
    pub fn listen() -> Self {
        let heard = Self::default();
        let writer = heard.clone();
        tracing_subscriber::fmt()
            .with_max_level(Level::ERROR)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        let (panics, before) = (heard.clone(), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            panics.add(panic.to_string());
            before(panic);
        }));
        heard
    }

    /// What was heard since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, text: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text);
    }
}

impl io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
