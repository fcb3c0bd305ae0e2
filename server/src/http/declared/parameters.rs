//! Parameters that several handlers take, as they declare them. What reads them is
//! [`edge::options`](crate::http::edge::options) and the handlers themselves.
#![expect(dead_code, reason = "only what they declare is used")]

use utoipa::IntoParams;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type as JsonType};

/// The volume in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct VolumePath {
    volume_id: String,
}

/// The plugin in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct PluginPath {
    plugin_id: String,
}

/// The plugin job in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct JobPath {
    job_id: String,
}

/// The operation in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct OperationPath {
    operation_id: String,
}

/// The claim in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct ClaimPath {
    alloc_id: String,
}

/// The token in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct TokenPath {
    accessor_id: String,
}

/// The policy in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct PolicyPath {
    policy_name: String,
}

/// The data key in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct RootKeyPath {
    key_id: String,
}

/// The role in the path, by its id.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct RolePath {
    role_id: String,
}

/// The role in the path, by its name.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct RoleNamePath {
    role_name: String,
}

/// The namespace in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct NamespacePath {
    namespace_name: String,
}

/// The node in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct NodePath {
    node_id: String,
}

/// What every request may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Region {
    region: Option<String>,
}

/// What every read may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Read {
    pretty: Option<String>,
    region: Option<String>,
}

/// Waiting for a change of what is read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Blocking {
    index: Option<u64>,
    #[param(schema_with = go_duration, required = false)]
    wait: Option<String>,
    stale: Option<bool>,
}

/// What every change may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Change {
    namespace: Option<String>,
    #[param(schema_with = go_duration, required = false)]
    wait: Option<String>,
    region: Option<String>,
}

/// The namespace.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct InNamespace {
    namespace: Option<String>,
}

/// What is listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Type {
    r#type: Option<String>,
}

/// How the ids begin.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Prefix {
    prefix: Option<String>,
}

/// A list in pages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Pages {
    per_page: Option<i32>,
    next_token: Option<String>,
}

/// A driver's list in pages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct DriverPages {
    #[param(minimum = 0)]
    per_page: Option<i32>,
    next_token: Option<String>,
}

/// What has to hold for what is listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filtered {
    filter: Option<String>,
}

/// Which tokens are listed, and how.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct TokenFilter {
    global: Option<bool>,
    reverse: Option<bool>,
}

/// Which volumes are listed, and how.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct VolumeFilter {
    plugin_id: Option<String>,
    node_id: Option<String>,
    reverse: Option<bool>,
}

/// The plugin whose driver is asked.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct OfPlugin {
    plugin_id: String,
}

/// Which operations are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct OperationFilter {
    namespace: Option<String>,
    volume_id: Option<String>,
    plugin_id: Option<String>,
    #[param(schema_with = operation_state, required = false)]
    state: Option<String>,
}

/// Which claims are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ClaimFilter {
    #[param(schema_with = claim_state, required = false)]
    state: Option<String>,
}

/// How long an answer may take to be found.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Wait {
    #[param(schema_with = go_duration, required = false)]
    wait: Option<String>,
}

/// Secrets for one call of a driver.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::http) struct CsiSecrets {
    #[param(rename = "X-Nomad-CSI-Secrets", schema_with = password, required = false)]
    secrets: Option<String>,
}

/// A duration as Go writes it.
fn go_duration() -> Object {
    let pattern = r"^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";
    text().pattern(Some(pattern)).build()
}

fn operation_state() -> Object {
    text().enum_values(Some(crate::picture::STATES)).build()
}

fn claim_state() -> Object {
    text()
        .enum_values(Some(crate::picture::CLAIM_STATES))
        .build()
}

fn password() -> Object {
    let password = SchemaFormat::KnownFormat(KnownFormat::Password);
    text().format(Some(password)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(JsonType::String)
}
