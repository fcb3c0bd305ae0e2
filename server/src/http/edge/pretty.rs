//! JSON for human eyes.

/// Compact JSON, indented by four spaces, with a newline at its end; `[]` and `{}` stay.
///
/// Rewrites the bytes and parses nothing, so numbers and the order of keys stay as they are.
pub(super) fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut in_string = false;
    let mut bytes = json.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        out.push(byte);
        match byte {
            b'\\' if in_string => out.extend(bytes.next()),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b':' => out.push(b' '),
            b',' => line(&mut out, depth),
            b'[' | b'{' => match bytes.next_if(|next| matches!(next, b']' | b'}')) {
                Some(close) => out.push(close),
                None => {
                    depth += 1;
                    line(&mut out, depth);
                }
            },
            _ => {}
        }
        if !in_string && matches!(bytes.peek(), Some(b']' | b'}')) {
            depth = depth.saturating_sub(1);
            line(&mut out, depth);
        }
    }
    out.push(b'\n');
    out
}

fn line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + depth * 4, b' ');
}
