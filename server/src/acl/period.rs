//! Durations as Go prints them.

use jiff::SignedDuration;

/// A duration as Go prints it: `1m0s`, `24h0m0s`, `1.5s`, `500ms`.
pub fn in_go(duration: SignedDuration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    let nanoseconds = duration.as_nanos().unsigned_abs();
    let parts = |nanoseconds: u128, unit: u128| {
        let (whole, rest) = (nanoseconds / unit, nanoseconds % unit);
        let digits = unit.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        match fraction.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanoseconds}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", parts(nanoseconds, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", parts(nanoseconds, 1_000_000)),
        _ => {
            let minutes = nanoseconds / 60_000_000_000;
            let (hours, minutes) = (minutes / 60, minutes % 60);
            let seconds = parts(nanoseconds % 60_000_000_000, 1_000_000_000);
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_go;
    use jiff::SignedDuration;

    #[test]
    fn durations_read_as_go_prints_them() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (7, "7ns"),
            (1_500, "1.5µs"),
            (500_000_000, "500ms"),
            (1_000_000_000, "1s"),
            (60_000_000_000, "1m0s"),
            (86_400_000_000_000, "24h0m0s"),
            (3_661_500_000_000, "1h1m1.5s"),
            (-90_000_000_000, "-1m30s"),
        ] {
            assert_eq!(in_go(SignedDuration::from_nanos(nanoseconds)), text);
        }
    }
}
