//! The commit that takes a claim.

use super::Asked;
use crate::acl::asker;
use crate::attachment::Attachment;
use crate::claim::{Claim, ClaimRequest, Stage};
use crate::control::ControlPlane;
use crate::csi::MountOptions;
use crate::error::{Fault, Result};
use crate::node::paths;
use crate::operation::Subject;
use crate::store::{Guard, MOST_VALUE_BYTES, Transaction, Write, keys};
use crate::tries::Tries;
use crate::volume::{Capability, SealedMountOptions};

/// The room that the rows of a claim leave for what becomes of them, in bytes.
const ROOM: usize = 64 * 1_024;

impl Asked<'_> {
    pub(super) fn claim(
        &self,
        cp: &ControlPlane,
        request: ClaimRequest,
        capability: Capability,
        mount_options: MountOptions,
    ) -> Result<Claim> {
        let (plugin, node, key) = (&self.plugin.id, &self.node.row, self.key());
        let target_path = match &request.target_path {
            Some(path) => paths::requested(self.state, plugin, node, path),
            None => paths::target(self.state, plugin, &node.id, key, self.allocation),
        };
        let target_path = target_path.map_err(|error| {
            let Fault::RefusedLocally(text) = &error.fault else {
                return error;
            };
            self.about(Fault::RefusedLocally(text.clone()))
        })?;
        let now = cp.clock.now();
        let asked = request.mount_options.as_ref();
        let asked = asked.map(|asked| SealedMountOptions::seal(cp, key, asked));
        Ok(Claim {
            volume: key.clone(),
            allocation: self.allocation.clone(),
            node: node.id.clone(),
            plugin: plugin.clone(),
            external_id: self.volume.row.remote_id(),
            read_only: request.read_only,
            capability,
            mount_options: SealedMountOptions::seal(cp, key, &mount_options)?,
            target_path,
            made_folder: None,
            on_reboot: request.on_reboot,
            name: request.name.clone(),
            job_id: request.job_id.clone(),
            asked_options: asked.transpose()?,
            request: ClaimRequest {
                mount_options: None,
                ..request
            },
            attachment: None,
            stage: Stage::Taken,
            release: None,
            failure: None,
            failure_code: None,
            tries: Tries::default(),
            boot: String::new(),
            by: asker(),
            created_at: now,
            since: now,
            intended: None,
            dropped: false,
            ended_at: None,
        })
    }

    /// The claim, its attachment, and its volume, under the guards that they are as they were seen.
    pub(super) fn transaction(&self, cp: &ControlPlane, mut claim: Claim) -> Result<Transaction> {
        let mut transaction = Transaction::default();
        let volume = &self.volume.row;
        let mut guard = |guard: Guard| transaction.guards.push(guard);
        guard(Guard::At(keys::volume(&volume.key), self.volume.modified));
        guard(Guard::At(keys::node(&self.node.row.id), self.node.modified));
        guard(
            match self.state.doing(&Subject::Volume(volume.key.clone())) {
                Some(doing) => Guard::At(doing.row.key(), doing.modified),
                None => Guard::Absent(keys::doing(&volume.key)),
            },
        );
        guard(Guard::Absent(keys::claim(&volume.key, self.allocation)));
        guard(Guard::Absent(keys::dropped_claim(
            &volume.key,
            self.allocation,
        )));
        guard(Guard::Absent(keys::ended_claim(
            &volume.key,
            self.allocation,
        )));
        self.hold_backing(&mut transaction)?;
        let key = claim.attachment_key();
        match self.state.attachment(&key) {
            Some(there) => {
                let guard = Guard::At(key.row_key(), there.modified);
                transaction.guards.push(guard);
                if !there.row.leaving {
                    // Written again, so that a last claim that lets go of it at the same moment decides
                    // anew.
                    let mut shared = there.row.clone();
                    shared.intended.get_or_insert(there.modified);
                    transaction.put(key.row_key(), &shared)?;
                    claim.attachment = Some(shared.id);
                }
            }
            None => {
                transaction.guards.push(Guard::Absent(key.row_key()));
                let new = Attachment::wanted(cp, self.state, &claim, volume)?;
                new.hold_keys(&mut transaction, self.state);
                claim.attachment = Some(new.id);
                transaction.put(key.row_key(), &new)?;
            }
        }
        let mut moved = volume.clone();
        moved.modified_at = cp.clock.now();
        transaction.put(keys::volume(&volume.key), &moved)?;
        let asked = claim.asked_options.as_ref();
        for options in [Some(&claim.mount_options), asked].into_iter().flatten() {
            options.hold(&mut transaction, self.state);
        }
        transaction.put(claim.row_key(), &claim)?;
        self.leaves_room(&transaction)?;
        Ok(transaction)
    }

    /// Where several volumes stand for the backing store, its row is written again: so claims of all
    /// of them come one after the other.
    fn hold_backing(&self, transaction: &mut Transaction) -> Result<()> {
        let external = self.volume.row.remote_id();
        let Some(backing) = self.state.backing(&self.plugin.id, &external) else {
            return Ok(());
        };
        if backing.row.volumes.len() < 2 {
            return Ok(());
        }
        let at = keys::backing(&self.plugin.id, &external);
        transaction
            .guards
            .push(Guard::At(at.clone(), backing.modified));
        transaction.put(at, &backing.row)
    }

    /// A claim that leaves no room in its rows for what becomes of it is refused now, as it could never
    /// end.
    fn leaves_room(&self, transaction: &Transaction) -> Result<()> {
        let most = MOST_VALUE_BYTES - ROOM;
        let too_large = transaction.writes.iter().find_map(|write| match write {
            Write::Put(key, row) if *key != keys::volume(self.key()) => {
                (row.len() > most).then_some(row.len())
            }
            Write::Put(..) | Write::Delete(_) => None,
        });
        match too_large {
            None => Ok(()),
            Some(size) => Err(self.about(Fault::BodyTooLarge(format!(
                "the claim is described in {size} bytes, more than can be stored ({most})"
            )))),
        }
    }
}
