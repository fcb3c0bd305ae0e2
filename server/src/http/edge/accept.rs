//! Which of the two error bodies a client reads.

use axum::http::HeaderValue;

/// How closely a range of media types names `application/json`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Anything,
    Application,
    Json,
}

/// Whether a client reads JSON errors: its `Accept` allows `application/json`, `application/*` or
/// `*/*` with a quality over zero, the closest of them deciding.
///
/// Who sends none, as Nomad's own clients, reads Nomad's text; so does who accepts nothing of these.
pub fn wants_json(accept: Option<&HeaderValue>) -> bool {
    let Some(ranges) = accept.and_then(|accept| accept.to_str().ok()) else {
        return false;
    };
    ranges
        .split(',')
        .filter_map(range)
        .max_by_key(|(fit, _)| *fit)
        .is_some_and(|(_, is_allowed)| is_allowed)
}

/// How closely one range fits, if it does, and whether its quality is over zero.
fn range(text: &str) -> Option<(Fit, bool)> {
    let mut parts = text.split(';').map(str::trim);
    let fit = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Fit::Json,
        "application/*" => Fit::Application,
        "*/*" => Fit::Anything,
        _ => return None,
    };
    let quality = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let is_allowed = match quality {
        None => true,
        Some(text) => text.parse().is_ok_and(|quality: f32| quality > 0.0),
    };
    Some((fit, is_allowed))
}
