//! `saddlebag config`: what a server would be told.

mod variable;

use crate::cli::say;
use crate::clock::Clock;
use crate::config::{EXAMPLE, Launch, PluginConfig, Settings, Unfit, file};
use crate::server::secrets_of;
use crate::tls::Certificates;
use std::io::{stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

/// A systemd unit of a server whose drivers are units of their own.
const UNIT: &str = include_str!("config/saddlebag.service");

/// A systemd unit of a server that starts drivers.
const UNIT_WITH_DRIVERS: &str = include_str!("config/saddlebag-with-drivers.service");

/// What is asked about configuration.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print a configuration file with every key, its meaning and its default.
    #[command(after_help = "Example:\n  saddlebag config example > saddlebag.toml")]
    Example,
    /// Say what `serve` would use, or what is wrong.
    ///
    /// Prints every key with the value that counts: a flag's, or else the environment's, the file's, the
    /// default. Secrets are not printed. Exits with 1 if `serve` would not start with it.
    #[command(after_help = "Example:\n  saddlebag config check -c saddlebag.toml")]
    Check(Box<Source>),
    /// Print a systemd unit that runs `saddlebag serve`.
    ///
    /// The server runs as a user without any rights, in a tight sandbox: its drivers are units of their own, whose sockets
    /// that user may connect to.
    #[command(
        after_help = "Example:\n  saddlebag config systemd > /etc/systemd/system/saddlebag.service"
    )]
    Systemd {
        /// For a server that starts drivers (`command` of a plugin), or runs the built-in one: as root, since they mount, and
        /// almost without a sandbox.
        #[arg(long)]
        with_drivers: bool,
    },
}

/// Where configuration comes from.
#[derive(Clone, Debug, clap::Args)]
pub struct Source {
    /// The configuration file; `saddlebag config example` prints one.
    #[arg(
        short = 'c',
        long = "config",
        value_name = "FILE",
        env = "SADDLEBAG_CONFIG"
    )]
    file: Option<PathBuf>,

    #[command(flatten)]
    given: Settings,
}

impl Source {
    /// Every key with the value that counts, now. They can stand together.
    pub fn read(&self) -> Result<Settings, String> {
        let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        variable::check(variables)?;
        let in_file = match &self.file {
            Some(file) => file::read(file).map_err(|error| error.to_string())?,
            None => Settings::default(),
        };
        let settings = self.given.clone().or(in_file).or(Settings::defaults());
        match settings.address().and_then(|_| settings.config()) {
            Ok(_) => Ok(settings),
            Err(unfit) => Err(self.told(&unfit)),
        }
    }

    /// What does not fit, with its place in the file if that is where it comes from.
    fn told(&self, unfit: &Unfit) -> String {
        let is_given = self
            .given
            .by_key()
            .is_ok_and(|given| given.contains_key(unfit.key));
        let file = self.file.as_deref().filter(|_| !is_given);
        match file.and_then(|file| file::place_of(file, unfit)) {
            Some(error) => error.to_string(),
            None => format!("{}: {unfit}", unfit.key),
        }
    }
}

/// Answers. Failures are told on standard error.
pub fn run(command: Command) -> ExitCode {
    let answer = match command {
        Command::Example => Ok(EXAMPLE.to_owned()),
        Command::Check(source) => check(&source),
        Command::Systemd {
            with_drivers: false,
        } => Ok(UNIT.to_owned()),
        Command::Systemd { with_drivers: true } => Ok(UNIT_WITH_DRIVERS.to_owned()),
    };
    match answer {
        Ok(text) => {
            say(stdout(), &text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(stderr(), &format!("saddlebag config: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn check(source: &Source) -> Result<String, String> {
    let mut settings = source.read()?;
    for plugin in settings.plugins.iter_mut().flatten() {
        hide_secrets(plugin)?;
    }
    let config = settings.config().map_err(|unfit| unfit.to_string())?;
    if let Some(files) = config.tls {
        let loaded = Certificates::load(files, Clock::default());
        let certificates = loaded.map_err(|error| format!("TLS: {error}"))?;
        if let Some(problem) = certificates.problem() {
            say(stderr(), &format!("saddlebag config: {problem}\n"));
        }
    }
    if let Some(audit) = config
        .audit
        .filter(|audit| !audit.file.starts_with(&config.data_dir))
    {
        let checked = audit.check();
        checked.map_err(|error| format!("the audit log cannot be used: {error}"))?;
    }
    settings.shown()
}

/// Reads the plugin's secrets, as a server would, and hides them where its command tells them, too.
fn hide_secrets(plugin: &mut PluginConfig) -> Result<(), String> {
    if let Some(file) = &plugin.secrets {
        let secrets = secrets_of(file).map_err(|error| error.to_string())?;
        if let Launch::Command(words) = &mut plugin.launch {
            words
                .iter_mut()
                .for_each(|word| *word = secrets.redact(word));
        }
    }
    Ok(())
}
