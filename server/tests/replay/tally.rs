//! How the answers compare, all in all.

use crate::compare::Difference;
use crate::differences::rules;
use crate::exchange::Exchange;
use saddlebag::error::StatusStyle;
use std::collections::{BTreeMap, BTreeSet};

/// What is not built yet, by file and line. A line that passes has to go from here.
const NOT_BUILT: &[(&str, usize)] = &[];

/// How the answers compare.
pub struct Tally {
    style: StatusStyle,
    /// By file: how many are equal, and how many differ by rules.
    sums: BTreeMap<String, [usize; 2]>,
    by_rule: BTreeMap<&'static str, usize>,
    left_out: BTreeMap<&'static str, usize>,
    waiting: usize,
    /// The rules that were of use.
    met: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

/// Why an exchange is left out: only what schedules and is not about plugins or volumes.
pub fn left_out(exchange: &Exchange) -> Option<&'static str> {
    let route = exchange.route();
    let is_about_jobs = route.starts_with("/v1/job");
    if is_about_jobs && exchange.request.method != "GET" {
        return Some("scheduling: submits or stops a job; claims are taken or released instead");
    }
    let is_ours = route.starts_with("/v1/job/hostpath") || route == "/v1/job/nope";
    let is_list = route == "/v1/jobs";
    (is_about_jobs && !is_ours && !is_list)
        .then_some("scheduling: evaluations and allocations of jobs that bring no plugin")
}

impl Tally {
    pub fn new(style: StatusStyle) -> Self {
        Self {
            style,
            sums: BTreeMap::new(),
            by_rule: BTreeMap::new(),
            left_out: BTreeMap::new(),
            waiting: 0,
            met: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    pub fn leave_out(&mut self, reason: &'static str) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    /// Takes in how one answer compares.
    pub fn judge(&mut self, file: &str, exchange: &Exchange, differences: Vec<Difference>) {
        let (line, name) = (exchange.line, &exchange.name);
        let mut met = BTreeSet::new();
        let mut bare = Vec::new();
        for difference in differences {
            let rule = rules(self.style).find(|rule| (rule.covers)(exchange, &difference));
            match rule {
                Some(rule) => _ = met.insert(rule.matter),
                None => bare.push(difference.to_string()),
            }
        }
        self.met.extend(&met);
        let not_built = NOT_BUILT.contains(&(file, line));
        match (bare.is_empty(), not_built) {
            (true, true) => self.wrong.push(format!(
                "{file}:{line} ({name}) is right by now: take it from what is not built"
            )),
            (false, true) => self.waiting += 1,
            (false, false) => self.wrong.push(format!(
                "{file}:{line} ({name}) {} {}\n      {}",
                exchange.request.method,
                exchange.request.path,
                bare.join("\n      ")
            )),
            (true, false) => {
                let sums = self.sums.entry(file.to_owned()).or_default();
                sums[usize::from(!met.is_empty())] += 1;
                for rule in met {
                    *self.by_rule.entry(rule).or_default() += 1;
                }
            }
        }
    }

    /// Prints the sums, and fails if anything is wrong or a rule covered nothing.
    pub fn settle(mut self) {
        for (file, [equal, differ]) in &self.sums {
            println!(
                "statuses {:?}, {file}: {equal} equal, {differ} differ by rules",
                self.style
            );
        }
        for (rule, count) in &self.by_rule {
            println!("  {count} differ: {rule}");
        }
        for (reason, count) in &self.left_out {
            println!("  {count} left out: {reason}");
        }
        if self.waiting > 0 {
            println!("  {} not built yet", self.waiting);
        }
        for rule in rules(self.style) {
            if !self.met.contains(rule.matter) {
                let idle = format!("nothing differs by the rule {:?}", rule.matter);
                self.wrong.push(idle);
            }
        }
        let count = self.wrong.len();
        assert!(count == 0, "{count} wrong:\n{}", self.wrong.join("\n"));
    }
}
