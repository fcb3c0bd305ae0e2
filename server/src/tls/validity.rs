//! From when and until when a certificate is good.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use yasna::tags::TAG_UTCTIME;
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq};

/// From when and until when a certificate is good (RFC 5280, 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    from: Timestamp,
    until: Timestamp,
}

impl Validity {
    /// What a certificate says; nothing, if it cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let read = yasna::parse_der(certificate, |certificate| {
            certificate.read_sequence(|parts| {
                let signed = parts.next().read_sequence(|fields| {
                    let found = validity(fields)?;
                    rest(fields)?;
                    Ok(found)
                });
                rest(parts)?;
                signed
            })
        });
        read.ok()
    }

    /// Why the certificate is not good at this time, if it is not.
    pub fn problem(&self, now: Timestamp) -> Option<String> {
        if now > self.until {
            return Some(format!("the certificate has expired, at {}", self.until));
        }
        (now < self.from).then(|| format!("the certificate is not good before {}", self.from))
    }
}

/// The fields before the validity are the version, the serial number, the algorithm and the issuer.
fn validity(fields: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Validity> {
    for _ in 0..4 {
        fields.next().read_der()?;
    }
    fields.next().read_sequence(|times| {
        let (from, until) = (time(times.next())?, time(times.next())?);
        Ok(Validity { from, until })
    })
}

fn rest(fields: &mut BERReaderSeq<'_, '_>) -> ASN1Result<()> {
    while fields.read_optional(|field| field.read_der())?.is_some() {}
    Ok(())
}

/// A year of two digits is one from 1950 to 2049.
fn time(reader: BERReader<'_, '_>) -> ASN1Result<Timestamp> {
    let read = reader.read_tagged_der()?;
    let invalid = || ASN1Error::new(ASN1ErrorKind::Invalid);
    let text = std::str::from_utf8(read.value()).map_err(|_| invalid())?;
    let text = match (read.tag() == TAG_UTCTIME, text.as_bytes().first()) {
        (true, Some(b'5'..)) => format!("19{text}"),
        (true, _) => format!("20{text}"),
        (false, _) => text.to_owned(),
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", text).map_err(|_| invalid())?;
    TimeZone::UTC.to_timestamp(time).map_err(|_| invalid())
}
