//! OpenAPI 3.0 schemas accept what they say and refuse the rest, with a reason.
use super::document;
use saddlebag::http::contract::{
    document::Document,
    schema::Reading::{self, Answer, Request, ShownRequest},
    validator::Validator,
};
use serde_json::{Value, json};

/// A document with one schema `S`, and `Leaf` to refer to.
fn schema(yaml: &str) -> Document {
    document(&format!(
        "{{openapi: 3.0.3, components: {{schemas: {{S: {yaml}, Leaf: {{type: string, enum: [a, b]}}}}}}}}"
    ))
}

fn problems(yaml: &str, reading: Reading, value: Value) -> Vec<String> {
    let document = schema(yaml);
    Validator::new(
        &document,
        &document.root()["components"]["schemas"]["S"],
        reading,
    )
    .unwrap()
    .problems(&value)
    .iter()
    .map(ToString::to_string)
    .collect()
}

#[track_caller]
fn accepts(yaml: &str, value: Value) {
    assert_eq!(problems(yaml, Answer, value), [""; 0]);
}

#[track_caller]
fn refuses(yaml: &str, value: Value, reason: &str) {
    assert_eq!(problems(yaml, Answer, value), [reason]);
}

#[test]
fn null_is_refused_unless_the_schema_is_nullable() {
    refuses(
        "{type: string}",
        json!(null),
        r#"null is not of type "string""#,
    );
    accepts("{type: string, nullable: true}", json!(null));
    accepts("{type: string, nullable: true, enum: [a]}", json!(null));
    refuses(
        "{type: string, nullable: true}",
        json!(1),
        r#"1 is not of types "null", "string""#,
    );
}

#[test]
fn null_is_accepted_around_composed_schemas_that_are_nullable() {
    let leaf = "allOf: [{$ref: '#/components/schemas/Leaf'}]";
    accepts(&format!("{{nullable: true, {leaf}}}"), json!(null));
    accepts(&format!("{{nullable: true, {leaf}}}"), json!("a"));
    refuses(
        &format!("{{nullable: true, {leaf}}}"),
        json!("c"),
        r#""c" is not one of "a" or "b""#,
    );
    refuses(
        &format!("{{{leaf}}}"),
        json!(null),
        r#"null is not of type "string""#,
    );
}

#[test]
fn exclusive_bounds_are_booleans_in_openapi() {
    let positive = "{type: integer, minimum: 0, exclusiveMinimum: true}";
    accepts(positive, json!(1));
    refuses(
        positive,
        json!(0),
        "0 is less than or equal to the minimum of 0",
    );
    accepts(
        "{type: integer, minimum: 0, exclusiveMinimum: false}",
        json!(0),
    );
}

#[test]
fn integers_stay_within_their_formats() {
    let over = json!(2_147_483_648_u64);
    refuses(
        "{type: integer, format: int32}",
        over.clone(),
        "2147483648 is greater than the maximum of 2147483647",
    );
    accepts("{type: integer, format: int64}", over);
    assert!(!problems("{type: integer, format: int64}", Answer, json!(u64::MAX)).is_empty());
    accepts("{type: integer, format: uint64}", json!(u64::MAX));
    for (format, one_beyond, reason) in [
        (
            "int64",
            "9223372036854775808",
            "9223372036854775808 is greater than the maximum of 9223372036854775807",
        ),
        (
            "int64",
            "-1e19",
            "-1e+19 is less than the minimum of -9223372036854775808",
        ),
        (
            "uint64",
            "18446744073709551616",
            "1.8446744073709552e+19 is greater than the maximum of 18446744073709551615",
        ),
    ] {
        let value = serde_json::from_str(one_beyond).unwrap();
        refuses(
            &format!("{{type: integer, format: {format}}}"),
            value,
            reason,
        );
    }
    for (format, bound) in [
        ("int64", "9223372036854775807"),
        ("int64", "-9223372036854775808"),
        ("int64", "1.0"),
        ("uint64", "18446744073709551615"),
    ] {
        accepts(
            &format!("{{type: integer, format: {format}}}"),
            serde_json::from_str(bound).unwrap(),
        );
    }
    accepts(
        "{type: integer, format: int64, nullable: true}",
        json!(null),
    );
    refuses(
        "{type: integer, format: uint64}",
        json!(-1),
        "-1 is less than the minimum of 0",
    );
}

#[test]
fn the_contract_states_no_bound_that_is_not_compared_exactly() {
    fn stated(value: &Value, found: &mut Vec<f64>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let bound = member.as_f64();
                    found.extend(bound.filter(|_| key == "minimum" || key == "maximum"));
                    stated(member, found);
                }
            }
            Value::Array(members) => members.iter().for_each(|it| stated(it, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    stated(document(saddlebag_client::DOCUMENT).root(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    let exact = 2f64.powi(53);
    assert!(found.iter().all(|bound| bound.abs() < exact), "{found:?}");
}

#[test]
fn dates_are_checked() {
    let date = "{type: string, format: date-time}";
    accepts(date, json!("2026-08-21T10:00:00.5Z"));
    refuses(
        date,
        json!("yesterday"),
        r#""yesterday" is not a "date-time""#,
    );
}

#[test]
fn a_schema_may_contain_itself() {
    let tree = "{type: object, properties: {name: {type: string}, \
                children: {type: array, items: {$ref: '#/components/schemas/S'}}}}";
    accepts(tree, json!({ "children": [{ "children": [] }] }));
    refuses(
        tree,
        json!({ "children": [{ "children": [{ "name": 1 }] }] }),
        r#"children[0] / children[0] / name: 1 is not of type "string""#,
    );
}

#[test]
fn an_answer_names_no_property_that_the_document_does_not_name() {
    let volume = "{type: object, properties: {ID: {type: string}}}";
    refuses(
        volume,
        json!({ "ID": "a", "Extra": 1 }),
        "Extra: 1 is not allowed here",
    );
    let composed = format!("{{allOf: [{volume}, {{type: object, properties: {{Name: {{}}}}}}]}}");
    accepts(&composed, json!({ "ID": "a", "Name": "b" }));
    assert_eq!(problems(&composed, Answer, json!({ "Id": "a" })).len(), 1);
    let open = "{type: object, properties: {ID: {}}, additionalProperties: {type: integer}}";
    accepts(open, json!({ "ID": "a", "Extra": 1 }));
    accepts("{type: object}", json!({ "anything": 1 }));
}

#[test]
fn a_request_is_read_as_nomad_reads_it() {
    let volume = "{type: object, required: [FsType], properties: {\
                  FsType: {type: string}, MountFlags: {type: array}}}";
    let sent = json!({ "fstype": "ext4", "Unknown": true });
    assert_eq!(problems(volume, Request, sent.clone()), [""; 0]);
    assert_eq!(
        problems(volume, ShownRequest, sent),
        [r#""FsType" is a required property"#]
    );
    let shown = json!({ "FsType": "ext4", "fstype": "ext4", "Unknown": true });
    assert_eq!(
        problems(volume, ShownRequest, shown),
        [
            "Unknown: true is not allowed here",
            r#"fstype: "ext4" is not allowed here"#
        ]
    );
    assert_eq!(
        problems(volume, Request, json!({ "FSTYPE": 1 })),
        [r#"fstype: 1 is not of type "string""#]
    );
    let nothing = json!({ "FsType": null });
    assert_eq!(
        problems(volume, Request, nothing),
        [r#""fstype" is a required property"#]
    );
    let without = json!({ "FsType": "ext4", "MountFlags": null });
    assert_eq!(problems(volume, Request, without), [""; 0]);
}

#[test]
fn who_sends_a_value_owes_only_what_is_his_to_send() {
    let volume = "{type: object, required: [Index, Secret], properties: {\
                  Index: {type: integer, readOnly: true}, Secret: {type: string, writeOnly: true}}}";
    assert_eq!(
        problems(volume, Request, json!({ "Index": "any", "Secret": "s" })),
        [""; 0]
    );
    accepts(volume, json!({ "Index": 1 }));
    refuses(
        volume,
        json!({ "Index": 1, "Secret": "s" }),
        r#"Secret: "s" is not allowed here"#,
    );
}

#[test]
fn secrets_are_never_shown() {
    let volume = "{type: object, properties: {Secrets: {type: object, additionalProperties: \
                  {type: integer}}, Other: {type: string}}}";
    let value = json!({ "Secrets": { "key": "hunter2" }, "Other": { "Secrets": "hunter2" } });
    let told = problems(volume, Answer, value).join("\n");
    assert!(
        told.contains(r#"Secrets / key: (hidden) is not of type "integer""#),
        "{told}"
    );
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_schema_that_is_none_is_refused() {
    let document = schema("{type: text}");
    let schema = &document.root()["components"]["schemas"]["S"];
    let refusal = Validator::new(&document, schema, Answer).unwrap_err();
    assert!(
        refusal.to_string().contains("no usable schema"),
        "{refusal}"
    );
}
