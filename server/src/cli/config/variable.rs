//! Variables of the environment that look like ours and are not.

use super::Source;
use crate::config::closest;
use clap::Args;

const PREFIX: &str = "SADDLEBAG_";

/// What commands that ask a server read. `SADDLEBAG_REGION` is both theirs and the server's.
const OF_CLIENTS: [&str; 10] = [
    "ADDR",
    "TOKEN",
    "NAMESPACE",
    "REGION",
    "CACERT",
    "CAPATH",
    "CLIENT_CERT",
    "CLIENT_KEY",
    "TLS_SERVER_NAME",
    "SKIP_VERIFY",
];

/// Refuses a variable that nobody reads if its name is close to one that is read: who set it meant that
/// one, and would be served as if nothing had been said.
pub(super) fn check(given: impl Iterator<Item = String>) -> Result<(), String> {
    let command = Source::augment_args(clap::Command::new("saddlebag"));
    let known: Vec<&str> = command
        .get_arguments()
        .filter_map(|argument| argument.get_env()?.to_str()?.strip_prefix(PREFIX))
        .collect();
    for name in given {
        let Some(name) = name
            .strip_prefix(PREFIX)
            .filter(|name| !OF_CLIENTS.contains(name))
        else {
            continue;
        };
        if let Some(meant) = closest(name, known.iter().copied()).filter(|meant| *meant != name) {
            return Err(format!(
                "{PREFIX}{name} in the environment is not known: did you mean {PREFIX}{meant}?"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    fn of(name: &str) -> Result<(), String> {
        check([name.to_owned()].into_iter())
    }

    #[test]
    fn a_name_that_is_almost_right_is_refused_and_any_other_is_none_of_ours() {
        for name in ["SADDLEBAG_DATADIR", "SADDLEBAG_LOGLEVEL", "SADDLEBAG_PORTS"] {
            let error = of(name).unwrap_err();
            assert!(error.contains("did you mean SADDLEBAG_"), "{error}");
        }
        for name in [
            "SADDLEBAG_DATA_DIR",
            "SADDLEBAG_ADDR",
            "SADDLEBAG_NAMESPACE",
            "DATA_DIR",
            "PATH",
        ] {
            assert_eq!(of(name), Ok(()));
        }
    }
}
