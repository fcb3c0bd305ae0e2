//! Where log lines go, and which ones do: standard error, for people on a terminal, as JSON otherwise.

mod flood;

use crate::config::LogFormat;
use flood::Flood;
use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// The log of this process, whose level can be changed.
#[derive(Clone)]
pub(super) struct Log(Handle<EnvFilter, Registry>);

impl Log {
    /// Logs from now on what passes the filter; of the warnings of one place at most `repeats` within a
    /// while, which has to be asked for inside a runtime.
    pub fn start(filter: EnvFilter, format: LogFormat, repeats: Option<usize>) -> Self {
        let flood = repeats.map(Flood::of_at_most);
        if let Some(flood) = flood.clone() {
            tokio::spawn(flood.tell());
        }
        let (filter, handle) = reload::Layer::new(filter);
        let lines = fmt::layer()
            // Who closed our standard error does not want to hear that it is closed.
            .log_internal_errors(false)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        let lines = match is_for_people(format) {
            true => lines.boxed(),
            false => lines.json().with_span_list(false).boxed(),
        };
        tracing_subscriber::registry()
            .with(filter)
            .with(flood)
            .with(lines)
            .init();
        Self(handle)
    }

    /// Logs from now on what passes this filter.
    pub fn change(&self, filter: EnvFilter) {
        if let Err(error) = self.0.reload(filter) {
            tracing::error!("the log level cannot be changed: {error}");
        }
    }
}

fn is_for_people(format: LogFormat) -> bool {
    match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    }
}
