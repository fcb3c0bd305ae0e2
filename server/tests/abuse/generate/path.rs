//! Paths: of the names in use, of others, and of what is no path.

use super::{Making, escaped};
use crate::pool::{CLAIMED, pick};
use rand::RngExt;
use rand::seq::IndexedRandom;
use saddlebag::http::contract::document::Operation;

impl Making<'_> {
    pub(super) fn path(&mut self, operation: &Operation<'_>) -> Vec<u8> {
        let names = self.names(operation);
        let mut path = Vec::new();
        for segment in operation.path.split('/').skip(1) {
            path.push(b'/');
            match segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) => {
                    let known = names.iter().find(|(of, _)| *of == name);
                    let text = match known {
                        Some((_, text)) => text.clone(),
                        None => self.pool.text(name, &mut self.random),
                    };
                    path.extend(escaped(text.as_bytes()));
                }
                None => path.extend_from_slice(segment.as_bytes()),
            }
        }
        if self.breaks(0.7) {
            let ends: [&[u8]; 14] = [
                b"/",
                b"//",
                b"/..",
                b"/./x",
                b"%2F",
                b"%2f..%2f",
                b"%00",
                b"%ff",
                b"%",
                b"%g1",
                b"/x/y/z",
                b"\xff\xfe",
                b";a=b",
                b"#x",
            ];
            let end = ends.choose(&mut self.random).copied().unwrap_or_default();
            let place = match self.random.random_bool(0.7) {
                true => path.len(),
                false => self.random.random_range(1..=path.len()),
            };
            path.splice(place..place, end.iter().copied())
                .for_each(drop);
        }
        path
    }

    /// Names that go together, for segments of the path; what is not among them is left to chance.
    fn names(&mut self, operation: &Operation<'_>) -> Vec<(&'static str, String)> {
        let random = &mut self.random;
        if operation.path.contains("{alloc_id}") {
            let claim = self.pool.claim(random).filter(|_| random.random_bool(0.7));
            let names =
                claim.map(|(volume, allocation)| [("volume_id", volume), ("alloc_id", allocation)]);
            return names.into_iter().flatten().collect();
        }
        // Now and then the one that lives is said to be gone, and soon it is not any more.
        let is_spare = match operation.id {
            "fence_node" => 0.8,
            "unfence_node" => 0.2,
            _ => 0.05,
        };
        if operation.path.contains("{node_id}") && random.random_bool(is_spare) {
            return vec![("node_id", self.pool.spare_node().to_owned())];
        }
        if operation.id == "claim_volume" && random.random_bool(0.3) {
            return vec![("volume_id", pick(&CLAIMED, random))];
        }
        let is_there = if operation.id == "claim_volume" {
            0.9
        } else {
            0.4
        };
        match self.pool.row(random) {
            Some(row) if random.random_bool(is_there) => vec![("volume_id", row.id)],
            _ => Vec::new(),
        }
    }
}
