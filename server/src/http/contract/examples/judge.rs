//! Whether an answer is the one that the document shows.
use super::{Case, Kept};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// Judges the answer to a case, and keeps of it what later cases need.
///
/// # Errors
/// The first thing that is not as shown, in a sentence that names the case and both values.
pub fn judge(
    case: &Case,
    kept: &mut Kept,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), String> {
    let told = |problem: String| format!("{case}: {problem}");
    let text = String::from_utf8_lossy(body);
    if status.as_u16() != case.example.status {
        let shown = case.example.status;
        return Err(told(format!(
            "the document shows {shown}, the server answered {status}: {text}"
        )));
    }
    if let Some(message) = &case.example.message {
        let shown = kept.fill(message);
        let answered = message_of(headers, body).map_err(told)?;
        if answered != shown {
            return Err(told(format!(
                "the document shows `{shown}`, the server said `{answered}`"
            )));
        }
    }
    if let Some(shown) = &case.example.body {
        let answered = value_of(headers, body).map_err(told)?;
        contains(&answered, &kept.fill_value(shown), "body").map_err(told)?;
    }
    for (name, pointer) in &case.example.keep {
        let answered = value_of(headers, body).map_err(told)?;
        let value = answered
            .pointer(pointer)
            .ok_or_else(|| told(format!("the answer has no {pointer} to keep: {text}")))?;
        kept.insert(name, value);
    }
    Ok(())
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
