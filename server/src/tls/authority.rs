//! A private authority, and the certificates that it signs.
//!
//! Keys are ECDSA on P-256. The authority signs certificates of servers, nodes and clients, and no other
//! authority. What it signs is verified with its certificate before it is handed out.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use webpki::EndEntityCert;
use zeroize::Zeroizing;

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The authority's certificate or key is none.
    #[error("{0}")]
    Unreadable(String),
    /// The certificate is no authority that [`create`] made, or the key is not its.
    #[error(
        "the authority's certificate and key do not belong together, or `saddlebag tls ca create` did not make them"
    )]
    Foreign,
    /// What was asked for cannot stand in a certificate.
    #[error("{0}")]
    Impossible(String),
}

/// A certificate with its private key, both PEM.
#[derive(Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key, for its owner alone.
    pub key: Zeroizing<String>,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whom it is of; the first of `names`, usually.
    pub common_name: String,
    /// The host names that it stands for.
    pub names: Vec<String>,
    /// The addresses that it stands for.
    pub addresses: Vec<IpAddr>,
    /// Whether who has it may answer, and not only ask.
    pub answers: bool,
    /// For how many days from now it is good.
    pub days: u32,
}

/// An authority that can sign.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A new authority of this name.
pub fn create(common_name: &str, days: u32, now: Timestamp) -> Result<Pair, Refused> {
    let mut params = params(common_name, days, now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    let key = KeyPair::generate().map_err(impossible)?;
    let certificate = params.self_signed(&key).map_err(impossible)?;
    Ok(Pair {
        certificate: certificate.pem(),
        key: key.serialize_pem().into(),
    })
}

impl Authority {
    /// The authority of this certificate and key, both PEM.
    pub fn open(pair: &Pair) -> Result<Self, Refused> {
        let unreadable = |what, error: &dyn std::fmt::Display| {
            Refused::Unreadable(format!("the authority's {what} is not readable: {error}"))
        };
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())
            .map_err(|error| unreadable("certificate", &error))?;
        let key = KeyPair::from_pem(&pair.key).map_err(|error| unreadable("key", &error))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = name(&common_name(&certificate)?);
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// Signs a new certificate.
    pub fn issue(&self, wanted: &Wanted, now: Timestamp) -> Result<Pair, Refused> {
        let mut params = params(&wanted.common_name, wanted.days, now)?;
        let addresses = wanted.addresses.iter().map(IpAddr::to_string);
        let names = wanted.names.iter().cloned().chain(addresses);
        let named = CertificateParams::new(names.collect::<Vec<_>>());
        params.subject_alt_names = named.map_err(impossible)?.subject_alt_names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if wanted.answers {
            let answering = ExtendedKeyUsagePurpose::ServerAuth;
            params.extended_key_usages.push(answering);
        }
        let key = KeyPair::generate().map_err(impossible)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(impossible)?;
        self.verify(signed.der(), now)?;
        Ok(Pair {
            certificate: signed.pem(),
            key: key.serialize_pem().into(),
        })
    }

    /// Whether a server would take the certificate. Every one may be shown by a client.
    fn verify(&self, signed: &CertificateDer<'_>, now: Timestamp) -> Result<(), Refused> {
        let mut roots = RootCertStore::empty();
        let added = roots.add(self.certificate.clone());
        added.map_err(|_| Refused::Foreign)?;
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let since_1970 = Duration::from_secs(now.as_second().unsigned_abs());
        let now = UnixTime::since_unix_epoch(since_1970);
        let verified = verifier
            .map_err(impossible)?
            .verify_client_cert(signed, &[], now);
        verified.map(drop).map_err(|_| Refused::Foreign)
    }
}

fn params(common_name: &str, days: u32, now: Timestamp) -> Result<CertificateParams, Refused> {
    /// The clock of who verifies may be behind ours.
    const EARLIER: SignedDuration = SignedDuration::from_mins(5);
    let at = |time: Timestamp| OffsetDateTime::from_unix_timestamp(time.as_second());
    let good_for = SignedDuration::from_hours(24 * i64::from(days));
    let mut params = CertificateParams::default();
    params.distinguished_name = name(common_name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = at(now.saturating_sub(EARLIER).unwrap_or(now)).map_err(impossible)?;
    params.not_after = now
        .checked_add(good_for)
        .map_err(impossible)
        .and_then(|end| at(end).map_err(impossible))?;
    Ok(params)
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// Whom an authority's certificate is of, if it says that by its common name alone, as ours do.
fn common_name(certificate: &CertificateDer<'_>) -> Result<String, Refused> {
    let parsed = EndEntityCert::try_from(certificate).map_err(|_| Refused::Foreign)?;
    if parsed.issuer() != parsed.subject() {
        return Err(Refused::Foreign);
    }
    yasna::parse_der(parsed.subject(), |subject| {
        subject.read_set(|one| {
            let pair = one.next(&[yasna::tags::TAG_SEQUENCE])?;
            pair.read_sequence(|pair| {
                pair.next().read_oid()?;
                pair.next().read_utf8string()
            })
        })
    })
    .map_err(|_| Refused::Foreign)
}

fn impossible(error: impl std::fmt::Display) -> Refused {
    Refused::Impossible(error.to_string())
}
