//! Values that nobody may see by accident.
//!
//! - Memory that held a secret is overwritten when it is dropped.
//! - A secret has no `Display`, no `Serialize` and no `PartialEq`, and its `Debug` shows nothing:
//!   whoever wants the value says [`Secret::expose`], which a reviewer can search for.
//! - A text that came from elsewhere is cleaned by [`Secrets::redact`].
//!
//! Limits: the bytes of a request as they arrived, and a call's message to a driver until it is sent,
//! hold plain copies, which are freed and not overwritten.
//!
//! ```compile_fail,E0277
//! println!("{}", saddlebag::csi::Secret::new("hush"));
//! ```
//! ```compile_fail,E0277
//! serde_json::to_string(&saddlebag::csi::Secret::new("hush"));
//! ```
//! ```compile_fail,E0277
//! serde_json::to_string(&saddlebag::csi::Secrets::none());
//! ```
//! ```compile_fail,E0369
//! let same = saddlebag::csi::Secret::new("a") == saddlebag::csi::Secret::new("b");
//! ```
//! ```compile_fail,E0369
//! let same = saddlebag::csi::Secrets::none() == saddlebag::csi::Secrets::none();
//! ```

use super::{Capability, Reference, appearance};
use std::{collections::BTreeMap, collections::HashMap, fmt};
use zeroize::Zeroizing;

/// What stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";

/// One confidential value.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps this value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself: for a driver's call and for encryption, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// The secrets of one call, by key: values, and references to values that are read at each call.
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, Secret>,
    from: BTreeMap<String, Reference>,
}

/// What a controller hands to the node side at publish (CSI `publish_context`). Drivers put
/// credentials in it, so it is treated as secrets are.
pub type PublishContext = Secrets;

impl Secrets {
    /// None.
    pub const fn none() -> Self {
        Self {
            values: BTreeMap::new(),
            from: BTreeMap::new(),
        }
    }

    /// Takes over values that were parsed from a request, or decrypted.
    pub fn from_plain(plain: impl IntoIterator<Item = (String, String)>) -> Self {
        plain
            .into_iter()
            .map(|(key, value)| (key, Secret::new(value)))
            .collect()
    }

    /// Plain copies, to be encrypted for the store. They are overwritten when dropped.
    pub fn to_plain_for_encryption(&self) -> BTreeMap<String, Zeroizing<String>> {
        self.iter()
            .map(|(key, secret)| (key.to_owned(), Zeroizing::new(secret.expose().to_owned())))
            .collect()
    }

    /// Plain copies, for a message to a driver.
    pub(super) fn to_message(&self) -> HashMap<String, String> {
        self.iter()
            .map(|(key, secret)| (key.to_owned(), secret.expose().to_owned()))
            .collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.from.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.values.get(key)
    }

    /// The references, by key.
    pub fn references(&self) -> &BTreeMap<String, Reference> {
        &self.from
    }

    /// These, with the values and the references replaced that are given. A key that then has both is
    /// a reference.
    #[must_use]
    pub fn updated(
        mut self,
        values: Option<&Secrets>,
        from: Option<&BTreeMap<String, Reference>>,
    ) -> Secrets {
        if let Some(values) = values {
            self.values = values.values.clone();
        }
        if let Some(from) = from {
            self.from = from.clone();
        }
        self.values.retain(|key, _| !self.from.contains_key(key));
        self
    }

    /// All values, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.values
            .iter()
            .map(|(key, secret)| (key.as_str(), secret))
    }

    /// These secrets with `over` laid on top: where both have a key, the value of `over` counts.
    /// (Nomad: a volume's stored secrets overlaid by the request's.)
    pub fn merged_with(&self, over: &Secrets) -> Secrets {
        let mut merged = self.clone();
        merged.values.retain(|key, _| !over.from.contains_key(key));
        merged.from.retain(|key, _| !over.values.contains_key(key));
        merged.values.extend(over.values.clone());
        merged.from.extend(over.from.clone());
        merged
    }

    /// These, and what else of a call is confidential: the publish context that it carries, and mount
    /// flags that name a value (`password=hush`) or are long. Only to be looked for in a text: the
    /// keys are not those that a driver knows.
    pub(super) fn and<'c>(
        &self,
        context: &PublishContext,
        capabilities: impl IntoIterator<Item = &'c Capability>,
    ) -> Secrets {
        let flags = capabilities
            .into_iter()
            .flat_map(|capability| &capability.mount_options.mount_flags);
        let of_context = context.values.iter();
        let of_context =
            of_context.map(|(key, value)| (format!("publish context {key}"), value.clone()));
        let of_flags = flags.enumerate().flat_map(|(at, flag)| {
            confidential_parts(flag)
                .enumerate()
                .map(move |(part, value)| (format!("mount flag {at} {part}"), Secret::new(value)))
        });
        let mut all = self.clone();
        all.values.extend(of_context.chain(of_flags));
        all
    }

    /// `text` with every occurrence of every value replaced by [`REDACTED`], however a driver
    /// may print it (`appearance`). Occurrences that overlap or touch become one.
    pub fn redact(&self, text: &str) -> String {
        let mut hidden: Vec<(usize, usize)> = self
            .iter()
            .flat_map(|(_, secret)| appearance::in_text(secret.expose(), text))
            .collect();
        hidden.sort_unstable();

        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        let mut hiding = false;
        for (start, end) in hidden {
            if start > at || !hiding {
                shown.push_str(&text[at..start.max(at)]);
                shown.push_str(REDACTED);
                hiding = true;
            }
            at = at.max(end);
        }
        shown.push_str(&text[at..]);
        shown
    }
}

/// What of a mount flag is not to be told: all of one that is long or names a value, and that value,
/// unless it is as short as a number.
fn confidential_parts(flag: &str) -> impl Iterator<Item = &str> {
    const LONG: usize = 12;
    const LEAST_VALUE: usize = 4;
    let value = flag.split_once('=').map(|(_, value)| value);
    let whole = (value.is_some() || flag.len() >= LONG).then_some(flag);
    let value = value.filter(|value| value.len() >= LEAST_VALUE);
    whole.into_iter().chain(value)
}

impl FromIterator<(String, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(secrets: I) -> Self {
        Self {
            values: secrets.into_iter().collect(),
            from: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csi::{AccessMode, AttachmentMode, MountOptions};

    fn secrets(values: &[&str]) -> Secrets {
        Secrets::from_plain(
            values
                .iter()
                .enumerate()
                .map(|(n, value)| (format!("key-{n}"), (*value).to_owned())),
        )
    }

    #[test]
    fn every_value_is_replaced_wherever_it_stands() {
        for (values, text, shown) in [
            (&["hunter2"][..], "no hunter2, no", "no [REDACTED], no"),
            (&["hunter2"], "hunter2hunter2", "[REDACTED]"),
            (&["hunter2", "hunter23"], "is hunter23!", "is [REDACTED]!"),
            (&["abca", "cabd"], "x abcabd y", "x [REDACTED] y"),
            (&["aa"], "baaab", "b[REDACTED]b"),
            (&["RED", "ACT"], "RED ACT", "[REDACTED] [REDACTED]"),
            (&["", " "], "not a thing", "not a thing"),
            (&["é"], "café é", "caf[REDACTED] [REDACTED]"),
            (&["key\n"], "bad key.", "bad [REDACTED]."),
            (&["a\"b"], r#"bad "a\"b""#, r#"bad "[REDACTED]""#),
            (
                &["BEGIN KEY\nMIIEpAIBAA\nend"],
                "at MIIEpAIBAA",
                "at [REDACTED]",
            ),
            (&[], "as it was", "as it was"),
            (&["x"], "", ""),
        ] {
            assert_eq!(
                secrets(values).redact(text),
                shown,
                "{values:?} in {text:?}"
            );
        }
    }

    #[test]
    fn a_value_is_found_encoded_and_in_pieces() {
        let hidden = secrets(&["s3cr3t/pass+word", "hush"]);
        for text in [
            "basic czNjcjN0L3Bhc3Mrd29yZA== no",     // base64
            "basic dXNlcjpzM2NyM3QvcGFzcyt3b3Jk no", // of user:value
            "basic YTpzM2NyM3QvcGFzcyt3b3Jk no",     // of a:value
            "url czNjcjN0L3Bhc3Mrd29yZA no",         // without padding
            "url s3cr3t%2Fpass%2Bword no",           // in a URL
            "url s3cr3t%2fpass%2bword no",           // likewise
            "hex 7333637233742f706173732b776f7264 no",
            "hex 7333637233742F706173732B776F7264 no",
            "cut s3cr3t/pass+ no", // 12 of its bytes and more
        ] {
            let shown = hidden.redact(text);
            assert!(
                shown.contains(REDACTED) && shown.ends_with(" no"),
                "{text}: {shown}"
            );
            for part in ["s3cr3t", "czNjcjN0", "pzM2NyM3", "73336372"] {
                assert!(!shown.contains(part), "{text}: {shown}");
            }
        }
        // What is short is found as it is, and nothing else.
        assert_eq!(hidden.redact("hush aHVzaA=="), "[REDACTED] aHVzaA==");
    }

    #[test]
    fn contexts_and_flags_are_looked_for_too() {
        let flags = ["ro", "vers=4", "password=hunter2", "longer-than-most"];
        let capability = Capability {
            access_mode: AccessMode::SingleNodeWriter,
            attachment_mode: AttachmentMode::FileSystem,
            mount_options: MountOptions {
                fs_type: "ext4".to_owned(),
                mount_flags: flags.map(str::to_owned).to_vec(),
            },
        };
        let context = secrets(&["of-the-context"]);
        let all = secrets(&["of-the-volume"]).and(&context, [&capability]);
        assert_eq!(
            all.redact("root of-the-volume of-the-context vers=4 hunter2 longer-than-most"),
            "root [REDACTED] [REDACTED] [REDACTED] [REDACTED] [REDACTED]"
        );
    }

    #[test]
    fn what_is_laid_on_top_counts() {
        let below = Secrets::from_plain([
            ("user".to_owned(), "old".to_owned()),
            ("zone".to_owned(), "a".to_owned()),
        ]);
        let above = Secrets::from_plain([("user".to_owned(), "new".to_owned())]);
        let merged = below.merged_with(&above);
        let plain: Vec<_> = merged.iter().map(|(key, s)| (key, s.expose())).collect();
        assert_eq!(plain, [("user", "new"), ("zone", "a")]);
    }

    #[test]
    fn debug_shows_neither_values_nor_keys() {
        let shown = format!("{:?} {:#?}", secrets(&["hunter2"]), Secret::new("hunter2"));
        assert_eq!(shown, "[REDACTED] [REDACTED]");
    }
}
