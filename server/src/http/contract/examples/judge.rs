//! Whether an answer is the one that the document shows.
use super::{Answers, Case, answers::plain};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// Judges the answer to a case, and keeps it for later cases to refer to.
///
/// # Errors
/// The first thing that is not as shown, in a sentence that names the case and both values.
pub fn judge(
    case: &Case,
    answers: &mut Answers,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), String> {
    as_shown(case, answers, status, headers, body)
        .map_err(|problem| format!("{case}: {problem}"))?;
    if let Ok(answer) = value_of(headers, body) {
        answers.insert(case, answer);
    }
    Ok(())
}

fn as_shown(
    case: &Case,
    answers: &Answers,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), String> {
    let shown = &case.example;
    if status.as_u16() != shown.status {
        let (shown, text) = (shown.status, String::from_utf8_lossy(body));
        return Err(format!(
            "the document shows {shown}, the server answered {status}: {text}"
        ));
    }
    for (name, value) in &shown.answer {
        let shown = answers.fill(&plain(value))?;
        let answered = headers.get(name).map(|value| value.as_bytes());
        if answered != Some(shown.as_bytes()) {
            let answered = String::from_utf8_lossy(answered.unwrap_or(b"(none)"));
            return Err(format!(
                "header {name}: the document shows `{shown}`, the server answered `{answered}`"
            ));
        }
    }
    if let Some(message) = &shown.message {
        let shown = answers.fill(message)?;
        let answered = message_of(headers, body)?;
        if answered != shown {
            return Err(format!(
                "the document shows `{shown}`, the server said `{answered}`"
            ));
        }
    }
    match &shown.body {
        Some(shown) => contains(
            &value_of(headers, body)?,
            &answers.fill_value(shown)?,
            "body",
        ),
        None => Ok(()),
    }
}

/// The text of a refusal: all of a plain one, `message` of a JSON one.
fn message_of(headers: &HeaderMap, body: &[u8]) -> Result<String, String> {
    match value_of(headers, body)? {
        Value::String(text) => Ok(text),
        value => match &value["message"] {
            Value::String(message) => Ok(message.clone()),
            _ => Err(format!("the refusal has no message: {value}")),
        },
    }
}

/// The body as JSON, or as one string if it says it is text.
fn value_of(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_text = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/"));
    match is_text {
        true => Ok(String::from_utf8_lossy(body).into()),
        false => serde_json::from_slice(body).map_err(|error| {
            format!(
                "the answer is no JSON ({error}): {}",
                String::from_utf8_lossy(body)
            )
        }),
    }
}

/// Whether the answer is at least what is shown. Numbers are equal by value.
fn contains(answered: &Value, shown: &Value, place: &str) -> Result<(), String> {
    match (answered, shown) {
        (Value::Object(answered), Value::Object(shown)) => {
            shown
                .iter()
                .try_for_each(|(key, shown)| match answered.get(key) {
                    Some(answered) => contains(answered, shown, &format!("{place} / {key}")),
                    None => Err(format!(
                        "{place}: the document shows `{key}`, the answer lacks it"
                    )),
                })
        }
        (Value::Array(answered), Value::Array(shown)) if answered.len() == shown.len() => answered
            .iter()
            .zip(shown)
            .enumerate()
            .try_for_each(|(index, (answered, shown))| {
                contains(answered, shown, &format!("{place}[{index}]"))
            }),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => Ok(()),
        (answered, shown) if answered == shown => Ok(()),
        (answered, shown) => Err(format!(
            "{place}: the document shows {shown}, the server answered {answered}"
        )),
    }
}
