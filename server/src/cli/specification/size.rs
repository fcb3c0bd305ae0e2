//! Sizes: `"10GiB"`, `"1.5 GB"`, `10737418240`.

/// The bytes of a size. Decimal units are powers of 1000, binary ones of 1024; case and a space before the unit do
/// not matter, commas between digits neither; nothing at all is 0. A fraction of a byte is dropped.
///
/// # Errors
/// What would be right, if it is no size or more than an `i64` holds.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    bytes(text).ok_or_else(|| {
        format!(
            "{text:?} is not a size: write a number and a unit, such as \"10GiB\" (binary) or \"10GB\" (decimal)"
        )
    })
}

fn bytes(text: &str) -> Option<i64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || ".,".contains(c)))
        .unwrap_or(text.len());
    let number = text[..end].replace(',', "");
    let unit = unit(text[end..].trim())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut bytes = match whole {
        "" => 0,
        whole => whole.parse::<u128>().ok()?.checked_mul(unit)?,
    };
    if !fraction.is_empty() {
        let digits = u32::try_from(fraction.len()).ok().filter(|it| *it <= 18)?;
        bytes = bytes.checked_add(fraction.parse::<u128>().ok()? * unit / 10u128.pow(digits))?;
    }
    i64::try_from(bytes).ok()
}

/// How many bytes a unit is.
fn unit(name: &str) -> Option<u128> {
    let name = name.to_ascii_lowercase();
    if matches!(name.as_str(), "" | "b") {
        return Some(1);
    }
    let name = name.strip_suffix('b').unwrap_or(&name);
    let (letter, base) = match name.strip_suffix('i') {
        Some(letter) => (letter, 1024u128),
        None => (name, 1000),
    };
    let power = ["k", "m", "g", "t", "p", "e"]
        .iter()
        .position(|it| *it == letter)?;
    base.checked_pow(u32::try_from(power).ok()? + 1)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_read_as_nomad_reads_them() {
        for (text, bytes) in [
            ("10GiB", 10 << 30),
            ("10gib", 10 << 30),
            ("1.5 GB", 1_500_000_000),
            ("1 KiB", 1024),
            ("1kB", 1000),
            ("2Mi", 2 << 20),
            ("3m", 3_000_000),
            (".5KiB", 512),
            ("1,024", 1024),
            ("10737418240", 10 << 30),
            ("1EiB", 1 << 60),
            ("", 0),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_told_with_what_would_be() {
        for text in [
            "ten",
            "10 GiBs",
            "GiB",
            ".",
            "-1",
            "1.2.3",
            "8EiB",
            "1e3",
            "0.0000000000000000001GB",
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(text) && told.contains("\"10GiB\""), "{told}");
        }
    }
}
