//! Judges a response: is it one that the document tells?
use super::{Exchange, ResponseParts};
use crate::http::contract::schema::Reading;
use axum::http::{HeaderMap, header};
use serde_json::Value;

impl<'t> Exchange<'t> {
    /// Tells what is wrong with status, headers and content type.
    pub(super) fn head(&mut self, response: &ResponseParts<'_>) {
        let status = response.status.as_u16();
        let place = format!("response {status}");
        let Some(documented) = self.operation.response(status) else {
            return self.told(&place, "the document has no such status");
        };
        let headers: Vec<_> = documented
            .headers
            .iter()
            .map(|(name, header)| (*name, header.required, header.schema))
            .collect();
        let documented: Vec<&str> = documented.content.keys().copied().collect();
        match content_type(response.headers) {
            Some(sent) if !documented.iter().any(|known| essence(known) == sent) => {
                self.told(&place, format!("content type {sent} is not documented"));
            }
            None if !documented.is_empty() => {
                let documented = documented.join(" or ");
                self.told(&place, format!("no content type where {documented} is due"));
            }
            _ => {}
        }
        for (name, required, schema) in headers {
            self.response_header(&place, response.headers, name, required, schema);
        }
    }

    /// Tells what is wrong with the body, if it is known.
    pub(super) fn body(&mut self, response: &ResponseParts<'_>) {
        let Some(body) = response.body else { return };
        let status = response.status.as_u16();
        let Some(documented) = self.operation.response(status) else {
            return;
        };
        let place = format!("response {status}");
        if documented.content.is_empty() {
            if !body.is_empty() {
                self.told(&place, "it has a body where the document has none");
            }
            return;
        }
        if let Some(encoding) = response.headers.get(header::CONTENT_ENCODING) {
            let problem = format!("cannot read {encoding:?}: check inside of what encodes bodies");
            return self.told(&place, problem);
        }
        let Some(sent) = content_type(response.headers) else {
            return;
        };
        let schema = documented
            .content
            .iter()
            .find(|(known, _)| essence(known) == sent)
            .map(|(_, media_type)| media_type.schema);
        if let Some(schema) = schema {
            self.content(&format!("{place} {sent}"), &sent, schema, body);
        }
    }

    fn content(&mut self, place: &str, content_type: &str, schema: &'t Value, body: &[u8]) {
        if content_type == "application/json" || content_type.ends_with("+json") {
            match serde_json::from_slice(body) {
                Ok(value) => self.value(place, schema, Reading::Answer, &value),
                Err(error) => self.told(place, format!("it is no JSON: {error}")),
            }
        } else {
            match str::from_utf8(body) {
                Ok(text) => self.value(place, schema, Reading::Answer, &text.into()),
                Err(error) => self.told(place, format!("it is no text: {error}")),
            }
        }
    }

    fn response_header(
        &mut self,
        place: &str,
        headers: &HeaderMap,
        name: &str,
        required: bool,
        schema: &Value,
    ) {
        let place = format!("{place} header {name}");
        match headers.get(name) {
            Some(value) => {
                let text = String::from_utf8_lossy(value.as_bytes());
                self.text(&place, name, schema, Reading::Answer, &text);
            }
            None if required => self.told(&place, "it is required and was not sent"),
            None => {}
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?;
    Some(essence(&String::from_utf8_lossy(value.as_bytes())))
}

/// A content type without its parameters, in lower case.
fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_lowercase()
}
