//! `saddlebag version`: which one this is, and what it was built from.

use crate::cli::say;
use std::io::stdout;
use std::process::ExitCode;

/// Says which version this is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what it was built from, too.
    #[arg(long)]
    verbose: bool,
}

/// What the build script saw. Nothing in it differs between two builds of the same sources by the same
/// compiler. The commit is known if the build's environment had it, as SADDLEBAG_COMMIT.
const BUILT_FROM: [(&str, &str); 5] = [
    ("commit", env!("SADDLEBAG_BUILT_COMMIT")),
    ("target", env!("SADDLEBAG_BUILT_TARGET")),
    ("compiler", env!("SADDLEBAG_BUILT_RUSTC")),
    ("profile", env!("SADDLEBAG_BUILT_PROFILE")),
    ("features", env!("SADDLEBAG_BUILT_FEATURES")),
];

/// Says it on standard output.
pub fn run(args: &Args) -> ExitCode {
    let mut text = format!("saddlebag {}\n", env!("CARGO_PKG_VERSION"));
    for (what, known) in BUILT_FROM.iter().filter(|_| args.verbose) {
        let known = match *known {
            "" if *what == "features" => "none",
            "" => "not known",
            known => known,
        };
        text.push_str(&format!("{what:<9} {known}\n"));
    }
    say(stdout(), &text);
    ExitCode::SUCCESS
}
