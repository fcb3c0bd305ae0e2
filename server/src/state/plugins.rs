//! Plugins in the tables: their instances, their jobs, and what volumes show of them.

use super::{State, Stored, Touched};
use crate::id::{JobId, Namespace, PluginId};
use crate::picture::Fragments;
use crate::plugin::{Instance, Plugin, PluginJob};
use crate::store::Index;
use std::sync::Arc;

impl State {
    pub(super) fn put_instance(&mut self, stored: Stored<Instance>, touched: &mut Touched) {
        let modified = stored.modified;
        let plugin = self.plugin_to_change(&stored.row.plugin, modified, touched);
        let same = |other: &Arc<Stored<Instance>>| {
            let (a, b) = (&other.row, &stored.row);
            (a.role, &a.node, &a.job) == (b.role, &b.node, &b.job)
        };
        plugin.instances.retain(|other| !same(other));
        plugin.instances.push(Arc::new(stored));
        plugin.instances.sort_by(|a, b| {
            let order =
                |s: &Arc<Stored<Instance>>| (s.row.role, s.row.node.clone(), s.row.job.clone());
            order(a).cmp(&order(b))
        });
    }

    /// Removes the instance of this role, node and job.
    pub(super) fn remove_instance(
        &mut self,
        plugin: &PluginId,
        [role, node, job]: [&str; 3],
        at: Index,
        touched: &mut Touched,
    ) {
        let plugin = self.plugin_to_change(plugin, at, touched);
        plugin.instances.retain(|stored| {
            let row = &stored.row;
            (row.role.as_str(), row.node.as_str(), row.job.as_str()) != (role, node, job)
        });
    }

    pub(super) fn put_job(&mut self, stored: Stored<PluginJob>, touched: &mut Touched) {
        let stored = Arc::new(stored);
        let job = &stored.row;
        let at = (job.namespace.clone(), job.id.clone());
        self.forget_job(&at, stored.modified, touched);
        let plugin = self.plugin_to_change(&job.plugin, stored.modified, touched);
        plugin.jobs.push(Arc::clone(&stored));
        plugin
            .jobs
            .sort_by(|a, b| (&a.row.namespace, &a.row.id).cmp(&(&b.row.namespace, &b.row.id)));
        self.jobs.insert(at, stored);
    }

    pub(super) fn remove_job(
        &mut self,
        job: &(Namespace, JobId),
        at: Index,
        touched: &mut Touched,
    ) {
        self.forget_job(job, at, touched);
        self.jobs.remove(job);
    }

    /// Encodes what volumes show of a plugin, or drops a plugin that nothing speaks for.
    pub(super) fn show_plugin(&mut self, id: &PluginId) {
        match self.plugins.get(id) {
            Some(plugin) if plugin.is_gone() => {
                self.plugins.remove(id);
                self.fragments.remove(id);
            }
            Some(plugin) => {
                let fragments = Fragments::of(plugin, |node| self.name_of(node));
                self.fragments.insert(id.clone(), Arc::new(fragments));
            }
            None => {}
        }
    }

    fn forget_job(&mut self, job: &(Namespace, JobId), at: Index, touched: &mut Touched) {
        let Some(old) = self.jobs.get(job).cloned() else {
            return;
        };
        let plugin = self.plugin_to_change(&old.row.plugin, at, touched);
        plugin
            .jobs
            .retain(|stored| (&stored.row.namespace, &stored.row.id) != (&job.0, &job.1));
    }

    fn plugin_to_change(&mut self, id: &PluginId, at: Index, touched: &mut Touched) -> &mut Plugin {
        touched.plugins.insert(id.clone());
        let plugin = self
            .plugins
            .entry(id.clone())
            .or_insert_with(|| Arc::new(Plugin::empty(id.clone(), at)));
        let plugin = Arc::make_mut(plugin);
        plugin.created = plugin.created.min(at);
        plugin.modified = plugin.modified.max(at);
        plugin
    }
}
