//! `saddlebag serve`: the control plane, configured.

mod manager;
mod ready;
mod reload;

use crate::cli::config::Source;
use crate::cli::log::Log;
use crate::cli::running::{self, End};
use crate::cli::say;
use crate::cli::signals::Signals;
use crate::clock::Clock;
use crate::server::Server;
use manager::Manager;
use reload::Reload;
use std::io::stderr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// Runs the control plane.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,

    /// Written with the server's URL when requests are answered and every plugin was asked how it is.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Serves until SIGTERM or Ctrl-C; a second one ends it at once. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match serve(args).await {
        Ok(End::Stopped) => ExitCode::SUCCESS,
        Ok(end) => {
            running::let_drop().await;
            // Returning would wait for threads that a driver's files hold up.
            std::process::exit(end.code().into())
        }
        Err(error) => {
            say(stderr(), &format!("saddlebag serve: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> Result<End, String> {
    let signals = Signals::listen()?;
    let hangups = signal(SignalKind::hangup())
        .map_err(|error| format!("signals cannot be listened for: {error}"))?;
    let settings = args.source.read()?;
    let log = settings.log.clone();
    let repeats = log.repeats();
    let log = Log::start(
        log.level.unwrap_or_default().filter(),
        log.format.unwrap_or_default(),
        Some(repeats),
    );
    let manager = Manager::from_environment()?;
    if let Some(file) = &args.ready_file {
        running::remove_old(file)?;
    }
    let address = settings.address().map_err(|unfit| unfit.to_string())?;
    let advice = "Set another port, or 0 for one that is free";
    let listener = running::listen(address, advice).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let config = settings.config().map_err(|unfit| unfit.to_string())?;
    let data_dir = config.data_dir.clone();
    let server = Server::start(config, Clock::default(), None)
        .await
        .map_err(|error| error.to_string())?;
    let scheme = server.certificates().map_or("http", |_| "https");
    let url = format!("{scheme}://{address}");
    tracing::info!(%url, data_dir = %data_dir.display(), "answering at {url}");
    let watcher = server.watcher();
    let reload = Reload {
        source: args.source,
        used: settings,
        plugins: server.plugins(),
        certificates: server.certificates(),
        audit: server.audit(),
        log,
        manager: manager.clone(),
        watcher: watcher.clone(),
        url: url.clone(),
    };
    let told = manager.clone();
    let _beside = [
        tokio::spawn(ready::tell(
            watcher.clone(),
            manager.clone(),
            url,
            args.ready_file,
        )),
        tokio::spawn(reload.at_each(hangups)),
        tokio::spawn(manager.watchdog(watcher)),
    ]
    .map(AbortOnDropHandle::new);
    let end = running::until_stopped(server, listener, signals, || {
        tracing::info!("stopping; a second signal ends it at once");
        told.stopping();
    });
    let end = end.await?;
    match end {
        End::Stopped => tracing::info!("stopped"),
        End::ToldTwice => {
            tracing::warn!("stopped at once; the next start takes up what was under way")
        }
        End::Overdue => tracing::error!(
            "did not stop within shutdown_timeout; the next start takes up what was under way"
        ),
    }
    Ok(end)
}
