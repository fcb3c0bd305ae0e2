//! What text may hold beside itself: escapes, and text over several lines.

use super::place::Problem;
use super::reader::Reader;

/// The character that what follows a backslash stands for, in HCL or JSON.
pub(super) fn escaped(reader: &mut Reader<'_>) -> Result<char, Problem> {
    let unknown = reader.problem(r#"this escape is unknown: \" \\ \n \t \r and \u0041 are known"#);
    Ok(match reader.next() {
        Some(c @ ('"' | '\\' | '/')) => c,
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('a') => '\u{7}',
        Some('v') => '\u{b}',
        Some('x') => char::from_u32(hexadecimal(reader, 2)?).ok_or(unknown)?,
        Some('U') => char::from_u32(hexadecimal(reader, 8)?).ok_or(unknown)?,
        Some('u') => {
            let first = hexadecimal(reader, 4)?;
            let point = match first {
                0xd800..=0xdbff => surrogates(reader, first)?,
                other => other,
            };
            char::from_u32(point).ok_or(unknown)?
        }
        _ => return Err(unknown),
    })
}

/// JSON's two escapes for one character beyond U+FFFF, of which the first was read.
fn surrogates(reader: &mut Reader<'_>, first: u32) -> Result<u32, Problem> {
    let alone = reader.problem("the second half of this character is missing: \\uDC00 to \\uDFFF");
    if (reader.next(), reader.next()) != (Some('\\'), Some('u')) {
        return Err(alone);
    }
    match hexadecimal(reader, 4)? {
        second @ 0xdc00..=0xdfff => Ok(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)),
        _ => Err(alone),
    }
}

fn hexadecimal(reader: &mut Reader<'_>, digits: usize) -> Result<u32, Problem> {
    let mut number = 0;
    for _ in 0..digits {
        let digit = reader.peek().and_then(|c| c.to_digit(16));
        let digit = digit.ok_or_else(|| reader.problem("a hexadecimal digit is expected here"))?;
        number = number * 16 + digit;
        reader.next();
    }
    Ok(number)
}

/// `<<WORD`, lines, `WORD`; `<<-WORD` takes away the indentation that all lines share.
pub(super) fn heredoc(reader: &mut Reader<'_>) -> Result<String, Problem> {
    let unclosed =
        reader.problem("text over several lines is <<WORD, lines, and WORD alone in a line");
    reader.next();
    if reader.next() != Some('<') {
        return Err(unclosed);
    }
    let mut word = line(reader)
        .ok_or_else(|| unclosed.clone())?
        .trim()
        .to_owned();
    let is_indented = word.starts_with('-');
    word = word.trim_start_matches('-').to_owned();
    let mut lines: Vec<String> = Vec::new();
    loop {
        let line = line(reader).ok_or_else(|| unclosed.clone())?;
        if line.trim() == word {
            break;
        }
        lines.push(line);
    }
    let indentation = match is_indented {
        true => shared_indentation(&lines),
        false => 0,
    };
    let text = lines.iter().map(|line| match line.get(indentation..) {
        Some(rest) => format!("{rest}\n"),
        None => "\n".to_owned(),
    });
    Ok(text.collect())
}

/// The rest of a line, without its end; nothing at the end of the text.
fn line(reader: &mut Reader<'_>) -> Option<String> {
    reader.peek()?;
    let mut line = String::new();
    while let Some(c) = reader.next().filter(|c| *c != '\n') {
        line.push(c);
    }
    Some(line)
}

fn shared_indentation(lines: &[String]) -> usize {
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let spaces = filled.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len());
    spaces.min().unwrap_or(0)
}
