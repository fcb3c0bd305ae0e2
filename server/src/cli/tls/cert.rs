//! `saddlebag tls cert create`.

use super::{Place, label};
use crate::cli::failure::{Exit, Failure};
use crate::clock::Clock;
use crate::tls::authority::{Authority, Pair, Wanted};
use rustls::pki_types::DnsName;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// What is done with certificates.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a certificate that the authority signs: REGION-server-DOMAIN.pem and REGION-server-DOMAIN-key.pem.
    ///
    /// A server's stands for server.REGION.DOMAIN, localhost and this machine's own addresses; what else clients call it,
    /// --additional-dnsname and --additional-ipaddress say. A node's is shown to servers and answers, too; one for the
    /// command line is shown to servers only.
    #[command(
        after_help = "Example:\n  saddlebag tls cert create --server --additional-dnsname storage.example.org\n  saddlebag tls cert create --cli"
    )]
    Create(Args),
}

/// Makes a certificate.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    whose: Whose,

    /// A host name that it stands for, too; may be repeated.
    #[arg(long = "additional-dnsname", value_name = "NAME", value_parser = host_name)]
    names: Vec<String>,

    /// An address that it stands for, too; may be repeated.
    #[arg(long = "additional-ipaddress", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,

    /// The authority's certificate. DOMAIN-agent-ca.pem unless given.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The authority's key. DOMAIN-agent-ca-key.pem unless given.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The region that it is for.
    #[arg(long, visible_alias = "cluster-region", value_name = "REGION", default_value = "global", value_parser = label)]
    region: String,

    /// The domain that it is of.
    #[arg(long, value_name = "DOMAIN", default_value = "saddlebag", value_parser = label)]
    domain: String,

    /// For how many days it is good.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

/// Whose certificate it is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Make a server's.
    #[arg(long)]
    server: bool,

    /// Make a node's.
    #[arg(long, visible_alias = "client")]
    node: bool,

    /// Make one for the command line, and for other clients.
    #[arg(long)]
    cli: bool,
}

pub(super) fn create(args: &Args) -> Result<String, Failure> {
    let (domain, region) = (&args.domain, &args.region);
    let usual = Place::of(&format!("{domain}-agent-ca"));
    let certificate = args.ca.as_ref().unwrap_or(&usual.certificate);
    let key = args.key.as_ref().unwrap_or(&usual.key);
    let kind = match &args.whose {
        Whose { server: true, .. } => "server",
        Whose { node: true, .. } => "node",
        Whose { .. } => "cli",
    };
    let own_name = format!("{kind}.{region}.{domain}");
    let mut wanted = Wanted {
        common_name: own_name.clone(),
        names: vec![own_name],
        addresses: Vec::new(),
        answers: !args.whose.cli,
        days: args.days,
    };
    if wanted.answers {
        wanted.names.push("localhost".to_owned());
        wanted.addresses.push(Ipv4Addr::LOCALHOST.into());
        wanted.addresses.push(Ipv6Addr::LOCALHOST.into());
    }
    wanted.names.extend(args.names.iter().cloned());
    wanted.addresses.extend(&args.addresses);
    let authority = Pair {
        certificate: read(certificate)?,
        key: read(key)?.into(),
    };
    let pair = Authority::open(&authority)
        .and_then(|authority| authority.issue(&wanted, Clock::default().now()))
        .map_err(|refused| {
            let files = format!("{}, {}", certificate.display(), key.display());
            Failure::new(Exit::Failed, format!("{files}: {refused}"), &[])
        })?;
    let place = Place::of(&format!("{region}-{kind}-{domain}"));
    place.write(&pair)?;
    Ok(place.told())
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let next = [
            "Make an authority: saddlebag tls ca create. Or say where it is: --ca FILE --key FILE",
        ];
        Failure::new(Exit::Failed, format!("{}: {error}", path.display()), &next)
    })
}

/// A host name; `*.` before it stands for one label.
fn host_name(text: &str) -> Result<String, String> {
    let exact = text.strip_prefix("*.").unwrap_or(text);
    match DnsName::try_from(exact) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("it is no host name".to_owned()),
    }
}
