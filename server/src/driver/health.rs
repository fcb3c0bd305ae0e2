//! What is wrong with volumes, as CSI 1.13 (`VolumeHealth`) and, for orchestrators up to 1.12,
//! `VolumeCondition` put it.

use super::{
    Driver, Refusal,
    capability::Content,
    mounting,
    record::{Record, Volume},
    refusal::Doing,
    usage::{self, Usage},
};
use crate::csi::v1::{
    self, StorageHealthErrorType, VolumeHealthErrorType,
    node_get_storage_health_response::StorageBackendHealth, volume_health::VolumeHealthEntry,
};
use std::{fs, io::ErrorKind, path::Path};

/// The ailments of one volume: at most one for each reason.
#[derive(Default)]
pub(super) struct Ailments(Vec<VolumeHealthEntry>);

impl Ailments {
    fn add(&mut self, status: VolumeHealthErrorType, reason: &str, message: String) {
        let status = status.into();
        let known =
            |entry: &&mut VolumeHealthEntry| entry.status == status && entry.reason == reason;
        match self.0.iter_mut().find(known) {
            Some(entry) => entry.message = format!("{}; {message}", entry.message),
            None => self.0.push(VolumeHealthEntry {
                status,
                reason: reason.into(),
                message,
            }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_health(self, volume_id: &str) -> v1::VolumeHealth {
        v1::VolumeHealth {
            volume_id: volume_id.into(),
            health_statuses: self.0,
        }
    }

    pub(super) fn condition(&self) -> v1::VolumeCondition {
        let messages: Vec<_> = self.0.iter().map(|entry| entry.message.as_str()).collect();
        v1::VolumeCondition {
            abnormal: !self.is_empty(),
            message: if self.is_empty() {
                "healthy".into()
            } else {
                messages.join("; ")
            },
        }
    }
}

impl Driver {
    /// What the controller sees of a volume: whether its data is all there.
    pub(super) fn ailments(&self, volume: &Volume) -> Ailments {
        let mut ailments = Ailments::default();
        let place = self.root.place::<Volume>(volume.id());
        for content in &volume.contents {
            examine(
                *content,
                &place.join(content.entry()),
                volume.bytes,
                &mut ailments,
            );
        }
        ailments
    }

    /// What the node sees besides: whether the volume is where it was published.
    pub(super) fn node_ailments(&self, volume: &Volume) -> Ailments {
        let mut ailments = self.ailments(volume);
        for (target, publication) in &volume.publications {
            let data = self.content_path(volume, publication.capability.content);
            if !mounting::is_published(&data, Path::new(target)) {
                ailments.add(
                    VolumeHealthErrorType::Inaccessible,
                    "NotPublished",
                    format!("the volume is not at {target:?}, where it was published"),
                );
            }
        }
        ailments
    }

    /// Measures a volume's directory and notes if it outgrew its capacity.
    pub(super) fn measure(
        &self,
        volume: &Volume,
        ailments: &mut Ailments,
    ) -> Result<Usage, Refusal> {
        let directory = self.content_path(volume, Content::Directory);
        let usage = usage::measure(&directory).doing("measure", &directory)?;
        if usage.bytes > volume.bytes {
            ailments.add(
                VolumeHealthErrorType::Degraded,
                "OverCapacity",
                format!("{} bytes are used of {}", usage.bytes, volume.bytes),
            );
        }
        Ok(usage)
    }

    /// What is wrong with the storage below all volumes.
    pub(super) fn storage_ailments(&self) -> Vec<StorageBackendHealth> {
        let (status, reason, message) = match rustix::fs::statvfs(self.root.path()) {
            Err(error) => (
                StorageHealthErrorType::StorageUnreachable,
                "RootUnreachable",
                format!("the driver's directory cannot be reached: {error}"),
            ),
            Ok(numbers) if numbers.f_bavail == 0 => (
                StorageHealthErrorType::StorageDegraded,
                "Full",
                "the file system below all volumes is full".into(),
            ),
            Ok(_) => return Vec::new(),
        };
        vec![StorageBackendHealth {
            status: status.into(),
            reason: reason.into(),
            message,
            volume_capability: None,
        }]
    }
}

fn examine(content: Content, path: &Path, bytes: u64, ailments: &mut Ailments) {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = format!("the volume's {} data is gone", content.access_type());
            return ailments.add(VolumeHealthErrorType::DataLoss, "DataMissing", message);
        }
        Err(error) => {
            let message = format!("the volume's data cannot be reached: {error}");
            return ailments.add(
                VolumeHealthErrorType::Inaccessible,
                "DataUnreachable",
                message,
            );
        }
    };
    let as_made = match content {
        Content::Directory => metadata.is_dir(),
        Content::File => metadata.is_file(),
    };
    if !as_made {
        let message = format!("the volume's {} data was replaced", content.access_type());
        ailments.add(VolumeHealthErrorType::DataLoss, "DataReplaced", message);
    } else if content == Content::File && metadata.len() < bytes {
        let message = format!("{} bytes are left of {bytes}", metadata.len());
        ailments.add(VolumeHealthErrorType::DataLoss, "Truncated", message);
    }
}
