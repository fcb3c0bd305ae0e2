//! Changes of claims and attachments, put together for one commit.
//!
//! Everything is guarded by what this state shows: when something changed meanwhile, nothing happens
//! and it is decided anew.

use super::{Claim, Stage};
use crate::attachment::{self, Attachment, Next};
use crate::control::ControlPlane;
use crate::error::{Error, Result};
use crate::id::VolumeKey;
use crate::state::{State, Stored};
use crate::store::{Guard, Index, Transaction, Write, keys};
use crate::tries::Tries;
use crate::volume::Volume;
use std::collections::BTreeSet;

/// How many claims one change of an attachment takes along in its own commit. The others follow by
/// themselves (`work::settle`).
const TAKEN_ALONG: usize = 25;

/// Changes that become one commit.
pub(crate) struct Moves<'s> {
    cp: &'s ControlPlane,
    state: &'s State,
    transaction: Transaction,
    volumes: BTreeSet<VolumeKey>,
}

impl<'s> Moves<'s> {
    /// None yet, on what this state shows.
    pub fn at(cp: &'s ControlPlane, state: &'s State) -> Self {
        Self {
            cp,
            state,
            transaction: Transaction::default(),
            volumes: BTreeSet::new(),
        }
    }

    /// The transaction of all of them.
    pub fn into_transaction(self) -> Transaction {
        self.transaction
    }

    /// A guard more.
    pub fn guard(&mut self, guard: Guard) {
        self.transaction.guards.push(guard);
    }

    /// A claim as it is now.
    pub fn put(&mut self, seen: &Stored<Claim>, mut claim: Claim) -> Result<()> {
        let at = seen.row.row_key();
        claim.intended.get_or_insert(seen.modified);
        self.guard(Guard::At(at.clone(), seen.modified));
        if claim.row_key() != at {
            self.transaction.writes.push(Write::Delete(at));
        }
        self.transaction.put(claim.row_key(), &claim)
    }

    /// A claim that has ended: it does not hold its volume any more.
    pub fn end(&mut self, seen: &Stored<Claim>, mut claim: Claim) -> Result<()> {
        claim.ended_at = Some(self.cp.clock.now());
        claim.tries = Tries::default();
        self.touch(&seen.row)?;
        self.put(seen, claim)
    }

    /// A claim of which it is known that nothing is published for it any more, nor will be. It ends
    /// now if its attachment has other users; if it was the last, the attachment begins to leave, and
    /// the claim ends with it.
    pub fn unpublish(&mut self, seen: &Stored<Claim>, claim: Claim) -> Result<()> {
        self.let_go(seen, claim, false)
    }

    /// [`Self::unpublish`] of a claim whose node is fenced: that nothing is published for it is somebody's
    /// word, and its attachment notes where something may be.
    pub fn pass_over(&mut self, seen: &Stored<Claim>, claim: Claim) -> Result<()> {
        self.let_go(seen, claim, true)
    }

    fn let_go(&mut self, seen: &Stored<Claim>, mut claim: Claim, on_a_word: bool) -> Result<()> {
        claim.stage = Stage::Unpublished;
        claim.since = self.cp.clock.now();
        claim.tries = Tries::default();
        let Some(attachment) = self.attachment_of(&claim) else {
            return self.end(seen, claim);
        };
        let mut leaving = attachment.row.clone();
        if on_a_word && leaving.stage == attachment::Stage::Staged {
            leaving.left.get_or_insert_default().add(&claim);
        }
        let is_noted = leaving.left != attachment.row.left;
        if attachment.row.leaving {
            if is_noted {
                self.put_attachment(attachment, leaving)?;
            }
            return self.put(seen, claim);
        }
        let mut others = self.state.users(&attachment.row.key).filter(|other| {
            let other = &other.row;
            other.attachment == claim.attachment
                && other.key() != claim.key()
                && other.needs_its_attachment()
        });
        if let Some(other) = others.next() {
            self.guard(Guard::At(other.row.row_key(), other.modified));
            if is_noted {
                self.put_attachment(attachment, leaving)?;
            }
            return self.end(seen, claim);
        }
        leaving.leaving = true;
        match leaving.skip() {
            Next::At(_) => {
                self.put(seen, claim)?;
                self.put_leaving(attachment, leaving)
            }
            Next::Gone => {
                self.end(seen, claim.clone())?;
                self.remove(attachment, Some(&claim))
            }
        }
    }

    /// An attachment to which this happened. `changed` is the row with all that changed but its
    /// stage.
    pub fn happen(
        &mut self,
        seen: &Stored<Attachment>,
        mut changed: Attachment,
        event: attachment::Event,
    ) -> Result<Option<()>> {
        let Ok(next) = changed.stage.next(changed.leaving, event) else {
            return Ok(None);
        };
        let next = match next {
            Next::At(stage) => {
                changed.stage = stage;
                changed.skip()
            }
            Next::Gone => Next::Gone,
        };
        match next {
            Next::At(_) => {
                changed.since = self.cp.clock.now();
                changed.tries = Tries::default();
                self.put_attachment(seen, changed)?;
            }
            Next::Gone => self.remove(seen, None)?,
        }
        Ok(Some(()))
    }

    /// An attachment as it is now.
    pub fn put_attachment(
        &mut self,
        seen: &Stored<Attachment>,
        mut attachment: Attachment,
    ) -> Result<()> {
        attachment.intended.get_or_insert(seen.modified);
        self.guard_attachment(seen);
        attachment.hold_keys(&mut self.transaction, self.state);
        self.transaction.put(attachment.key.row_key(), &attachment)
    }

    /// An attachment that a driver refused for good: it goes down, and who waits for it fails.
    pub fn refuse(
        &mut self,
        seen: &Stored<Attachment>,
        error: &Error,
        code: Option<&str>,
    ) -> Result<()> {
        let mut refused = seen.row.clone();
        refused.leaving = true;
        refused.failure = Some(error.clone());
        refused.failure_code = code.map(str::to_owned);
        let waiting = self.state.users(&refused.key).filter(|user| {
            user.row.attachment == Some(refused.id) && user.row.stage == Stage::Taken
        });
        for user in waiting.take(TAKEN_ALONG) {
            let claim = self.failed(&user.row, &refused);
            self.put(user, claim)?;
        }
        self.put_leaving(seen, refused)
    }

    /// A claim as the failure of its attachment leaves it.
    pub fn failed(&self, claim: &Claim, attachment: &Attachment) -> Claim {
        let mut failed = claim.clone();
        if failed.failure.is_none() && failed.release.is_none() {
            failed.failure.clone_from(&attachment.failure);
            failed.failure_code.clone_from(&attachment.failure_code);
        }
        failed.stage = Stage::Unpublished;
        failed.since = self.cp.clock.now();
        failed.tries = Tries::default();
        failed
    }

    /// Ties a claim that waits to an attachment: the one that is there, or a new one. That is written
    /// again, so that a last claim that lets go of it at the same moment decides anew.
    pub fn tie(&mut self, seen: &Stored<Claim>) -> Result<()> {
        let mut claim = seen.row.clone();
        let key = claim.attachment_key();
        match self.state.attachment(&key) {
            Some(there) => {
                self.put_attachment(there, there.row.clone())?;
                claim.attachment = Some(there.row.id);
            }
            None => {
                let new = self.want(&claim)?;
                claim.attachment = Some(new.id);
                self.guard(Guard::Absent(key.row_key()));
                new.hold_keys(&mut self.transaction, self.state);
                self.transaction.put(key.row_key(), &new)?;
            }
        }
        self.put(seen, claim)
    }

    /// Writes the row of a claim's volume again, once in a commit, so that its index moves and
    /// whoever decided on what it was decides anew.
    fn touch(&mut self, claim: &Claim) -> Result<()> {
        if claim.dropped || self.volumes.contains(&claim.volume) {
            return Ok(());
        }
        let Some(entry) = self.state.volume(&claim.volume) else {
            return Ok(());
        };
        let mut volume = entry.stored().row;
        volume.modified_at = self.cp.clock.now();
        self.put_volume(entry.modified, &volume)
    }

    /// A volume as it is now, in place of what that commit put.
    pub fn put_volume(&mut self, seen: Index, volume: &Volume) -> Result<()> {
        self.volumes.insert(volume.key.clone());
        let at = keys::volume(&volume.key);
        self.guard(Guard::At(at.clone(), seen));
        self.transaction.put(at, volume)
    }

    fn put_leaving(&mut self, seen: &Stored<Attachment>, mut leaving: Attachment) -> Result<()> {
        leaving.since = self.cp.clock.now();
        leaving.tries = Tries::default();
        leaving.intended = None;
        self.guard_attachment(seen);
        self.transaction.put(leaving.key.row_key(), &leaving)
    }

    /// An attachment that is gone: claims that it held end, and those that came meanwhile get a new
    /// one. `ended` is a claim that ends in this commit already.
    fn remove(&mut self, seen: &Stored<Attachment>, ended: Option<&Claim>) -> Result<()> {
        let key = &seen.row.key;
        let users: Vec<_> = self
            .state
            .users(key)
            .filter(|user| ended.is_none_or(|ended| ended.key() != user.row.key()))
            .collect();
        let held = |user: &&&std::sync::Arc<Stored<Claim>>| {
            user.row.attachment == Some(seen.row.id) && !user.row.needs_its_attachment()
        };
        for user in users.iter().filter(held).take(TAKEN_ALONG) {
            self.end(user, user.row.clone())?;
        }
        let waiting: Vec<_> = users
            .iter()
            .filter(|user| user.row.attachment.is_none() && !user.row.is_leaving())
            .take(TAKEN_ALONG)
            .collect();
        let new = waiting.first().and_then(|user| self.want(&user.row).ok());
        self.guard_attachment(seen);
        let Some(new) = new else {
            self.transaction.writes.push(Write::Delete(key.row_key()));
            return Ok(());
        };
        for user in waiting {
            let mut claim = user.row.clone();
            claim.attachment = Some(new.id);
            self.put(user, claim)?;
        }
        new.hold_keys(&mut self.transaction, self.state);
        self.transaction.put(key.row_key(), &new)
    }

    fn want(&self, claim: &Claim) -> Result<Attachment> {
        let volume = self.state.volume(&claim.volume).ok_or_else(|| {
            let id = claim.volume.id.to_string();
            Error::from(crate::error::Fault::VolumeNotFound(id))
        })?;
        Attachment::wanted(self.cp, self.state, claim, &volume.stored().row)
    }

    fn attachment_of(&self, claim: &Claim) -> Option<&'s Stored<Attachment>> {
        self.state
            .attachment(&claim.attachment_key())
            .filter(|attachment| claim.attachment == Some(attachment.row.id))
            .map(AsRef::as_ref)
    }

    fn guard_attachment(&mut self, seen: &Stored<Attachment>) {
        self.guard(Guard::At(seen.row.key.row_key(), seen.modified));
    }
}
