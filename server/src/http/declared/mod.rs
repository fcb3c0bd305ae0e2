//! What the handlers declare of themselves, through utoipa, for the comparison with the document.
//!
//! - Each handler says in its own `#[utoipa::path]` what it takes and answers, in the vocabulary of
//!   this module: parameters that several take, answers, failures.
//! - The schemas are those of the types that are decoded and encoded ([`request`](super::request),
//!   [`wire`]).
//! - The document is written by hand and does not come from here. A test holds the two together,
//!   both ways, so a handler that is missing below is found.

mod answers;
mod failures;
mod parameters;

pub(super) use answers::{At, Changed, Done, Json, List, Made, Page};
pub(super) use failures::{
    Always, BodyErrors, ChangeErrors, Crowded, DriverErrors, Missing, NotFound, ReadErrors,
    RecordErrors, RefusalErrors, StoredErrors, TestErrors, WaitErrors,
};
pub(super) use parameters::{
    Blocking, Change, ClaimFilter, ClaimPath, CsiSecrets, DriverPages, Filtered, InNamespace,
    JobPath, NamespacePath, NodePath, OfPlugin, OperationFilter, OperationPath, Pages, PluginPath,
    PolicyPath, Prefix, Read, Region, RoleNamePath, RolePath, RootKeyPath, TokenFilter, TokenPath,
    Type, VolumeFilter, VolumePath, Wait,
};

use super::{
    acl, claims, doctor, events, jobs, keyring, namespaces, nodes, operations, plugins, search,
    snapshots, status, testing, volumes, wire,
};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{RefOr, Required};
use utoipa::{Modify, OpenApi};

/// Everything that the server declares.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Declared::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(
        plugins::list_plugins,
        plugins::read_plugin,
        volumes::list::list_volumes,
        volumes::list::read_volume,
        volumes::changes::register_volumes,
        volumes::changes::register_volumes_by_post,
        volumes::changes::register_volume,
        volumes::changes::create_volume,
        volumes::changes::deregister_volume,
        volumes::changes::delete_volume,
        volumes::changes::detach_volume,
        volumes::external::list_external_volumes,
        claims::claim_volume,
        claims::list_claims,
        claims::read_claim,
        claims::release_claim,
        claims::retry_claims,
        snapshots::list_snapshots,
        snapshots::create_snapshots,
        snapshots::create_snapshots_by_post,
        snapshots::create_snapshot_of,
        snapshots::snapshot_volume,
        snapshots::delete_snapshot,
        jobs::list_csi_plugins,
        jobs::read_csi_plugin,
        jobs::list_plugin_jobs,
        jobs::read_job,
        jobs::list_jobs,
        jobs::list_job_allocations,
        nodes::list_nodes,
        nodes::read_node,
        nodes::list_node_allocations,
        nodes::fence_node,
        nodes::unfence_node,
        namespaces::list_namespaces,
        namespaces::create_namespace,
        namespaces::create_namespace_by_post,
        namespaces::read_namespace,
        namespaces::apply_namespace,
        namespaces::apply_namespace_by_post,
        namespaces::delete_namespace,
        acl::tokens::bootstrap_acl,
        acl::tokens::bootstrap_acl_by_post,
        acl::listed::list_tokens,
        acl::tokens::create_token,
        acl::tokens::create_token_by_post,
        acl::tokens::read_own_token,
        acl::tokens::read_token,
        acl::tokens::update_token,
        acl::tokens::update_token_by_post,
        acl::tokens::delete_token,
        acl::policies::list_policies,
        acl::policies::list_own_policies,
        acl::policies::read_policy,
        acl::policies::apply_policy,
        acl::policies::apply_policy_by_post,
        acl::policies::delete_policy,
        acl::roles::list_roles,
        acl::roles::create_role,
        acl::roles::create_role_by_post,
        acl::roles::read_role_by_name,
        acl::roles::read_role,
        acl::roles::update_role,
        acl::roles::update_role_by_post,
        acl::roles::delete_role,
        keyring::list_root_keys,
        keyring::rotate_root_key,
        keyring::remove_root_key,
        operations::list_operations,
        operations::read_operation,
        operations::retry_operation,
        operations::abandon_operation,
        doctor::doctor,
        search::search,
        search::search_by_post,
        search::fuzzy_search,
        search::fuzzy_search_by_post,
        events::stream_events,
        testing::reset,
        testing::list_faults,
        testing::set_faults,
        testing::clear_faults,
        testing::move_clock,
        status::list_peers,
        status::list_regions,
        status::read_agent,
        status::read_leader,
        status::read_agent_health,
        status::read_document_yaml,
        status::read_document_json,
    ),
    components(schemas(
        wire::AgentHealth<'static>,
        wire::AgentSelf,
        wire::AllocationStub<'static>,
        wire::DraftJob<'static>,
        wire::ClockNow,
        wire::Events<'static>,
        wire::FaultList<'static>,
        wire::FuzzySearchAnswer<'static>,
        wire::SearchAnswer<'static>,
        wire::Claim<'static>,
        wire::Diagnosis<'static>,
        wire::DraftPlugin<'static>,
        wire::DraftPluginStub<'static>,
        wire::Error<'static>,
        wire::ExternalVolumes<'static>,
        wire::Job<'static>,
        wire::Namespace<'static>,
        wire::Node<'static>,
        wire::NodeAllocation,
        wire::NodeStub<'static>,
        wire::Operation<'static>,
        wire::Plugin<'static>,
        wire::PluginStub<'static>,
        wire::Policy<'static>,
        wire::PolicyStub<'static>,
        wire::Role<'static>,
        wire::RootKey<'static>,
        wire::RootKeyMade<'static>,
        wire::Snapshots<'static>,
        wire::Token<'static>,
        wire::TokenStub<'static>,
        wire::Volume<'static>,
        wire::VolumeStub<'static>,
        wire::VolumesAnswer<'static>,
    )),
    security((), ("NomadToken" = []), ("Bearer" = [])),
    modifiers(&Tokens, &BodiesLeftOut),
)]
struct Declared;

/// The two ways to send a token.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, declared: &mut utoipa::openapi::OpenApi) {
        let components = declared.components.get_or_insert_default();
        let header = ApiKey::Header(ApiKeyValue::new("X-Nomad-Token"));
        components.add_security_scheme("NomadToken", SecurityScheme::ApiKey(header));
        let bearer = Http::new(HttpAuthScheme::Bearer);
        components.add_security_scheme("Bearer", SecurityScheme::Http(bearer));
    }
}

/// The bodies that may be left out; utoipa can only say that they may be null.
struct BodiesLeftOut;

impl Modify for BodiesLeftOut {
    fn modify(&self, declared: &mut utoipa::openapi::OpenApi) {
        if let Some(path) = declared.paths.paths.get_mut("/v1/acl/bootstrap") {
            let operations = [&mut path.put, &mut path.post];
            let bodies = operations
                .into_iter()
                .flatten()
                .flat_map(|it| &mut it.request_body);
            for body in bodies {
                if let RefOr::T(body) = body {
                    body.required = Some(Required::False);
                }
            }
        }
    }
}
