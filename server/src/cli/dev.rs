//! `saddlebag dev`: everything in one process.

mod greeting;

use crate::clock::Clock;
use crate::config::{Config, PluginConfig};
use crate::error::StatusStyle;
use crate::id::Namespace;
use crate::server::Server;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Runs everything in one process, with nothing to configure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port to answer on, at 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 4646)]
    port: u16,

    /// Where data is kept. A temporary folder, removed at exit, unless given.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// A driver: `id=NAME,endpoint=unix:///PATH[,type=controller|node|monolith][,secrets=FILE]`, or
    /// `id=NAME[,type=…][,secrets=FILE],command=PROGRAM ARGUMENT …` to have it started; may be repeated.
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

    /// Which statuses failures are answered with: true ones, or those of a real Nomad.
    #[arg(long, value_enum, default_value_t)]
    status: StatusStyle,

    /// Written with the server's URL when every plugin is healthy.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Serves until Ctrl-C or SIGTERM; a second one ends it at once. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match serve(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("saddlebag dev: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> Result<(), String> {
    let (data_dir, temporary) = match args.data_dir {
        Some(folder) => (folder, None),
        None => {
            let folder = tempfile::Builder::new()
                .prefix("saddlebag-dev-")
                .tempdir()
                .map_err(|error| format!("no temporary folder can be made: {error}"))?;
            (folder.path().to_owned(), Some(folder))
        }
    };
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address} cannot be listened on: {error}. Try --port 0"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let config = Config {
        builtin_driver: !args.no_local,
        plugins: args.plugins,
        namespaces: args.namespaces,
        calls_at_once: args.calls_at_once,
        status: args.status,
        check_truth: true,
        ..Config::new(&data_dir)
    };
    let server = Server::start(config, Clock::default(), None)
        .await
        .map_err(|error| error.to_string())?;
    let greet = greet_when_ready(
        server.watcher(),
        greeting::Greeting {
            url: format!("http://{address}"),
            data_dir,
            is_temporary: temporary.is_some(),
        },
        args.ready_file,
    );
    let greeted = tokio::spawn(greet);
    let served = server.serve(listener, told_to_stop()?).await;
    greeted.abort();
    if let Some(folder) = temporary {
        let path = folder.path().to_owned();
        folder
            .close()
            .map_err(|error| format!("{} cannot be removed: {error}", path.display()))?;
    }
    served.map_err(|error| error.to_string())
}

/// Waits until every plugin is healthy, then says so. While one is not, says what is known so far.
async fn greet_when_ready(
    watcher: crate::server::Watcher,
    greeting: greeting::Greeting,
    ready_file: Option<PathBuf>,
) {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);
    if tokio::time::timeout(PATIENCE, watcher.all_healthy())
        .await
        .is_err()
    {
        print!("{}", greeting.text(&watcher.state()));
        watcher.all_healthy().await;
        println!("Now every plugin is healthy.");
    } else {
        print!("{}", greeting.text(&watcher.state()));
    }
    if let Some(file) = ready_file
        && let Err(error) = write_whole(&file, &greeting.url)
    {
        tracing::error!("{} cannot be written: {error}", file.display());
    }
}

/// Writes a file that is never seen half written.
fn write_whole(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(std::path::Path::new("."));
    let mut whole = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut whole, text.as_bytes())?;
    whole.persist(file)?;
    Ok(())
}

/// Completes at the first Ctrl-C or SIGTERM; the second one ends the process.
fn told_to_stop() -> Result<impl Future<Output = ()> + Send + 'static, String> {
    let listen = |kind| signal(kind).map_err(|error| error.to_string());
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("Stopping. Once more to stop at once.");
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(130);
        });
    })
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one call has to be possible".to_owned()),
        Ok(calls) => Ok(calls),
        Err(_) => Err(format!("{text:?} is not a number")),
    }
}
