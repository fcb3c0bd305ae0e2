//! A small server as utoipa declares it, and the document that it keeps to.
//!
//! Between them they use every notation that the two sides write differently.
#![allow(dead_code)] // the types are only declared
use saddlebag::http::contract::document::Document;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, Modify, OpenApi, ToSchema, openapi::security as scheme};

/// Prose that the document words differently.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    #[schema(example = "database")]
    name: String,
    external: Option<String>,
    capacity: i64,
    index: u64,
    nodes: u32,
    load: f64,
    #[serde(skip_serializing_if = "HashMap::is_empty", default)]
    parameters: HashMap<String, String>,
    secrets: HashMap<String, Option<String>>,
    topology: Option<Topology>,
    anything: serde_json::Value,
    #[schema(no_recursion)]
    children: Vec<Volume>,
    #[serde(flatten)]
    times: Times,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Topology {
    segments: Option<HashMap<String, String>>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Times {
    create_time: i64,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    access: Access,
    maybe: Option<Access>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Access {
    SingleWriter,
    ManyReaders,
}

#[derive(Serialize, Deserialize, ToSchema)]
struct Error {
    message: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Listing {
    prefix: Option<String>,
    per_page: Option<i32>,
}

#[utoipa::path(
    get, path = "/v1/volume/{id}", tag = "volumes",
    params(
        ("id" = String, Path), Listing,
        ("X-Nomad-Token" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Volume, headers(("X-Nomad-Index" = u64))),
        (status = 404, content((Error = "application/json"), (String = "text/plain"))),
    ),
    security(("NomadToken" = []), ("Bearer" = [])),
)]
fn get_volume() {}

#[utoipa::path(
    put, path = "/v1/volume/{id}", tag = "volumes",
    params(("id" = String, Path)),
    request_body = Register,
    responses((status = 200), (status = 404, body = Error)),
    security(()),
)]
#[deprecated]
fn register_volume() {}

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        components.add_security_scheme(
            "NomadToken",
            scheme::SecurityScheme::ApiKey(scheme::ApiKey::Header(scheme::ApiKeyValue::new(
                "X-Nomad-Token",
            ))),
        );
        components.add_security_scheme(
            "Bearer",
            scheme::SecurityScheme::Http(scheme::Http::new(scheme::HttpAuthScheme::Bearer)),
        );
    }
}

#[derive(OpenApi)]
#[openapi(paths(get_volume, register_volume), modifiers(&Schemes))]
struct Server;

/// What the server declares.
pub fn declared() -> Document {
    Document::from_value(serde_json::to_value(Server::openapi()).unwrap()).unwrap()
}

/// The document that it keeps to.
pub const DOCUMENT: &str = r##"
openapi: 3.0.3
info: { title: volumes, version: "1" }
security: [{ NomadToken: [] }, { Bearer: [] }]
paths:
  /v1/volume/{id}:
    parameters:
      - { name: id, in: path, required: true, description: which, schema: { type: string } }
    get:
      operationId: get_volume
      tags: [volumes]
      summary: Reads
      parameters:
        - { name: prefix, in: query, schema: { type: string } }
        - { name: per_page, in: query, schema: { type: integer, format: int32 } }
        - { name: x-nomad-token, in: header, schema: { type: string } }
      responses:
        "200":
          description: the volume
          headers: { X-Nomad-Index: { required: true, schema: { type: integer, format: uint64 } } }
          content: { application/json: { schema: { $ref: "#/components/schemas/Volume" } } }
        "404": { $ref: "#/components/responses/NotFound" }
    put:
      operationId: register_volume
      tags: [volumes]
      deprecated: true
      security: []
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Register" } } }
      responses:
        "200": { description: done }
        "404":
          description: gone
          content: { application/json: { schema: { $ref: "#/components/schemas/Error" } } }
components:
  securitySchemes:
    NomadToken: { type: apiKey, in: header, name: X-Nomad-Token, description: a token }
    Bearer: { type: http, scheme: bearer }
  responses:
    NotFound:
      description: gone
      content:
        application/json: { schema: { $ref: "#/components/schemas/Error" } }
        text/plain: { schema: { type: string } }
  schemas:
    Volume:
      type: object
      required: [Name, Capacity, Index, Nodes, Load, Secrets, Anything, Children, CreateTime]
      properties:
        Name: { type: string, description: its name }
        External: { type: string, nullable: true }
        Capacity: { type: integer, format: int64 }
        Index: { type: integer, format: uint64 }
        Nodes: { type: integer, format: int32, minimum: 0 }
        Load: { type: number }
        Parameters: { type: object, additionalProperties: { type: string } }
        Secrets: { type: object, additionalProperties: { type: string, nullable: true } }
        Topology: { nullable: true, allOf: [{ $ref: "#/components/schemas/Topology" }] }
        Anything: {}
        Children: { type: array, items: { $ref: "#/components/schemas/Volume" } }
        CreateTime: { type: integer, format: int64 }
    Topology:
      type: object
      properties:
        Segments: { type: object, nullable: true, additionalProperties: { type: string } }
    Register:
      type: object
      additionalProperties: false
      required: [access]
      properties:
        access: { type: string, enum: [many-readers, single-writer] }
        maybe: { type: string, nullable: true, enum: [many-readers, single-writer] }
    Error:
      type: object
      required: [message]
      properties: { message: { type: string } }
"##;
