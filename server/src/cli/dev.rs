//! `saddlebag dev`: everything in one process.

mod data;
mod greeting;

use crate::acl;
use crate::chance::Chance;
use crate::cli::running::{self, End};
use crate::cli::say;
use crate::cli::signals::Signals;
use crate::clock::Clock;
use crate::config::{Config, PluginConfig};
use crate::error::StatusStyle;
use crate::http::{limits, listen};
use crate::id::Namespace;
use crate::server::{BUILTIN, Server, Watcher};
use data::Data;
use greeting::Greeting;
use jiff::Timestamp;
use std::io::{stderr, stdout};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Where the clock of a run with a seed stands: 2026-01-01T00:00:00Z.
const SEEDED_START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// How many requests with what is no token slow nothing: more than tests send on purpose.
const FREE_FAILURES: usize = 10_000;

/// Runs everything in one process, with nothing to configure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port to answer on, at 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 4646)]
    port: u16,

    /// Where data is kept. A temporary folder, removed at exit, unless given.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// A driver: `id=NAME,endpoint=unix:///PATH[,type=controller|node|monolith][,secrets=FILE]
    /// [,base_dir=HOST:DRIVER]`, or `id=NAME[,…],command=PROGRAM ARGUMENT …` to have it started; may be
    /// repeated. A driver in a container sees only a part of the host: the folder HOST, as DRIVER.
    #[arg(long = "plugin", value_name = "PLUGIN")]
    plugins: Vec<PluginConfig>,

    /// Run without the built-in driver.
    #[arg(long)]
    no_local: bool,

    /// The most calls that one plugin gets at once; others wait for their turn.
    #[arg(long, value_name = "N", default_value_t = crate::csi::CALLS_AT_ONCE, value_parser = at_least_one)]
    calls_at_once: usize,

    /// A namespace to have besides `default`; may be repeated.
    #[arg(long = "namespace", value_name = "NAME", value_parser = Namespace::parse)]
    namespaces: Vec<Namespace>,

    /// Let each caller do only what its token allows. `saddlebag acl bootstrap` makes the first token.
    #[arg(long)]
    acl_enabled: bool,

    /// A folder below which a claim's TargetPath may lie; may be repeated. Without one, volumes are found
    /// below the data folder only.
    #[arg(long = "target-root", value_name = "DIR", value_parser = existing_folder)]
    target_roots: Vec<PathBuf>,

    /// Which statuses failures are answered with: true ones, or those of a real Nomad.
    #[arg(long, value_enum, default_value_t)]
    status: StatusStyle,

    /// For tests: a number that decides every id and every time. Two runs from an empty data folder of
    /// the same path that are asked the same, one request after another, answer the same. Whoever knows it
    /// knows the secrets of tokens.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Written with the server's URL when every plugin is healthy.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Serves until Ctrl-C or SIGTERM; a second one ends it at once. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match serve(args).await {
        Ok(code) => code,
        Err(error) => {
            say(stderr(), &format!("saddlebag dev: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> Result<ExitCode, String> {
    let signals = Signals::listen()?;
    if let Some(file) = &args.ready_file {
        running::remove_old(file)?;
    }
    let data = Data::at(args.data_dir.as_deref())?;
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let (clock, chance) = match args.seed {
        None => (Clock::default(), Chance::default()),
        Some(seed) => {
            data.has_to_be_new()?;
            (Clock::standing_at(SEEDED_START), Chance::seeded(seed))
        }
    };
    let listener = running::listen(address, "Try --port 0, which picks a free one").await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let config = Config {
        builtin_driver: !args.no_local,
        plugins: args.plugins,
        namespaces: args.namespaces,
        acl_enabled: args.acl_enabled,
        calls_at_once: args.calls_at_once,
        status: args.status,
        target_roots: args.target_roots,
        failed_logins: acl::Limits {
            free: FREE_FAILURES,
            ..acl::Limits::default()
        },
        check_truth: true,
        testing: true,
        // The tests of one host may have as many as they like.
        connections: listen::Limits {
            connections_per_address: usize::MAX,
            ..listen::Limits::default()
        },
        requests: limits::Limits {
            blocked_queries_per_address: usize::MAX,
            ..limits::Limits::default()
        },
        chance,
        ..Config::new(data.path())
    };
    if config.hides_builtin() {
        return Err(format!(
            "--plugin id={BUILTIN} is the built-in driver's id: choose another, or add --no-local"
        ));
    }
    let server = Server::start(config, clock, None)
        .await
        .map_err(|error| error.to_string())?;
    let greeting = Greeting {
        url: format!("http://{address}"),
        data_dir: data.path().to_owned(),
        is_temporary: data.is_temporary(),
    };
    let greeted = tokio::spawn(greet(server.watcher(), greeting, args.ready_file));
    let end = running::until_stopped(server, listener, signals, || {
        greeted.abort();
        say(stderr(), "Stopping. Once more to stop at once.\n");
    });
    match end.await? {
        End::Stopped => data.remove().map(|()| ExitCode::SUCCESS),
        end => Ok(end_at_once(data, end).await),
    }
}

/// Ends without waiting for anything.
async fn end_at_once(data: Data, end: End) -> ExitCode {
    running::let_drop().await;
    if let Err(error) = data.remove() {
        say(stderr(), &format!("saddlebag dev: {error}\n"));
    }
    // Returning would wait for threads that a driver's files hold up.
    std::process::exit(end.code().into())
}

/// Waits until every plugin is healthy, then says so. While one is not, says what is known so far.
async fn greet(watcher: Watcher, greeting: Greeting, ready_file: Option<PathBuf>) {
    const PATIENCE: Duration = Duration::from_secs(3);
    let are_healthy = tokio::time::timeout(PATIENCE, watcher.all_healthy()).await;
    say(stdout(), &greeting.text(&watcher.state()));
    if are_healthy.is_err() {
        watcher.all_healthy().await;
        say(stdout(), "Now every plugin is healthy.\n");
    }
    if let Some(file) = ready_file {
        running::write_ready(&file, &greeting.url);
    }
}

/// The folder with all symbolic links followed, as a claim has to name it.
fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let folder = std::fs::canonicalize(text).map_err(|error| error.to_string())?;
    match folder.is_dir() {
        true => Ok(folder),
        false => Err("it is no folder".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one call has to be possible".to_owned()),
        Ok(calls) => Ok(calls),
        Err(_) => Err(format!("{text:?} is not a number")),
    }
}
