//! Redirects as Go's `net/http` sends them.

use super::Answer;
use axum::http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What does not stand raw in a location. A backslash would let browsers read `/\host` as another host.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A temporary redirect (307, which keeps method and body) to another path of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    location: String,
}

impl Redirect {
    /// To this path, which begins with one `/`, with the query of the request.
    pub(super) fn to(path: &str, query: Option<&str>) -> Self {
        let mut location = utf8_percent_encode(path, UNSAFE).to_string();
        if let Some(query) = query {
            location.push('?');
            location.extend(utf8_percent_encode(query, UNSAFE));
        }
        Self { location }
    }

    /// Where to: a path, and a query if the request had one, in visible ASCII.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The answer: Go's small page for `GET`, its content type for `HEAD`, nothing for other methods.
    pub fn answer(&self, method: &Method) -> Answer {
        let mut answer = match *method {
            Method::GET | Method::HEAD => Answer::typed(
                StatusCode::TEMPORARY_REDIRECT,
                HeaderValue::from_static("text/html; charset=utf-8"),
                match *method == Method::GET {
                    true => self.page().into(),
                    false => bytes::Bytes::new(),
                },
            ),
            _ => Answer::empty(StatusCode::TEMPORARY_REDIRECT),
        };
        if let Ok(location) = HeaderValue::from_str(&self.location) {
            answer.headers.insert(header::LOCATION, location);
        }
        answer
    }

    fn page(&self) -> String {
        let mut page = String::from("<a href=\"");
        for c in self.location.chars() {
            match c {
                '&' => page.push_str("&amp;"),
                '\'' => page.push_str("&#39;"),
                c => page.push(c),
            }
        }
        page.push_str("\">Temporary Redirect</a>.\n\n");
        page
    }
}
