//! Globs over names: `*` stands for any characters, none too.

/// Whether a glob stands for a name.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// How many characters of a name the stars of a glob that stands for it stand for: the fewer, the closer.
pub(super) fn distance(glob: &str, name: &str) -> usize {
    let stars = glob.matches('*').count();
    (name.len() + stars).saturating_sub(glob.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, letter by letter.
    fn is_of(glob: &[u8], name: &[u8]) -> bool {
        match (glob.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=name.len()).any(|taken| is_of(rest, &name[taken..])),
            (Some((one, glob)), Some((other, name))) => one == other && is_of(glob, name),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_glob_stands_for_what_its_definition_says(glob in "[ab*]{0,7}", name in "[ab]{0,9}") {
            prop_assert_eq!(matches(&glob, &name), is_of(glob.as_bytes(), name.as_bytes()));
        }
    }

    #[test]
    fn closer_is_what_leaves_less_to_the_star() {
        assert_eq!(distance("team-*", "team-a"), 1);
        assert_eq!(distance("*", "team-a"), 6);
        assert_eq!(distance("*-a", "team-a"), 4);
        assert_eq!(distance("team-a*", "team-a"), 0);
    }
}
