//! What a driver that we started was told of late and may print.

use super::{Secret, Secrets};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many values are remembered: each line that the driver prints is searched for all of them.
const MOST_VALUES: usize = 256;

/// The values of the latest calls of a driver that nobody else may see: secrets, publish contexts, mount flags. Clones share
/// them. The newest 256 are remembered, each once.
#[derive(Clone, Default)]
pub struct Confided(Arc<Mutex<VecDeque<Secret>>>);

impl Confided {
    /// Remembers these.
    pub(super) fn note(&self, secrets: &Secrets) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, secret) in secrets.iter() {
            known.retain(|other| other.expose() != secret.expose());
            known.push_back(secret.clone());
            if known.len() > MOST_VALUES {
                known.pop_front();
            }
        }
    }

    /// These, with all that is remembered: only to be looked for in a text.
    pub(super) fn with(&self, secrets: &Secrets) -> Secrets {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = secrets.iter().map(|(_, secret)| secret);
        let all = known.iter().chain(own).enumerate();
        all.map(|(at, secret)| (at.to_string(), secret.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: impl IntoIterator<Item = String>) -> Secrets {
        let values = values.into_iter().enumerate();
        values
            .map(|(at, value)| (at.to_string(), Secret::new(value)))
            .collect()
    }

    #[test]
    fn the_newest_values_are_looked_for_beside_the_drivers_own() {
        let confided = Confided::default();
        let own = secrets(["of-the-plugin".to_owned()]);
        confided.note(&secrets(["first-value".to_owned()]));
        confided.note(&secrets(["other-value".to_owned()]));
        let shown = confided
            .with(&own)
            .redact("of-the-plugin first-value other-value");
        assert_eq!(shown, "[REDACTED] [REDACTED] [REDACTED]");
        // What is told again stays, what is old goes.
        for at in 1..MOST_VALUES {
            confided.note(&secrets([
                format!("value-{at:04}"),
                "first-value".to_owned(),
            ]));
        }
        let shown = confided.with(&own).redact("first-value other-value");
        assert_eq!(shown, "[REDACTED] other-value");
    }
}
