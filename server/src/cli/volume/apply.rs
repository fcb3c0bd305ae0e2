//! `saddlebag volume create` and `saddlebag volume register`: volumes as a file says.

use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure};
use crate::cli::progress::{Subject, wait};
use crate::cli::screen::{Screen, human_size};
use crate::cli::{duration, specification};
use saddlebag_client::GoDuration;
use saddlebag_client::types::{Volume, VolumeRequest, VolumesAnswer, VolumesRequest};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The specification; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How long to wait for the outcome; the work goes on after it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,

    /// The volumes as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Ids alone, one in a line.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) async fn create(session: &Session, args: Args) -> Result<(), Failure> {
    let plan = Plan::read(session, &args.file, Verb::Create)?;
    let before = plan.before(session).await?;
    let request = given!(
        session.client.create_volume().volume_id(plan.first()).wait(args.wait).body(plan.request.clone()),
        namespace: session.namespace.as_deref(),
        region: session.region.as_deref(),
    );
    let answer = wait(session, plan.subject(), request.send()).await?;
    show(&args, answer, &before, "Created")
}

pub(super) async fn register(session: &Session, args: Args) -> Result<(), Failure> {
    let plan = Plan::read(session, &args.file, Verb::Register)?;
    let before = plan.before(session).await?;
    let request = given!(
        session.client.register_volume().volume_id(plan.first()).wait(args.wait).body(plan.request.clone()),
        namespace: session.namespace.as_deref(),
        region: session.region.as_deref(),
    );
    let answer = wait(session, plan.subject(), request.send()).await?;
    show(&args, answer, &before, "Registered")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Register,
}

/// What is to be done, of which every volume has an id.
struct Plan {
    request: VolumesRequest,
    ids: Vec<String>,
    namespace: String,
}

impl Plan {
    fn read(session: &Session, file: &Path, verb: Verb) -> Result<Self, Failure> {
        let request =
            specification::read(file).map_err(|wrong| Failure::usage(wrong.to_string()))?;
        let name = file.display();
        if request.volumes.is_empty() {
            return Err(Failure::usage(format!("{name}: there is no volume in it")));
        }
        let mut ids = Vec::new();
        for volume in &request.volumes {
            ids.push(
                complete(volume, verb).map_err(|lack| Failure::usage(format!("{name}: {lack}")))?,
            );
        }
        let first = &request.volumes[0].namespace;
        let asked = first.as_deref().or(session.namespace.as_deref());
        let namespace = asked.or(request.namespace.as_deref()).unwrap_or("default");
        Ok(Self {
            namespace: namespace.to_owned(),
            ids,
            request,
        })
    }

    fn first(&self) -> &str {
        &self.ids[0]
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Volumes {
            namespace: &self.namespace,
            ids: &self.ids,
        }
    }

    /// The ids of those volumes that are there already.
    async fn before(&self, session: &Session) -> Result<BTreeSet<String>, Failure> {
        let mut before = BTreeSet::new();
        for id in &self.ids {
            let request = given!(
                session.client.read_volume().volume_id(id).namespace(&self.namespace),
                region: session.region.as_deref(),
            );
            match request.send().await.map_err(|error| session.failure(error)) {
                Ok(_) => {
                    before.insert(id.clone());
                }
                Err(failure) if failure.exit() == Exit::NoServer => return Err(failure),
                // The request itself tells what is wrong.
                Err(_) => {}
            }
        }
        Ok(before)
    }
}

/// The id of a volume that says all that is needed.
fn complete(volume: &VolumeRequest, verb: Verb) -> Result<String, String> {
    let lacks = |key: &str, such_as: &str| format!("{key} is missing: add {such_as}");
    let id = volume.id.clone();
    let id = id.ok_or_else(|| lacks("id", "id = \"pgdata\", the volume's name here"))?;
    if verb == Verb::Create && volume.name.is_none() {
        return Err(lacks(
            "name",
            &format!("name = {id:?}, the volume's name at the storage"),
        ));
    }
    if volume.plugin_id.is_none() {
        return Err(lacks(
            "plugin_id",
            "plugin_id = \"…\"; saddlebag plugin list shows which there are",
        ));
    }
    if verb == Verb::Register && volume.external_id.is_none() {
        return Err(lacks(
            "external_id",
            "external_id = \"…\", the storage's own name of the volume",
        ));
    }
    if volume.requested_capabilities.is_empty() {
        return Err(lacks(
            "capability",
            "a block such as\ncapability {\n  access_mode     = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}",
        ));
    }
    Ok(id)
}

fn show(
    args: &Args,
    answer: VolumesAnswer,
    before: &BTreeSet<String>,
    done: &str,
) -> Result<(), Failure> {
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&answer.volumes);
    }
    for volume in &answer.volumes {
        let line = match (args.quiet, before.contains(&volume.id)) {
            (true, _) => volume.id.clone(),
            (false, true) => told(volume, "There already, and now as the file says:"),
            (false, false) => told(volume, done),
        };
        screen.show(&format!("{line}\n"));
    }
    Ok(())
}

fn told(volume: &Volume, done: &str) -> String {
    let size = match volume.capacity {
        0 => String::new(),
        bytes => format!(", {}", human_size(bytes)),
    };
    format!(
        "{done} volume {} at plugin {}, external id {}{size}",
        volume.id, volume.plugin_id, volume.external_id
    )
}
