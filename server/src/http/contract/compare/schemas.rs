//! Walks two schemas side by side and tells where they differ in meaning.
use super::{ABSENT, Nulls, shape::Shape};
use crate::http::contract::document::Document;
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashSet},
    mem, ptr,
};

/// The comparison of all schemas of two documents.
pub(super) struct Schemas<'d> {
    document: &'d Document,
    declared: &'d Document,
    /// Pairs that were compared, by address: what makes recursion end.
    seen: HashSet<(*const Value, *const Value, Nulls)>,
    told: Vec<(String, String, String)>,
}

impl<'d> Schemas<'d> {
    pub fn new(document: &'d Document, declared: &'d Document) -> Self {
        Self {
            document,
            declared,
            seen: HashSet::new(),
            told: vec![],
        }
    }

    /// The differences found since the last time: place, document's word, server's word.
    pub fn take(&mut self) -> Vec<(String, String, String)> {
        mem::take(&mut self.told)
    }

    /// Compares a schema of the document with the one declared in its place.
    pub fn compare(&mut self, place: &str, document: &'d Value, declared: &'d Value, nulls: Nulls) {
        let pair = (
            ptr::from_ref(self.document.resolve(document)),
            ptr::from_ref(self.declared.resolve(declared)),
            nulls,
        );
        if !self.seen.insert(pair) {
            return;
        }
        let documented = Shape::of(self.document, document);
        let declared = Shape::of(self.declared, declared);
        self.same(place, "type", &types(&documented), &types(&declared));
        if documented.types != declared.types {
            return;
        }
        if nulls == Nulls::Count {
            let [documented, declared] = [documented.nullable, declared.nullable];
            self.same(
                place,
                "nullable",
                &documented.to_string(),
                &declared.to_string(),
            );
        }
        self.facts(place, &documented, &declared);
        self.properties(place, &documented, &declared);
        self.further_properties(place, documented.additional, declared.additional);
        self.items(place, documented.items, declared.items);
        self.alternatives(place, &documented.alternatives, &declared.alternatives);
    }

    fn facts(&mut self, place: &str, documented: &Shape<'d>, declared: &Shape<'d>) {
        let keywords: BTreeSet<&str> = documented
            .facts
            .keys()
            .chain(declared.facts.keys())
            .copied()
            .collect();
        for keyword in keywords {
            let [documented, declared] = [documented, declared]
                .map(|shape| shape.facts.get(keyword).map_or(ABSENT, String::as_str));
            self.same(place, keyword, documented, declared);
        }
        if let (Some(documented), Some(declared)) = (documented.default, declared.default) {
            self.same(
                place,
                "default",
                &documented.to_string(),
                &declared.to_string(),
            );
        }
    }

    fn properties(&mut self, place: &str, documented: &Shape<'d>, declared: &Shape<'d>) {
        let names: BTreeSet<&str> = documented
            .properties
            .keys()
            .chain(declared.properties.keys())
            .copied()
            .collect();
        for name in names {
            let in_document = documented.properties.get(name).copied();
            let in_declaration = declared.properties.get(name).copied();
            let below = format!("{place} / {name}");
            let (Some(in_document), Some(in_declaration)) = (in_document, in_declaration) else {
                self.one_has(&below, in_document, in_declaration);
                continue;
            };
            let [required_by_document, required_by_server] =
                [documented, declared].map(|shape| shape.required.contains(name).to_string());
            self.same(
                &below,
                "required",
                &required_by_document,
                &required_by_server,
            );
            self.compare(&below, in_document, in_declaration, Nulls::Count);
        }
    }

    fn further_properties(
        &mut self,
        place: &str,
        document: Option<&'d Value>,
        declared: Option<&'d Value>,
    ) {
        match (document, declared) {
            (Some(Value::Bool(_)), Some(Value::Bool(_))) | (None, None) => {}
            (Some(document @ Value::Object(_)), Some(declared @ Value::Object(_))) => {
                self.compare(&format!("{place}{{}}"), document, declared, Nulls::Count);
            }
            (document, declared) => {
                let word = |further: Option<&Value>| match further {
                    None => "anything",
                    Some(Value::Bool(_)) => "nothing",
                    Some(_) => "a schema",
                };
                self.same(
                    place,
                    "additionalProperties",
                    word(document),
                    word(declared),
                );
            }
        }
    }

    fn items(&mut self, place: &str, document: Option<&'d Value>, declared: Option<&'d Value>) {
        let place = format!("{place}[]");
        match (document, declared) {
            (Some(document), Some(declared)) => {
                self.compare(&place, document, declared, Nulls::Count);
            }
            (document, declared) => self.one_has(&place, document, declared),
        }
    }

    fn alternatives(&mut self, place: &str, document: &[&'d Value], declared: &[&'d Value]) {
        let [documented, announced] = [document, declared].map(|all| all.len().to_string());
        self.same(place, "alternatives", &documented, &announced);
        for (number, (document, declared)) in document.iter().zip(declared).enumerate() {
            let place = format!("{place} / alternative {}", number + 1);
            self.compare(&place, document, declared, Nulls::Count);
        }
    }

    fn one_has(&mut self, place: &str, document: Option<&'d Value>, declared: Option<&'d Value>) {
        let word = |side: &'d Document, schema: Option<&'d Value>| match schema {
            None => ABSENT.to_owned(),
            Some(schema) => types(&Shape::of(side, schema)),
        };
        let document = word(self.document, document);
        let declared = word(self.declared, declared);
        if document != declared {
            self.told.push((place.to_owned(), document, declared));
        }
    }

    fn same(&mut self, place: &str, aspect: &str, document: &str, declared: &str) {
        if document != declared {
            let place = format!("{place} / {aspect}");
            self.told
                .push((place, document.to_owned(), declared.to_owned()));
        }
    }
}

fn types(shape: &Shape<'_>) -> String {
    match shape.types.is_empty() {
        true => "anything".to_owned(),
        false => Vec::from_iter(shape.types.iter().copied()).join(" or "),
    }
}
