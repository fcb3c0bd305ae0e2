//! What is done next for a claim, and what that waits for.

use super::{Claim, Stage};
use crate::attachment::{self, Attachment};
use crate::plugin::Role;
use crate::state::{State, Stored};
use crate::tries::Tries;
use std::sync::Arc;

/// One step of a claim's life: a call to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// ControllerPublishVolume.
    Attach,
    /// NodeStageVolume.
    Stage,
    /// NodePublishVolume.
    Publish,
    /// NodeUnpublishVolume.
    Unpublish,
    /// NodeUnstageVolume.
    Unstage,
    /// ControllerUnpublishVolume.
    Detach,
}

impl Step {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Attach => "attach",
            Step::Stage => "stage",
            Step::Publish => "publish",
            Step::Unpublish => "unpublish",
            Step::Unstage => "unstage",
            Step::Detach => "detach",
        }
    }

    /// Which service of the driver is asked.
    pub const fn role(self) -> Role {
        match self {
            Step::Attach | Step::Detach => Role::Controller,
            Step::Stage | Step::Publish | Step::Unpublish | Step::Unstage => Role::Node,
        }
    }
}

/// Where a claim stands: what is done next, and what came of trying.
pub struct Standing<'a> {
    /// The next step; nothing for a claim that is at rest, or at its end.
    pub step: Option<Step>,
    /// The tries of that step.
    pub tries: &'a Tries,
    /// What it waits for, in words that an operator can act on; nothing where there is no step.
    pub waits_for: Option<String>,
    /// Whether it waits for more than an answer: after an error, or because nobody can be asked.
    pub is_stuck: bool,
}

impl<'a> Standing<'a> {
    /// Where this claim stands.
    pub fn of(state: &'a State, claim: &'a Claim) -> Self {
        let attachment = state.attachment(&claim.attachment_key());
        let (step, tries) = next(state, claim, attachment);
        let obstacle = step.and_then(|step| obstacle(state, claim, step, tries));
        let answer = step.map(|_| format!("the answer of plugin {:?}", claim.plugin.as_str()));
        Self {
            step,
            tries,
            is_stuck: obstacle.is_some(),
            waits_for: obstacle.or(answer),
        }
    }
}

/// The step that an attachment is at on its way up or down; nothing once its claims can be published.
fn step_of(state: &State, attachment: &Attachment) -> Option<Step> {
    use attachment::Stage::{Attached, Detached, Staged, Unstaged, Wanted};
    let stages = attachment.staging_path.is_some();
    match (attachment.stage, attachment.leaving) {
        (Attached | Staged, true) if stages => Some(Step::Unstage),
        (Unstaged | Detached, true) if attachment.awaits_node(state) => Some(Step::Unstage),
        (Wanted | Attached | Staged | Unstaged | Detached, true) => Some(Step::Detach),
        (Wanted, false) if attachment.attaches => Some(Step::Attach),
        (Wanted | Attached, false) if stages => Some(Step::Stage),
        (Wanted | Attached | Staged | Unstaged | Detached, false) => None,
    }
}

fn next<'a>(
    state: &State,
    claim: &'a Claim,
    attachment: Option<&'a Arc<Stored<Attachment>>>,
) -> (Option<Step>, &'a Tries) {
    let of_attachment =
        attachment.and_then(|stored| Some((step_of(state, &stored.row)?, &stored.row)));
    if claim.ended_at.is_some() || claim.is_at_rest() {
        return (None, &claim.tries);
    }
    match (claim.stage, claim.is_leaving(), of_attachment) {
        (Stage::Taken | Stage::Published, true, _) => (Some(Step::Unpublish), &claim.tries),
        (_, _, Some((step, attachment))) => (Some(step), &attachment.tries),
        (Stage::Unpublished, _, None) => (Some(Step::Detach), &claim.tries),
        (Stage::Taken | Stage::Published, _, None) => (Some(Step::Publish), &claim.tries),
    }
}

/// What stands in the way of a step, other than that the driver has not answered yet.
fn obstacle(state: &State, claim: &Claim, step: Step, tries: &Tries) -> Option<String> {
    let (plugin, node) = (claim.plugin.as_str(), claim.node.as_str());
    let fence = state
        .node(&claim.node)
        .and_then(|row| row.row.fenced.as_ref());
    let is_passed_over = step.role() == Role::Node && step != Step::Unstage;
    if let Some(fence) = fence.filter(|_| is_passed_over) {
        return Some(format!("node {node}, which is fenced: {}", fence.reason));
    }
    let can_be_asked = state.plugin(&claim.plugin).is_some_and(|plugin| {
        let near = |on: &crate::id::NodeId| step.role() == Role::Controller || on == &claim.node;
        let mut asked = plugin.of_role(step.role());
        asked.any(|instance| instance.healthy && near(&instance.node))
    });
    if !can_be_asked {
        return Some(match step.role() {
            Role::Controller => format!("a healthy controller of plugin {plugin:?}"),
            Role::Node => format!("plugin {plugin:?} to be healthy on node {node}"),
        });
    }
    if claim.attachment.is_none() && !claim.is_leaving() {
        return Some(format!(
            "what an earlier claim left on node {node} to be taken away"
        ));
    }
    let trouble = tries.trouble.as_ref();
    trouble.map(|trouble| format!("the next try, at {}", trouble.next_try))
}
