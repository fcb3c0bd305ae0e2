//! Where log lines go, and which ones do: standard error, for people on a terminal, as JSON otherwise.

mod flood;

use crate::cli::failure::printable;
use crate::config::LogFormat;
use flood::Flood;
use std::io::IsTerminal;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
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
            true => lines.fmt_fields(debug_fn(field).delimited(" ")).boxed(),
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

/// A field of a line for people, in that line whatever it holds: a driver may have said it.
fn field(to: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug) -> std::fmt::Result {
    let text = printable(&format!("{value:?}")).replace('\n', "\\n");
    match field.name() {
        "message" => to.write_str(&text),
        name => write!(to, "{name}={text}"),
    }
}

fn is_for_people(format: LogFormat) -> bool {
    match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_driver_says_makes_no_line_of_its_own_and_drives_no_terminal() {
        let written = Written::default();
        let to = written.clone();
        let lines = fmt::layer()
            .with_ansi(false)
            .with_writer(move || to.clone())
            .fmt_fields(debug_fn(field).delimited(" "));
        let said = "no\n2026-11-22T00:00:00Z  INFO all is well\u{1b}[2J";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(plugin.id = said, "the driver: {said}");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("the driver: no\\n2026") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(text.contains("plugin.id=\"no\\n2026"), "{text}");
    }
}
