//! Which handler answers which operation of the document. No wildcard: an operation that is added to
//! the document and nowhere else does not compile.
//!
//! Each handler waits in memory of its own: a request holds what its handler needs, not what the largest of all does.

use super::front::Asking;
use super::reply::Reply;
use super::{
    acl, claims, doctor, events, jobs, keyring, namespaces, nodes, operations, plugins, search,
    snapshots, status, testing, volumes,
};
use crate::control::ControlPlane;
use saddlebag_client::operations::Operation;
use std::pin::Pin;

/// A handler at work.
pub(super) type Handling<'h> = Pin<Box<dyn Future<Output = Reply> + Send + 'h>>;

#[expect(deprecated, reason = "superseded routes are answered all the same")]
pub(super) fn dispatch<'h>(
    cp: &'h ControlPlane,
    operation: Operation,
    asking: &'h Asking<'h>,
) -> Handling<'h> {
    match operation {
        Operation::ListPlugins => Box::pin(plugins::list_plugins(cp, asking)),
        Operation::ReadPlugin => Box::pin(plugins::read_plugin(cp, asking)),

        Operation::ListVolumes => Box::pin(volumes::list_volumes(cp, asking)),
        Operation::RegisterVolumes => Box::pin(volumes::register_volumes(cp, asking)),
        Operation::RegisterVolumesByPost => Box::pin(volumes::register_volumes_by_post(cp, asking)),
        Operation::ListExternalVolumes => Box::pin(volumes::list_external_volumes(cp, asking)),
        Operation::ReadVolume => Box::pin(volumes::read_volume(cp, asking)),
        Operation::RegisterVolume => Box::pin(volumes::register_volume(cp, asking)),
        Operation::DeregisterVolume => Box::pin(volumes::deregister_volume(cp, asking)),
        Operation::CreateVolume => Box::pin(volumes::create_volume(cp, asking)),
        Operation::DeleteVolume => Box::pin(volumes::delete_volume(cp, asking)),
        Operation::DetachVolume => Box::pin(volumes::detach_volume(cp, asking)),

        Operation::ClaimVolume => Box::pin(claims::claim_volume(cp, asking)),
        Operation::ListClaims => Box::pin(claims::list_claims(cp, asking)),
        Operation::ReadClaim => Box::pin(claims::read_claim(cp, asking)),
        Operation::ReleaseClaim => Box::pin(claims::release_claim(cp, asking)),
        Operation::RetryClaims => Box::pin(claims::retry_claims(cp, asking)),

        Operation::ListSnapshots => Box::pin(snapshots::list_snapshots(cp, asking)),
        Operation::CreateSnapshots => Box::pin(snapshots::create_snapshots(cp, asking)),
        Operation::CreateSnapshotsByPost => {
            Box::pin(snapshots::create_snapshots_by_post(cp, asking))
        }
        Operation::CreateSnapshotOf => Box::pin(snapshots::create_snapshot_of(cp, asking)),
        Operation::SnapshotVolume => Box::pin(snapshots::snapshot_volume(cp, asking)),
        Operation::DeleteSnapshot => Box::pin(snapshots::delete_snapshot(cp, asking)),

        Operation::ListCsiPlugins => Box::pin(jobs::list_csi_plugins(cp, asking)),
        Operation::ReadCsiPlugin => Box::pin(jobs::read_csi_plugin(cp, asking)),
        Operation::ListPluginJobs => Box::pin(jobs::list_plugin_jobs(cp, asking)),
        Operation::ReadJob => Box::pin(jobs::read_job(cp, asking)),
        Operation::ListJobs => Box::pin(jobs::list_jobs(cp, asking)),
        Operation::ListJobAllocations => Box::pin(jobs::list_job_allocations(cp, asking)),

        Operation::ListNodes => Box::pin(nodes::list_nodes(cp, asking)),
        Operation::ReadNode => Box::pin(nodes::read_node(cp, asking)),
        Operation::ListNodeAllocations => Box::pin(nodes::list_node_allocations(cp, asking)),
        Operation::FenceNode => Box::pin(nodes::fence_node(cp, asking)),
        Operation::UnfenceNode => Box::pin(nodes::unfence_node(cp, asking)),

        Operation::ListNamespaces => Box::pin(namespaces::list_namespaces(cp, asking)),
        Operation::CreateNamespace => Box::pin(namespaces::create_namespace(cp, asking)),
        Operation::CreateNamespaceByPost => {
            Box::pin(namespaces::create_namespace_by_post(cp, asking))
        }
        Operation::ReadNamespace => Box::pin(namespaces::read_namespace(cp, asking)),
        Operation::ApplyNamespace => Box::pin(namespaces::apply_namespace(cp, asking)),
        Operation::ApplyNamespaceByPost => {
            Box::pin(namespaces::apply_namespace_by_post(cp, asking))
        }
        Operation::DeleteNamespace => Box::pin(namespaces::delete_namespace(cp, asking)),

        Operation::BootstrapAcl => Box::pin(acl::bootstrap_acl(cp, asking)),
        Operation::BootstrapAclByPost => Box::pin(acl::bootstrap_acl_by_post(cp, asking)),
        Operation::ListTokens => Box::pin(acl::list_tokens(cp, asking)),
        Operation::CreateToken => Box::pin(acl::create_token(cp, asking)),
        Operation::CreateTokenByPost => Box::pin(acl::create_token_by_post(cp, asking)),
        Operation::ReadOwnToken => Box::pin(acl::read_own_token(cp, asking)),
        Operation::ReadToken => Box::pin(acl::read_token(cp, asking)),
        Operation::UpdateToken => Box::pin(acl::update_token(cp, asking)),
        Operation::UpdateTokenByPost => Box::pin(acl::update_token_by_post(cp, asking)),
        Operation::DeleteToken => Box::pin(acl::delete_token(cp, asking)),
        Operation::ListPolicies => Box::pin(acl::list_policies(cp, asking)),
        Operation::ListOwnPolicies => Box::pin(acl::list_own_policies(cp, asking)),
        Operation::ReadPolicy => Box::pin(acl::read_policy(cp, asking)),
        Operation::ApplyPolicy => Box::pin(acl::apply_policy(cp, asking)),
        Operation::ApplyPolicyByPost => Box::pin(acl::apply_policy_by_post(cp, asking)),
        Operation::DeletePolicy => Box::pin(acl::delete_policy(cp, asking)),
        Operation::ListRoles => Box::pin(acl::list_roles(cp, asking)),
        Operation::CreateRole => Box::pin(acl::create_role(cp, asking)),
        Operation::CreateRoleByPost => Box::pin(acl::create_role_by_post(cp, asking)),
        Operation::ReadRoleByName => Box::pin(acl::read_role_by_name(cp, asking)),
        Operation::ReadRole => Box::pin(acl::read_role(cp, asking)),
        Operation::UpdateRole => Box::pin(acl::update_role(cp, asking)),
        Operation::UpdateRoleByPost => Box::pin(acl::update_role_by_post(cp, asking)),
        Operation::DeleteRole => Box::pin(acl::delete_role(cp, asking)),

        Operation::ListRootKeys => Box::pin(keyring::list_root_keys(cp, asking)),
        Operation::RotateRootKey => Box::pin(keyring::rotate_root_key(cp, asking)),
        Operation::RemoveRootKey => Box::pin(keyring::remove_root_key(cp, asking)),

        Operation::ListOperations => Box::pin(operations::list_operations(cp, asking)),
        Operation::ReadOperation => Box::pin(operations::read_operation(cp, asking)),
        Operation::RetryOperation => Box::pin(operations::retry_operation(cp, asking)),
        Operation::AbandonOperation => Box::pin(operations::abandon_operation(cp, asking)),
        Operation::Doctor => Box::pin(doctor::doctor(cp, asking)),

        Operation::Search => Box::pin(search::search(cp, asking)),
        Operation::SearchByPost => Box::pin(search::search_by_post(cp, asking)),
        Operation::FuzzySearch => Box::pin(search::fuzzy_search(cp, asking)),
        Operation::FuzzySearchByPost => Box::pin(search::fuzzy_search_by_post(cp, asking)),

        Operation::StreamEvents => Box::pin(events::stream_events(cp, asking)),

        Operation::Reset => Box::pin(testing::reset(cp, asking)),
        Operation::ListFaults => Box::pin(testing::list_faults(cp, asking)),
        Operation::SetFaults => Box::pin(testing::set_faults(cp, asking)),
        Operation::ClearFaults => Box::pin(testing::clear_faults(cp, asking)),
        Operation::MoveClock => Box::pin(testing::move_clock(cp, asking)),

        Operation::ListPeers => Box::pin(status::list_peers(cp, asking)),
        Operation::ListRegions => Box::pin(status::list_regions(cp, asking)),
        Operation::ReadAgent => Box::pin(status::read_agent(cp, asking)),
        Operation::ReadLeader => Box::pin(status::read_leader(cp, asking)),
        Operation::ReadAgentHealth => Box::pin(status::read_agent_health(cp, asking)),
        Operation::ReadDocumentYaml => Box::pin(status::read_document_yaml(cp, asking)),
        Operation::ReadDocumentJson => Box::pin(status::read_document_json(cp, asking)),
    }
}
