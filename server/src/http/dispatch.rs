//! Which handler answers which operation of the document. No wildcard: an operation that is added to
//! the document and nowhere else does not compile.

use super::front::Asking;
use super::reply::Reply;
use super::{
    acl, claims, doctor, events, jobs, keyring, namespaces, nodes, operations, plugins, search,
    snapshots, status, testing, volumes,
};
use crate::control::ControlPlane;
use saddlebag_client::operations::Operation;

#[expect(deprecated, reason = "superseded routes are answered all the same")]
pub(super) async fn dispatch(
    cp: &ControlPlane,
    operation: Operation,
    asking: &Asking<'_>,
) -> Reply {
    match operation {
        Operation::ListPlugins => plugins::list_plugins(cp, asking).await,
        Operation::ReadPlugin => plugins::read_plugin(cp, asking).await,

        Operation::ListVolumes => volumes::list_volumes(cp, asking).await,
        Operation::RegisterVolumes => volumes::register_volumes(cp, asking).await,
        Operation::RegisterVolumesByPost => volumes::register_volumes_by_post(cp, asking).await,
        Operation::ListExternalVolumes => volumes::list_external_volumes(cp, asking).await,
        Operation::ReadVolume => volumes::read_volume(cp, asking).await,
        Operation::RegisterVolume => volumes::register_volume(cp, asking).await,
        Operation::DeregisterVolume => volumes::deregister_volume(cp, asking).await,
        Operation::CreateVolume => volumes::create_volume(cp, asking).await,
        Operation::DeleteVolume => volumes::delete_volume(cp, asking).await,
        Operation::DetachVolume => volumes::detach_volume(cp, asking).await,

        Operation::ClaimVolume => claims::claim_volume(cp, asking).await,
        Operation::ListClaims => claims::list_claims(cp, asking).await,
        Operation::ReadClaim => claims::read_claim(cp, asking).await,
        Operation::ReleaseClaim => claims::release_claim(cp, asking).await,
        Operation::RetryClaims => claims::retry_claims(cp, asking).await,

        Operation::ListSnapshots => snapshots::list_snapshots(cp, asking).await,
        Operation::CreateSnapshots => snapshots::create_snapshots(cp, asking).await,
        Operation::CreateSnapshotsByPost => snapshots::create_snapshots_by_post(cp, asking).await,
        Operation::CreateSnapshotOf => snapshots::create_snapshot_of(cp, asking).await,
        Operation::SnapshotVolume => snapshots::snapshot_volume(cp, asking).await,
        Operation::DeleteSnapshot => snapshots::delete_snapshot(cp, asking).await,

        Operation::ListCsiPlugins => jobs::list_csi_plugins(cp, asking).await,
        Operation::ReadCsiPlugin => jobs::read_csi_plugin(cp, asking).await,
        Operation::ListPluginJobs => jobs::list_plugin_jobs(cp, asking).await,
        Operation::ReadJob => jobs::read_job(cp, asking).await,
        Operation::ListJobs => jobs::list_jobs(cp, asking).await,
        Operation::ListJobAllocations => jobs::list_job_allocations(cp, asking).await,

        Operation::ListNodes => nodes::list_nodes(cp, asking).await,
        Operation::ReadNode => nodes::read_node(cp, asking).await,
        Operation::FenceNode => nodes::fence_node(cp, asking).await,
        Operation::UnfenceNode => nodes::unfence_node(cp, asking).await,

        Operation::ListNamespaces => namespaces::list_namespaces(cp, asking).await,
        Operation::CreateNamespace => namespaces::create_namespace(cp, asking).await,
        Operation::CreateNamespaceByPost => namespaces::create_namespace_by_post(cp, asking).await,
        Operation::ReadNamespace => namespaces::read_namespace(cp, asking).await,
        Operation::ApplyNamespace => namespaces::apply_namespace(cp, asking).await,
        Operation::ApplyNamespaceByPost => namespaces::apply_namespace_by_post(cp, asking).await,
        Operation::DeleteNamespace => namespaces::delete_namespace(cp, asking).await,

        Operation::BootstrapAcl => acl::bootstrap_acl(cp, asking).await,
        Operation::BootstrapAclByPost => acl::bootstrap_acl_by_post(cp, asking).await,
        Operation::ListTokens => acl::list_tokens(cp, asking).await,
        Operation::CreateToken => acl::create_token(cp, asking).await,
        Operation::CreateTokenByPost => acl::create_token_by_post(cp, asking).await,
        Operation::ReadOwnToken => acl::read_own_token(cp, asking).await,
        Operation::ReadToken => acl::read_token(cp, asking).await,
        Operation::UpdateToken => acl::update_token(cp, asking).await,
        Operation::UpdateTokenByPost => acl::update_token_by_post(cp, asking).await,
        Operation::DeleteToken => acl::delete_token(cp, asking).await,
        Operation::ListPolicies => acl::list_policies(cp, asking).await,
        Operation::ListOwnPolicies => acl::list_own_policies(cp, asking).await,
        Operation::ReadPolicy => acl::read_policy(cp, asking).await,
        Operation::ApplyPolicy => acl::apply_policy(cp, asking).await,
        Operation::ApplyPolicyByPost => acl::apply_policy_by_post(cp, asking).await,
        Operation::DeletePolicy => acl::delete_policy(cp, asking).await,
        Operation::ListRoles => acl::list_roles(cp, asking).await,
        Operation::CreateRole => acl::create_role(cp, asking).await,
        Operation::CreateRoleByPost => acl::create_role_by_post(cp, asking).await,
        Operation::ReadRoleByName => acl::read_role_by_name(cp, asking).await,
        Operation::ReadRole => acl::read_role(cp, asking).await,
        Operation::UpdateRole => acl::update_role(cp, asking).await,
        Operation::UpdateRoleByPost => acl::update_role_by_post(cp, asking).await,
        Operation::DeleteRole => acl::delete_role(cp, asking).await,

        Operation::ListRootKeys => keyring::list_root_keys(cp, asking).await,
        Operation::RotateRootKey => keyring::rotate_root_key(cp, asking).await,
        Operation::RemoveRootKey => keyring::remove_root_key(cp, asking).await,

        Operation::ListOperations => operations::list_operations(cp, asking).await,
        Operation::ReadOperation => operations::read_operation(cp, asking).await,
        Operation::RetryOperation => operations::retry_operation(cp, asking).await,
        Operation::AbandonOperation => operations::abandon_operation(cp, asking).await,
        Operation::Doctor => doctor::doctor(cp, asking).await,

        Operation::Search => search::search(cp, asking).await,
        Operation::SearchByPost => search::search_by_post(cp, asking).await,
        Operation::FuzzySearch => search::fuzzy_search(cp, asking).await,
        Operation::FuzzySearchByPost => search::fuzzy_search_by_post(cp, asking).await,

        Operation::StreamEvents => events::stream_events(cp, asking).await,

        Operation::Reset => testing::reset(cp, asking).await,
        Operation::ListFaults => testing::list_faults(cp, asking).await,
        Operation::SetFaults => testing::set_faults(cp, asking).await,
        Operation::ClearFaults => testing::clear_faults(cp, asking).await,
        Operation::MoveClock => testing::move_clock(cp, asking).await,

        Operation::ListPeers => status::list_peers(cp, asking).await,
        Operation::ListRegions => status::list_regions(cp, asking).await,
        Operation::ReadAgent => status::read_agent(cp, asking).await,
        Operation::ReadLeader => status::read_leader(cp, asking).await,
        Operation::ReadAgentHealth => status::read_agent_health(cp, asking).await,
        Operation::ReadDocumentYaml => status::read_document_yaml(cp, asking).await,
        Operation::ReadDocumentJson => status::read_document_json(cp, asking).await,
    }
}
