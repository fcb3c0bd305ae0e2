//! Plays a history at a site, and holds every answer to the model.

mod ask;
mod learn;

use crate::model::{Held, Model};
use crate::rest;
use crate::site::{NODES, Site};
use crate::step::{Event, Request, Round, VOLUMES, Wait, id, is_shared, millis, mode};
use ask::{Outcome, ask, judged};
use futures::future::join_all;
use jiff::SignedDuration;
use saddlebag::id::{ExternalId, Namespace, VolumeId, VolumeKey};
use saddlebag_client::Client;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// How long any request may take to be answered.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the backing stores that volumes share are called.
pub const SHARED_STORES: &str = "shared-";

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

/// A history that is played.
pub struct Play {
    pub site: Site,
    pub model: Model,
    /// What operators say of the nodes.
    pub fenced: [bool; NODES],
    /// Which of them are switched off.
    is_off: [bool; NODES],
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
        is_off: [false; NODES],
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
        let mut answered: Vec<_> = asked.iter().zip(outcomes).collect();
        // Whether a snapshot may be taken is judged when all is known that was done to its volume meanwhile.
        answered.sort_by_key(|((request, _), _)| matches!(request, Request::Snapshot { .. }));
        for ((request, _), outcome) in answered {
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
                self.site.driver.power_off(node);
                self.is_off[node] = true;
                self.fence(node).await?;
            }
            Event::FalseFence(node) if !self.fenced[node] => {
                self.site.driver.vouch(node);
                self.fence(node).await?;
            }
            Event::FalseFence(node) if !self.is_off[node] => self.unfence(node).await?,
            Event::FalseFence(_) => {}
            Event::LetGo => self.site.driver.let_go(),
            Event::Rest => {}
        }
        Ok(())
    }

    async fn fence(&mut self, node: usize) -> Result<(), String> {
        self.may_end(|held| held.node == node);
        self.fenced[node] = true;
        let (client, id) = (self.site.client(), self.site.node(node));
        let fence = client.fence_node().node_id(id.as_str());
        let fenced = fence.reason("nobody answers there").send().await;
        fenced
            .map(drop)
            .map_err(|error| format!("no fence of node {node}: {error}"))
    }

    async fn unfence(&mut self, node: usize) -> Result<(), String> {
        let (client, id) = (self.site.client(), self.site.node(node));
        let unfenced = client.unfence_node().node_id(id.as_str()).send().await;
        unfenced.map_err(|error| format!("node {node} stays fenced: {error}"))?;
        self.fenced[node] = false;
        self.site.driver.doubt(node);
        Ok(())
    }

    /// Ends a fence: of a node that lives, by taking it back.
    pub async fn end_fence(&mut self, node: usize) -> Result<(), String> {
        match (self.fenced[node], self.is_off[node]) {
            (true, false) => self.unfence(node).await,
            (true, true) => {
                self.reboot(node, 0).await;
                Ok(())
            }
            (false, _) => Ok(()),
        }
    }

    /// Switches a node off and on, and so unfences it.
    pub async fn reboot(&mut self, node: usize, seed: u64) {
        self.may_end(|held| held.node == node && held.release_on_reboot);
        self.fenced[node] = false;
        self.is_off[node] = false;
        self.site.reboot(node, seed).await;
    }

    fn may_end(&mut self, which: impl Fn(&Held) -> bool) {
        let users = self.model.users.iter_mut().flatten();
        users
            .filter(|held| which(held))
            .for_each(|held| held.may_end = true);
    }

    /// How often the driver turned claims of a volume away, whichever backing stores it had.
    pub fn turned_away(&self, volume: usize) -> u64 {
        let storage = self.site.driver.storage();
        match is_shared(volume) {
            true => storage.turned_away(SHARED_STORES),
            false => storage.turned_away(&format!("{}-", id(volume))),
        }
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
            self.shared = format!("{SHARED_STORES}{}", Uuid::new_v4());
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
