//! Making volumes: empty, or filled from a snapshot or another volume.

use super::volume::{required, resize};
use crate::{
    csi::v1::{
        CreateVolumeRequest, CreateVolumeResponse, VolumeContentSource, volume_content_source,
    },
    driver::{
        Driver, Refusal,
        capability::{Content, contents_for},
        capacity::Range,
        copy, parameters,
        pending::{Subject, Turn},
        record::{Record, Snapshot, Source, Volume},
        refusal::Doing,
        root,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a `CreateVolumeRequest` asks for.
struct Wanted {
    name: String,
    range: Range,
    contents: BTreeSet<Content>,
    parameters: BTreeMap<String, String>,
    mutable_parameters: BTreeMap<String, String>,
    source: Option<Source>,
}

/// What a volume is filled from.
struct Origin {
    place: PathBuf,
    bytes: u64,
    contents: BTreeSet<Content>,
    /// Keeps it from being deleted meanwhile.
    _pin: Turn,
}

impl Driver {
    pub(super) fn create_volume(
        self: &Arc<Self>,
        request: CreateVolumeRequest,
    ) -> Result<CreateVolumeResponse, Refusal> {
        let requirement = request.accessibility_requirements.clone();
        let wanted = Wanted::parse(request)?;
        let _turn = self
            .pending
            .hold(Subject::VolumeNamed(wanted.name.clone()))?;
        let reachable = self.check_topology(requirement.as_ref());
        if let Some(volume) = self.volume_named(&wanted.name)? {
            wanted.check_same(&volume, reachable.is_ok())?;
            return Ok(self.created(&volume));
        }
        reachable?;
        let origin = wanted
            .source
            .as_ref()
            .map(|source| self.origin(source))
            .transpose()?;
        if let Some(origin) = &origin {
            wanted.check_origin(origin)?;
        }
        let bytes = self.choose_size(wanted.range, origin.as_ref().map(|origin| origin.bytes))?;
        let _reserved = self.reserve(bytes)?;
        let volume = wanted.into_volume(Volume::new_id(&self.options.chance), bytes);
        self.make(&volume, origin.as_ref())?;
        let answer = self.created(&volume);
        self.inventory.tables().put_volume(volume);
        Ok(answer)
    }

    /// The volume of a name, unless it is just being deleted.
    fn volume_named(&self, name: &str) -> Result<Option<Arc<Volume>>, Refusal> {
        let Some(volume) = self.inventory.tables().volumes.named(name) else {
            return Ok(None);
        };
        let _pin = self.pending.pin(Subject::Volume(volume.id.clone()))?;
        Ok(self.inventory.volume(&volume.id))
    }

    fn created(&self, volume: &Volume) -> CreateVolumeResponse {
        CreateVolumeResponse {
            volume: Some(self.describe(volume)),
        }
    }

    fn origin(&self, source: &Source) -> Result<Origin, Refusal> {
        match source {
            Source::Volume(id) => {
                let _pin = self.pending.pin(Subject::Volume(id.clone()))?;
                let volume = self.known_volume(id)?;
                Ok(Origin {
                    place: self.root.place::<Volume>(id),
                    bytes: volume.bytes,
                    contents: volume.contents.clone(),
                    _pin,
                })
            }
            Source::Snapshot(id) => {
                let _pin = self.pending.pin(Subject::Snapshot(id.clone()))?;
                let snapshot = self.known_snapshot(id)?;
                Ok(Origin {
                    place: self.root.place::<Snapshot>(id),
                    bytes: snapshot.bytes,
                    contents: snapshot.contents.clone(),
                    _pin,
                })
            }
        }
    }

    /// Makes a volume's data and, last of all, the volume.
    fn make(&self, volume: &Volume, origin: Option<&Origin>) -> Result<(), Refusal> {
        let mode = match parameters::mode(&volume.mutable_parameters)? {
            None => parameters::mode(&volume.parameters)?,
            mode => mode,
        };
        let draft = self.root.draft(&volume.id)?;
        for content in &volume.contents {
            let path = draft.path().join(content.entry());
            match origin {
                Some(origin) => fill(*content, &origin.place.join(content.entry()), &path)?,
                None => make_empty(*content, &path)?,
            }
            if *content == Content::File {
                resize(&path, volume.bytes)?;
            }
            if let Some(mode) = mode {
                parameters::set_mode(*content, &path, mode)?;
            }
        }
        flush(draft.path(), origin.is_some())?;
        self.root.keep(draft, volume)
    }
}

impl Wanted {
    fn parse(request: CreateVolumeRequest) -> Result<Self, Refusal> {
        let wanted = Self {
            name: parameters::name(request.name)?,
            contents: contents_for(&request.volume_capabilities)?,
            range: Range::parse(request.capacity_range.as_ref())?,
            parameters: parameters::parse("parameters", request.parameters)?,
            mutable_parameters: parameters::parse_mutable(request.mutable_parameters)?,
            source: request
                .volume_content_source
                .map(Source::parse)
                .transpose()?,
        };
        parameters::mode(&wanted.parameters)?;
        parameters::mode(&wanted.mutable_parameters)?;
        Ok(wanted)
    }

    /// Refuses a name that belongs to a volume which is not what is asked for now.
    fn check_same(&self, volume: &Volume, reachable: bool) -> Result<(), Refusal> {
        let difference = if !self.range.admits(volume.bytes) {
            format!("{} bytes", volume.bytes)
        } else if !self.contents.is_subset(&volume.contents) {
            "another access type".into()
        } else if self.parameters != volume.parameters {
            "other parameters".into()
        } else if self.mutable_parameters != volume.mutable_parameters {
            "other mutable parameters".into()
        } else if self.source != volume.source {
            "another content source".into()
        } else if !reachable {
            "another topology".into()
        } else {
            return Ok(());
        };
        Err(Refusal::Exists {
            what: format!("a volume named {:?}", self.name),
            difference,
        })
    }

    fn check_origin(&self, origin: &Origin) -> Result<(), Refusal> {
        match self.contents.difference(&origin.contents).next() {
            None => Ok(()),
            Some(lacking) => Err(Refusal::invalid(
                "volume_content_source",
                format!("has nothing for access type {}", lacking.access_type()),
            )),
        }
    }

    fn into_volume(self, id: String, bytes: u64) -> Volume {
        Volume {
            id,
            name: self.name,
            bytes,
            contents: self.contents,
            parameters: self.parameters,
            mutable_parameters: self.mutable_parameters,
            source: self.source,
            attachments: BTreeMap::new(),
            staging: None,
            publications: BTreeMap::new(),
        }
    }
}

impl Source {
    fn parse(sent: VolumeContentSource) -> Result<Self, Refusal> {
        match sent.r#type {
            None => Err(Refusal::Missing("volume_content_source.type")),
            Some(volume_content_source::Type::Snapshot(source)) => Ok(Self::Snapshot(required(
                "volume_content_source.snapshot.snapshot_id",
                source.snapshot_id,
            )?)),
            Some(volume_content_source::Type::Volume(source)) => Ok(Self::Volume(required(
                "volume_content_source.volume.volume_id",
                source.volume_id,
            )?)),
        }
    }

    /// The source as CSI shows it.
    pub(super) fn describe(&self) -> VolumeContentSource {
        use volume_content_source::{SnapshotSource, Type, VolumeSource};
        let snapshot = |snapshot_id| Type::Snapshot(SnapshotSource { snapshot_id });
        let volume = |volume_id| Type::Volume(VolumeSource { volume_id });
        VolumeContentSource {
            r#type: Some(match self {
                Self::Snapshot(id) => snapshot(id.clone()),
                Self::Volume(id) => volume(id.clone()),
            }),
        }
    }
}

fn make_empty(content: Content, path: &Path) -> Result<(), Refusal> {
    match content {
        Content::Directory => std::fs::DirBuilder::new().mode(0o755).create(path),
        Content::File => {
            let mut options = File::options();
            options.write(true).create_new(true).mode(0o600);
            options.open(path).map(drop)
        }
    }
    .doing("make", path)
}

/// Copies one part of a volume or snapshot.
pub(super) fn fill(content: Content, from: &Path, to: &Path) -> Result<(), Refusal> {
    match content {
        Content::Directory => {
            make_empty(content, to)?;
            copy::directory(from, to)
        }
        Content::File => copy::file(from, to),
    }
    .doing("copy", from)
}

/// Waits until all that was made below a directory is on disk.
pub(super) fn flush(draft: &Path, has_copies: bool) -> Result<(), Refusal> {
    if has_copies {
        let directory = File::open(draft).doing("open", draft)?;
        return rustix::fs::syncfs(&directory).doing("write", draft);
    }
    for entry in std::fs::read_dir(draft).doing("read", draft)? {
        let path = entry.doing("read", draft)?.path();
        root::sync(&path).doing("write", path)?;
    }
    Ok(())
}
