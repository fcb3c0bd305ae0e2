//! Check 2, shape: one thing changed in the document is one difference, and it is named.
use super::{
    declared::{DOCUMENT, declared},
    document,
};
use saddlebag::http::contract::{compare::compare, document::Document};

fn differences(document: &Document, declared: &Document) -> Vec<String> {
    compare(document, declared)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Changes one place of the document and expects one difference.
#[track_caller]
fn differs(from: &str, to: &str, difference: &str) {
    assert_eq!(DOCUMENT.matches(from).count(), 1, "`{from}` stands once");
    let changed = document(&DOCUMENT.replace(from, to));
    assert_eq!(differences(&changed, &declared()), [difference]);
}

#[test]
fn a_document_and_a_server_that_agree_have_no_difference() {
    assert_eq!(differences(&document(DOCUMENT), &declared()), [""; 0]);
}

#[test]
fn a_removed_parameter_is_found() {
    differs(
        "- { name: prefix, in: query, schema: { type: string } }\n",
        "\n",
        "get_volume: parameter query prefix: the document says `absent`, the server declares `present`",
    );
}

#[test]
fn a_parameter_that_the_server_does_not_know_is_found() {
    differs(
        "- { name: prefix,",
        "- { name: filter, in: query, schema: { type: string } }\n        - { name: prefix,",
        "get_volume: parameter query filter: the document says `present`, the server declares `absent`",
    );
}

#[test]
fn a_parameter_that_is_required_on_one_side_is_found() {
    differs(
        "{ name: prefix,",
        "{ name: prefix, required: true,",
        "get_volume: parameter query prefix / required: the document says `true`, the server declares `false`",
    );
}

#[test]
fn a_changed_type_is_found() {
    differs(
        "Name: { type: string, description: its name }",
        "Name: { type: boolean }",
        "get_volume: response 200 application/json / Name / type: the document says `boolean`, the server declares `string`",
    );
}

#[test]
fn a_changed_format_is_found() {
    differs(
        "Capacity: { type: integer, format: int64 }",
        "Capacity: { type: integer, format: int32 }",
        "get_volume: response 200 application/json / Capacity / format: the document says `int32`, the server declares `int64`",
    );
}

#[test]
fn flipped_nullability_is_found() {
    differs(
        "External: { type: string, nullable: true }",
        "External: { type: string }",
        "get_volume: response 200 application/json / External / nullable: the document says `false`, the server declares `true`",
    );
    differs(
        "Capacity: { type: integer, format: int64 }",
        "Capacity: { type: integer, format: int64, nullable: true }",
        "get_volume: response 200 application/json / Capacity / nullable: the document says `true`, the server declares `false`",
    );
    differs(
        "Topology: { nullable: true,",
        "Topology: {",
        "get_volume: response 200 application/json / Topology / nullable: the document says `false`, the server declares `true`",
    );
}

#[test]
fn nullability_of_the_values_of_a_map_is_found() {
    differs(
        "additionalProperties: { type: string, nullable: true } }",
        "additionalProperties: { type: string } }",
        "get_volume: response 200 application/json / Secrets{} / nullable: the document says `false`, the server declares `true`",
    );
}

#[test]
fn a_property_that_either_side_lacks_is_found() {
    differs(
        "        External: { type: string, nullable: true }\n",
        "",
        "get_volume: response 200 application/json / External: the document says `absent`, the server declares `string`",
    );
    differs(
        "        Load: { type: number }\n",
        "        Load: { type: number }\n        Extra: { type: integer }\n",
        "get_volume: response 200 application/json / Extra: the document says `integer`, the server declares `absent`",
    );
}

#[test]
fn a_property_that_is_required_on_one_side_is_found() {
    differs(
        "required: [Name, Capacity,",
        "required: [Name, External, Capacity,",
        "get_volume: response 200 application/json / External / required: the document says `true`, the server declares `false`",
    );
}

#[test]
fn a_difference_deep_inside_is_named_by_its_path() {
    differs(
        "Segments: { type: object, nullable: true, additionalProperties: { type: string } }",
        "Segments: { type: object, nullable: true, additionalProperties: { type: integer } }",
        "get_volume: response 200 application/json / Topology / Segments{} / type: the document says `integer`, the server declares `string`",
    );
    differs(
        "items: { $ref: \"#/components/schemas/Volume\" }",
        "items: { type: string }",
        "get_volume: response 200 application/json / Children[] / type: the document says `string`, the server declares `object`",
    );
}

#[test]
fn what_stands_beside_the_named_properties_is_compared() {
    differs(
        "additionalProperties: false",
        "additionalProperties: true",
        "register_volume: request body application/json / additionalProperties: the document says `anything`, the server declares `nothing`",
    );
}

#[test]
fn a_status_that_either_side_lacks_is_found() {
    differs(
        "        \"404\": { $ref: \"#/components/responses/NotFound\" }\n",
        "",
        "get_volume: response 404: the document says `absent`, the server declares `present`",
    );
    differs(
        "        \"200\": { description: done }\n",
        "        \"200\": { description: done }\n        \"409\": { description: in use }\n",
        "register_volume: response 409: the document says `present`, the server declares `absent`",
    );
}

#[test]
fn a_content_type_that_either_side_lacks_is_found() {
    differs(
        "        text/plain: { schema: { type: string } }\n",
        "",
        "get_volume: response 404 text/plain: the document says `absent`, the server declares `present`",
    );
    differs(
        "        \"200\": { description: done }\n",
        "        \"200\": { description: done, content: { text/plain: { schema: { type: string } } } }\n",
        "register_volume: response 200 text/plain: the document says `present`, the server declares `absent`",
    );
}

#[test]
fn a_header_that_either_side_lacks_or_types_differently_is_found() {
    let header =
        "headers: { X-Nomad-Index: { required: true, schema: { type: integer, format: uint64 } } }";
    differs(
        header,
        "headers: {}",
        "get_volume: response 200 header x-nomad-index: the document says `absent`, the server declares `present`",
    );
    differs(
        header,
        "headers: { X-Nomad-Index: { schema: { type: string } } }",
        "get_volume: response 200 header x-nomad-index / type: the document says `string`, the server declares `integer`",
    );
}

#[test]
fn a_request_body_that_either_side_lacks_is_found() {
    differs(
        "        required: true\n        content: { application/json: { schema: { $ref: \"#/components/schemas/Register\" } } }\n",
        "        required: false\n        content: { application/json: { schema: { $ref: \"#/components/schemas/Register\" } } }\n",
        "register_volume: request body / required: the document says `false`, the server declares `true`",
    );
    differs(
        "      requestBody:\n        required: true\n        content: { application/json: { schema: { $ref: \"#/components/schemas/Register\" } } }\n",
        "",
        "register_volume: request body: the document says `absent`, the server declares `present`",
    );
}

#[test]
fn an_enum_value_that_one_side_lacks_is_found() {
    differs(
        "access: { type: string, enum: [many-readers, single-writer] }",
        "access: { type: string, enum: [single-writer] }",
        "register_volume: request body application/json / access / enum: the document says `single-writer`, the server declares `many-readers, single-writer`",
    );
}

#[test]
fn security_that_differs_is_found() {
    differs(
        "security: []",
        "security: [{ Bearer: [] }]",
        "register_volume: security: the document says `Bearer`, the server declares `anyone`",
    );
    differs(
        "security: [{ NomadToken: [] }, { Bearer: [] }]",
        "security: [{ NomadToken: [], Bearer: [] }]",
        "get_volume: security: the document says `Bearer and NomadToken`, the server declares `Bearer or NomadToken`",
    );
    differs(
        "in: header, name: X-Nomad-Token, description",
        "in: query, name: X-Nomad-Token, description",
        "every operation: security scheme NomadToken / in: the document says `query`, the server declares `header`",
    );
}

#[test]
fn an_operation_that_either_side_lacks_is_found() {
    differs(
        "      operationId: register_volume\n",
        "      operationId: put_volume\n",
        "put_volume: operationId: the document says `put_volume`, the server declares `register_volume`",
    );
    differs(
        "    put:\n",
        "    post:\n      operationId: post_volume\n      responses: {}\n    put:\n",
        "post_volume: POST /v1/volume/{id}: the document says `present`, the server declares `absent`",
    );
    let half = DOCUMENT.split("    put:\n").next().unwrap();
    let rest = &DOCUMENT[DOCUMENT.find("components:\n").unwrap()..];
    assert_eq!(
        differences(&document(&format!("{half}{rest}")), &declared()),
        [
            "register_volume: PUT /v1/volume/{id}: the document says `absent`, the server declares `present`"
        ]
    );
}

#[test]
fn tags_and_deprecation_that_differ_are_found() {
    differs(
        "get_volume\n      tags: [volumes]",
        "get_volume\n      tags: [snapshots]",
        "get_volume: tags: the document says `snapshots`, the server declares `volumes`",
    );
    differs(
        "      deprecated: true\n",
        "",
        "register_volume: deprecated: the document says `false`, the server declares `true`",
    );
}

#[test]
fn bounds_and_defaults_that_contradict_each_other_are_found() {
    let pages = |schema: &str| {
        document(&format!(
            "{{openapi: 3.0.3, paths: {{/v1/volumes: {{get: {{operationId: list, parameters: [\
             {{name: per_page, in: query, schema: {schema}}}], responses: {{}}}}}}}}}}"
        ))
    };
    let document = pages("{type: integer, minimum: 0, exclusiveMinimum: true, default: 10}");
    assert_eq!(
        differences(
            &document,
            &pages("{type: integer, minimum: 1, default: 20}")
        ),
        [
            "list: parameter query per_page / exclusiveMinimum: the document says `0`, the server declares `absent`",
            "list: parameter query per_page / minimum: the document says `absent`, the server declares `1`",
            "list: parameter query per_page / default: the document says `10`, the server declares `20`",
        ]
    );
    let silent = pages("{type: integer, exclusiveMinimum: 0}");
    assert_eq!(differences(&document, &silent), [""; 0]);
}
