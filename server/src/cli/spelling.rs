//! Flags as Nomad's users type them: `-json`, `-plugin_id=local`, with one dash.

use std::ffi::OsString;

/// The commands that Nomad has, too, or that look like its.
const NOMADS: [&str; 10] = [
    "volume",
    "plugin",
    "node",
    "operation",
    "namespace",
    "acl",
    "keyring",
    "tls",
    "version",
    "doctor",
];

/// The words of a command line, with flags of one dash in the spelling of two.
///
/// Only what follows one of these commands is touched, and nothing after `--`. A single letter stays a short flag.
pub fn with_two_dashes(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut is_nomads = false;
    let mut is_over = false;
    let spelled = words.into_iter().enumerate().map(|(at, word)| {
        let Some(text) = word.to_str() else {
            return word;
        };
        is_nomads |= at == 1 && NOMADS.contains(&text);
        is_over |= text == "--";
        match is_nomads && !is_over && is_long_flag(text) {
            true => format!("-{text}").into(),
            false => word,
        }
    });
    spelled.collect()
}

fn is_long_flag(word: &str) -> bool {
    let name = word.strip_prefix('-').unwrap_or_default();
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dash_is_enough_after_nomads_commands_alone() {
        for (typed, read) in [
            (
                "saddlebag volume list -json",
                "saddlebag volume list --json",
            ),
            (
                "saddlebag plugin status -verbose x",
                "saddlebag plugin status --verbose x",
            ),
            (
                "saddlebag volume list -plugin_id=a-b",
                "saddlebag volume list --plugin_id=a-b",
            ),
            ("saddlebag volume create -", "saddlebag volume create -"),
            (
                "saddlebag volume list -h --json",
                "saddlebag volume list -h --json",
            ),
            (
                "saddlebag volume status -- -json",
                "saddlebag volume status -- -json",
            ),
            ("saddlebag dev -json", "saddlebag dev -json"),
        ] {
            let words = typed.split(' ').map(OsString::from);
            let expected: Vec<OsString> = read.split(' ').map(OsString::from).collect();
            assert_eq!(with_two_dashes(words), expected);
        }
    }
}
