//! Allocations, as volumes and plugins show them.

use serde::Serialize;
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// One user of a volume, or one instance of a plugin. Nomad's clients read all of these fields; what only Nomad's
/// scheduler has is empty here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AllocationStub<'a> {
    /// Its status in words.
    pub client_description: Cow<'a, str>,
    /// `pending`, `running`, `complete`, `failed`, `lost` or `unknown`.
    pub client_status: Cow<'a, str>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// Nanoseconds since 1970.
    pub create_time: i64,
    /// Its part in a deployment of Nomad.
    #[schema(value_type = Option<Object>, required)]
    pub deployment_status: Option<Map<String, Value>>,
    /// Why its status is desired.
    pub desired_description: Cow<'a, str>,
    /// `run`, `stop` or `evict`.
    pub desired_status: Cow<'a, str>,
    /// What Nomad's scheduler was asked to do.
    #[schema(value_type = Object)]
    pub desired_transition: Map<String, Value>,
    /// The evaluation that made it.
    #[serde(rename = "EvalID")]
    pub eval_id: Cow<'a, str>,
    /// The evaluation that follows it.
    #[serde(rename = "FollowupEvalID")]
    pub followup_eval_id: Cow<'a, str>,
    /// Its id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Its job.
    #[serde(rename = "JobID")]
    pub job_id: Cow<'a, str>,
    /// `service`, `batch`, `system` or `sysbatch`.
    pub job_type: Cow<'a, str>,
    /// The version of its job.
    #[schema(format = "uint64")]
    pub job_version: u64,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Nanoseconds since 1970.
    pub modify_time: i64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its namespace.
    pub namespace: Cow<'a, str>,
    /// The allocation that replaced it.
    pub next_allocation: Cow<'a, str>,
    /// The node it runs on.
    #[serde(rename = "NodeID")]
    pub node_id: Cow<'a, str>,
    /// That node's name.
    pub node_name: Cow<'a, str>,
    /// Allocations that made place for it.
    #[schema(required)]
    pub preempted_allocations: Option<Vec<Cow<'a, str>>>,
    /// The allocation it made place for.
    pub preempted_by_allocation: Cow<'a, str>,
    /// How it was rescheduled.
    #[schema(value_type = Option<Object>, required)]
    pub reschedule_tracker: Option<Map<String, Value>>,
    /// Its task group.
    pub task_group: Cow<'a, str>,
    /// The states of its tasks, by their names.
    #[schema(value_type = Option<BTreeMap<String, Object>>, required)]
    pub task_states: Option<BTreeMap<Cow<'a, str>, Map<String, Value>>>,
}

/// An [`AllocationStub`] among those of a node. Nomad shows more of it there, but two fields less.
pub enum NodeAllocation {}

impl PartialSchema for NodeAllocation {
    fn schema() -> RefOr<Schema> {
        let mut schema = AllocationStub::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let is_there = |name: &String| name != "JobType" && name != "JobVersion";
            object.required.retain(is_there);
        }
        schema
    }
}

impl ToSchema for NodeAllocation {}

impl AllocationStub<'_> {
    /// One of which no scheduler was asked anything.
    pub fn unscheduled() -> Self {
        const TRANSITIONS: [&str; 5] = [
            "ForceReschedule",
            "Migrate",
            "MigrateDisablePlacement",
            "NoShutdownDelay",
            "Reschedule",
        ];
        let unasked = TRANSITIONS.map(|name| (name.to_owned(), Value::Null));
        Self {
            desired_transition: Map::from_iter(unasked),
            ..Self::default()
        }
    }
}
