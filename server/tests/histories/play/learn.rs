//! What answers teach: the model of what clients were told, and what it says must be there.

use super::ask::{Outcome, Told};
use super::{PATIENCE, Play, key};
use crate::model::{Held, Known, Model};
use crate::step::{Request, USERS, VOLUMES, Wait, id, is_shared};
use saddlebag::id::AllocationId;
use std::collections::BTreeSet;

impl Play {
    /// Takes an answer in. `alone`: nothing else was asked meanwhile that changes the same.
    pub(super) fn learn(
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
                Outcome::Done(Told::Snapshot(id)) if alone => {
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

    pub(super) fn is_changing(&self, volume: usize) -> bool {
        self.model.volumes[volume] != Known::Absent
    }

    pub(super) fn learn_created(
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

    pub(super) fn learn_gone(
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

    pub(super) fn learn_claimed(&mut self, user: usize, outcome: Outcome) -> Result<(), String> {
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
                let held = held.clone();
                if !expected && self.turned_away(held.volume) == turned_away && self.is_whole(&held)
                {
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

    /// Whether the backing store of a claim is at the driver: the one that it was made for, since its
    /// volume may have been registered for another since.
    pub fn is_whole(&self, held: &Held) -> bool {
        let state = self.site.control_plane().state();
        let allocation = AllocationId::known(held.allocation.as_str());
        let claim = (key(held.volume), allocation);
        let row = state.claim(&claim).or_else(|| state.ended_claim(&claim));
        let external = match row {
            Some(claim) => Some(claim.row.external_id.to_string()),
            None => self.external_id(held.volume),
        };
        external.is_some_and(|external| {
            let storage = self.site.driver.storage();
            storage.disks.contains_key(&external) && !storage.is_doubtful(&external)
        })
    }

    /// Claims that are there at once do not go against their modes, and hold their volumes.
    pub(super) fn together(&self, before: &Model, asked: &[(Request, Wait)]) -> Result<(), String> {
        let is_sure = |user: &usize| {
            let held = self.model.users[*user].as_ref();
            held.is_some_and(|held| {
                held.told
                    && !held.releasing
                    && !held.may_end
                    && self.turned_away(held.volume) == held.turned_away
                    && self.is_whole(held)
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
    pub(super) async fn look(&self) -> Result<(), String> {
        let client = self.site.client();
        let list = client.list_volumes().type_("csi").send();
        let listed = tokio::time::timeout(PATIENCE, list)
            .await
            .map_err(|_| "no list of volumes".to_owned())?
            .map_err(|error| format!("no list of volumes: {error:?}"))?;
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
