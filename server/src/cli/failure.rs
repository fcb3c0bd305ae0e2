//! Why a command failed: what the user reads, what he may do next, and the exit code.

use crate::cli::say;
use saddlebag_client::{Error, TlsProblem, types};
use std::process::ExitCode;

/// What the exit codes mean, as `--help` shows it.
pub const EXIT_CODES: &str = "Exit codes:
  0    done
  1    refused or failed: the message says why; of doctor and verify: something was found
  2    the command line, or the volume specification, is wrong
  3    no such volume, claim, plugin, snapshot, node, operation or namespace
  4    in use, busy, or in conflict with what is there
  5    no server answers
  6    not finished yet: the work goes on; the message says how to wait for it
  130  left by Ctrl-C: work that was asked for goes on";

/// An exit code that scripts can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Refused or failed.
    Failed = 1,
    /// The command line, or a volume specification, is wrong.
    Usage = 2,
    /// What the command is about is not there.
    NotFound = 3,
    /// In use, busy, or in conflict with what is there.
    Conflict = 4,
    /// No server answers.
    NoServer = 5,
    /// The work goes on.
    Unfinished = 6,
    /// Ctrl-C.
    Left = 130,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    /// What to do next, a line each.
    next: Vec<String>,
}

impl Failure {
    /// A failure with what to do next, a line each.
    pub fn new(exit: Exit, message: impl Into<String>, next: &[&str]) -> Self {
        Self {
            exit,
            message: message.into(),
            next: next.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    /// The command line, or a file that it names, is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message, &[])
    }

    /// What a request to this address came to.
    pub fn of(error: Error<types::Error>, address: &str) -> Self {
        if let Some(problem) = TlsProblem::of(&error) {
            return Self::new(Exit::NoServer, format!("{address}: {problem}"), &[]);
        }
        match error {
            Error::ErrorResponse(answer) => Self::from(answer.into_inner()),
            Error::CommunicationError(error) if error.is_connect() => Self::new(
                Exit::NoServer,
                format!("no server answers at {address}: {}", root(&error)),
                &[
                    "Start one: saddlebag dev",
                    "Or say where one is: --address URL, or SADDLEBAG_ADDR",
                ],
            ),
            Error::CommunicationError(error) | Error::ResponseBodyError(error) => Self::new(
                Exit::NoServer,
                format!(
                    "the connection to {address} ended before the answer: {}",
                    root(&error)
                ),
                &["What was asked for may go on: saddlebag operation list"],
            ),
            // A real Nomad says what is wrong as plain text.
            Error::InvalidResponsePayload(body, error) => match std::str::from_utf8(&body) {
                Ok(text)
                    if !text.trim().is_empty()
                        && !text.trim_start().starts_with(['{', '[', '<']) =>
                {
                    Self::plain(text.trim())
                }
                _ => Self::new(
                    Exit::Failed,
                    format!("the answer from {address} is not understood: {error}"),
                    &["Is it a saddlebag, or a Nomad? --address URL says where one is"],
                ),
            },
            Error::UnexpectedResponse(answer) => Self::new(
                Exit::Failed,
                format!(
                    "{address} answered {}, which is not expected",
                    answer.status()
                ),
                &["Is it a saddlebag, or a Nomad? --address URL says where one is"],
            ),
            Error::InvalidRequest(problem) | Error::Custom(problem) => Self::usage(problem),
            Error::InvalidUpgrade(error) => Self::new(Exit::Failed, error.to_string(), &[]),
        }
    }

    /// What a server said in plain text, as a real Nomad does.
    fn plain(text: &str) -> Self {
        if text.contains("HTTPS server") {
            let next = ["Use https:// in the address: --address URL, or SADDLEBAG_ADDR"];
            return Self::new(Exit::NoServer, text, &next);
        }
        let exit = match text {
            text if text.contains("not found") => Exit::NotFound,
            text if text.contains("in use") => Exit::Conflict,
            _ => Exit::Failed,
        };
        Self::new(exit, text, &[])
    }

    /// The same, of work that goes on all the same, with what to do about that.
    #[must_use]
    pub fn of_work_that_goes_on(self, next: &[&str]) -> Self {
        Self::new(Exit::Unfinished, self.message, next)
    }

    /// The exit code that it has.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Tells it on standard error.
    pub fn tell(&self) -> ExitCode {
        let mut text = format!("saddlebag: {}\n", printable(&self.message));
        for line in &self.next {
            text.push_str(&format!("  {}\n", printable(line)));
        }
        say(std::io::stderr(), &text);
        ExitCode::from(self.exit as u8)
    }
}

impl From<types::Error> for Failure {
    fn from(error: types::Error) -> Self {
        let (exit, advice) = advice(&error);
        let mut next: Vec<String> = advice.into_iter().collect();
        if let Some(operation) = error.operation.as_ref().filter(|_| exit != Exit::NotFound) {
            next.push(format!("See why: saddlebag operation status {operation}"));
        }
        if next.is_empty() && error.retryable {
            next.push("The same command may succeed later".to_owned());
        }
        if !error.done.is_empty() {
            next.push(format!("Done nevertheless: {}", error.done.join(", ")));
        }
        let message = message(&error);
        Self {
            exit,
            message,
            next,
        }
    }
}

/// The server's words, with the id of what is not there, which Nomad's leave out.
fn message(error: &types::Error) -> String {
    if !error.errors.is_empty() {
        // One in a line, without Nomad's words around them.
        let each = error.errors.iter().map(|error| error.message.as_str());
        return each.collect::<Vec<_>>().join("\n");
    }
    let missing = match error.code.as_str() {
        "volume_not_found" => error.volume.as_deref(),
        "plugin_not_found" => error.plugin.as_deref(),
        "claim_not_found" => error.claim.as_deref(),
        _ => None,
    };
    match missing {
        Some(id) if !error.message.contains(id) => format!("{}: {id}", error.message),
        _ => error.message.clone(),
    }
}

/// The exit code, and what to do next. Goes by the code, which is the same whatever statuses the server answers.
fn advice(error: &types::Error) -> (Exit, Option<String>) {
    let volume = || word(error.volume.as_deref().unwrap_or_default());
    let node = || word(error.node.as_deref().unwrap_or_default());
    let plugin = || word(error.plugin.as_deref().unwrap_or_default());
    let (exit, line) = match error.code.as_str() {
        "volume_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag volume list --namespace '*'".to_owned(),
        ),
        "plugin_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag plugin list".to_owned(),
        ),
        "operation_not_found" => (
            Exit::NotFound,
            "See what there is; ended ones are kept for an hour: saddlebag operation list"
                .to_owned(),
        ),
        "claim_not_found" => (
            Exit::NotFound,
            format!("See who uses it: saddlebag volume claims {}", volume()),
        ),
        "node_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag node list".to_owned(),
        ),
        "namespace_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag namespace list".to_owned(),
        ),
        "token_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag acl token list".to_owned(),
        ),
        "policy_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag acl policy list".to_owned(),
        ),
        "role_not_found" => (
            Exit::NotFound,
            "See what there is: saddlebag acl role list".to_owned(),
        ),
        "acl_disabled" => (
            Exit::Failed,
            "Switch access control on: acl.enabled in the configuration, or saddlebag dev --acl-enabled"
                .to_owned(),
        ),
        "not_found" | "job_not_found" => return (Exit::NotFound, None),
        "key_not_found" => (
            Exit::NotFound,
            "See which there are: saddlebag keyring status".to_owned(),
        ),
        "namespace_in_use" | "key_in_use" => return (Exit::Conflict, None),
        "volume_in_use" | "claim_refused" => (
            Exit::Conflict,
            format!("See who uses it: saddlebag volume claims {}", volume()),
        ),
        "claim_conflict" => (
            Exit::Conflict,
            format!("See that claim: saddlebag volume claims {}", volume()),
        ),
        "node_fenced" => (
            Exit::Conflict,
            format!("See why: saddlebag node status {}", node()),
        ),
        "volume_conflict" => (
            Exit::Conflict,
            format!(
                "See how it is: saddlebag volume status --verbose {}",
                volume()
            ),
        ),
        "external_id_taken" => (
            Exit::Conflict,
            "See which has it: saddlebag volume list --verbose --namespace '*'".to_owned(),
        ),
        "volume_busy" | "operation_abandoned" | "operation_ended" => return (Exit::Conflict, None),
        "operation_timeout" | "driver_unavailable" if error.operation.is_some() => (
            Exit::Unfinished,
            "It goes on, and the same command again waits for it".to_owned(),
        ),
        // A question, which nobody asks again by himself.
        "no_healthy_plugin" | "driver_unavailable" if error.plugin.is_some() => (
            Exit::Failed,
            format!("See why: saddlebag plugin status {}", plugin()),
        ),
        "capability_missing" => (
            Exit::Failed,
            format!(
                "See what it can do: saddlebag plugin status --verbose {}",
                plugin()
            ),
        ),
        "permission_denied" => (
            Exit::Failed,
            "Give a token: --token SECRET, or SADDLEBAG_TOKEN".to_owned(),
        ),
        _ => return (Exit::Failed, None),
    };
    (exit, Some(line))
}

/// An id as a word of a command line: in quotes if a shell would take it apart.
pub(super) fn word(id: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.:/@%+".contains(c);
    match !id.is_empty() && !id.starts_with('-') && id.chars().all(is_plain) {
        true => id.to_owned(),
        false => format!("'{}'", id.replace('\'', r"'\''")),
    }
}

/// A text without what could drive a terminal; line ends stay.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => "\n".to_owned(),
        '\t' => " ".to_owned(),
        c if c.is_control() => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.trim_end().chars().map(shown).collect()
}

/// The last cause of an error: what the system said.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
