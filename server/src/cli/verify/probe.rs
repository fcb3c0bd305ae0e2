//! Asks, and lets the document judge the answers.

use super::intended;
use super::trial::Trial;
use crate::cli::connection::Session;
use crate::cli::failure::Failure;
use crate::http::contract::document::Document;
use crate::http::contract::truth::{RequestParts, ResponseParts, Routed, Truth, Violation};
use crate::http::contract::validator::shown;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use saddlebag_client::ClientInfo;
use saddlebag_client::operations::Operation;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take. Changes wait for their outcome for two minutes.
const PATIENCE: Duration = Duration::from_secs(150);

/// How long a stream that does not end is read.
const LISTENING: Duration = Duration::from_millis(500);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; of a stream what came of it.
    pub body: Bytes,
}

/// Something that is not as the document says.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Where in the answer.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
    /// What the document says of the answer.
    pub documented: String,
    /// What came.
    pub came: String,
    /// What was particular about the first request with this difference.
    pub request: String,
    /// The command that sends it again.
    pub curl: String,
    /// How many requests had it.
    pub times: usize,
    /// Why it is meant to be, where it is.
    pub intended: Option<&'static str>,
}

/// How an operation was answered.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many requests were sent.
    pub requests: usize,
    /// How many answers had which status.
    pub statuses: BTreeMap<u16, usize>,
    /// What was not as the document says.
    pub differences: Vec<Difference>,
    /// Why nothing was sent.
    pub left_out: Option<&'static str>,
}

/// Asks one server, and keeps what is to be told.
pub struct Probe {
    session: Session,
    truth: Arc<Truth>,
    /// What is known to be a Nomad differs where it is meant to.
    pub is_nomad: bool,
    /// How each operation was answered.
    pub tallies: BTreeMap<Operation, Tally>,
}

impl Probe {
    /// Asks the server of this session; nothing is sent yet.
    pub fn new(session: Session, truth: Arc<Truth>) -> Self {
        Self {
            session,
            truth,
            is_nomad: false,
            tallies: BTreeMap::new(),
        }
    }

    /// What answers are compared with.
    pub fn document(&self) -> &Document {
        self.truth.document()
    }

    /// Where the server is.
    pub fn address(&self) -> &str {
        &self.session.address
    }

    /// Sends a request and judges the answer. `None` if there was none, which is a difference.
    ///
    /// # Errors
    /// No server answers any more.
    pub async fn ask(
        &mut self,
        operation: Operation,
        trial: &Trial,
    ) -> Result<Option<Answer>, Failure> {
        let sent = self.send(operation, trial).await;
        let tally = self.tallies.entry(operation).or_default();
        tally.requests += 1;
        let answer = match sent {
            Ok(answer) => answer,
            Err(saddlebag_client::Error::CommunicationError(error)) if !error.is_connect() => {
                let violation = Violation {
                    operation: operation.id().to_owned(),
                    place: "response".to_owned(),
                    problem: match error.is_timeout() {
                        true => format!("there was none within {} s", PATIENCE.as_secs()),
                        false => "the connection ended without one".to_owned(),
                    },
                };
                self.note(operation, trial, violation, "no answer".to_owned(), None);
                return Ok(None);
            }
            Err(error) => return Err(self.session.failure(error)),
        };
        *tally.statuses.entry(answer.status.as_u16()).or_default() += 1;
        for violation in self.judge(operation, trial, &answer) {
            self.note(operation, trial, violation, came(&answer), Some(&answer));
        }
        Ok(Some(answer))
    }

    async fn send(
        &self,
        operation: Operation,
        trial: &Trial,
    ) -> Result<Answer, saddlebag_client::Error<saddlebag_client::types::Error>> {
        let method = Method::from_bytes(operation.method().as_bytes()).unwrap_or_default();
        let url = format!("{}{}", self.session.address, trial.target(operation));
        let mut request = self
            .session
            .client
            .client()
            .request(method, url)
            .timeout(PATIENCE);
        request = request.headers(headers(trial));
        if let Some(body) = &trial.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match operation {
            Operation::StreamEvents if status.is_success() => {
                let mut body = Vec::new();
                let all = async {
                    while let Some(chunk) = response.chunk().await? {
                        body.extend_from_slice(&chunk);
                    }
                    Ok(())
                };
                let ended = tokio::time::timeout(LISTENING, all).await;
                ended
                    .unwrap_or(Ok(()))
                    .map_err(saddlebag_client::Error::CommunicationError)?;
                body.into()
            }
            _ => response.bytes().await?,
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    fn judge(&self, operation: Operation, trial: &Trial, answer: &Answer) -> Vec<Violation> {
        let routed = Routed::from(operation);
        let is_stream = operation == Operation::StreamEvents && answer.status.is_success();
        let response = ResponseParts {
            status: answer.status,
            headers: &answer.headers,
            body: (!is_stream).then_some(&answer.body),
        };
        let request = RequestParts {
            path: &trial.path,
            query: &trial.query,
            headers: &headers(trial),
            body: Some(trial.body.as_deref().unwrap_or_default().as_bytes()),
        };
        let mut violations = self.truth.check(routed, &request, &response);
        if is_stream {
            let mut lines: Vec<&[u8]> = answer.body.split(|byte| *byte == b'\n').collect();
            // What is after the last line end has not come whole.
            lines.pop();
            for line in lines.into_iter().filter(|line| *line != b"{}") {
                let line = ResponseParts {
                    body: Some(line),
                    ..response
                };
                violations.extend(self.truth.check_bodies(routed, &request, &line));
            }
        }
        violations
    }

    fn note(
        &mut self,
        operation: Operation,
        trial: &Trial,
        violation: Violation,
        came: String,
        answer: Option<&Answer>,
    ) {
        let intended = match self.is_nomad {
            true => intended::of_a_nomad(operation, trial, answer, &violation),
            false => None,
        };
        let documented = documented(self.document(), operation, answer);
        let curl = trial.curl(operation, &self.session.address, self.session.has_token);
        let differences = &mut self.tallies.entry(operation).or_default().differences;
        let kind = |place: &str, problem: &str| (place.to_owned(), without_values(problem));
        let same = differences.iter_mut().find(|it| {
            kind(&it.place, &it.problem) == kind(&violation.place, &violation.problem)
                && it.intended == intended
        });
        match same {
            Some(difference) => difference.times += 1,
            None => differences.push(Difference {
                place: violation.place,
                problem: violation.problem,
                documented,
                came,
                request: trial.name.clone(),
                curl,
                times: 1,
                intended,
            }),
        }
    }
}

/// A problem without the value that it shows first, so that one problem of many values is told once.
fn without_values(problem: &str) -> String {
    match problem.split_once(" is not ") {
        Some((_, demand)) => demand.to_owned(),
        None => problem.to_owned(),
    }
}

fn headers(trial: &Trial) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &trial.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.insert(name, value);
        }
    }
    if trial.body.is_some() {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    headers
}

/// The answer in a line: status, content type, and the beginning of the body without secrets.
fn came(answer: &Answer) -> String {
    let content_type = answer.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.map_or("no content type".into(), |it| {
        String::from_utf8_lossy(it.as_bytes())
    });
    let body = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(value) => shown(&value),
        Err(_) => shown(&String::from_utf8_lossy(&answer.body).into()),
    };
    format!("{}, {content_type}: {body}", answer.status)
}

/// What the document says of an answer of this status, or which statuses it knows.
fn documented(document: &Document, operation: Operation, answer: Option<&Answer>) -> String {
    let Some(documented) = document.operation(operation.id()) else {
        return "nothing".to_owned();
    };
    let said = answer.and_then(|answer| {
        let status = answer.status.as_u16();
        documented
            .response(status)
            .map(|response| (status, response))
    });
    match said {
        Some((status, response)) => {
            let content: Vec<&str> = response.content.keys().copied().collect();
            let headers: Vec<&str> = response.headers.keys().copied().collect();
            let mut said = format!(
                "{status}: {}",
                match content.is_empty() {
                    true => "no body".to_owned(),
                    false => content.join(" or "),
                }
            );
            if !headers.is_empty() {
                said += &format!(", with {}", headers.join(", "));
            }
            said
        }
        None => {
            let statuses: Vec<&str> = documented.responses.keys().copied().collect();
            format!("one of {}", statuses.join(", "))
        }
    }
}
