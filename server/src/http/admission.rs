//! Whether a caller may do what is asked, once access control is on: the one place where that is decided.
//!
//! - What an operation needs stands in the document; [`admit`] looks at every operation before its
//!   handler does.
//! - What Nomad reads before it judges is read first: a request that cannot be understood is 400, whoever
//!   asks.
//! - What a handler shows of several namespaces it chooses by [`Asking::caller`].
//!
//! [`Asking::caller`]: super::front::Asking::caller

use super::edge::credentials::ClientToken;
use super::edge::options::{DEFAULT_NAMESPACE, check_region, force};
use super::edge::{Query, ReadOptions, Refusal, WriteOptions};
use super::front::Request;
use super::reply::Refused;
use super::request::{
    ClaimRequest, Envelope, NamespaceRequest, PolicyRequest, RoleRequest, SnapshotsRequest,
    TokenRequest, VolumesRequest,
};
use crate::acl::{Caller, Unresolved, capability};
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use saddlebag_client::operations::{Capability, Checked, Operation, TokenNeeded};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// Who asks. The error: the request cannot be understood, or they may not do this.
pub(super) fn admit(
    cp: &ControlPlane,
    operation: Operation,
    request: &Request<'_>,
) -> Result<Caller, Refused> {
    if !cp.acl_enabled {
        return Ok(Caller::anybody());
    }
    let needed = operation.capability();
    if needs_nothing(&needed) || answers_without_looking(operation, request.query) {
        let secret = ClientToken::of(request.headers);
        return Ok(look(cp, request, secret.as_ref()).unwrap_or_else(|_| Caller::nobody()));
    }
    let read = Read::of(operation, request)?;
    let denied = |unresolved| match unresolved {
        Unresolved::TooSoon(_) => Refused::from(Error::from(unresolved)),
        Unresolved::NoSecret | Unresolved::Unknown | Unresolved::Expired => {
            Fault::PermissionDenied.into()
        }
    };
    let caller = resolve(cp, request, read.token.as_ref()).map_err(denied)?;
    match is_allowed(cp, &needed, &read, &caller, request) {
        true => Ok(caller),
        false => Err(Fault::PermissionDenied.into()),
    }
}

/// Who has the token of a request, or the one in its body where no header has one. It is not looked at, if too
/// many that are none came from the same address.
pub(super) fn resolve(
    cp: &ControlPlane,
    request: &Request<'_>,
    in_body: Option<&ClientToken>,
) -> Result<Caller, Unresolved> {
    let of_header = ClientToken::of(request.headers);
    let token = of_header.as_ref().or(in_body);
    let Some(sent) = token else {
        return look(cp, request, token);
    };
    let (now, client) = (cp.clock.now(), request.client);
    let tried = cp.attempts.may_try(client, sent.expose(), now);
    tried.map_err(|wait| {
        request.record.asked_by_nobody_known();
        Unresolved::TooSoon(wait)
    })?;
    let resolved = look(cp, request, token);
    match &resolved {
        Ok(_) => cp.attempts.succeeded(client, sent.expose()),
        Err(_) => cp.attempts.failed(client, now),
    }
    resolved
}

/// Who has this token, or none.
fn look(
    cp: &ControlPlane,
    request: &Request<'_>,
    token: Option<&ClientToken>,
) -> Result<Caller, Unresolved> {
    let secret = token.map(ClientToken::expose);
    let resolved = Caller::resolve(&cp.state(), secret, cp.clock.now());
    match &resolved {
        Ok(caller) => request.record.asked_by(caller),
        Err(_) => request.record.asked_by_nobody_known(),
    }
    resolved
}

fn needs_nothing(needed: &Capability) -> bool {
    let Capability {
        namespace,
        plugin,
        node,
        agent,
        checked: _,
        token,
    } = needed;
    namespace.is_empty() && plugin.is_none() && node.is_none() && agent.is_none() && token.is_none()
}

/// Lists of what there is none of are empty, or unknown, for everybody: there are no volumes and plugins
/// but those of CSI.
fn answers_without_looking(operation: Operation, query: &Query<'_>) -> bool {
    let is_list = matches!(operation, Operation::ListPlugins | Operation::ListVolumes);
    is_list && query.get("type") != Some("csi")
}

/// What is read of a request before it is judged.
struct Read {
    /// Where something has to be allowed.
    namespaces: BTreeSet<String>,
    /// The token in the body.
    token: Option<ClientToken>,
    /// Whether soft policies are to be overridden.
    overrides: bool,
}

impl Read {
    fn of(operation: Operation, request: &Request<'_>) -> Result<Self, Refusal> {
        match operation {
            Operation::RegisterVolumes
            | Operation::RegisterVolumesByPost
            | Operation::RegisterVolume
            | Operation::CreateVolume => return Self::of_volumes(request),
            Operation::CreateSnapshots
            | Operation::CreateSnapshotsByPost
            | Operation::CreateSnapshotOf
            | Operation::SnapshotVolume => {
                let envelope = SnapshotsRequest::decode(request.body()?)?.envelope;
                return Self::of_envelope(request, envelope);
            }
            Operation::ClaimVolume => {
                ClaimRequest::decode(request.body()?)?;
            }
            Operation::CreateToken
            | Operation::CreateTokenByPost
            | Operation::UpdateToken
            | Operation::UpdateTokenByPost => {
                TokenRequest::decode(request.body()?)?;
            }
            Operation::ApplyPolicy | Operation::ApplyPolicyByPost => {
                PolicyRequest::decode(request.body()?)?;
            }
            Operation::CreateRole
            | Operation::CreateRoleByPost
            | Operation::UpdateRole
            | Operation::UpdateRoleByPost => {
                RoleRequest::decode(request.body()?)?;
            }
            Operation::CreateNamespace
            | Operation::CreateNamespaceByPost
            | Operation::ApplyNamespace
            | Operation::ApplyNamespaceByPost => {
                NamespaceRequest::decode(request.body()?)?;
            }
            Operation::DeregisterVolume => {
                force(request.query)?;
            }
            Operation::DetachVolume if request.query.filled("node").is_none() => {
                return Err(Refusal::malformed("detach requires node ID"));
            }
            // Of all else the query says everything that counts.
            _ => {}
        }
        Self::of_query(operation, request)
    }

    fn of_query(operation: Operation, request: &Request<'_>) -> Result<Self, Refusal> {
        let region = &request.settings.region;
        let namespace = match operation.method() {
            "GET" => {
                ReadOptions::read(request.query, region)?;
                request.query.filled("namespace").map(str::to_owned)
            }
            _ => WriteOptions::read(request.query, region)?.namespace,
        };
        let default = match operation {
            Operation::ListOperations | Operation::Doctor => "*",
            _ => DEFAULT_NAMESPACE,
        };
        Ok(Self::in_one(
            namespace.unwrap_or_else(|| default.to_owned()),
        ))
    }

    fn of_envelope(request: &Request<'_>, envelope: Envelope) -> Result<Self, Refusal> {
        let region = &request.settings.region;
        let options = WriteOptions::read(request.query, region)?;
        check_region(envelope.region.as_deref(), region)?;
        let namespace = options.namespace.or(envelope.namespace);
        let namespace = namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        Ok(Self {
            token: envelope.auth_token,
            ..Self::in_one(namespace)
        })
    }

    /// Each volume counts where it is to be.
    fn of_volumes(request: &Request<'_>) -> Result<Self, Refusal> {
        let sent = VolumesRequest::decode(request.body()?)?;
        let read = Self::of_envelope(request, sent.envelope)?;
        let default = read.namespaces.first().cloned().unwrap_or_default();
        let volumes = sent.volumes.into_iter();
        Ok(Self {
            namespaces: volumes
                .map(|volume| volume.namespace.unwrap_or_else(|| default.clone()))
                .collect(),
            overrides: sent.policy_override,
            ..read
        })
    }

    fn in_one(namespace: String) -> Self {
        Self {
            namespaces: BTreeSet::from([namespace]),
            token: None,
            overrides: false,
        }
    }
}

fn is_allowed(
    cp: &ControlPlane,
    needed: &Capability,
    read: &Read,
    caller: &Caller,
    request: &Request<'_>,
) -> bool {
    let access = &caller.access;
    let in_namespaces = |namespaces: &BTreeSet<String>| {
        let overrides = [capability::SENTINEL_OVERRIDE];
        let may = |namespace: &String| {
            access.in_namespace(namespace, needed.namespace)
                && (!read.overrides || access.in_namespace(namespace, &overrides))
        };
        namespaces.iter().all(may)
    };
    let in_namespace = match needed.checked {
        None => true,
        Some(Checked::Request) => in_namespaces(&read.namespaces),
        Some(Checked::Volume) => match request.params.get("operation_id") {
            None => in_namespaces(&read.namespaces),
            Some(id) => access.in_namespace(&namespace_of_operation(cp, id), needed.namespace),
        },
        Some(Checked::Path) => {
            let name = request.params.get("namespace_name").unwrap_or_default();
            access.in_namespace(name, needed.namespace)
        }
    };
    in_namespace
        && needed.plugin.is_none_or(|policy| access.plugin(policy))
        && needed.node.is_none_or(|policy| access.node(policy))
        && needed.agent.is_none_or(|policy| access.agent(policy))
        && match needed.token {
            None | Some(TokenNeeded::Any) => true,
            Some(TokenNeeded::Own) => access.is_everything() || is_own(cp, caller, request),
            Some(TokenNeeded::Management) => access.is_everything(),
        }
}

/// The namespace of the volume that an operation is about. Whoever may see any learns that there is no
/// such operation, or that it is about none.
fn namespace_of_operation(cp: &ControlPlane, id: &str) -> String {
    let state = cp.state();
    let operation = Uuid::try_parse(id).ok().and_then(|id| state.operation(id));
    let volume = operation.and_then(|operation| operation.row.volume());
    volume.map_or_else(|| "*".to_owned(), |volume| volume.namespace.to_string())
}

/// Whether what the path names is the caller's token, or one of its policies or roles.
fn is_own(cp: &ControlPlane, caller: &Caller, request: &Request<'_>) -> bool {
    let named = |name: &str| request.params.get(name);
    if let Some(accessor) = named("accessor_id") {
        return caller.is(accessor);
    }
    let state = cp.state();
    if let Some(policy) = named("policy_name") {
        return caller.policies(&state).iter().any(|own| own == policy);
    }
    if let Some(id) = named("role_id") {
        return caller.has_role(id);
    }
    let role = named("role_name").and_then(|name| state.role_named(name));
    role.is_some_and(|role| caller.has_role(&role.row.id))
}

impl From<Unresolved> for Error {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::NoSecret => Fault::NoSecret,
            Unresolved::Unknown => Fault::PermissionDenied,
            Unresolved::Expired => Fault::TokenExpired,
            Unresolved::TooSoon(wait) => Fault::TooManyFailedLogins {
                seconds: Duration::try_from(wait).map_or(0, rounded_up),
            },
        }
        .into()
    }
}

/// In whole seconds.
fn rounded_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
