//! Reading documents: lookups work, unsound documents are refused by name.
use super::document;
use saddlebag::http::contract::document::Document;

const VOLUMES: &str = r##"
openapi: 3.0.3
paths:
  /v1/volume/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
      - { name: X-Trace, in: header, schema: { type: string } }
    get:
      operationId: get_volume
      parameters:
        - $ref: "#/components/parameters/Trace"
      responses:
        200: { $ref: "#/components/responses/Volume" }
        4XX: { description: no }
components:
  parameters:
    Trace: { name: x-trace, in: header, required: true, schema: { type: string } }
  responses:
    Volume:
      description: ok
      headers: { X-Nomad-Index: { required: true, schema: { type: integer } } }
      content: { application/json: { schema: { type: object } } }
"##;

fn refusal(yaml: &str) -> String {
    Document::parse(yaml).unwrap_err().to_string()
}

#[test]
fn the_contract_itself_is_a_sound_document() {
    document(saddlebag_client::DOCUMENT);
}

#[test]
fn an_operation_is_found_by_its_id_and_by_its_route() {
    let document = document(VOLUMES);
    let by_id = document.operation("get_volume").unwrap();
    let by_route = document.route("GET", "/v1/volume/{id}").unwrap();
    assert_eq!((by_id.method.as_str(), by_id.path), ("GET", by_route.path));
    assert!(document.operation("put_volume").is_none());
    assert!(document.route("PUT", "/v1/volume/{id}").is_none());
}

#[test]
fn the_parameters_of_a_path_are_those_of_its_operations_unless_replaced() {
    let document = document(VOLUMES);
    let operation = document.operation("get_volume").unwrap();
    let parameters: Vec<_> = operation
        .parameters
        .iter()
        .map(|parameter| (parameter.name, parameter.required))
        .collect();
    assert_eq!(parameters, [("x-trace", true), ("id", true)]);
}

#[test]
fn a_status_is_found_by_number_and_by_class() {
    let document = document(VOLUMES);
    let operation = document.operation("get_volume").unwrap();
    assert!(operation.response(200).unwrap().headers["X-Nomad-Index"].required);
    assert!(operation.response(404).unwrap().content.is_empty());
    assert!(operation.response(500).is_none());
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    let refusal = refusal(&VOLUMES.replace("responses/Volume\"", "responses/Gone\""));
    assert_eq!(
        refusal,
        "paths / /v1/volume/{id} / get / responses / 200: \
         `#/components/responses/Gone` leads nowhere in this document"
    );
}

#[test]
fn a_reference_that_leads_back_to_itself_is_refused() {
    let refusal =
        refusal("{openapi: 3.0.3, components: {schemas: {A: {$ref: '#/components/schemas/A'}}}}");
    assert_eq!(
        refusal,
        "components / schemas / A: `#/components/schemas/A` leads back to itself"
    );
}

#[test]
fn nullable_beside_a_reference_is_refused_because_generators_ignore_it() {
    let refusal = refusal(
        "{openapi: 3.0.3, components: {schemas: {A: {}, B: {nullable: true, $ref: '#/components/schemas/A'}}}}",
    );
    assert!(refusal.starts_with("components / schemas / B: `nullable` beside a $ref"));
}

#[test]
fn operations_without_an_id_of_their_own_are_refused() {
    let unnamed = refusal(&VOLUMES.replace("operationId: get_volume", "summary: none"));
    assert_eq!(
        unnamed,
        "paths / /v1/volume/{id} / get / operationId: it has none"
    );
    let twice = VOLUMES.replace("    get:", "    put: { operationId: get_volume }\n    get:");
    assert!(refusal(&twice).ends_with("`get_volume` names another operation too"));
}
