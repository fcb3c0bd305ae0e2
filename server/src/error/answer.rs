//! The one table: fault, code, status, Nomad's status.

use super::{Error, Fault};
use serde::{Deserialize, Serialize};

/// Which of the two status columns is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum StatusStyle {
    /// 404 not found, 409 in use, 400 invalid, 501, 503, and so on.
    #[default]
    True,
    /// What a real Nomad sends: 500 for most failures.
    Nomad,
}

/// How a fault is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The stable code of the JSON error body; the document lists them.
    pub code: &'static str,
    /// The true status.
    pub status: u16,
    /// The status of a real Nomad.
    pub nomad: u16,
    /// Whether the same request may succeed later without anybody changing it.
    pub retryable: bool,
}

const fn row(code: &'static str, status: u16, nomad: u16) -> Answer {
    Answer {
        code,
        status,
        nomad,
        retryable: matches!(status, 429 | 503 | 504),
    }
}

impl Fault {
    /// How it is answered.
    pub fn answer(&self) -> Answer {
        match self {
            Fault::Malformed(_) => row("malformed_request", 400, 400),
            Fault::UnknownRegion => row("invalid_request", 400, 500),
            Fault::BodyTooLarge(_) => row("body_too_large", 413, 413),
            Fault::BodyTooSlow(_) => row("request_timeout", 408, 408),
            Fault::UrlTooLong(_) => row("url_too_long", 414, 414),
            Fault::HeadTooLarge(_) => row("head_too_large", 431, 431),
            Fault::TooManyBlocked(_) => row("too_many_requests", 429, 429),
            Fault::ForeignOrigin(_) => row("foreign_origin", 403, 403),
            Fault::PermissionDenied => row("permission_denied", 403, 403),
            Fault::NoSecret | Fault::TokenExpired => row("permission_denied", 403, 500),
            Fault::TooManyFailedLogins { .. } => Answer {
                retryable: true,
                ..row("too_many_failed_logins", 403, 403)
            },
            Fault::AclDisabled => row("acl_disabled", 400, 400),
            Fault::UnfitForAccess(_) => row("invalid_request", 400, 400),
            Fault::TokenNotFound => row("token_not_found", 404, 404),
            Fault::PolicyNotFound => row("policy_not_found", 404, 404),
            Fault::RoleNotFound => row("role_not_found", 404, 404),
            Fault::DataKeyNotFound(_) => row("key_not_found", 404, 500),
            Fault::DataKeyInUse(_) => row("key_in_use", 409, 500),
            Fault::NoNamespaceToRead => row("namespace_not_found", 404, 404),
            Fault::NoNamespaceToDelete => row("namespace_not_found", 404, 500),
            Fault::UnfitNamespace(_) => row("invalid_request", 400, 500),
            Fault::UnfitTest(_) => row("invalid_request", 400, 400),
            Fault::Injected { status, .. } => row("injected_fault", *status, *status),
            Fault::NamespaceInUse(_) => row("namespace_in_use", 409, 500),
            Fault::NoSuchRoute(_) => row("not_found", 404, 404),
            Fault::MethodNotAllowed => row("method_not_allowed", 405, 405),

            Fault::NoVolumes
            | Fault::NoVolumeId
            | Fault::NoPluginId
            | Fault::NullSnapshot
            | Fault::NoReason
            | Fault::NoFenceReason => row("missing_field", 400, 500),
            Fault::NoNodeId => row("missing_field", 400, 400),
            Fault::Validation(_) | Fault::BadItems(_) | Fault::RefusedLocally(_) => {
                row("invalid_request", 400, 500)
            }

            Fault::NoVolumeToRead => row("volume_not_found", 404, 404),
            Fault::VolumeNotFound(_) | Fault::NoVolumeToDetach | Fault::NoVolumeToSnapshot(_) => {
                row("volume_not_found", 404, 500)
            }
            Fault::NoPluginToRead => row("plugin_not_found", 404, 404),
            Fault::NoPluginNamed(_)
            | Fault::NoPluginToAsk
            | Fault::NoPluginToSnapshot(_)
            | Fault::PluginOfClaimNotFound(_)
            | Fault::PluginOfVolumeNotFound { .. } => row("plugin_not_found", 404, 500),
            Fault::NamespaceNotFound { .. } => row("namespace_not_found", 404, 500),
            Fault::JobNotFound => row("job_not_found", 404, 404),
            Fault::OperationNotFound => row("operation_not_found", 404, 404),
            Fault::ClaimNotFound => row("claim_not_found", 404, 404),
            Fault::NodeNotFound(_) | Fault::NoNodeToRead => row("node_not_found", 404, 404),

            Fault::VolumeInUse(_) | Fault::ClaimsLive(_) => row("volume_in_use", 409, 500),
            Fault::VolumeBusy { .. } => Answer {
                retryable: true,
                ..row("volume_busy", 409, 500)
            },
            Fault::UpdateConflict(_) | Fault::IdentityConflict(_) => {
                row("volume_conflict", 409, 500)
            }
            Fault::ExternalIdTaken { .. } | Fault::ExternalIdShared { .. } => {
                row("external_id_taken", 409, 500)
            }
            Fault::ClaimRefused { .. } => row("claim_refused", 409, 500),
            Fault::ClaimConflict(_) => row("claim_conflict", 409, 500),
            Fault::NodeFenced { .. } => row("node_fenced", 409, 500),
            Fault::OperationEnded(_) => row("operation_ended", 409, 409),
            Fault::Abandoned { .. } => row("operation_abandoned", 409, 500),

            Fault::CapabilityMissing(_) => row("capability_missing", 501, 500),
            Fault::NoHealthyController(_) | Fault::NoInstance(_) => {
                row("no_healthy_plugin", 503, 500)
            }

            Fault::PluginCrowded { .. } => row("plugin_busy", 503, 500),
            Fault::OperationCrowded { .. } => row("volume_busy", 503, 500),

            Fault::DriverInvalid(_) => row("driver_refused", 400, 500),
            Fault::DriverNotFound(_) => row("driver_refused", 404, 500),
            Fault::DriverConflict(_) => row("driver_refused", 409, 500),
            Fault::DriverExhausted(_) => row("driver_exhausted", 507, 500),
            Fault::DriverUnimplemented(_) => row("capability_missing", 501, 500),
            Fault::DriverFailed(_) => row("driver_failed", 502, 500),
            Fault::HostFailed(_) => row("node_failed", 502, 500),
            Fault::DriverUnavailable(_) => row("driver_unavailable", 503, 500),
            Fault::DriverSlow(_) => row("operation_timeout", 504, 500),

            Fault::StillUnderWay { .. } | Fault::StillReleasing { .. } => {
                row("operation_timeout", 504, 504)
            }
            Fault::Several { errors, .. } => {
                errors
                    .first()
                    .map_or(row("internal", 500, 500), |first| Answer {
                        nomad: 500,
                        ..first.fault.answer()
                    })
            }
            Fault::Prefixed { inner, .. } => inner.answer(),
            Fault::StoreUnavailable(_) => row("store_unavailable", 503, 500),
            Fault::NotRecorded(_) => Answer {
                retryable: true,
                ..row("not_recorded", 500, 500)
            },
            Fault::Internal => row("internal", 500, 500),
        }
    }
}

impl Error {
    /// The status in the given column.
    pub fn status(&self, style: StatusStyle) -> u16 {
        let answer = self.fault.answer();
        match style {
            StatusStyle::True => answer.status,
            StatusStyle::Nomad => answer.nomad,
        }
    }
}
