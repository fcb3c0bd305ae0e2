//! The routes of tag `jobs`: plugin jobs, and the first published draft of the API, filled from the
//! same state.

use super::declared::{
    At, Blocking, Crowded, InNamespace, JobPath, List, Missing, PluginPath, Prefix, Read,
    ReadErrors,
};
use super::edge::ReadOptions;
use super::front::Asking;
use super::reply::{Reply, json, missing};
use super::waiting;
use super::wire::{self, DraftPluginHealth, DraftPluginStub, blank};
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::id::{JobId, Namespace, PluginId};
use crate::picture;
use crate::plugin::{Plugin, PluginHealth, PluginJob};
use crate::state::{Interest, State, Stored};
use saddlebag_client::operations::Operation;
use std::borrow::Cow;
use std::collections::BTreeMap;

#[utoipa::path(
    get, path = "/v1/csi/plugins", tag = "jobs",
    params(InNamespace, Read),
    responses(At<List<DraftPluginStub<'static>>>, ReadErrors),
)]
#[deprecated = "superseded by `list_plugins`"]
pub(super) async fn list_csi_plugins(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let state = cp.state();
    let namespace = named(&options);
    let plugins: Vec<_> = state
        .plugins()
        .map(|plugin| stub(plugin, namespace.as_ref()))
        .collect();
    Ok(json(&plugins).at(state.plugins_index))
}

#[utoipa::path(
    get, path = "/v1/csi/plugin/{plugin_id}", tag = "jobs",
    params(PluginPath, InNamespace, Read),
    responses(At<List<wire::DraftPlugin<'static>>>, Missing, ReadErrors),
)]
#[deprecated = "superseded by `read_plugin`"]
pub(super) async fn read_csi_plugin(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    let id = PluginId::known(asking.param("plugin_id"));
    let state = cp.state();
    match state.plugin(&id) {
        Some(plugin) => Ok(json(&[picture::draft(plugin)]).at(state.plugins_index)),
        None => {
            let error = Error::from(Fault::NoPluginToRead).plugin(&id);
            Err(missing(error, state.plugins_index))
        }
    }
}

#[utoipa::path(
    get, path = "/v1/csi/jobs", tag = "jobs",
    params(("plugin_id" = Option<String>, Query), InNamespace, Read),
    responses(At<List<DraftPluginStub<'static>>>, ReadErrors),
)]
#[deprecated = "superseded by `read_plugin`, whose jobs it lists"]
pub(super) async fn list_plugin_jobs(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let wanted = asking.query.filled("plugin_id");
    let state = cp.state();
    let namespace = named(&options);
    let plugins: Vec<_> = state
        .plugins()
        .filter(|plugin| wanted.is_none_or(|wanted| wanted == plugin.id.as_str()))
        .filter(|plugin| plugin.jobs_in(namespace.as_ref()).next().is_some())
        .map(|plugin| stub(plugin, namespace.as_ref()))
        .collect();
    Ok(json(&plugins).at(state.plugins_index))
}

#[utoipa::path(
    get, path = "/v1/job/{job_id}", tag = "jobs",
    params(JobPath, InNamespace, Blocking, Read),
    responses(At<wire::Job<'static>>, Missing, ReadErrors, Crowded),
)]
pub(super) async fn read_job(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let namespace = Namespace::known(options.namespace.as_str());
    let id = JobId::known(asking.param("job_id"));
    let interest = match cp.state().job(&namespace, &id) {
        Some(job) => Interest::Plugin(job.row.plugin.clone()),
        None => Interest::Plugins(String::new()),
    };
    let state = waiting::state(cp, asking, &options, interest, |state| state.plugins_index).await?;
    match state.job(&namespace, &id) {
        Some(found) => {
            Ok(json(&job(&state, found, &asking.settings.region)).at(state.plugins_index))
        }
        None => Err(missing(Fault::JobNotFound, state.plugins_index)),
    }
}

/// Any one of these lets the jobs of a namespace be listed.
const LISTING: &[&str] = Operation::ListJobs.capability().namespace;

#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs",
    params(InNamespace, Prefix, Blocking, Read),
    responses(At<List<wire::DraftJob<'static>>>, ReadErrors, Crowded),
)]
pub(super) async fn list_jobs(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let namespace = named(&options);
    let interest = Interest::Plugins(String::new());
    let state = waiting::state(cp, asking, &options, interest, |state| state.plugins_index).await?;
    let jobs: Vec<_> = state
        .jobs()
        .filter(|job| namespace.as_ref().is_none_or(|it| *it == job.row.namespace))
        .filter(|job| {
            let name = job.row.namespace.as_str();
            asking.caller.access.in_namespace(name, LISTING)
        })
        .filter(|job| job.row.id.as_str().starts_with(&options.prefix))
        .filter_map(|job| Some(job_stub(state.plugin(&job.row.plugin)?, job)))
        .collect();
    Ok(json(&jobs).at(state.plugins_index))
}

#[utoipa::path(
    get, path = "/v1/job/{job_id}/allocations", tag = "jobs",
    params(JobPath, InNamespace, Blocking, Read),
    responses(At<List<wire::AllocationStub<'static>>>, ReadErrors, Crowded),
)]
pub(super) async fn list_job_allocations(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let namespace = Namespace::known(options.namespace.as_str());
    let id = JobId::known(asking.param("job_id"));
    let interest = Interest::Plugins(String::new());
    let state = waiting::state(cp, asking, &options, interest, |state| state.plugins_index).await?;
    let running = state.job(&namespace, &id).and_then(|job| {
        let plugin = state.plugin(&job.row.plugin)?;
        Some(picture::job_allocation(
            plugin,
            job,
            state.name_of(&job.row.node),
        ))
    });
    Ok(json(&Vec::from_iter(running)).at(state.plugins_index))
}

fn job_stub<'a>(plugin: &Plugin, stored: &'a Stored<PluginJob>) -> wire::JobStub<'a> {
    wire::JobStub {
        draft: picture::job(plugin, stored),
        datacenters: ["*"],
        namespace: stored.row.namespace.as_str().into(),
        submit_time: picture::nanoseconds(stored.row.submitted_at),
        blanks: blank::JOB_STUB,
    }
}

/// The namespace that is asked for; `None` for all.
fn named(options: &ReadOptions) -> Option<Namespace> {
    (options.namespace != "*").then(|| Namespace::known(options.namespace.as_str()))
}

fn stub<'a>(plugin: &'a Plugin, namespace: Option<&Namespace>) -> DraftPluginStub<'a> {
    let health = plugin.health();
    let mut job_ids: BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>> = BTreeMap::new();
    let jobs = plugin.jobs.iter().map(|stored| &stored.row);
    for job in jobs.filter(|job| namespace.is_none_or(|wanted| wanted == &job.namespace)) {
        let ids = job_ids.entry(job.namespace.as_str().into()).or_default();
        ids.push(job.id.as_str().into());
    }
    DraftPluginStub {
        controller_required: health.controller_required,
        controllers_expected: health.controllers_expected as i64,
        controllers_healthy: health.controllers_healthy as i64,
        create_index: plugin.created.0,
        id: plugin.id.as_str().into(),
        job_ids,
        modify_index: plugin.modified.0,
        nodes_expected: health.nodes_expected as i64,
        nodes_healthy: health.nodes_healthy as i64,
    }
}

/// A job in the shape that Nomad's clients read: one group of one task, which is the driver.
fn job<'a>(state: &State, found: &'a Stored<PluginJob>, region: &'a str) -> wire::Job<'a> {
    let row = &found.row;
    let plugin = state.plugin(&row.plugin);
    let running = plugin.is_some_and(|plugin| picture::is_running(plugin, row));
    let driver = if row.command.is_empty() {
        "socket"
    } else {
        "exec"
    };
    wire::Job {
        csi_plugin: plugin.map(|plugin| health(plugin, row, &plugin.health())),
        create_index: found.created.0,
        datacenters: Some(vec!["*".into()]),
        id: row.id.as_str().into(),
        job_modify_index: found.modified.0,
        modify_index: found.modified.0,
        name: row.id.as_str().into(),
        namespace: row.namespace.as_str().into(),
        parent_id: "".into(),
        priority: 50,
        region: region.into(),
        status: if running { "running" } else { "pending" }.into(),
        status_description: "".into(),
        stop: false,
        submit_time: picture::nanoseconds(row.submitted_at),
        task_groups: Some(vec![wire::TaskGroup {
            count: 1,
            name: "plugin".into(),
            tasks: Some(vec![wire::Task {
                csi_plugin_config: Some(wire::PluginConfig {
                    health_timeout: 30_000_000_000,
                    id: row.plugin.as_str().into(),
                    mount_dir: "/csi".into(),
                    stage_publish_base_dir: "/local/csi".into(),
                    kind: row.kind.as_str().into(),
                }),
                driver: driver.into(),
                name: "plugin".into(),
                blanks: blank::TASK,
            }]),
            blanks: blank::TASK_GROUP,
        }]),
        kind: "system".into(),
        version: 0,
        blanks: blank::JOB,
    }
}

fn health<'a>(plugin: &Plugin, job: &'a PluginJob, health: &PluginHealth) -> DraftPluginHealth<'a> {
    DraftPluginHealth {
        controller_required: health.controller_required,
        controllers_expected: health.controllers_expected as i64,
        controllers_healthy: health.controllers_healthy as i64,
        create_index: plugin.created.0,
        id: job.plugin.as_str().into(),
        modify_index: plugin.modified.0,
        nodes_expected: health.nodes_expected as i64,
        nodes_healthy: health.nodes_healthy as i64,
    }
}
