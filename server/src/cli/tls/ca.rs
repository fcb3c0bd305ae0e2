//! `saddlebag tls ca create`.

use super::{Place, label};
use crate::cli::failure::{Exit, Failure};
use crate::clock::Clock;
use crate::tls::authority;

/// What is done with an authority.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a private authority: DOMAIN-agent-ca.pem and DOMAIN-agent-ca-key.pem.
    ///
    /// The certificate goes to whoever verifies: `tls.ca_file` of servers, `--ca-cert` of clients. The key signs; keep it
    /// apart from servers.
    #[command(after_help = "Example:\n  saddlebag tls ca create")]
    Create(Args),
}

/// Makes an authority.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What it is called. DOMAIN Agent CA, and a random number, unless given.
    #[arg(long, value_name = "NAME")]
    common_name: Option<String>,

    /// The domain that its certificates are of.
    #[arg(long, value_name = "DOMAIN", default_value = "saddlebag", value_parser = label)]
    domain: String,

    /// For how many days it is good.
    #[arg(long, value_name = "N", default_value_t = 1825, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

pub(super) fn create(args: &Args) -> Result<String, Failure> {
    let domain = &args.domain;
    // Whoever knows two authorities tells them apart by their names.
    let usual = || format!("{domain} Agent CA {:08x}", rand::random::<u32>());
    let common_name = args.common_name.clone().unwrap_or_else(usual);
    let pair = authority::create(&common_name, args.days, Clock::default().now())
        .map_err(|refused| Failure::new(Exit::Failed, refused.to_string(), &[]))?;
    let place = Place::of(&format!("{domain}-agent-ca"));
    place.write(&pair)?;
    Ok(place.told())
}
