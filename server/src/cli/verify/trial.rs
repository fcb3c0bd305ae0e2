//! One request of a run, and the command that sends it again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use saddlebag_client::operations::Operation;

/// What needs no escape in a path or query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The longest body that a command line carries, in bytes; a longer one is told by its length.
const SHOWN: usize = 2000;

/// A request to an operation. Texts may hold `{{placeholders}}` until it is sent.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is particular about it: `query index: one beyond the greatest`.
    pub name: String,
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// Query parameters, in order.
    pub query: Vec<(String, String)>,
    /// Headers beyond those of every request.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
}

impl Trial {
    /// The same with a value for a parameter, or without it, named after that.
    #[must_use]
    pub fn with(&self, location: &str, parameter: &str, named: &str, value: Option<&str>) -> Self {
        let mut trial = self.clone();
        trial.name = format!("{location} {parameter}: {named}");
        let pairs = match location {
            "path" => &mut trial.path,
            "query" => &mut trial.query,
            _ => &mut trial.headers,
        };
        pairs.retain(|(name, _)| name != parameter);
        pairs.extend(value.map(|value| (parameter.to_owned(), value.to_owned())));
        trial
    }

    /// The same with another body, named after it.
    #[must_use]
    pub fn with_body(&self, named: &str, body: Option<String>) -> Self {
        Self {
            name: format!("body {named}"),
            body,
            ..self.clone()
        }
    }

    /// The same with every text changed.
    #[must_use]
    pub fn filled(&self, fill: impl Fn(&str) -> String) -> Self {
        let pairs = |pairs: &[(String, String)]| -> Vec<(String, String)> {
            let filled = pairs
                .iter()
                .map(|(name, value)| (name.clone(), fill(value)));
            filled.collect()
        };
        Self {
            name: self.name.clone(),
            path: pairs(&self.path),
            query: pairs(&self.query),
            headers: pairs(&self.headers),
            body: self.body.as_deref().map(&fill),
        }
    }

    /// Whether it has a query parameter of this name that is not empty.
    #[must_use]
    pub fn sends(&self, parameter: &str) -> bool {
        let has = |(name, value): &(String, String)| name == parameter && !value.is_empty();
        self.query.iter().any(has)
    }

    /// Whether a text of it holds this.
    #[must_use]
    pub fn mentions(&self, placeholder: &str) -> bool {
        let pairs = [&self.path, &self.query, &self.headers]
            .into_iter()
            .flatten();
        pairs
            .map(|(_, value)| value)
            .chain(&self.body)
            .any(|text| text.contains(placeholder))
    }

    /// Path and query, escaped.
    #[must_use]
    pub fn target(&self, operation: Operation) -> String {
        let mut target = operation.path().to_owned();
        for (name, value) in &self.path {
            target = target.replace(&format!("{{{name}}}"), &escaped(value));
        }
        for (number, (name, value)) in self.query.iter().enumerate() {
            target.push(if number == 0 { '?' } else { '&' });
            target += &format!("{}={}", escaped(name), escaped(value));
        }
        target
    }

    /// The request as a command. The caller's token is `$NOMAD_TOKEN` in it, and never itself.
    #[must_use]
    pub fn curl(&self, operation: Operation, base: &str, with_token: bool) -> String {
        let mut words = vec!["curl -i".to_owned()];
        if operation.method() != "GET" {
            words.push(format!("-X {}", operation.method()));
        }
        let says = |name: &str| {
            self.headers
                .iter()
                .any(|(it, _)| it.eq_ignore_ascii_case(name))
        };
        for (name, value) in &self.headers {
            words.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        }
        if with_token && !says("X-Nomad-Token") {
            words.push("-H \"X-Nomad-Token: $NOMAD_TOKEN\"".to_owned());
        }
        words.push(quoted(&format!("{base}{}", self.target(operation))));
        match &self.body {
            Some(body) if body.len() > SHOWN => words.push(format!(
                "--data-binary @- # {} bytes: {}…",
                body.len(),
                body.chars().take(80).collect::<String>().trim()
            )),
            Some(body) => words.push(format!("--data-binary {}", quoted(body))),
            None => {}
        }
        words.join(" ")
    }
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A text in quotes for a shell, whatever is in it.
fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        let escaped: String = text
            .chars()
            .map(|c| match c {
                '\'' | '\\' => format!("\\{c}"),
                c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial() -> Trial {
        Trial {
            name: "as shown".to_owned(),
            path: vec![("volume_id".to_owned(), "a b".to_owned())],
            query: vec![("namespace".to_owned(), "team".to_owned())],
            headers: Vec::new(),
            body: Some("{\"it's\": \"\u{1}\"}".to_owned()),
        }
    }

    #[test]
    fn a_command_sends_the_same_request_and_tells_no_token() {
        assert_eq!(
            trial().curl(Operation::CreateVolume, "http://h:1", true),
            "curl -i -X PUT -H \"X-Nomad-Token: $NOMAD_TOKEN\" \
             'http://h:1/v1/volume/csi/a%20b/create?namespace=team' --data-binary $'{\"it\\'s\": \"\\x01\"}'"
        );
    }

    #[test]
    fn a_parameter_is_replaced_or_left_out() {
        let without = trial().with("query", "namespace", "missing", None);
        assert_eq!(without.name, "query namespace: missing");
        assert_eq!(
            without.target(Operation::ReadVolume),
            "/v1/volume/csi/a%20b"
        );
        let other = trial().with("query", "namespace", "empty", Some(""));
        assert!(other.target(Operation::ReadVolume).ends_with("?namespace="));
    }
}
