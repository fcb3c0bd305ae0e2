//! Two answers, side by side. What one server makes up (identifiers, indexes, times) is bound to what the
//! other made up when it is first seen, and has to be the same ever after.

use crate::exchange::Exchange;
use crate::wire::Answer;
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

/// Headers that carry meaning.
const HEADERS: [&str; 7] = [
    "Content-Type",
    "Vary",
    "X-Nomad-Index",
    "X-Nomad-Knownleader",
    "X-Nomad-Lastcontact",
    "X-Nomad-Nexttoken",
    "Location",
];
/// Fields that hold an index.
const INDEXES: [&str; 5] = [
    "CreateIndex",
    "Index",
    "JobModifyIndex",
    "ModifyIndex",
    "X-Nomad-Index",
];
/// Fields that hold a moment.
const TIMES: [&str; 6] = [
    "CreateTime",
    "ExpirationTime",
    "ModifyTime",
    "StatusUpdatedAt",
    "SubmitTime",
    "UpdateTime",
];

static IDENTIFIER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap());
/// An index that is told in a text.
static TOLD_INDEX: LazyLock<Regex> = LazyLock::new(|| Regex::new("index: ([0-9]+)").unwrap());
/// What stands for an identifier in what was recorded: one, or the name of the token that had it.
static RECORDED: LazyLock<Regex> = LazyLock::new(|| {
    let named = r"\{\{(secret|accessor):[^}]+\}\}";
    Regex::new(&format!("{}|{named}", IDENTIFIER.as_str())).unwrap()
});

/// One place where the answers are not the same.
#[derive(Clone, Debug)]
pub struct Difference {
    /// `status`, `header NAME`, or the place in the body: `body/0/ID`, elements of lists as `*`.
    pub at: String,
    /// What Nomad has there, if anything.
    pub nomad: Option<Value>,
    /// What we have there.
    pub ours: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |side: &Option<Value>| match side {
            Some(value) => value.to_string().chars().take(300).collect(),
            None => "nothing".to_owned(),
        };
        let (nomad, ours) = (told(&self.nomad), told(&self.ours));
        write!(f, "{}: Nomad {nomad}, here {ours}", self.at)
    }
}

impl Difference {
    /// The last part of the place.
    pub fn field(&self) -> &str {
        self.at.rsplit(['/', ' ']).next().unwrap_or_default()
    }

    /// What Nomad says there, as text.
    pub fn nomad_text(&self) -> &str {
        text(&self.nomad)
    }

    /// What we say there, as text.
    pub fn our_text(&self) -> &str {
        text(&self.ours)
    }

    /// Nomad's list there.
    pub fn nomad_list(&self) -> &[Value] {
        list(&self.nomad)
    }

    /// Our list there.
    pub fn our_list(&self) -> &[Value] {
        list(&self.ours)
    }
}

fn text(side: &Option<Value>) -> &str {
    side.as_ref().and_then(Value::as_str).unwrap_or_default()
}

fn list(side: &Option<Value>) -> &[Value] {
    let list = side.as_ref().and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// What of the one server stands for what of the other.
#[derive(Debug, Default)]
pub struct Bindings {
    names: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    /// By what they count: indexes are in the same order on both servers.
    indexes: BTreeMap<&'static str, BTreeMap<u64, u64>>,
    times: BTreeMap<String, Value>,
}

impl Bindings {
    /// Binds a name that the operators of the two servers chose.
    pub fn bind(&mut self, nomad: &str, ours: &str) {
        self.names.insert(nomad.to_owned(), ours.to_owned());
        self.taken.insert(ours.to_owned());
    }

    /// A recorded text with what stands in it replaced by ours.
    pub fn ours(&self, recorded: &str) -> String {
        if let Some(bound) = self.names.get(recorded) {
            return bound.clone();
        }
        let known = |found: &regex::Captures<'_>| match self.names.get(&found[0]) {
            Some(bound) => bound.clone(),
            None => found[0].to_owned(),
        };
        RECORDED.replace_all(recorded, known).into_owned()
    }

    /// The beginning of our identifier that stands for the beginning of a recorded one, as it is spelt.
    pub fn our_prefix(&self, recorded: &str) -> Option<String> {
        let begins = |(known, _): &(&String, &String)| {
            IDENTIFIER.is_match(known) && known.starts_with(&recorded.to_lowercase())
        };
        let (_, ours) = self.names.iter().find(begins)?;
        let prefix = ours.get(..recorded.len())?.to_owned();
        match recorded.contains(|letter: char| letter.is_ascii_uppercase()) {
            true => Some(prefix.to_uppercase()),
            false => Some(prefix),
        }
    }

    /// Where the answers differ.
    pub fn compare(&mut self, exchange: &Exchange, answer: &Answer) -> Vec<Difference> {
        let mut found = Found {
            bindings: self,
            counts: counted(exchange.route()),
            differences: Vec::new(),
        };
        let recorded = &exchange.response;
        let status = recorded.status.map(Value::from);
        if status != Some(answer.status.into()) {
            found.differ("status", status.as_ref(), Some(&answer.status.into()));
        }
        let ours = answer.headers.iter();
        let ours: BTreeMap<_, _> = ours.map(|(name, value)| (name, value.as_str())).collect();
        let names = recorded.headers.keys().chain(answer.headers.keys());
        let names: BTreeSet<&String> = names
            .filter(|name| HEADERS.iter().any(|it| it.eq_ignore_ascii_case(name)))
            .collect();
        for name in names {
            let value = |text: &str| match text.parse::<u64>() {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(text),
            };
            let nomad = recorded.headers.get(name).map(|text| value(text));
            let ours = ours.get(name).map(|text| value(text));
            found.at(&format!("header {name}"), nomad.as_ref(), ours.as_ref());
        }
        let ours = match serde_json::from_slice(&answer.body) {
            Ok(json) if recorded.json.is_some() => json,
            _ => Value::from(String::from_utf8_lossy(&answer.body)),
        };
        let nomad = match &recorded.json {
            Some(json) => json.clone(),
            None => exchange.text().into(),
        };
        found.at("body", Some(&nomad), Some(&ours));
        found.differences
    }
}

/// What the indexes of a route count.
fn counted(route: &str) -> &'static str {
    let kinds = ["plugin", "node", "namespace", "job", "acl"];
    let of = |kind: &&&str| route.starts_with(&format!("/v1/{kind}"));
    kinds.iter().find(of).copied().unwrap_or("volume")
}

struct Found<'b> {
    bindings: &'b mut Bindings,
    counts: &'static str,
    differences: Vec<Difference>,
}

impl Found<'_> {
    fn differ(&mut self, at: &str, nomad: Option<&Value>, ours: Option<&Value>) {
        self.differences.push(Difference {
            at: at.to_owned(),
            nomad: nomad.cloned(),
            ours: ours.cloned(),
        });
    }

    fn at(&mut self, at: &str, nomad: Option<&Value>, ours: Option<&Value>) {
        match (nomad, ours) {
            (Some(Value::Object(nomad)), Some(Value::Object(ours))) => {
                for (key, value) in nomad {
                    let named = self.bindings.ours(key);
                    let same = match IDENTIFIER.is_match(key) && !ours.contains_key(&named) {
                        true => self.unbound_key(key, ours),
                        false => ours.get(&named),
                    };
                    self.at(&format!("{at}/{key}"), Some(value), same);
                }
                let known: BTreeSet<String> =
                    nomad.keys().map(|key| self.bindings.ours(key)).collect();
                for (key, value) in ours.iter().filter(|(key, _)| !known.contains(*key)) {
                    self.differ(&format!("{at}/{key}"), None, Some(value));
                }
            }
            (Some(Value::Array(nomad)), Some(Value::Array(ours))) if nomad.len() == ours.len() => {
                let ours = match at.ends_with("/Allocations") {
                    true => self.as_ordered(nomad, ours),
                    false => ours.iter().collect(),
                };
                for (nomad, ours) in nomad.iter().zip(ours) {
                    self.at(&format!("{at}/*"), Some(nomad), Some(ours));
                }
            }
            (Some(nomad), Some(ours)) if self.is_bound(at, nomad, ours) => {}
            _ => self.differ(at, nomad, ours),
        }
    }

    /// The value of a key that is an identifier seen for the first time: our only key that is one too.
    fn unbound_key<'v>(
        &mut self,
        key: &str,
        ours: &'v serde_json::Map<String, Value>,
    ) -> Option<&'v Value> {
        let free =
            |name: &&String| IDENTIFIER.is_match(name) && !self.bindings.taken.contains(*name);
        let found = ours.keys().find(free)?.clone();
        self.bindings.bind(key, &found);
        ours.get(&found)
    }

    /// Our elements in the order of Nomad's, where they are known by their ids: the order of a volume's
    /// allocations means nothing.
    fn as_ordered<'v>(&self, nomad: &[Value], ours: &'v [Value]) -> Vec<&'v Value> {
        let mut left: Vec<&Value> = ours.iter().collect();
        let mut ordered = Vec::new();
        for recorded in nomad {
            let id = recorded["ID"].as_str().map(|id| self.bindings.ours(id));
            let at = left
                .iter()
                .position(|it| it["ID"].as_str() == id.as_deref());
            ordered.push(left.remove(at.filter(|_| id.is_some()).unwrap_or(0)));
        }
        ordered
    }

    fn is_bound(&mut self, at: &str, nomad: &Value, ours: &Value) -> bool {
        let field = at.rsplit(['/', ' ']).next().unwrap_or_default();
        if INDEXES.contains(&field) {
            return match (nomad.as_u64(), ours.as_u64()) {
                (Some(nomad), Some(ours)) => {
                    let of = if at.starts_with("header") {
                        "answer"
                    } else {
                        self.counts
                    };
                    self.binds_index(of, nomad, ours)
                }
                _ => false,
            };
        }
        if TIMES.contains(&field) && nomad != ours {
            let is_set = |it: &Value| it.as_i64().is_some_and(|it| it != 0) || it.is_string();
            let are_times = is_set(nomad) && is_set(ours) && nomad.is_string() == ours.is_string();
            let times = &mut self.bindings.times;
            return are_times && times.entry(nomad.to_string()).or_insert(ours.clone()) == ours;
        }
        match (nomad, ours) {
            (Value::String(nomad), Value::String(ours)) => {
                let nomad = self.with_our_index(nomad, ours);
                self.binds_text(&nomad, ours)
            }
            _ => nomad == ours,
        }
    }

    /// A recorded text with our index in it, if that stands for the one that is told there.
    fn with_our_index(&mut self, nomad: &str, ours: &str) -> String {
        let index = |text: &str| TOLD_INDEX.captures(text)?[1].parse::<u64>().ok();
        match (index(nomad), index(ours)) {
            (Some(told), Some(index)) if self.binds_index("answer", told, index) => {
                let ours = format!("index: {index}");
                TOLD_INDEX.replace(nomad, ours).into_owned()
            }
            _ => nomad.to_owned(),
        }
    }

    /// 0 is 0; otherwise what is equal there is so here, and what is greater there is not less here.
    fn binds_index(&mut self, of: &'static str, nomad: u64, ours: u64) -> bool {
        if nomad == 0 || ours == 0 {
            return nomad == ours;
        }
        let bound = self.bindings.indexes.entry(of).or_default();
        if let Some(known) = bound.get(&nomad) {
            return *known == ours;
        }
        let before = bound.range(..nomad).next_back();
        let after = bound.range(nomad..).next();
        let fits =
            before.is_none_or(|(_, it)| *it <= ours) && after.is_none_or(|(_, it)| ours <= *it);
        if fits {
            bound.insert(nomad, ours);
        }
        fits
    }

    /// The same text, with identifiers bound.
    fn binds_text(&mut self, nomad: &str, ours: &str) -> bool {
        if self.bindings.ours(nomad) == ours {
            return true;
        }
        let mut pattern = String::from("^");
        let mut end = 0;
        let mut unbound = Vec::new();
        for found in RECORDED.find_iter(nomad) {
            pattern.push_str(&regex::escape(&nomad[end..found.start()]));
            match self.bindings.names.get(found.as_str()) {
                Some(bound) => pattern.push_str(&regex::escape(bound)),
                None => {
                    pattern.push_str(&format!("({})", IDENTIFIER.as_str()));
                    unbound.push(found.as_str());
                }
            }
            end = found.end();
        }
        pattern.push_str(&regex::escape(&nomad[end..]));
        pattern.push('$');
        let Some(fit) = Regex::new(&pattern).unwrap().captures(ours) else {
            return false;
        };
        // each identifier is a group around a group
        let new: Vec<_> = (0..unbound.len())
            .filter_map(|at| fit.get(1 + 2 * at))
            .map(|it| it.as_str().to_owned())
            .collect();
        if new.iter().any(|it| self.bindings.taken.contains(it)) {
            return false;
        }
        for (nomad, ours) in unbound.into_iter().zip(new) {
            self.bindings.bind(nomad, &ours);
        }
        true
    }
}
