//! Requests as clients make them, and how they ended.

use crate::model::Held;
use crate::step::{Request, id, is_shared, modes};
use crate::strict_driver::context_of;
use saddlebag_client::{Client, Error, types};
use serde_json::json;
use std::time::Duration;

/// How a request ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Done(Told),
    Refused(u16, String),
    /// Its outcome is not known.
    Unclear(String),
    /// There was no answer.
    Cut(String),
    /// An answer that there must not be.
    Wrong(String),
}

#[derive(Clone, Debug)]
pub enum Told {
    Nothing,
    Snapshot(String),
    Claim(Box<types::Claim>),
}

/// How a request ended that was not answered with success.
pub fn judged(error: Error<types::Error>) -> Outcome {
    match error {
        Error::ErrorResponse(answer) => {
            let status = answer.status().as_u16();
            let text = format!("{} {}", answer.code, answer.message);
            match status {
                500 => Outcome::Wrong(format!("500 {text}")),
                503 | 504 => Outcome::Unclear(format!("{status} {text}")),
                _ if text.contains("breach: ") => Outcome::Unclear(format!("{status} {text}")),
                _ => Outcome::Refused(status, text),
            }
        }
        Error::CommunicationError(error) => Outcome::Cut(format!("{error:?}")),
        Error::ResponseBodyError(error) => Outcome::Cut(error.to_string()),
        other => Outcome::Wrong(format!(
            "an answer that the document does not have: {other}"
        )),
    }
}

/// Asks, and judges the answer.
pub async fn ask(
    client: Client,
    request: Request,
    wait: Duration,
    held: Option<Held>,
    snapshot: Option<String>,
    node: String,
    shared: String,
) -> Result<Told, Error<types::Error>> {
    match request {
        Request::Create { volume, mib } => {
            let described = described(volume, mib, &shared);
            if is_shared(volume) {
                let register = client.register_volume().volume_id(id(volume)).wait(wait);
                register
                    .body_map(|body| body.volumes([described]))
                    .send()
                    .await?;
            } else {
                let create = client.create_volume().volume_id(id(volume)).wait(wait);
                create
                    .body_map(|body| body.volumes([described]))
                    .send()
                    .await?;
            }
        }
        Request::Delete { volume } => {
            client
                .delete_volume()
                .volume_id(id(volume))
                .wait(wait)
                .send()
                .await?;
        }
        Request::Deregister { volume, force } => {
            let deregister = client.deregister_volume().volume_id(id(volume)).wait(wait);
            deregister.force(force).send().await?;
        }
        Request::Snapshot { volume, name } => {
            let wanted = json!({"SourceVolumeID": id(volume), "Name": format!("s{name}")});
            let wanted: types::SnapshotRequest = serde_json::from_value(wanted).unwrap();
            let create = client.create_snapshots().wait(wait);
            let taken = create
                .body_map(|body| body.snapshots(vec![wanted]))
                .send()
                .await?;
            let taken = taken.into_inner().snapshots.into_iter().flatten().next();
            return Ok(taken.map_or(Told::Nothing, |taken| Told::Snapshot(taken.id)));
        }
        Request::DeleteSnapshot { .. } => {
            let delete = client.delete_snapshot().plugin_id("strict").wait(wait);
            delete
                .snapshot_id(snapshot.unwrap_or_default())
                .send()
                .await?;
        }
        Request::Claim { .. } => {
            let Some(held) = held else {
                return Ok(Told::Nothing);
            };
            let claim = client.claim_volume().volume_id(id(held.volume)).wait(wait);
            let claim = claim.body(held.body).send().await?;
            return Ok(Told::Claim(Box::new(claim.into_inner())));
        }
        Request::Release { .. } => {
            let Some(held) = held else {
                return Ok(Told::Nothing);
            };
            let release = client.release_claim().volume_id(id(held.volume)).wait(wait);
            let released = release.alloc_id(held.allocation).send().await?;
            return Ok(Told::Claim(Box::new(released.into_inner())));
        }
        Request::Detach { volume, .. } => {
            let detach = client.detach_volume().volume_id(id(volume)).wait(wait);
            detach.node(node).send().await?;
        }
    }
    Ok(Told::Nothing)
}

fn described(volume: usize, mib: i64, shared: &str) -> types::VolumeRequest {
    let capabilities: Vec<_> = modes(volume)
        .iter()
        .map(|mode| json!({"AccessMode": mode, "AttachmentMode": "file-system"}))
        .collect();
    let mut described = json!({
        "ID": id(volume),
        "Name": id(volume),
        "PluginID": "strict",
        "RequestedCapabilities": capabilities,
        "RequestedCapacityMin": mib << 20,
        "Secrets": {"of": if is_shared(volume) { "shared".to_owned() } else { id(volume) }},
    });
    if is_shared(volume) {
        described["ExternalID"] = json!(shared);
        described["Context"] = json!(context_of(shared));
    }
    serde_json::from_value(described).unwrap()
}
