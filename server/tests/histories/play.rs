//! Plays a history at a site, and holds every answer to the model.

use crate::model::{Held, Known, Model};
use crate::rest;
use crate::site::{NODES, Site};
use crate::step::{
    Event, Request, Round, USERS, VOLUMES, Wait, id, is_shared, millis, mode, modes,
};
use crate::strict_driver::context_of;
use futures::future::join_all;
use jiff::SignedDuration;
use saddlebag::id::{AllocationId, ExternalId, Namespace, VolumeId, VolumeKey};
use saddlebag_client::{Client, Error, types};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// How long any request may take to be answered.
const PATIENCE: Duration = Duration::from_secs(40);

/// What is wrong, and in which round it was seen.
#[derive(Clone, Debug)]
pub struct Failure {
    pub round: usize,
    pub what: String,
}

/// What came of a history.
#[derive(Clone, Debug, Default)]
pub struct Played {
    pub things: usize,
    /// How often each kind of request was answered how.
    pub answers: BTreeMap<(&'static str, String), usize>,
}

impl Played {
    pub fn add(&mut self, other: &Played) {
        self.things += other.things;
        for (answer, count) in &other.answers {
            *self.answers.entry(answer.clone()).or_default() += count;
        }
    }
}

/// How a request ended.
#[derive(Clone, Debug)]
enum Outcome {
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
enum Told {
    Nothing,
    Snapshot(String),
    Claim(Box<types::Claim>),
}

/// A history that is played.
pub struct Play {
    pub site: Site,
    pub model: Model,
    pub fenced: [bool; NODES],
    /// Backing stores that volumes were deregistered from.
    pub loose: BTreeSet<String>,
    shared: String,
    played: Played,
}

/// Plays it; the failure is the first.
pub async fn play(history: &[Round]) -> Result<Played, Failure> {
    let site = Site::start().await;
    let clock = site.clock.clone();
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            clock.advance(SignedDuration::from_secs(1));
        }
    });
    let mut play = Play {
        site,
        model: Model::default(),
        fenced: [false; NODES],
        loose: BTreeSet::new(),
        shared: String::new(),
        played: Played::default(),
    };
    let result = play.all(history).await;
    ticking.abort();
    let breaches = play.site.driver.take_breaches();
    let result = match (result, breaches.first()) {
        (Err(failure), Some(breach)) if !failure.what.contains("breach of CSI") => Err(Failure {
            what: format!("{}\n{breach}", failure.what),
            ..failure
        }),
        (result, _) => result,
    };
    if result.is_ok() {
        play.site.end().await;
    }
    result
}

impl Play {
    async fn all(&mut self, history: &[Round]) -> Result<Played, Failure> {
        let failed = |round: usize| move |what: String| Failure { round, what };
        self.healthy().await.map_err(failed(0))?;
        for (number, round) in history.iter().enumerate() {
            self.round(round).await.map_err(failed(number))?;
            self.played.things += round.size();
        }
        rest::come_to_rest(self)
            .await
            .map_err(failed(history.len()))?;
        Ok(self.played.clone())
    }

    async fn healthy(&self) -> Result<(), String> {
        match self.site.all_healthy().await {
            true => Ok(()),
            false => Err("the plugin is not healthy after 20 s".to_owned()),
        }
    }

    async fn round(&mut self, round: &Round) -> Result<(), String> {
        if matches!(round.event, Some((_, Event::Rest))) {
            return rest::come_to_rest(self).await;
        }
        for fault in &round.faults {
            self.site.driver.fail_next(*fault);
        }
        self.bring_shared();
        let before = self.model.clone();
        let mut busy = BTreeSet::new();
        let asked: Vec<(Request, Wait)> = round
            .requests
            .iter()
            .copied()
            .filter(|(request, _)| match request {
                // A user does one thing at a time.
                Request::Claim { user, .. } | Request::Release { user } => busy.insert(*user),
                _ => true,
            })
            .filter(|(request, _)| self.prepare(*request))
            .collect();
        let client = self.site.client();
        let sent: Vec<_> = asked
            .iter()
            .map(|(request, wait)| self.send(client.clone(), *request, *wait))
            .collect();
        let event = async {
            if let Some((pause, event)) = round.event {
                tokio::time::sleep(millis(pause)).await;
                return self.happen(event).await;
            }
            Ok(())
        };
        let (outcomes, event) = tokio::join!(join_all(sent), event);
        event?;
        self.breaches()?;
        let is_cut = matches!(
            round.event,
            Some((_, Event::Crash(_) | Event::Restart | Event::Reboot(0, _)))
        );
        if is_cut || matches!(round.event, Some((_, Event::Reboot(..)))) {
            self.healthy().await?;
        }
        for ((request, _), outcome) in asked.iter().zip(outcomes) {
            self.count(*request, &outcome);
            let alone = asked
                .iter()
                .filter(|(other, _)| {
                    changes(*other).is_some() && changes(*other) == changes(*request)
                })
                .count()
                < 2;
            self.learn(&before, *request, outcome, alone, is_cut)
                .map_err(|what| format!("{request:?}: {what}"))?;
        }
        for (request, _) in &asked {
            if let Request::Deregister { volume, .. } = request {
                self.loosen(*volume);
            }
        }
        self.together(&before, &asked)?;
        self.look().await
    }

    /// Notes what the user is about to do; answers whether there is anything to do.
    fn prepare(&mut self, request: Request) -> bool {
        match request {
            Request::Claim {
                user,
                volume,
                node,
                mode: number,
                read_only,
                release_on_reboot,
            } => {
                if self.model.users[user].is_some() {
                    return true;
                }
                let (mode, allocation) = (mode(volume, number), Uuid::new_v4().to_string());
                let body = json!({
                    "AllocationID": allocation,
                    "NodeID": self.site.node(node).as_str(),
                    "AccessMode": mode,
                    "AttachmentMode": "file-system",
                    "ReadOnly": read_only || mode.ends_with("reader-only"),
                    "OnReboot": if release_on_reboot { "release" } else { "republish" },
                });
                self.model.users[user] = Some(Held {
                    allocation,
                    volume,
                    node,
                    mode,
                    read_only: read_only || mode.ends_with("reader-only"),
                    release_on_reboot,
                    body: serde_json::from_value(body).unwrap(),
                    told: false,
                    releasing: false,
                    may_end: false,
                    turned_away: self.turned_away(volume),
                });
                true
            }
            Request::Release { user } => match &mut self.model.users[user] {
                Some(held) => {
                    held.releasing = true;
                    true
                }
                None => false,
            },
            Request::Deregister {
                volume,
                force: true,
            } => {
                self.may_end(|held| held.volume == volume);
                true
            }
            Request::DeleteSnapshot { name } => self.snapshot(name).is_some(),
            _ => true,
        }
    }

    fn snapshot(&self, name: usize) -> Option<String> {
        let mut there = self.model.snapshots.iter();
        there.find(|(_, of)| **of == name).map(|(id, _)| id.clone())
    }

    /// The request, as the generated client sends it.
    fn send(
        &self,
        client: Client,
        request: Request,
        wait: Wait,
    ) -> impl Future<Output = Outcome> + use<> {
        let held = match request {
            Request::Claim { user, .. } | Request::Release { user } => {
                self.model.users[user].clone()
            }
            _ => None,
        };
        let snapshot = match request {
            Request::DeleteSnapshot { name } => self.snapshot(name),
            _ => None,
        };
        let node = match request {
            Request::Detach { node, .. } => self.site.node(node).to_string(),
            _ => String::new(),
        };
        let shared = self.shared.clone();
        async move {
            let asked = ask(client, request, millis(wait), held, snapshot, node, shared);
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(told)) => Outcome::Done(told),
                Ok(Err(error)) => judged(error),
                Err(_) => Outcome::Wrong(format!("no answer in {PATIENCE:?}")),
            }
        }
    }

    async fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Crash(seed) => self.site.crash(seed).await,
            Event::Restart => self.site.restart().await,
            Event::DriverRestarts(node) => self.site.driver.restart(node),
            Event::Reboot(node, seed) => self.reboot(node, seed).await,
            Event::Fence(node) => {
                self.may_end(|held| held.node == node);
                self.fenced[node] = true;
                self.site.driver.power_off(node);
                let (client, id) = (self.site.client(), self.site.node(node));
                let fence = client.fence_node().node_id(id.as_str()).reason("it is off");
                fence
                    .send()
                    .await
                    .map_err(|error| format!("{event:?}: {error}"))?;
            }
            Event::LetGo => self.site.driver.let_go(),
            Event::Rest => {}
        }
        Ok(())
    }

    /// Switches a node off and on, and so unfences it.
    pub async fn reboot(&mut self, node: usize, seed: u64) {
        self.may_end(|held| held.node == node && held.release_on_reboot);
        self.fenced[node] = false;
        self.site.reboot(node, seed).await;
    }

    fn may_end(&mut self, which: impl Fn(&Held) -> bool) {
        let users = self.model.users.iter_mut().flatten();
        users
            .filter(|held| which(held))
            .for_each(|held| held.may_end = true);
    }

    /// How often the driver turned claims of a volume's backing store away.
    pub fn turned_away(&self, volume: usize) -> u64 {
        let Some(external) = self.external_id(volume) else {
            return 0;
        };
        let storage = self.site.driver.storage();
        storage
            .turned_away
            .get(&external)
            .copied()
            .unwrap_or_default()
    }

    /// The backing store that a volume is recorded with.
    pub fn external_id(&self, volume: usize) -> Option<String> {
        let state = self.site.control_plane().state();
        let row = state.volume(&key(volume))?.stored().row;
        Some(row.remote_id().to_string())
    }

    /// A backing store for the volumes that share one, if that before it was deleted.
    fn bring_shared(&mut self) {
        if !self.site.driver.storage().disks.contains_key(&self.shared) {
            self.shared = format!("shared-{}", Uuid::new_v4());
            self.site.driver.bring(&self.shared);
        }
    }

    /// Notes the backing stores that volumes of this id left behind.
    fn loosen(&mut self, volume: usize) {
        let recorded: BTreeSet<_> = (0..VOLUMES)
            .filter_map(|volume| self.external_id(volume))
            .collect();
        let storage = self.site.driver.storage();
        let of_volume = storage.disks.iter().filter(|(_, disk)| {
            disk.name()
                .is_some_and(|name| name.starts_with(&format!("{}-", id(volume))))
        });
        let left = of_volume
            .map(|(id, _)| id.clone())
            .filter(|id| !recorded.contains(id));
        self.loose.extend(left);
    }

    fn breaches(&self) -> Result<(), String> {
        match self.site.driver.take_breaches().first() {
            Some(breach) => Err(breach.to_string()),
            None => Ok(()),
        }
    }

    fn count(&mut self, request: Request, outcome: &Outcome) {
        let answer = match outcome {
            Outcome::Done(_) => "200".to_owned(),
            Outcome::Refused(status, _) => status.to_string(),
            Outcome::Unclear(text) => text.chars().take(3).collect(),
            Outcome::Cut(_) => "cut".to_owned(),
            Outcome::Wrong(_) => "wrong".to_owned(),
        };
        *self
            .played
            .answers
            .entry((word(request), answer))
            .or_default() += 1;
    }

    /// Takes an answer in. `alone`: nothing else was asked meanwhile that changes the same.
    fn learn(
        &mut self,
        before: &Model,
        request: Request,
        outcome: Outcome,
        alone: bool,
        is_cut: bool,
    ) -> Result<(), String> {
        if let Outcome::Wrong(what) = outcome {
            return Err(what);
        }
        if let (Outcome::Cut(what), false) = (&outcome, is_cut) {
            return Err(format!("nothing cut it, and there was no answer: {what}"));
        }
        match request {
            Request::Create { volume, .. } => self.learn_created(before, volume, &outcome, alone),
            Request::Delete { volume } | Request::Deregister { volume, .. } => {
                self.learn_gone(before, volume, &outcome, alone)
            }
            Request::Snapshot { volume, name } => match outcome {
                Outcome::Done(_)
                    if alone
                        && before.volumes[volume] == Known::Absent
                        && !self.is_changing(volume) =>
                {
                    Err("a volume that is not there has a snapshot".to_owned())
                }
                Outcome::Done(Told::Snapshot(id)) => {
                    self.model.snapshots.insert(id, name);
                    Ok(())
                }
                _ => Ok(()),
            },
            Request::DeleteSnapshot { name } => {
                let gone: Vec<String> = before
                    .snapshots
                    .iter()
                    .filter(|(_, of)| **of == name)
                    .map(|(id, _)| id.clone())
                    .collect();
                let Some(first) = gone.first() else {
                    return Ok(());
                };
                self.model.snapshots.remove(first);
                if let (Outcome::Done(_), true) = (outcome, alone) {
                    self.model.deleted_snapshots.push(first.clone());
                }
                Ok(())
            }
            Request::Claim { user, .. } => self.learn_claimed(user, outcome),
            Request::Release { user } => {
                let definite = matches!(outcome, Outcome::Refused(404, _));
                let is_gone = match &outcome {
                    Outcome::Done(Told::Claim(claim)) => {
                        matches!(claim.state.as_str(), "gone" | "failed")
                    }
                    _ => false,
                };
                if (definite || is_gone)
                    && let Some(held) = self.model.users[user].take()
                {
                    self.model.gone.push((held.volume, held.allocation));
                }
                Ok(())
            }
            Request::Detach { .. } => Ok(()),
        }
    }

    fn is_changing(&self, volume: usize) -> bool {
        self.model.volumes[volume] != Known::Absent
    }

    fn learn_created(
        &mut self,
        before: &Model,
        volume: usize,
        outcome: &Outcome,
        alone: bool,
    ) -> Result<(), String> {
        let known = before.volumes[volume];
        let learnt = match outcome {
            _ if !alone => Known::Maybe,
            Outcome::Done(_) => Known::Present,
            Outcome::Refused(409, text)
                if known == Known::Absent && !is_shared(volume) && !text.contains("driver") =>
            {
                return Err(format!("nothing is in the way, and it is refused: {text}"));
            }
            Outcome::Refused(..) => known,
            _ if known == Known::Present => known,
            _ => Known::Maybe,
        };
        self.model.volumes[volume] = learnt;
        Ok(())
    }

    fn learn_gone(
        &mut self,
        before: &Model,
        volume: usize,
        outcome: &Outcome,
        alone: bool,
    ) -> Result<(), String> {
        let known = before.volumes[volume];
        let learnt = match (outcome, known) {
            _ if !alone => Known::Maybe,
            (Outcome::Done(_), Known::Absent) => {
                return Err("it was not there, and is gone now".to_owned());
            }
            (Outcome::Done(_), _) => Known::Absent,
            (Outcome::Refused(404, text), Known::Present) if !text.contains("driver") => {
                return Err(format!("it is lost: {text}"));
            }
            (Outcome::Refused(404, _), Known::Maybe) => Known::Maybe,
            (Outcome::Refused(..), _) => known,
            (_, Known::Absent) => known,
            _ => Known::Maybe,
        };
        self.model.volumes[volume] = learnt;
        Ok(())
    }

    fn learn_claimed(&mut self, user: usize, outcome: Outcome) -> Result<(), String> {
        let Some(held) = &mut self.model.users[user] else {
            return Ok(());
        };
        match outcome {
            Outcome::Done(Told::Claim(claim)) => {
                held.told |= !matches!(claim.state.as_str(), "gone" | "failed");
                if claim.release_time.is_some() {
                    held.may_end = true;
                }
            }
            Outcome::Refused(status, text) => {
                let expected = !held.told || held.releasing || held.may_end;
                let turned_away = held.turned_away;
                let volume = held.volume;
                if !expected && self.turned_away(volume) == turned_away && self.is_whole(volume) {
                    let how = self.end_of(user);
                    return Err(format!("the claim is lost: {status} {text}\n    {how}"));
                }
                if let Some(held) = self.model.users[user].take() {
                    // A claim that goes on with its release is refused, too.
                    self.model.gone.push((held.volume, held.allocation));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// How a user's claim ended, and every call about its backing store.
    pub fn end_of(&self, user: usize) -> String {
        let Some(held) = &self.model.users[user] else {
            return String::new();
        };
        let state = self.site.control_plane().state();
        let allocation = AllocationId::known(held.allocation.as_str());
        let Some(ended) = state.ended_claim(&(key(held.volume), allocation)) else {
            return format!("{held:?} has no row");
        };
        let storage = self.site.driver.storage();
        let history = storage.history_of(ended.row.external_id.as_str());
        format!("{:?}\n    {}", ended.row, history.join("\n    "))
    }

    /// Whether a volume's backing store is at the driver.
    pub fn is_whole(&self, volume: usize) -> bool {
        self.external_id(volume).is_some_and(|external| {
            let storage = self.site.driver.storage();
            storage.disks.contains_key(&external) && !storage.is_doubtful(&external)
        })
    }

    /// Claims that are there at once do not go against their modes, and hold their volumes.
    fn together(&self, before: &Model, asked: &[(Request, Wait)]) -> Result<(), String> {
        let is_sure = |user: &usize| {
            let held = self.model.users[*user].as_ref();
            held.is_some_and(|held| {
                held.told
                    && !held.releasing
                    && !held.may_end
                    && self.turned_away(held.volume) == held.turned_away
                    && self.is_whole(held.volume)
            })
        };
        let sure: Vec<&Held> = (0..USERS)
            .filter(is_sure)
            .filter_map(|user| self.model.users[user].as_ref())
            .collect();
        for (at, one) in sure.iter().enumerate() {
            for other in &sure[at + 1..] {
                if let Some(clash) = one.clashes(other) {
                    return Err(clash);
                }
            }
        }
        for held in sure {
            let was_there = before
                .users
                .iter()
                .flatten()
                .any(|old| old.allocation == held.allocation && old.told);
            let is_forced = asked.iter().any(|(request, _)| matches!(request, Request::Deregister { volume, force: true } if *volume == held.volume));
            if was_there && !is_forced && self.model.volumes[held.volume] == Known::Absent {
                return Err(format!("the volume of {held:?} is gone"));
            }
        }
        Ok(())
    }

    /// What is known to be there is listed, and what is known not to be there is not.
    async fn look(&self) -> Result<(), String> {
        let client = self.site.client();
        let list = client.list_volumes().type_("csi").send();
        let listed = tokio::time::timeout(PATIENCE, list)
            .await
            .map_err(|_| "no list of volumes".to_owned())?
            .map_err(|error| format!("no list of volumes: {error}"))?;
        let listed: BTreeSet<&str> = listed.iter().map(|stub| stub.id.as_str()).collect();
        for volume in 0..VOLUMES {
            let is_listed = listed.contains(id(volume).as_str());
            match (self.model.volumes[volume], is_listed) {
                (Known::Present, false) => return Err(format!("{} is lost", id(volume))),
                (Known::Absent, true) => return Err(format!("{} is there again", id(volume))),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The volume or snapshot that a request changes.
fn changes(request: Request) -> Option<(bool, usize)> {
    match request {
        Request::Create { volume, .. }
        | Request::Delete { volume }
        | Request::Deregister { volume, .. } => Some((true, volume)),
        Request::Snapshot { name, .. } | Request::DeleteSnapshot { name } => Some((false, name)),
        _ => None,
    }
}

fn word(request: Request) -> &'static str {
    match request {
        Request::Create { .. } => "create",
        Request::Delete { .. } => "delete",
        Request::Deregister { force: false, .. } => "deregister",
        Request::Deregister { force: true, .. } => "force",
        Request::Snapshot { .. } => "snapshot",
        Request::DeleteSnapshot { .. } => "delete snapshot",
        Request::Claim { .. } => "claim",
        Request::Release { .. } => "release",
        Request::Detach { .. } => "detach",
    }
}

/// A volume's key.
pub fn key(volume: usize) -> VolumeKey {
    VolumeKey {
        namespace: Namespace::default_namespace(),
        id: VolumeId::known(id(volume)),
    }
}

/// A backing store's id.
pub fn external(id: &str) -> ExternalId {
    ExternalId::known(id)
}

fn judged(error: Error<types::Error>) -> Outcome {
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
        Error::CommunicationError(error) => Outcome::Cut(error.to_string()),
        Error::ResponseBodyError(error) => Outcome::Cut(error.to_string()),
        other => Outcome::Wrong(format!(
            "an answer that the document does not have: {other}"
        )),
    }
}

async fn ask(
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
