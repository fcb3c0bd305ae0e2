//! What a run found: as a table, as JSON, and as JUnit XML.

use super::probe::{Difference, Tally};
use crate::cli::failure::printable;
use crate::cli::table::Table;
use crate::http::contract::document::Document;
use saddlebag_client::operations::Operation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a run found.
pub struct Report {
    /// The server.
    pub address: String,
    /// Whether it is a Nomad, by what it says of itself.
    pub is_nomad: bool,
    /// The version that it tells, if it does.
    pub version: Option<String>,
    /// How each operation was answered.
    pub tallies: BTreeMap<Operation, Tally>,
    /// What was made and could not be taken away.
    pub left_behind: Vec<String>,
}

impl Report {
    /// The differences that are not meant to be.
    pub fn faults(&self) -> impl Iterator<Item = (Operation, &Difference)> {
        self.differences().filter(|(_, it)| it.intended.is_none())
    }

    /// The differences that are.
    pub fn intended(&self) -> impl Iterator<Item = (Operation, &Difference)> {
        self.differences().filter(|(_, it)| it.intended.is_some())
    }

    fn differences(&self) -> impl Iterator<Item = (Operation, &Difference)> {
        self.tallies
            .iter()
            .flat_map(|(operation, tally)| tally.differences.iter().map(|it| (*operation, it)))
    }

    /// How many requests were sent.
    pub fn requests(&self) -> usize {
        self.tallies.values().map(|tally| tally.requests).sum()
    }

    /// For people: the operations in a table, each difference below it, and the sum.
    pub fn text(&self) -> String {
        let mut table = Table::new(&["Operation", "Requests", "Statuses", "Differences"]);
        for (operation, tally) in &self.tallies {
            let statuses = tally
                .statuses
                .iter()
                .map(|(status, times)| format!("{status} x {times}"));
            let faults = tally
                .differences
                .iter()
                .filter(|it| it.intended.is_none())
                .count();
            let intended = tally.differences.len() - faults;
            let mut differences = faults.to_string();
            if intended > 0 {
                differences += &format!(" (and {intended} intended)");
            }
            table.row([
                operation.id().to_owned(),
                tally.requests.to_string(),
                statuses.collect::<Vec<_>>().join(", "),
                match tally.left_out {
                    Some(reason) => format!("not asked: {reason}"),
                    None => differences,
                },
            ]);
        }
        let mut text = table.text();
        for (operation, difference) in self.faults() {
            text += &format!("\n{}", block(operation, difference));
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, difference) in self.intended() {
            *reasons
                .entry(difference.intended.unwrap_or_default())
                .or_default() += 1;
        }
        if !reasons.is_empty() {
            text += "\nIntended, as a Nomad is known to differ\n";
            for (reason, times) in reasons {
                text += &format!("  {times} x {reason}\n");
            }
        }
        for left in &self.left_behind {
            text += &format!("\nLeft behind: {}\n", printable(left));
        }
        let asked = self
            .tallies
            .values()
            .filter(|tally| tally.requests > 0)
            .count();
        _ = writeln!(
            text,
            "\n{asked} operations, {} requests, {} differences, {} intended",
            self.requests(),
            self.faults().count(),
            self.intended().count(),
        );
        text
    }

    /// For programs.
    pub fn json(&self, document: &Document) -> Value {
        let operations = self.tallies.iter().map(|(operation, tally)| {
            let documented = document.operation(operation.id());
            let unseen: Vec<&str> = documented
                .iter()
                .flat_map(|documented| documented.responses.keys().copied())
                .filter(|status| {
                    !status
                        .parse()
                        .is_ok_and(|it| tally.statuses.contains_key(&it))
                })
                .collect();
            let statuses = tally.statuses.iter();
            let statuses: BTreeMap<String, usize> = statuses
                .map(|(status, times)| (status.to_string(), *times))
                .collect();
            json!({
                "Operation": operation.id(),
                "Method": operation.method(),
                "Path": operation.path(),
                "Requests": tally.requests,
                "Statuses": statuses,
                "StatusesNotSeen": unseen,
                "LeftOut": tally.left_out,
            })
        });
        let told = |differences: Vec<(Operation, &Difference)>| -> Vec<Value> {
            let told = differences.into_iter().map(|(operation, it)| {
                json!({
                    "Operation": operation.id(),
                    "Place": it.place,
                    "Problem": it.problem,
                    "Documented": it.documented,
                    "Came": it.came,
                    "Request": it.request,
                    "Curl": it.curl,
                    "Times": it.times,
                    "Intended": it.intended,
                })
            });
            told.collect()
        };
        json!({
            "Address": self.address,
            "Nomad": self.is_nomad,
            "Version": self.version,
            "Requests": self.requests(),
            "Operations": operations.collect::<Vec<_>>(),
            "Differences": told(self.faults().collect()),
            "IntendedDifferences": told(self.intended().collect()),
            "LeftBehind": self.left_behind,
        })
    }

    /// For what shows tests: a test case for each operation, failed by its differences.
    pub fn junit(&self) -> String {
        let cases = self.tallies.iter().map(|(operation, tally)| {
            let name = format!(
                "    <testcase classname=\"{}\" name=\"{}\"",
                escaped(operation.tag()),
                escaped(operation.id())
            );
            let faults = tally.differences.iter().filter(|it| it.intended.is_none());
            let mut inner: String = faults
                .map(|it| {
                    let message = escaped(&format!("{}: {}", it.place, it.problem));
                    let text = escaped(&block(*operation, it));
                    format!("      <failure message=\"{message}\">{text}</failure>\n")
                })
                .collect();
            if let Some(reason) = tally.left_out {
                inner += &format!("      <skipped message=\"{}\"/>\n", escaped(reason));
            }
            match inner.is_empty() {
                true => format!("{name}/>\n"),
                false => format!("{name}>\n{inner}    </testcase>\n"),
            }
        });
        let cases: String = cases.collect();
        let failed = self
            .tallies
            .values()
            .filter(|tally| tally.differences.iter().any(|it| it.intended.is_none()));
        let skipped = self
            .tallies
            .values()
            .filter(|tally| tally.left_out.is_some());
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" \
             tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n{cases}  </testsuite>\n</testsuites>\n",
            escaped(&format!("saddlebag verify {}", self.address)),
            self.tallies.len(),
            failed.count(),
            skipped.count(),
        )
    }
}

/// A difference in full.
fn block(operation: Operation, difference: &Difference) -> String {
    let Difference {
        place,
        problem,
        documented,
        came,
        request,
        curl,
        times,
        ..
    } = difference;
    let line = |text: &str| printable(text).replace('\n', " ");
    let times = match times {
        1 => String::new(),
        times => format!(" (the first of {times} requests)"),
    };
    format!(
        "{}: {}: {}\n  request     {}{times}\n  documented  {}\n  came        {}\n  again       {}\n",
        operation.id(),
        line(place),
        line(problem),
        line(request),
        line(documented),
        line(came),
        line(curl),
    )
}

/// A text inside of XML, without the characters that XML cannot hold.
fn escaped(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control() || *c == '\n');
    plain
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c => c.to_string(),
        })
        .collect()
}
