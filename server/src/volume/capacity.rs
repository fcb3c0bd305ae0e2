//! Sizes: what an update of the requested capacity means.

use super::{Spec, Volume};

/// What is to be done about a volume's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sizing {
    /// Nothing.
    Keep,
    /// Only the request is new; the volume has that size already.
    Record,
    /// The driver has to grow it.
    Grow,
}

/// What the requested sizes mean for a volume (Nomad's rules and texts).
pub(super) fn sizing(volume: &Volume, spec: &Spec) -> Result<Sizing, String> {
    let (min, max) = (spec.capacity_min, spec.capacity_max);
    let unasked = min == 0 && max == 0;
    if unasked || (min == volume.capacity_min && max == volume.capacity_max) {
        return Ok(Sizing::Keep);
    }
    if max > 0 && max < min {
        let (max, min) = (readable(max), readable(min));
        return Err(format!(
            "max requested capacity ({max}) less than or equal to min ({min})"
        ));
    }
    if max > 0 && max < volume.capacity {
        let (max, now) = (readable(max), readable(volume.capacity));
        return Err(format!(
            "max requested capacity ({max}) less than or equal to current ({now})"
        ));
    }
    if min <= volume.capacity {
        return Ok(Sizing::Record);
    }
    Ok(Sizing::Grow)
}

/// Bytes as Nomad prints them: powers of 1000, one digit after the point below 10.
fn readable(bytes: i64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 10 {
        return format!("{bytes} B");
    }
    let exponent = bytes.ilog(1000) as usize;
    let scaled = bytes as f64 / 1000f64.powi(exponent as i32);
    let rounded = (scaled * 10.0 + 0.5).floor() / 10.0;
    let unit = UNITS[exponent];
    if rounded < 10.0 {
        format!("{rounded:.1} {unit}")
    } else {
        format!("{rounded:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn sizes_read_as_nomad_prints_them() {
        for (bytes, text) in [
            (0, "0 B"),
            (9, "9 B"),
            (10, "10 B"),
            (999, "999 B"),
            (1_500, "1.5 kB"),
            (10_000_000_000, "10 GB"),
            (10_737_418_240, "11 GB"),
            (i64::MAX, "9.2 EB"),
        ] {
            assert_eq!(readable(bytes), text);
        }
    }
}
